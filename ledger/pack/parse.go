package pack

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/proof"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// Errors about files that nothing can be said of.
var (
	// ErrNotPack means that the file does not begin as an evidence pack does.
	ErrNotPack = errors.New("not an evidence pack")
	// ErrVersion means that it begins as one of a version that this code does not
	// know.
	ErrVersion = errors.New("unknown version of evidence packs")
)

const maxHashes = 64 // the depth of the largest tree

// Parse accepts exactly what [Pack.Format] makes; the pack keeps file. It proves
// nothing yet. Its errors are proof.ErrMalformed, [ErrNotPack] and [ErrVersion].
func Parse(file []byte) (*Pack, error) {
	if err := checkStart(file); err != nil {
		return nil, err
	}
	r := &reader{rest: file}
	p, err := r.pack()
	if err != nil {
		return nil, fmt.Errorf("%w: line %d: %w", proof.ErrMalformed, r.line, err)
	}
	rest := same(file)
	if err := p.write(&rest); err != nil || len(rest) > 0 {
		return nil, fmt.Errorf("%w: not in canonical form", proof.ErrMalformed)
	}
	return p, nil
}

// same is what a pack that is written again must still be.
type same []byte

// Write implements [io.Writer].
func (s *same) Write(b []byte) (int, error) {
	rest, ok := bytes.CutPrefix(*s, b)
	if !ok {
		return 0, errors.New("another form")
	}
	*s = rest
	return len(b), nil
}

// Is says whether a file begins as an evidence pack of any version does.
func Is(file []byte) bool { return !errors.Is(checkStart(file), ErrNotPack) }

func checkStart(file []byte) error {
	first, _, _ := strings.Cut(string(file[:min(len(file), 64)]), "\n")
	switch {
	case bytes.HasPrefix(file, []byte(Start)):
		return nil
	case ledger.IsVersion(first, format):
		return fmt.Errorf("%w: %s; use a later custody", ErrVersion, first)
	}
	return fmt.Errorf("%w: it does not begin with %s", ErrNotPack, version)
}

// A reader takes lines off a file.
type reader struct {
	rest []byte
	line int // of the last one taken, from 1
}

// next is the next line, without its line feed.
func (r *reader) next() ([]byte, error) {
	r.line++
	line, rest, ok := bytes.Cut(r.rest, []byte("\n"))
	if !ok {
		return nil, errors.New("the file ends within it")
	}
	r.rest = rest
	return line, nil
}

// field is the value of the next line, which has this name.
func (r *reader) field(name string) (string, error) {
	line, err := r.next()
	if err != nil {
		return "", err
	}
	value, ok := bytes.CutPrefix(line, []byte(name+" "))
	if !ok {
		return "", fmt.Errorf("%q is missing", name)
	}
	return string(value), nil
}

func (r *reader) number(name string) (uint64, error) {
	s, err := r.field(name)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return n, nil
}

// text takes exactly this text.
func (r *reader) text(want, why string) error {
	rest, ok := bytes.CutPrefix(r.rest, []byte(want))
	if !ok {
		r.line++
		return errors.New(why)
	}
	r.rest = rest
	r.line += bytes.Count([]byte(want), []byte("\n"))
	return nil
}

func (r *reader) pack() (*Pack, error) {
	if len(r.rest) > ledger.MaxPack {
		return nil, fmt.Errorf("%d bytes are too many", len(r.rest))
	}
	h, err := r.head()
	if err != nil {
		return nil, err
	}
	if h.count > ledger.MaxPackRecords {
		return nil, fmt.Errorf("%d records are too many", h.count)
	}
	if err := r.text("\n"+h.statement()+"\n", "the statement behind it is not the specification's text for these figures"); err != nil {
		return nil, err
	}
	p := &Pack{Log: h.log, Key: h.key}
	if p.Made, err = time.Parse(timeForm, h.made); err != nil {
		return nil, err
	}
	if err := r.remarks(p); err != nil {
		return nil, err
	}
	if err := r.checkpoint(p); err != nil {
		return nil, err
	}
	if err := r.records(p, h.count); err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	if p.head() != h {
		return nil, errors.New("the figures of the first lines are not those of what follows")
	}
	return p, nil
}

func (r *reader) head() (h head, err error) {
	if _, err := r.next(); err != nil { // The version, which has been looked at.
		return h, err
	}
	for _, f := range []struct {
		name string
		to   *string
	}{{"log", &h.log}, {"origin", &h.origin}, {"key", &h.key}, {"made", &h.made}} {
		if *f.to, err = r.field(f.name); err != nil {
			return h, err
		}
	}
	for _, f := range []struct {
		name string
		to   *uint64
	}{{"size", &h.size}, {"count", &h.count}, {"first", &h.first}, {"last", &h.last}} {
		if *f.to, err = r.number(f.name); err != nil {
			return h, err
		}
	}
	return h, nil
}

func (r *reader) remarks(p *Pack) error {
	for bytes.HasPrefix(r.rest, []byte("remark ")) {
		line, err := r.field("remark")
		if err != nil {
			return err
		}
		p.Remarks = append(p.Remarks, line)
	}
	if len(p.Remarks) == 0 {
		return nil
	}
	return r.text("\n", "an empty line is missing behind the remark")
}

// checkpoint takes the note: text, an empty line, signature lines.
func (r *reader) checkpoint(p *Pack) error {
	gap := []byte("\n\n")
	text := bytes.Index(r.rest, gap)
	signatures := -1
	if text >= 0 {
		signatures = bytes.Index(r.rest[text+len(gap):], gap)
	}
	if signatures < 0 {
		return errors.New("a checkpoint with an empty line behind is missing")
	}
	n := text + len(gap) + signatures + 1
	var err error
	if p.claimed, err = checkpoint.ParseText(string(r.rest[:text+1])); err != nil {
		return err
	}
	p.Note = r.rest[:n]
	return r.text(string(p.Note), "")
}

func (r *reader) records(p *Pack, count uint64) error {
	for len(r.rest) > 0 {
		if uint64(len(p.Records)) == count {
			return fmt.Errorf("more than the %d records that it says it holds", count)
		}
		e, err := r.record()
		if err != nil {
			return err
		}
		e.Checkpoint = p.Note
		p.Records = append(p.Records, e)
	}
	if uint64(len(p.Records)) != count {
		return fmt.Errorf("it holds %d records and says that it holds %d", len(p.Records), count)
	}
	return nil
}

// record takes an empty line, a record and its proof.
func (r *reader) record() (e *proof.Evidence, err error) {
	if err := r.text("\n", "an empty line is missing before a record"); err != nil {
		return nil, err
	}
	e = &proof.Evidence{}
	if e.Index, err = r.number("record"); err != nil {
		return nil, err
	}
	if e.Line, err = r.next(); err != nil {
		return nil, err
	}
	if len(e.Line) == 0 {
		return nil, errors.New("a record line is empty")
	}
	if err := r.hex("salt", e.Salt[:]); err != nil {
		return nil, err
	}
	if err := r.hex("previous", e.Previous[:]); err != nil {
		return nil, err
	}
	return e, r.hashes(e)
}

// hashes takes the proof, which ends at an empty line or with the file.
func (r *reader) hashes(e *proof.Evidence) error {
	for len(r.rest) > 0 && r.rest[0] != '\n' {
		line, err := r.next()
		if err != nil {
			return err
		}
		h, err := base64.StdEncoding.Strict().DecodeString(string(line))
		if err != nil || len(h) != tree.HashSize || len(e.Proof) == maxHashes {
			return fmt.Errorf("%.60q is not a hash, or one too many", line)
		}
		e.Proof = append(e.Proof, tree.Hash(h))
	}
	return nil
}

// hex takes a line of this name and as many bytes as to holds.
func (r *reader) hex(name string, to []byte) error {
	s, err := r.field(name)
	if err != nil {
		return err
	}
	if len(s) != hex.EncodedLen(len(to)) {
		return fmt.Errorf("%s has %d hex digits, want %d", name, len(s), hex.EncodedLen(len(to)))
	}
	_, err = hex.Decode(to, []byte(s))
	return err
}
