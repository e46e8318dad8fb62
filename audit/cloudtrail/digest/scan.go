package digest

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// A parser reads JSON strictly: what two readers could read differently is an error.
type parser struct{ jsonscan.Scanner }

// A value is a text, null, or something of which only the place counts.
type value struct {
	text string
	null bool
}

// object reads an object. own reads the value of a key by itself and says so; it may be nil.
func (p *parser) object(own func(key string) (bool, error)) (map[string]value, error) {
	if p.Peek() != '{' {
		return nil, errors.New("not an object")
	}
	all := map[string]value{}
	more, err := p.Open('}'), error(nil)
	for more {
		raw, _, err := p.Key()
		if err != nil {
			return nil, err
		}
		key := string(jsonscan.Unescape(nil, raw))
		if _, twice := all[key]; twice {
			return nil, fmt.Errorf("key %q comes twice", key)
		}
		taken := false
		if own != nil {
			taken, err = own(key)
		}
		all[key] = value{}
		if !taken && err == nil {
			all[key], err = p.scalar()
		}
		if err != nil {
			return nil, err
		}
		if more, err = p.Next('}'); err != nil {
			return nil, err
		}
	}
	return all, err
}

func (p *parser) scalar() (value, error) {
	start := p.Pos
	switch p.Peek() {
	case '{', '[':
		return value{}, p.Skip()
	}
	kind, err := p.Scalar()
	if err != nil {
		return value{}, err
	}
	switch kind {
	case jsonscan.Text, jsonscan.Escaped:
		text := jsonscan.Unescape(nil, p.Data[start+1:p.Pos-1])
		if !utf8.Valid(text) {
			return value{}, errors.New("a text is not UTF-8")
		}
		return value{text: string(text)}, nil
	case jsonscan.Null:
		return value{null: true}, nil
	}
	return value{}, nil
}
