package pack

import (
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	format   = "custody-pack"
	version  = format + "/v1"
	timeForm = "2006-01-02T15:04:05Z"
)

// Start is how every evidence pack of this version begins.
const Start = version + "\n"

// words is the statement of every pack (spec §12.1), with gaps for the figures.
//
//go:embed statement.txt
var words string

// A head is the figures of a pack, as they stand in its first lines.
type head struct {
	log, origin, key, made   string
	size, count, first, last uint64
}

func (p *Pack) head() head {
	return head{
		log: p.Log, origin: p.claimed.Origin, key: p.Key, made: p.Made.Format(timeForm), size: p.claimed.Size,
		count: uint64(len(p.Records)), first: p.Records[0].Index, last: p.Records[len(p.Records)-1].Index,
	}
}

func (h head) lines() string {
	return fmt.Sprintf("%s\nlog %s\norigin %s\nkey %s\nmade %s\nsize %d\ncount %d\nfirst %d\nlast %d\n",
		version, h.log, h.origin, h.key, h.made, h.size, h.count, h.first, h.last)
}

// statement fills the gaps, none of which any figure can contain.
func (h head) statement() string {
	n := func(n uint64) string { return strconv.FormatUint(n, 10) }
	name, rest, _ := strings.Cut(h.key, "+")
	id, _, _ := strings.Cut(rest, "+")
	return strings.NewReplacer(
		"<the origin>", h.origin, "<the key>", name+"+"+id, "<the time>", h.made,
		"<the size>", n(h.size), "<the count>", n(h.count), "<the first>", n(h.first), "<the last>", n(h.last),
	).Replace(words)
}

// Format is the evidence pack.
func (p *Pack) Format() []byte {
	var b bytes.Buffer
	_ = p.write(&b) // A buffer takes everything.
	return b.Bytes()
}

func (p *Pack) write(w io.Writer) error {
	h := p.head()
	out := &printer{w: w}
	out.print("%s\n%s\n", h.lines(), h.statement())
	for _, r := range p.Remarks {
		out.print("remark %s\n", r)
	}
	if len(p.Remarks) > 0 {
		out.print("\n")
	}
	out.print("%s", p.Note)
	for _, e := range p.Records {
		out.print("\nrecord %d\n%s\nsalt %x\nprevious %x\n", e.Index, e.Line, e.Salt, e.Previous[:])
		for _, hash := range e.Proof {
			out.print("%s\n", hash)
		}
	}
	return out.err
}

// A printer keeps the first error.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) print(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}
