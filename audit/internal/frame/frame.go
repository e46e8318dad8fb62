// Package frame finds the events in what a provider delivers: a list, an object that
// holds a list, objects one after another or line by line. Nothing is dropped: what
// cannot be read is emitted raw, and costs none of its neighbours.
package frame

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// The reasons why bytes are quarantined; they end up in audit.parse.error.
var (
	// ErrCutOff means that the data end before what they hold is complete.
	ErrCutOff = errors.New("the file is cut off: deliver the whole file again to get these events")

	// ErrMalformed means that an event is not what JSON or its format allow.
	ErrMalformed = errors.New("malformed event")
)

// A Format is how a provider delivers events.
type Format struct {
	Provider, Product string
	// Lists are the keys of an object that holds a list of events.
	Lists []string
	// Own are keys of an event: an object that has one before any of Lists is an
	// event itself.
	Own []string
	// First are the keys with which the provider lets an event begin. Behind an
	// event whose end cannot be told, the next one is looked for by them.
	First []string
	// NotFile and NotEvent say what was expected of a file, and of an element.
	NotFile, NotEvent error
}

// Events reads and maps single events. Its scanner is the one that was given to
// [Parse].
type Events interface {
	// Read reads the value where the scanner stands.
	Read() (jsonscan.Kind, error)
	// Map makes the record of the object that was read last. An error is the reason
	// for which it is quarantined; Format.NotEvent that it is none.
	Map(e *Element) (*audit.Record, error)
}

// An Element is a value where an event is expected.
type Element struct {
	Start, End int  // in the data
	Alone      bool // a document of its own, and not in a list
	Truncated  bool // set by Map: the provider left something out

	p *parser
}

// Body is the element's bytes.
func (e *Element) Body() []byte { return e.p.s.Data[e.Start:e.End:e.End] }

// Widen takes an element that is all there is in the file to the file's own bounds,
// the space around it included.
func (e *Element) Widen() {
	if !e.Alone || e.p.counts.Events > 0 {
		return
	}
	s := e.p.s
	end := s.Pos
	if s.SkipSpace(); s.Pos == len(s.Data) {
		e.Start, e.End = 0, s.Pos
		return
	}
	s.Pos = end
}

// Parse calls emit once for every event of the scanner's data, in their order. Bodies
// point into the data. The only errors that it returns are emit's.
func Parse(f *Format, s *jsonscan.Scanner, events Events, emit func(*audit.Record) error) (audit.Counts, error) {
	p := &parser{Format: f, s: s, events: events, emit: emit, budget: recoveryBudget * len(s.Data)}
	err := p.file()
	return p.counts, err
}

type parser struct {
	*Format
	s      *jsonscan.Scanner
	events Events
	emit   func(*audit.Record) error
	counts audit.Counts
	last   int  // where the last emitted body ends
	ended  bool // the rest of the data has been emitted as it is
	budget int  // bytes that may still be read a second time
}

var byteOrderMark = []byte("\xef\xbb\xbf")

func (p *parser) file() error {
	s := p.s
	if bytes.HasPrefix(s.Data, byteOrderMark) {
		s.Pos = len(byteOrderMark)
	}
	s.SkipSpace()
	if s.Pos == len(s.Data) {
		return p.rest(fmt.Errorf("%w: nothing in it", p.NotFile))
	}
	for s.Pos < len(s.Data) && !p.ended {
		if p.counts.Events > 0 {
			p.last = s.Pos
		}
		if err := p.document(); err != nil {
			return err
		}
		s.SkipSpace()
	}
	return nil
}

// document reads one top-level value.
func (p *parser) document() error {
	switch p.s.Peek() {
	case '[':
		return p.list()
	case '{':
		start := p.s.Pos
		if isContainer, err := p.container(); isContainer || err != nil {
			return err
		}
		p.s.Pos = start
		return p.element(true)
	}
	// A line that is no JSON costs no other line.
	if next, ok := p.nextLine(p.s.Pos); ok {
		return p.quarantine(p.last, next, p.NotFile)
	}
	return p.rest(p.NotFile)
}

// container reads an object that holds a list of events. It returns false, having
// emitted nothing, when the object is something else.
func (p *parser) container() (found bool, err error) {
	if len(p.Lists) == 0 {
		return false, nil
	}
	s := p.s
	s.Pos++
	for !p.ended {
		s.SkipSpace()
		switch s.Peek() {
		case '}':
			s.Pos++
			return found, nil
		case ',':
			s.Pos++
			continue
		}
		key, _, err := s.Key()
		switch {
		case err != nil:
		case !found && slices.Contains(p.Own, string(key)):
			return false, nil
		case s.Peek() == '[' && slices.Contains(p.Lists, string(key)):
			found = true
			if err := p.list(); err != nil {
				return true, err
			}
		default:
			err = s.Skip()
		}
		if err != nil && found {
			return true, p.rest(ErrCutOff)
		}
		if err != nil {
			return false, nil // the caller looks at it again, and finds the fault
		}
	}
	return found, nil
}

// list reads a list of events. A comma too many or too few costs no event.
func (p *parser) list() error {
	s := p.s
	s.Pos++
	for !p.ended {
		s.SkipSpace()
		if s.Pos == len(s.Data) {
			return p.rest(ErrCutOff)
		}
		switch s.Peek() {
		case ']':
			s.Pos++
			return nil
		case ',':
			s.Pos++
		default:
			if err := p.element(false); err != nil {
				return err
			}
		}
	}
	return nil
}

// element reads what should be an event.
func (p *parser) element(alone bool) error {
	e := &Element{Start: p.s.Pos, Alone: alone, p: p}
	k, err := p.events.Read()
	if err != nil {
		return p.recover(e.Start, alone, err)
	}
	e.End = p.s.Pos
	if k != jsonscan.Object {
		return p.unknown(e, p.NotEvent)
	}
	rec, err := p.events.Map(e)
	if err != nil {
		return p.unknown(e, err)
	}
	p.s.Pos, p.last = e.End, e.End
	p.counts.Events++
	if e.Truncated {
		p.counts.Truncated++
	}
	return p.emit(rec)
}

// unknown emits an element raw.
func (p *parser) unknown(e *Element, reason error) error {
	if e.Widen(); errors.Is(reason, p.NotEvent) && e.Start == 0 && e.End == len(p.s.Data) {
		reason = p.NotFile
	}
	return p.quarantine(e.Start, e.End, reason)
}

// quarantine emits the bytes from start to end raw, and goes on behind them.
func (p *parser) quarantine(start, end int, reason error) error {
	p.s.Pos, p.last = end, end
	p.counts.Events++
	p.counts.Quarantined++
	rec := audit.Quarantine(p.s.Data[start:end:end], p.Provider, reason)
	rec.Resource.Product = p.Product
	return p.emit(rec)
}

// rest emits all bytes behind the last emitted body raw. They may be none, when a
// file is cut off right behind an event: the record still says so.
func (p *parser) rest(reason error) error {
	p.ended = true
	return p.quarantine(p.last, len(p.s.Data), reason)
}
