package frame

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// recoveryBudget bounds, in multiples of the input, how many bytes may be read again
// in search of the end of malformed events, so that a file full of them takes linear
// time.
const recoveryBudget = 4

// recover goes on after the event at start that cannot be read: it emits the event's
// bytes raw and finds where its neighbour begins.
func (p *parser) recover(start int, alone bool, cause error) error {
	failedAt, lastString := p.s.Pos, p.s.Quote
	reason := fmt.Errorf("%w: %w, at byte %d of it", ErrMalformed, cause, failedAt-start)
	// What is only too deep is whole, whatever its lines look like.
	if next, ok := p.nextLine(start); ok && alone && !errors.Is(cause, jsonscan.ErrDepth) {
		if !p.spend(failedAt - next) {
			return p.rest(reason)
		}
		return p.quarantine(start, next, reason)
	}
	if end, ok := p.balancedEnd(start); ok && p.isBoundary(end, alone) {
		p.s.Pos = end
		return p.unknown(&Element{Start: start, End: end, Alone: alone, p: p}, reason)
	}
	if errors.Is(cause, jsonscan.ErrCut) {
		return p.rest(ErrCutOff)
	}
	// A string that was never closed reaches into the neighbour.
	if next, ok := p.nextEvent(max(start, min(failedAt, lastString))); ok {
		return p.quarantine(start, next, reason)
	}
	return p.rest(reason)
}

// spend takes what is read again from the budget; false if there is not enough.
func (p *parser) spend(bytes int) bool {
	p.budget -= max(bytes, 0)
	return p.budget >= 0
}

// nextLine finds the next line that begins with an object. No string holds one, and
// what is indented within an object begins with space. Where text precedes the events,
// every line is one of its own.
func (p *parser) nextLine(from int) (int, bool) {
	in, pattern := &p.objectLines, "\n{"
	if p.prefixed {
		in, pattern = &p.lines, "\n"
	}
	i, ok := in.next(from, func() int {
		if i := bytes.Index(p.s.Data[from:], []byte(pattern)); i >= 0 {
			return from + i
		}
		return -1
	})
	return i + 1, ok
}

// A search remembers what it found. Places are asked for in ascending order, so that
// all of them together cost one pass over the data, however often something is missing.
type search struct {
	from, at int // looked for from here, and found there; -1 if nowhere
	done     bool
}

func (s *search) next(from int, find func() int) (int, bool) {
	if !s.done || from < s.from || s.at >= 0 && s.at < from {
		*s = search{from, find(), true}
	}
	return s.at, s.at >= 0
}

// isBoundary reports whether what follows position end can follow an event.
func (p *parser) isBoundary(end int, alone bool) bool {
	rest := bytes.TrimLeft(p.s.Data[end:], " \t\r\n")
	if len(rest) == 0 {
		return alone
	}
	switch rest[0] {
	case '{':
		return true
	case '[':
		return alone
	case ',', ']':
		return !alone
	}
	return false
}

// balancedEnd finds where the value at start ends by matching brackets outside
// strings: what is between them need not be valid.
func (p *parser) balancedEnd(start int) (int, bool) {
	data := p.s.Data
	p.open = p.open[:0]
	for i := start; i < len(data) && p.budget > 0; i++ {
		p.budget--
		switch c := data[i]; c {
		case '"':
			end := stringEnd(data, i)
			p.budget -= end - i
			i = end - 1
		case '{', '[':
			p.open = append(p.open, c+2) // its counterpart in ASCII
		case '}', ']':
			if len(p.open) == 0 {
				return max(i, start+1), true
			}
			last := len(p.open) - 1
			if p.open[last] != c {
				return 0, false
			}
			if p.open = p.open[:last]; last == 0 {
				return i + 1, true
			}
		case ',':
			if len(p.open) == 0 {
				return i, i > start
			}
		}
	}
	return 0, false
}

// stringEnd returns the position behind the string at i, or the data's end.
func stringEnd(data []byte, i int) int {
	for i++; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(data)
}

// nextEvent finds, from position from, the next object that begins the way the
// provider writes events.
func (p *parser) nextEvent(from int) (next int, found bool) {
	if p.firsts == nil {
		p.firsts = make([]search, len(p.First))
	}
	for i, first := range p.First {
		at, ok := p.firsts[i].next(from, func() int { return p.beginsWith(from, []byte(`"`+first+`"`)) })
		if ok && (!found || at < next) {
			next, found = at, true
		}
	}
	return next, found
}

// beginsWith finds an object that begins with a key, after a comma or on a new line.
// No string can hide one, since a quote within a string is escaped. -1 if there is none.
func (p *parser) beginsWith(from int, key []byte) int {
	data := p.s.Data
	for {
		i := bytes.Index(data[from:], key)
		if i < 0 {
			return -1
		}
		open := len(bytes.TrimRight(data[:from+i], " \t\r\n")) - 1
		if open >= from && data[open] == '{' {
			before := data[:open]
			if trimmed := bytes.TrimRight(before, " \t\r\n"); bytes.HasSuffix(trimmed, []byte{','}) {
				return len(trimmed) - 1
			}
			if bytes.HasSuffix(before, []byte{'\n'}) {
				return open
			}
		}
		from += i + len(key)
	}
}
