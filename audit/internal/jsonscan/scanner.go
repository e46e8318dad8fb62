// Package jsonscan reads JSON (RFC 8259) once, from left to right, and notes where
// the wanted values lie. It checks the syntax, copies nothing, keeps numbers as they
// are written, compares keys exactly, and leaves strings as they are, valid UTF-8 or
// not.
package jsonscan

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// MaxDepth bounds how deep a value may nest. Real events stay below 20; the bound
// keeps a hostile one from exhausting the stack.
const MaxDepth = 512

// The reasons why something is not read.
var (
	ErrCut    = errors.New("the data ends in the middle of a value")
	ErrSyntax = errors.New("not valid JSON")
	ErrDepth  = fmt.Errorf("nested deeper than %d levels", MaxDepth)
)

// A Scanner stands at a place in data. Its methods read what begins there, and go
// behind it.
type Scanner struct {
	Data  []byte
	Pos   int
	Quote int // where the last string began
}

// A Kind says what a span holds; the zero kind means that it was not found.
type Kind uint8

// The kinds of values.
const (
	None Kind = iota
	Text      // a string without escapes, its span without the quotes
	Escaped
	Number
	True
	False
	Null
	Object
	Array
)

// SkipSpace goes behind white space.
func (s *Scanner) SkipSpace() {
	for s.Pos < len(s.Data) {
		c := s.Data[s.Pos]
		if c > ' ' || (c != ' ' && c != '\n' && c != '\t' && c != '\r') {
			return
		}
		s.Pos++
	}
}

// Peek returns the next byte, or 0 at the end.
func (s *Scanner) Peek() byte {
	if s.Pos < len(s.Data) {
		return s.Data[s.Pos]
	}
	return 0
}

// Fail is the error for an unexpected byte at the current position.
func (s *Scanner) Fail() error {
	if s.Pos >= len(s.Data) {
		return ErrCut
	}
	return ErrSyntax
}

// Scalar reads a value that is no object and no array.
func (s *Scanner) Scalar() (Kind, error) {
	switch s.Peek() {
	case '"':
		escaped, err := s.ReadString()
		if escaped {
			return Escaped, err
		}
		return Text, err
	case 't':
		return True, s.literal("true")
	case 'f':
		return False, s.literal("false")
	case 'n':
		return Null, s.literal("null")
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return Number, s.number()
	}
	return None, s.Fail()
}

// Key reads the key of a member, its colon and the space behind it, and returns the
// key without quotes; escaped says that it has to be unescaped.
func (s *Scanner) Key() (key []byte, escaped bool, err error) {
	if s.Peek() != '"' {
		return nil, false, s.Fail()
	}
	start := s.Pos + 1
	if escaped, err = s.ReadString(); err != nil {
		return nil, escaped, err
	}
	key = s.Data[start : s.Pos-1]
	s.SkipSpace()
	if s.Peek() != ':' {
		return nil, escaped, s.Fail()
	}
	s.Pos++
	s.SkipSpace()
	return key, escaped, nil
}

// Next goes behind what separates values of an object or array, or behind its end,
// which is the given byte.
func (s *Scanner) Next(end byte) (more bool, err error) {
	s.SkipSpace()
	switch s.Peek() {
	case ',':
		s.Pos++
		s.SkipSpace()
		return true, nil
	case end:
		s.Pos++
		return false, nil
	}
	return false, s.Fail()
}

// Open goes into the object or array that begins here; empty ones are left at once.
func (s *Scanner) Open(end byte) (more bool) {
	s.Pos++
	s.SkipSpace()
	if s.Peek() == end {
		s.Pos++
		return false
	}
	return true
}

// Skip reads a value of which nothing is wanted.
func (s *Scanner) Skip() error {
	f := Fields{scan: s}
	_, err := f.value(nil, 0)
	return err
}

// The SWAR constants of ReadString: one byte repeated eight times.
const (
	swarOnes  = 0x0101010101010101
	swarHigh  = 0x8080808080808080
	swarSpace = 0x2020202020202020
	swarQuote = 0x2222222222222222
	swarSlash = 0x5c5c5c5c5c5c5c5c
)

// ReadString reads the string whose opening quote is at pos. It looks at eight
// bytes at a time for a quote, a backslash or a control character; the lowest
// bit that is set in the mask is always a true hit.
func (s *Scanner) ReadString() (escaped bool, err error) {
	s.Quote = s.Pos
	data, i := s.Data, s.Pos+1
	for {
		for i+8 <= len(data) {
			x := binary.LittleEndian.Uint64(data[i:])
			quote, slash := x^swarQuote, x^swarSlash
			mask := ((x - swarSpace) &^ x) | ((quote - swarOnes) &^ quote) | ((slash - swarOnes) &^ slash)
			if mask &= swarHigh; mask != 0 {
				i += bits.TrailingZeros64(mask) >> 3
				break
			}
			i += 8
		}
		for i < len(data) && data[i] >= ' ' && data[i] != '"' && data[i] != '\\' {
			i++
		}
		s.Pos = i
		if i >= len(data) {
			return escaped, ErrCut
		}
		switch data[i] {
		case '"':
			s.Pos = i + 1
			return escaped, nil
		case '\\':
			escaped = true
			if i, err = s.escape(i); err != nil {
				return escaped, err
			}
		default:
			return escaped, ErrSyntax
		}
	}
}

// escape checks the escape at i and returns the position behind it.
func (s *Scanner) escape(i int) (int, error) {
	if i+1 >= len(s.Data) {
		return i, ErrCut
	}
	switch s.Data[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2, nil
	case 'u':
		for j := i + 2; j < i+6; j++ {
			if j >= len(s.Data) {
				return i, ErrCut
			}
			if _, ok := hexDigit(s.Data[j]); !ok {
				return i, ErrSyntax
			}
		}
		return i + 6, nil
	}
	return i, ErrSyntax
}

// literal reads true, false or null.
func (s *Scanner) literal(want string) error {
	rest := s.Data[s.Pos:]
	if len(rest) >= len(want) && string(rest[:len(want)]) == want {
		s.Pos += len(want)
		return nil
	}
	if len(rest) < len(want) && string(rest) == want[:len(rest)] {
		s.Pos = len(s.Data)
		return ErrCut
	}
	return ErrSyntax
}

// number reads a number by RFC 8259 §6. Its text is what counts; it is never
// turned into a float.
func (s *Scanner) number() error {
	if s.Peek() == '-' {
		s.Pos++
	}
	if s.Peek() == '0' {
		s.Pos++
	} else if s.digits() == 0 {
		return s.Fail()
	}
	if s.Peek() == '.' {
		s.Pos++
		if s.digits() == 0 {
			return s.Fail()
		}
	}
	if c := s.Peek(); c == 'e' || c == 'E' {
		s.Pos++
		if c := s.Peek(); c == '+' || c == '-' {
			s.Pos++
		}
		if s.digits() == 0 {
			return s.Fail()
		}
	}
	return nil
}

func (s *Scanner) digits() int {
	start := s.Pos
	for c := s.Peek(); c >= '0' && c <= '9'; c = s.Peek() {
		s.Pos++
	}
	return s.Pos - start
}
