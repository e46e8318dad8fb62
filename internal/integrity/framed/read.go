package framed

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
)

// reader reads the lines of a file.
type reader struct {
	in    *bufio.Reader
	title string
	line  int
	sum   [sha256.Size]byte // after each: of the last whole line
	size  int64             // of the whole lines

	torn   bool // the last line is not whole
	failed bool // the error is that of reading
}

func newReader(in io.Reader, title string) *reader {
	return &reader{in: bufio.NewReaderSize(in, sumLen+1+MaxFrame+1), title: title}
}

// each gives the frames to take until one is bad, or there is no more.
func (r *reader) each(take func([]byte) error) error {
	for {
		line, err := r.next()
		switch {
		case r.failed, errors.Is(err, io.EOF) && len(line) == 0 && r.line > 1:
			return notEOF(err)
		case r.line == 1:
			// Files come to be by renaming, so a torn title is damage.
			if string(line) != r.title+"\n" {
				return &DamagedError{Line: 1, Why: "is not " + r.title}
			}
			r.sum = first(r.title)
		default:
			frame, ok := r.check(line)
			if !ok {
				return r.bad()
			}
			if err := take(frame); err != nil {
				return &DamagedError{Line: r.line, Why: "is not understood: " + err.Error()}
			}
		}
		r.size += int64(len(line))
	}
}

// next reads a line with its line feed, or less at the end or of one too long.
func (r *reader) next() ([]byte, error) {
	r.line++
	line, err := r.in.ReadSlice('\n')
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		r.failed = true
	}
	return line, err
}

// check splits a line and goes on to its checksum, if it is right.
func (r *reader) check(line []byte) (frame []byte, ok bool) {
	text, whole := bytes.CutSuffix(line, []byte("\n"))
	if !whole || len(text) < sumLen+1 || text[sumLen] != ' ' {
		return nil, false
	}
	sum := next(r.sum, text[sumLen+1:])
	if string(text[:sumLen]) != hex.EncodeToString(sum[:sumLen/2]) {
		return nil, false
	}
	r.sum = sum
	return text[sumLen+1:], true
}

// bad judges a bad line: torn if nothing follows, else damage.
func (r *reader) bad() error {
	_, err := r.in.ReadByte()
	if errors.Is(err, io.EOF) {
		r.torn = true
		return nil
	}
	if err != nil {
		r.failed = true
		return err
	}
	return &DamagedError{Line: r.line, Why: "does not bear its checksum"}
}

func notEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
