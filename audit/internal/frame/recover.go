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
	if next, ok := p.nextLine(start); ok && alone {
		if p.budget -= max(failedAt-next, 0); p.budget < 0 {
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

// nextLine finds the next line that begins with an object. No string holds one, and
// what is indented within an object begins with space. Where text precedes the events,
// every line is one of its own.
func (p *parser) nextLine(from int) (int, bool) {
	if p.prefixed {
		i := bytes.IndexByte(p.s.Data[from:], '\n')
		return from + i + 1, i >= 0
	}
	i := bytes.Index(p.s.Data[from:], []byte("\n{"))
	return from + i + 1, i >= 0
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

// balancedEnd finds where the value at start ends by counting brackets outside
// strings: what is between them need not be valid.
func (p *parser) balancedEnd(start int) (int, bool) {
	data, depth := p.s.Data, 0
	for i := start; i < len(data) && p.budget > 0; i++ {
		p.budget--
		switch data[i] {
		case '"':
			end := stringEnd(data, i)
			p.budget -= end - i
			i = end - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i, i > start
			}
			if depth--; depth == 0 {
				return i + 1, true
			}
		case ',':
			if depth == 0 {
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
	for _, first := range p.First {
		if at, ok := p.beginsWith(from, []byte(`"`+first+`"`)); ok && (!found || at < next) {
			next, found = at, true
		}
	}
	return next, found
}

// beginsWith finds an object that begins with a key, after a comma or on a new line.
// No string can hide one, since a quote within a string is escaped.
func (p *parser) beginsWith(from int, key []byte) (int, bool) {
	data := p.s.Data
	for {
		i := bytes.Index(data[from:], key)
		if i < 0 {
			return 0, false
		}
		open := len(bytes.TrimRight(data[:from+i], " \t\r\n")) - 1
		if open >= from && data[open] == '{' {
			before := data[:open]
			if trimmed := bytes.TrimRight(before, " \t\r\n"); bytes.HasSuffix(trimmed, []byte{','}) {
				return len(trimmed) - 1, true
			}
			if bytes.HasSuffix(before, []byte{'\n'}) {
				return open, true
			}
		}
		from += i + len(key)
	}
}
