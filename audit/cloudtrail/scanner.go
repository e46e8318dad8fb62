package cloudtrail

import "github.com/otelcol-custody/custody/audit/internal/jsonscan"

// A scanner notes where the fields lie that the mapping wants.
type scanner struct {
	jsonscan.Scanner
	fields
}

// value reads the value that begins at Pos, in context c.
func (s *scanner) value(c context, depth int) (jsonscan.Kind, error) {
	switch s.Peek() {
	case '{':
		return jsonscan.Object, s.object(c, depth+1)
	case '[':
		return jsonscan.Array, s.array(c, depth+1)
	}
	return s.Scalar()
}

func (s *scanner) object(c context, depth int) error {
	if depth > jsonscan.MaxDepth {
		return jsonscan.ErrDepth
	}
	more, err := s.Open('}'), error(nil)
	if more {
		s.enter(c)
	}
	for more {
		if err = s.member(c, depth); err != nil {
			return err
		}
		if more, err = s.Next('}'); err != nil {
			return err
		}
	}
	return nil
}

// member reads one key with its value and notes it where c knows the key.
func (s *scanner) member(c context, depth int) error {
	key, escaped, err := s.Key()
	if err != nil {
		return err
	}
	if c == ctxNone {
		_, err = s.value(ctxNone, depth)
		return err
	}
	if escaped {
		key = jsonscan.Unescape(nil, key)
	}
	slot, child := s.find(c, key)
	start := s.Pos
	k, err := s.value(child, depth)
	if err == nil && slot != slotNone {
		s.note(slot, c, start, s.Pos, k)
	}
	return err
}

func (s *scanner) array(c context, depth int) error {
	if depth > jsonscan.MaxDepth {
		return jsonscan.ErrDepth
	}
	c = c.element()
	more, err := s.Open(']'), error(nil)
	for more {
		if _, err = s.value(c, depth); err != nil {
			return err
		}
		if more, err = s.Next(']'); err != nil {
			return err
		}
	}
	return nil
}
