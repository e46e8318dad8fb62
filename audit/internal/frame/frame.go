// Package frame finds the events in what a provider delivers: a list, an object that
// holds a list, objects one after another or line by line. Nothing is dropped: what
// cannot be read is emitted raw, and costs none of its neighbours.
package frame

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

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
	// Lists are the keys of an object that holds a list of events; in "a.b" the list is
	// in an object.
	Lists []string
	// Own are keys of an event: an object that has one before any of Lists is an
	// event itself.
	Own []string
	// Control is a member of an object that holds a list, and its value when the list
	// holds no events but a sign of life: it is passed over. The member has to come
	// before the list, else what is in the list is kept; so is what any other than this
	// List holds, if one is named.
	Control struct{ Key, Value, List string }
	// First are the keys with which the provider lets an event begin. Behind an
	// event whose end cannot be told, the next one is looked for by them.
	First []string
	// Prefixed says that text may precede an event on its line. It is no part of the
	// event, and is kept only where the event cannot be read.
	Prefixed bool
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

	// Within is set by Map, instead of a record, for an element that is no event but
	// holds a file of its own, be it an empty one: it emits that file's records.
	Within func(emit func(*audit.Record) error) (audit.Counts, error)

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
	member int  // where the member of a container begins that was read last
	ended  bool // the rest of the data has been emitted as it is
	budget int  // bytes that may still be read a second time

	current Element // reused from event to event

	line, object int  // where the last text before an event begins, and the event
	next, looked int  // the object that was found on a line, and where the search ended
	prefixed     bool // there was text outside of events: none has more than a line

	lines, objectLines search   // for the next line, and the next that is an object
	firsts             []search // for the next event, by the keys with which it may begin
	open               []byte   // the brackets that balancedEnd has met
}

var byteOrderMark = []byte("\xef\xbb\xbf")

func (p *parser) file() error {
	s := p.s
	p.skipSpace()
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
		p.skipSpace()
	}
	return nil
}

// skipSpace goes to the next document: files that were put together have a byte order
// mark before each.
func (p *parser) skipSpace() {
	for p.s.SkipSpace(); bytes.HasPrefix(p.s.Data[p.s.Pos:], byteOrderMark); p.s.SkipSpace() {
		p.s.Pos += len(byteOrderMark)
	}
}

// document reads one top-level value.
func (p *parser) document() error {
	c := p.s.Peek()
	switch isPrefix := p.Prefixed && c == '[' && p.isPrefix(); {
	case c == '[' && !isPrefix:
		return p.list()
	case c == '{':
		start := p.s.Pos
		if isContainer, err := p.container(); isContainer || err != nil {
			return err
		}
		p.s.Pos = start
		return p.element(true)
	}
	if p.Prefixed && p.skipPrefix() {
		return p.element(true)
	}
	// A line that is no JSON costs no other line.
	if next, ok := p.nextLine(p.s.Pos); ok {
		return p.quarantine(p.last, next, p.NotFile)
	}
	return p.rest(p.NotFile)
}

// errNoContainer ends the search for a list in an object.
var errNoContainer = errors.New("no container")

// container reads an object that holds a list of events. It returns false, having
// emitted nothing, when the object is something else: the caller looks at it again, and
// finds the fault if there is one.
func (p *parser) container() (found bool, err error) {
	if len(p.Lists) == 0 {
		return false, nil
	}
	found, err = p.members("")
	if errors.Is(err, errNoContainer) {
		if !found {
			return false, nil
		}
		// The next line may have been taken for a part of what cannot be read.
		if next, ok := p.nextLine(p.member); ok && p.spend(p.s.Pos-next) {
			return true, p.quarantine(p.last, next, ErrMalformed)
		}
		return true, p.rest(ErrCutOff)
	}
	return found, err
}

// members reads the members of an object, whose path is the given one, that lead to
// lists.
func (p *parser) members(prefix string) (found bool, err error) {
	s := p.s
	s.Pos++
	control := false
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
		p.member = s.Pos
		key, escaped, err := s.Key()
		if escaped && err == nil {
			key = jsonscan.Unescape(nil, key)
		}
		if err != nil || !found && prefix == "" && slices.Contains(p.Own, string(key)) {
			return found, errNoContainer
		}
		path, at := prefix+string(key), s.Pos
		held := false
		switch next := s.Peek(); {
		case control && (p.Control.List == "" || p.Control.List == path || !slices.Contains(p.Lists, path)):
			found, err = found || slices.Contains(p.Lists, path), p.skip()
		case next == '[' && slices.Contains(p.Lists, path):
			held, err = true, p.list()
		case next == '{' && p.leads(path+"."):
			held, err = p.members(path + ".")
		default:
			err = p.skip()
			control = err == nil && p.isControl(path, s.Data[at:s.Pos])
		}
		if found = found || held; err != nil {
			return found, err
		}
	}
	return found, nil
}

func (p *parser) skip() error {
	if p.s.Skip() != nil {
		return errNoContainer
	}
	return nil
}

// leads reports whether there are lists below an object with the given path.
func (p *parser) leads(path string) bool {
	return slices.ContainsFunc(p.Lists, func(list string) bool { return strings.HasPrefix(list, path) })
}

// isControl reports whether a member is the one that says that there are no events.
func (p *parser) isControl(path string, value []byte) bool {
	return path != "" && path == p.Control.Key && string(value) == `"`+p.Control.Value+`"`
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
	e := &p.current
	*e = Element{Start: p.s.Pos, Alone: alone, p: p}
	k, err := p.events.Read()
	if err != nil {
		return p.recover(e.Start, alone, err)
	}
	e.End = p.s.Pos
	if k != jsonscan.Object {
		if !p.isBoundary(e.End, alone) { // a quote too many reaches into the neighbour
			return p.recover(e.Start, alone, jsonscan.ErrSyntax)
		}
		return p.unknown(e, p.NotEvent)
	}
	rec, err := p.events.Map(e)
	if err != nil {
		return p.unknown(e, err)
	}
	p.s.Pos, p.last = e.End, e.End
	if e.Within != nil {
		return p.within(e)
	}
	p.counts.Events++
	if e.Truncated {
		p.counts.Truncated++
	}
	return p.emit(rec)
}

func (p *parser) within(e *Element) error {
	counts, err := e.Within(p.emit)
	p.counts.Events += counts.Events
	p.counts.Quarantined += counts.Quarantined
	p.counts.Truncated += counts.Truncated
	return err
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
	if p.prefixed && start == p.object {
		start, end = p.line, p.lineEnd(end)
	}
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
