// Package cloudtrail reads what AWS CloudTrail records, in log files and on every other
// way out of it: every event becomes an [audit.Record] whose body is the event's own
// bytes.
//
// The same event may come by several ways with its keys in another order. It is then
// another body and another record: ids bind the bytes, and no hash over a canonical form
// is made beside them. audit.record.original_id is the same in all of them.
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
	// ErrNotCloudTrail means that the bytes are none of CloudTrail's.
	ErrNotCloudTrail = errors.New("not CloudTrail's: expected {\"Records\":[…]}, a list of events, an event, a digest, or events in an envelope of CloudWatch Logs, EventBridge or LookupEvents")

	// ErrNotEvent means that an element among events is not one.
	ErrNotEvent = errors.New("not a CloudTrail event: no event field in it")

	// ErrEnvelope means that an envelope holds something else than an event.
	ErrEnvelope = errors.New("the envelope holds no CloudTrail event")
)

// format is how CloudTrail delivers events.
var format = frame.Format{
	Provider: provider, Product: Product,
	Lists:   []string{"Records", "logEvents", "Events", "records"},
	Own:     []string{"eventVersion", "detail-type", "detail", "CloudTrailEvent"},
	First:   []string{"eventVersion"},
	Control: struct{ Key, Value, List string }{"messageType", "CONTROL_MESSAGE", "logEvents"},
	NotFile: ErrNotCloudTrail, NotEvent: ErrNotEvent,
}

// Parse calls emit once for every event of inflated data, in its order. They may be a
// log file {"Records":[…]}, a list of events (aggregated events come so), single events
// one after another, a digest file, which is one record, or events as subscriptions of
// CloudWatch Logs, EventBridge and LookupEvents wrap them. A control message of
// CloudWatch Logs holds no event. What a subscription hands over packed, as gzip in base64,
// is opened; one envelope may inflate to 16 MiB, and all of them to 16 MiB or 64 times
// data, whichever is more.
//
// The record and its Attributes are reused: they are valid until emit returns. Body
// points into data, or, for an event that lies in an envelope as a string, is what the
// string stands for; for one that was packed, in what it inflates to.
//
// Nothing is dropped: an event that cannot be read is emitted as quarantined, with its
// raw bytes and its envelope, and costs none of its neighbours; so is the rest of a file
// that is cut off, and the whole of a file that is not CloudTrail's. Hence the only
// errors that Parse returns are emit's.
func Parse(data []byte, emit func(*audit.Record) error) (audit.Counts, error) {
	p := newParser(data)
	return frame.Parse(&format, &p.Scanner, p, emit)
}

// A parser holds what one call of Parse needs.
type parser struct {
	scanner
	mapper   mapper
	inner    *parser // of what is in an envelope; made for the first one
	nested   bool    // the data were packed in others
	inflated int     // bytes, out of packed envelopes
}

func newParser(data []byte) *parser {
	p := &parser{scanner: scanner{Scanner: jsonscan.Scanner{Data: data}}}
	p.mapper.s = &p.scanner
	return p
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
		if err := m.event(e.Body(), e.Start); err != nil {
			return nil, err
		}
	case p.isDigest():
		e.Widen()
		m.begin(e.Body(), e.Start)
		m.digest()
	case p.isPacked():
		return nil, p.unpack(e)
	case p.isEnvelope():
		return p.unwrap(e)
	default:
		return nil, ErrNotEvent
	}
	e.Truncated, m.Truncated = p.omitted, p.omitted
	return m.Finish(p.duplicate), nil
}
