package cloudtrail

import (
	"bytes"
	"errors"
	"fmt"
)

// recover goes on after the event at start that cannot be read: it emits the
// event's bytes raw and finds where its neighbour begins.
func (p *parser) recover(start int, alone bool, cause error) error {
	failedAt, lastString := p.pos, p.quote
	reason := fmt.Errorf("%w: %w, at byte %d of it", ErrMalformed, cause, failedAt-start)
	if end, ok := p.balancedEnd(start); ok && p.isBoundary(end, alone) {
		p.pos = end
		return p.unknown(start, alone, reason)
	}
	if errors.Is(cause, errCut) {
		return p.rest(ErrCutOff)
	}
	// A string that was never closed reaches into the neighbour.
	if next, ok := p.nextEvent(max(start, min(failedAt, lastString))); ok {
		return p.quarantine(start, next, reason)
	}
	return p.rest(reason)
}

// isBoundary reports whether what follows position end can follow an event.
func (p *parser) isBoundary(end int, alone bool) bool {
	rest := bytes.TrimLeft(p.data[end:], " \t\r\n")
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

// balancedEnd finds where the value at start ends by counting brackets
// outside strings: what is between them need not be valid.
func (p *parser) balancedEnd(start int) (int, bool) {
	depth := 0
	for i := start; i < len(p.data) && p.budget > 0; i++ {
		p.budget--
		switch p.data[i] {
		case '"':
			end := stringEnd(p.data, i)
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

var versionKey = []byte(`"eventVersion"`)

// nextEvent finds, from position from, an object that begins the way
// CloudTrail writes events: with its version, after a comma or on a new line.
// No string can hide one, since a quote within a string is escaped.
func (p *parser) nextEvent(from int) (int, bool) {
	for {
		i := bytes.Index(p.data[from:], versionKey)
		if i < 0 {
			return 0, false
		}
		open := len(bytes.TrimRight(p.data[:from+i], " \t\r\n")) - 1
		if open >= from && p.data[open] == '{' {
			before := p.data[:open]
			if trimmed := bytes.TrimRight(before, " \t\r\n"); bytes.HasSuffix(trimmed, []byte{','}) {
				return len(trimmed) - 1, true
			}
			if bytes.HasSuffix(before, []byte{'\n'}) {
				return open, true
			}
		}
		from += i + len(versionKey)
	}
}
