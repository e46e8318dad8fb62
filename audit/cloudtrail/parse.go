// Package cloudtrail reads AWS CloudTrail log files: every event becomes an
// [audit.Record] whose body is the event's own bytes.
package cloudtrail

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/otelcol-custody/custody/audit"
)

// The reasons why bytes are quarantined; they end up in audit.parse.error.
var (
	// ErrNotCloudTrail means that the bytes are not a CloudTrail log file,
	// event or digest.
	ErrNotCloudTrail = errors.New("not a CloudTrail file: expected {\"Records\":[…]}, a list of events, an event or a digest")

	// ErrNotEvent means that an element among events is not one.
	ErrNotEvent = errors.New("not a CloudTrail event: no event field in it")

	// ErrCutOff means that the file ends before what it holds is complete.
	ErrCutOff = errors.New("the file is cut off: deliver the whole file again to get these events")

	// ErrMalformed means that an event is not what JSON or its version allow.
	ErrMalformed = errors.New("malformed event")
)

// Parse calls emit once for every event of an inflated CloudTrail log file,
// in file order. The file may be {"Records":[…]}, a list of events (aggregated
// events come so), single events one after another, or a digest file, which
// is one record.
//
// The record and its Attributes are reused: they are valid until emit
// returns. Body points into data.
//
// Nothing is dropped: an event that cannot be read is emitted as quarantined,
// with its raw bytes, and costs none of its neighbours; so is the rest of a
// file that is cut off, and the whole of a file that is not CloudTrail's.
// Hence the only errors that Parse returns are emit's.
func Parse(data []byte, emit func(*audit.Record) error) (audit.Counts, error) {
	p := newParser(data, emit)
	err := p.file()
	return p.counts, err
}

func newParser(data []byte, emit func(*audit.Record) error) *parser {
	p := &parser{scanner: scanner{data: data}, emit: emit, budget: recoveryBudget * len(data)}
	p.mapper.s = &p.scanner
	return p
}

// A parser holds what one call of Parse needs.
type parser struct {
	scanner
	mapper mapper
	emit   func(*audit.Record) error
	counts audit.Counts
	last   int  // where the last emitted body ends
	ended  bool // the rest of the file has been emitted as it is
	budget int  // bytes that the search for ends may still read
}

var byteOrderMark = []byte("\xef\xbb\xbf")

func (p *parser) file() error {
	if bytes.HasPrefix(p.data, byteOrderMark) {
		p.pos = len(byteOrderMark)
	}
	p.skipSpace()
	if p.pos == len(p.data) {
		return p.rest(fmt.Errorf("%w: nothing in it", ErrNotCloudTrail))
	}
	for p.pos < len(p.data) && !p.ended {
		if p.counts.Events > 0 {
			p.last = p.pos
		}
		if err := p.document(); err != nil {
			return err
		}
		p.skipSpace()
	}
	return nil
}

// document reads one top-level value.
func (p *parser) document() error {
	switch p.peek() {
	case '[':
		return p.list()
	case '{':
		start := p.pos
		if isContainer, err := p.container(); isContainer || err != nil {
			return err
		}
		p.pos = start
		return p.element(true)
	}
	return p.rest(ErrNotCloudTrail)
}

// container reads {"Records":[…]}. It returns false, having emitted nothing,
// when the object is something else.
func (p *parser) container() (found bool, err error) {
	p.pos++
	for !p.ended {
		p.skipSpace()
		switch p.peek() {
		case '}':
			p.pos++
			return found, nil
		case ',':
			p.pos++
			continue
		}
		key, ok := p.key()
		switch {
		case !ok:
			err = errSyntax
		case !found && key == "eventVersion":
			return false, nil // an event, as exports hold them
		case key == "Records" && p.peek() == '[':
			found = true
			if err := p.list(); err != nil {
				return true, err
			}
		default:
			_, err = p.value(ctxNone, 1)
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

// key reads a key and its colon.
func (p *parser) key() (string, bool) {
	start := p.pos + 1
	if p.peek() != '"' {
		return "", false
	}
	if _, err := p.text(); err != nil {
		return "", false
	}
	key := p.data[start : p.pos-1]
	p.skipSpace()
	if p.peek() != ':' {
		return "", false
	}
	p.pos++
	p.skipSpace()
	return string(key), true
}

// list reads a list of events. A comma too many or too few costs no event.
func (p *parser) list() error {
	p.pos++
	for !p.ended {
		p.skipSpace()
		if p.pos == len(p.data) {
			return p.rest(ErrCutOff)
		}
		switch p.peek() {
		case ']':
			p.pos++
			return nil
		case ',':
			p.pos++
		default:
			if err := p.element(false); err != nil {
				return err
			}
		}
	}
	return nil
}

// element reads what should be an event; alone says that it is a document of
// its own and not in a list.
func (p *parser) element(alone bool) error {
	start := p.pos
	p.fields.reset()
	k, err := p.value(ctxEvent, 0)
	if err != nil {
		return p.recover(start, alone, err)
	}
	switch {
	case k == kindObject && p.isEvent():
		return p.event(start, alone)
	case k == kindObject && p.isDigest():
		return p.digest(start, alone)
	}
	return p.unknown(start, alone, ErrNotEvent)
}

// event emits the event that ends at pos. Its body is the object and nothing
// around it, so that every copy of the event has the same record id.
func (p *parser) event(start int, alone bool) error {
	m := &p.mapper
	m.begin(start)
	if err := m.checkVersion(); err != nil {
		return p.unknown(start, alone, err)
	}
	m.event()
	return p.send()
}

// digest emits the digest that ends at pos. Its signature covers the file's
// bytes, so they all are its body.
func (p *parser) digest(start int, alone bool) error {
	p.mapper.begin(p.widen(start, alone))
	p.mapper.digest()
	return p.send()
}

// unknown emits what ends at pos raw.
func (p *parser) unknown(start int, alone bool, reason error) error {
	if alone && errors.Is(reason, ErrNotEvent) {
		reason = ErrNotCloudTrail
	}
	start = p.widen(start, alone)
	return p.quarantine(start, p.pos, reason)
}

func (p *parser) send() error {
	p.last = p.pos
	p.counts.Events++
	if p.omitted {
		p.counts.Truncated++
	}
	return p.emit(&p.mapper.rec)
}

// widen takes a document that is all there is in the file to the file's own
// bounds, the space around it included, and returns where it starts.
func (p *parser) widen(start int, alone bool) int {
	if !alone || p.counts.Events > 0 {
		return start
	}
	end := p.pos
	if p.skipSpace(); p.pos == len(p.data) {
		return 0
	}
	p.pos = end
	return start
}

// quarantine emits the bytes from start to end raw, and goes on behind them.
func (p *parser) quarantine(start, end int, reason error) error {
	p.pos, p.last = end, end
	p.counts.Events++
	p.counts.Quarantined++
	rec := audit.Quarantine(p.data[start:end:end], provider, reason)
	rec.Resource.Product = product
	return p.emit(rec)
}

// rest emits all bytes behind the last emitted body raw. They may be none,
// when a file is cut off right behind an event: the record still says so.
func (p *parser) rest(reason error) error {
	p.ended = true
	return p.quarantine(p.last, len(p.data), reason)
}
