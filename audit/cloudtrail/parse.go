// Package cloudtrail reads AWS CloudTrail log files: every event becomes an
// [audit.Record] whose body is the event's own bytes.
package cloudtrail

import (
	"errors"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/frame"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// The reasons why bytes are quarantined, beside those of broken JSON; they end up in
// audit.parse.error.
var (
	// ErrNotCloudTrail means that the bytes are not a CloudTrail log file,
	// event or digest.
	ErrNotCloudTrail = errors.New("not a CloudTrail file: expected {\"Records\":[…]}, a list of events, an event or a digest")

	// ErrNotEvent means that an element among events is not one.
	ErrNotEvent = errors.New("not a CloudTrail event: no event field in it")
)

// format is how CloudTrail delivers events.
var format = frame.Format{
	Provider: provider, Product: product,
	Lists: []string{"Records"}, Own: []string{"eventVersion"}, First: []string{"eventVersion"},
	NotFile: ErrNotCloudTrail, NotEvent: ErrNotEvent,
}

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
	p := &parser{scanner: scanner{Scanner: jsonscan.Scanner{Data: data}}}
	p.mapper.s = &p.scanner
	return frame.Parse(&format, &p.Scanner, p, emit)
}

// A parser holds what one call of Parse needs.
type parser struct {
	scanner
	mapper mapper
}

// Read implements frame.Events.
func (p *parser) Read() (jsonscan.Kind, error) {
	p.fields.reset()
	return p.value(ctxEvent, 0)
}

// Map implements frame.Events. An event's body is the object and nothing around it,
// so that every copy of the event has the same record id; a digest's signature covers
// the file's bytes, so they all are its body.
func (p *parser) Map(e *frame.Element) (*audit.Record, error) {
	m := &p.mapper
	switch {
	case p.isEvent():
		m.begin(e)
		if err := m.checkVersion(); err != nil {
			return nil, err
		}
		m.event()
	case p.isDigest():
		e.Widen()
		m.begin(e)
		m.digest()
	default:
		return nil, ErrNotEvent
	}
	e.Truncated, m.Truncated = p.omitted, p.omitted
	return m.Finish(p.duplicate), nil
}
