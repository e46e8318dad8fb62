// Package okta reads Okta's System Log: the answers of its API, what an event hook
// posts, lists, and events line by line. Every event becomes an [audit.Record] whose
// body is the event's own bytes. What stands in debugContext is of no fixed form, and
// stays in the body, apart from the request's id and path, and from the privileges that
// were granted or revoked.
//
// Sources:
//   - https://developer.okta.com/docs/api/openapi/okta-management/management/tag/SystemLog/
//   - https://developer.okta.com/docs/concepts/event-hooks/
package okta

import (
	"errors"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/frame"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// The reasons why bytes are quarantined, beside those of broken JSON.
var (
	// ErrNotOkta means that the bytes hold no events.
	ErrNotOkta = errors.New("not an Okta System Log: expected a list of events, or one on each line")
	// ErrNotEvent means that an element among events is not one.
	ErrNotEvent = errors.New("not an Okta event: it has no eventType")
)

var format = frame.Format{
	Product: "Okta", NotFile: ErrNotOkta, NotEvent: ErrNotEvent,
	// An event hook's envelope has an eventType, too, so that one is no sign of an event.
	Lists: []string{"data.events"},
	Own:   []string{"actor", "uuid", "published", "client", "outcome", "target", "severity"},
	First: []string{"actor", "uuid", "published", "eventType"},
}

// Parse calls emit once for every event of inflated data, in its order: a list, the
// envelope of an event hook, or objects one after another or line by line. The record
// and its Attributes are reused: they are valid until emit returns. Body points into
// data. What cannot be read is quarantined; the only errors that Parse returns are
// emit's.
//
// An event does not say which organization it is of: see [ParseOrg].
func Parse(data []byte, emit func(*audit.Record) error) (audit.Counts, error) {
	return ParseOrg("", data, emit)
}

// ParseOrg is [Parse] for the events of an organization of Okta's, by the name of its
// domain. The name is a part of the records' ids: two organizations' events are never
// duplicates of each other.
func ParseOrg(org string, data []byte, emit func(*audit.Record) error) (audit.Counts, error) {
	mapper := func(f *jsonscan.Fields, d *draft.Draft) error { return mapEvent(org, f, d) }
	return frame.Tabled(&format, table, mapper, data, emit)
}
