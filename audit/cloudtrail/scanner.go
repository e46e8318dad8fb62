package cloudtrail

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

var (
	errCut    = errors.New("the data ends in the middle of a value")
	errSyntax = errors.New("not valid JSON")
	errDepth  = fmt.Errorf("nested deeper than %d levels", maxDepth)
)

// A scanner reads JSON (RFC 8259) once, from left to right, and notes where
// the fields lie that the mapping wants. It checks the syntax, copies
// nothing, and leaves strings as they are, valid UTF-8 or not.
type scanner struct {
	data  []byte
	pos   int
	quote int // where the last string began
	fields
}

// A kind says what a span holds; the zero kind means that it was not found.
type kind uint8

const (
	kindNone kind = iota
	kindText      // a string without escapes, its span without the quotes
	kindEscaped
	kindNumber
	kindTrue
	kindFalse
	kindNull
	kindObject
	kindArray
)

func (s *scanner) skipSpace() {
	for s.pos < len(s.data) {
		c := s.data[s.pos]
		if c > ' ' || (c != ' ' && c != '\n' && c != '\t' && c != '\r') {
			return
		}
		s.pos++
	}
}

// peek returns the next byte, or 0 at the end.
func (s *scanner) peek() byte {
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

// fail is the error for an unexpected byte at the current position.
func (s *scanner) fail() error {
	if s.pos >= len(s.data) {
		return errCut
	}
	return errSyntax
}

// value reads the value that begins at pos, in context c.
func (s *scanner) value(c context, depth int) (kind, error) {
	switch s.peek() {
	case '"':
		escaped, err := s.text()
		if escaped {
			return kindEscaped, err
		}
		return kindText, err
	case '{':
		return kindObject, s.object(c, depth+1)
	case '[':
		return kindArray, s.array(c, depth+1)
	case 't':
		return kindTrue, s.literal("true")
	case 'f':
		return kindFalse, s.literal("false")
	case 'n':
		return kindNull, s.literal("null")
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return kindNumber, s.number()
	}
	return kindNone, s.fail()
}

func (s *scanner) object(c context, depth int) error {
	if depth > maxDepth {
		return errDepth
	}
	s.pos++
	s.skipSpace()
	if s.peek() == '}' {
		s.pos++
		return nil
	}
	s.enter(c)
	for {
		if err := s.member(c, depth); err != nil {
			return err
		}
		s.skipSpace()
		switch s.peek() {
		case ',':
			s.pos++
			s.skipSpace()
		case '}':
			s.pos++
			return nil
		default:
			return s.fail()
		}
	}
}

// member reads one key with its value and notes it where c knows the key.
func (s *scanner) member(c context, depth int) error {
	if s.peek() != '"' {
		return s.fail()
	}
	keyStart := s.pos + 1
	escaped, err := s.text()
	if err != nil {
		return err
	}
	key := s.data[keyStart : s.pos-1]
	s.skipSpace()
	if s.peek() != ':' {
		return s.fail()
	}
	s.pos++
	s.skipSpace()
	if c == ctxNone {
		_, err = s.value(ctxNone, depth)
		return err
	}
	if escaped {
		key = unescape(nil, key)
	}
	slot, child := s.find(c, key)
	start := s.pos
	k, err := s.value(child, depth)
	if err == nil && slot != slotNone {
		s.note(slot, c, start, s.pos, k)
	}
	return err
}

func (s *scanner) array(c context, depth int) error {
	if depth > maxDepth {
		return errDepth
	}
	c = c.element()
	s.pos++
	s.skipSpace()
	if s.peek() == ']' {
		s.pos++
		return nil
	}
	for {
		if _, err := s.value(c, depth); err != nil {
			return err
		}
		s.skipSpace()
		switch s.peek() {
		case ',':
			s.pos++
			s.skipSpace()
		case ']':
			s.pos++
			return nil
		default:
			return s.fail()
		}
	}
}

// The SWAR constants of text: one byte repeated eight times.
const (
	swarOnes  = 0x0101010101010101
	swarHigh  = 0x8080808080808080
	swarSpace = 0x2020202020202020
	swarQuote = 0x2222222222222222
	swarSlash = 0x5c5c5c5c5c5c5c5c
)

// text reads the string whose opening quote is at pos. It looks at eight
// bytes at a time for a quote, a backslash or a control character; the lowest
// bit that is set in the mask is always a true hit.
func (s *scanner) text() (escaped bool, err error) {
	s.quote = s.pos
	data, i := s.data, s.pos+1
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
		s.pos = i
		if i >= len(data) {
			return escaped, errCut
		}
		switch data[i] {
		case '"':
			s.pos = i + 1
			return escaped, nil
		case '\\':
			escaped = true
			if i, err = s.escape(i); err != nil {
				return escaped, err
			}
		default:
			return escaped, errSyntax
		}
	}
}

// escape checks the escape at i and returns the position behind it.
func (s *scanner) escape(i int) (int, error) {
	if i+1 >= len(s.data) {
		return i, errCut
	}
	switch s.data[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2, nil
	case 'u':
		for j := i + 2; j < i+6; j++ {
			if j >= len(s.data) {
				return i, errCut
			}
			if _, ok := hexDigit(s.data[j]); !ok {
				return i, errSyntax
			}
		}
		return i + 6, nil
	}
	return i, errSyntax
}

func (s *scanner) literal(want string) error {
	rest := s.data[s.pos:]
	if len(rest) >= len(want) && string(rest[:len(want)]) == want {
		s.pos += len(want)
		return nil
	}
	if len(rest) < len(want) && string(rest) == want[:len(rest)] {
		s.pos = len(s.data)
		return errCut
	}
	return errSyntax
}

// number reads a number by RFC 8259 §6. Its text is what counts; it is never
// turned into a float.
func (s *scanner) number() error {
	if s.peek() == '-' {
		s.pos++
	}
	if s.peek() == '0' {
		s.pos++
	} else if s.digits() == 0 {
		return s.fail()
	}
	if s.peek() == '.' {
		s.pos++
		if s.digits() == 0 {
			return s.fail()
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		if s.digits() == 0 {
			return s.fail()
		}
	}
	return nil
}

func (s *scanner) digits() int {
	start := s.pos
	for c := s.peek(); c >= '0' && c <= '9'; c = s.peek() {
		s.pos++
	}
	return s.pos - start
}
