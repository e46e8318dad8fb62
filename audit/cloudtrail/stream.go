package cloudtrail

import (
	"bytes"
	"errors"
	"io"

	"github.com/otelcol-custody/custody/audit"
)

// ParseReader is [Parse] for a content that is too large to be held: it reads windows of
// so many bytes and parses each by itself, cut between two events. A window grows where
// no cut can be found in it, which is up to the largest event in a sound file; of one in
// which brackets or quotes are out of balance, the rest is held in memory, so r should
// have an end.
//
// Records are those of Parse, in its order; a body is valid until emit returns. What is
// damaged is quarantined as Parse does, but no piece is larger than its window. The
// errors that it returns are emit's and r's.
func ParseReader(r io.Reader, window int, emit func(*audit.Record) error) (audit.Counts, error) {
	s := &windows{r: r, buf: make([]byte, 0, max(window, 64))}
	var total audit.Counts
	for first := true; ; first = false {
		doc, err := s.next()
		if err != nil && err != io.EOF {
			return total, err
		}
		if first || len(bytes.TrimSpace(doc)) > 0 {
			counts, failed := Parse(doc, emit)
			total.Events += counts.Events
			total.Quarantined += counts.Quarantined
			total.Truncated += counts.Truncated
			if failed != nil {
				return total, failed
			}
		}
		if err == io.EOF {
			return total, nil
		}
	}
}

// Windows cut a content into documents, each of which holds whole events and has the
// form of the whole.
type windows struct {
	r     io.Reader
	buf   []byte
	begun bool

	open, close string // what goes before the events of a window, and behind them
	depth       int    // of brackets between two events
	cutter      cutter
	rest        []byte // copied from behind the last cut
	sep         int    // bytes between two events
}

// next returns the next document, which is valid until the following call, and io.EOF
// with the last.
func (s *windows) next() ([]byte, error) {
	if s.begun {
		s.buf = append(append(s.buf[:0], s.open...), s.rest...)
		s.cutter.at, s.cutter.cut = len(s.buf), -1
	}
	for {
		n, err := io.ReadFull(s.r, s.buf[len(s.buf):cap(s.buf)])
		s.buf = s.buf[:len(s.buf)+n]
		if !s.begun {
			s.begin()
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return s.buf, io.EOF
		}
		if err != nil {
			return nil, err
		}
		if s.cutter.scan(s.buf, s.depth); s.cutter.cut >= 0 {
			return s.split(), nil
		}
		s.buf = append(make([]byte, 0, 2*cap(s.buf)), s.buf...)
	}
}

// begin goes by the first bytes: {"Records":[, a list, or events one after another.
func (s *windows) begin() {
	s.begun = true
	s.cutter.cut = -1
	rest := bytes.TrimLeft(bytes.TrimPrefix(s.buf, []byte("\xef\xbb\xbf")), " \t\r\n")
	if bytes.HasPrefix(rest, []byte("[")) {
		s.open, s.close, s.depth, s.sep = "[", "]", 1, 1
		return
	}
	for _, token := range [...]string{"{", `"Records"`, ":", "["} {
		if !bytes.HasPrefix(rest, []byte(token)) {
			return
		}
		rest = bytes.TrimLeft(rest[len(token):], " \t\r\n")
	}
	s.open, s.close, s.depth, s.sep = `{"Records":[`, "]}", 2, 1
}

// split closes the document at the cut, and keeps what is behind it for the next.
func (s *windows) split() []byte {
	cut := s.cutter.cut
	s.rest = append(s.rest[:0], s.buf[cut+s.sep:]...)
	return append(s.buf[:cut], s.close...)
}

// A cutter finds the last place in a buffer where events can be parted.
type cutter struct {
	at      int // read up to here
	cut     int // the last place found, or -1
	depth   int
	quoted  bool
	escaped bool
	closed  bool // the list has ended: what follows belongs together
}

// scan reads to the end of buf. Events are parted by a comma at the given depth, or, at
// depth 0, behind their closing bracket.
func (c *cutter) scan(buf []byte, depth int) {
	for i := c.at; i < len(buf) && !c.closed; i++ {
		b := buf[i]
		switch {
		case c.escaped:
			c.escaped = false
		case c.quoted:
			c.escaped, c.quoted = b == '\\', b != '"'
		case b == '"':
			c.quoted = true
		case b == '{' || b == '[':
			c.depth++
		case b == '}' || b == ']':
			c.depth--
			c.closed = c.depth < depth
			if c.depth == 0 && depth == 0 {
				c.cut = i + 1
			}
		case b == ',' && c.depth == depth && depth > 0:
			c.cut = i
		}
	}
	c.at = len(buf)
}
