// Package okta reads Okta's System Log: the answers of its API, lists, and events line
// by line. Every event becomes an [audit.Record] whose body is the event's own bytes.
// What stands in debugContext is of no fixed form, and stays in the body, apart from
// the request's id and path.
//
// Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/SystemLog/
package okta

import (
	"errors"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/frame"
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
	First: []string{"actor", "uuid", "published", "eventType"},
}

// Parse calls emit once for every event of inflated data, in its order: a list, or
// objects one after another or line by line. The record and its Attributes are reused:
// they are valid until emit returns. Body points into data. What cannot be read is
// quarantined; the only errors that Parse returns are emit's.
func Parse(data []byte, emit func(*audit.Record) error) (audit.Counts, error) {
	return frame.Tabled(&format, table, mapEvent, data, emit)
}
