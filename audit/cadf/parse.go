// Package cadf reads the audit events of OpenStack: Cloud Auditing Data Federation
// (CADF) events as they are, or within the notifications in which Keystone and the
// audit middleware of the other services send them. Every event becomes an
// [audit.Record].
//
// The body of a notification's record is the whole notification and not only the event
// in it: the publisher, the message id, the priority, the time of sending and the
// request's context are words of the cloud, too. Where the message bus carries the
// notification as a string (oslo.message), the body is what that string stands for; all
// that is outside of it is the version of the bus's envelope. A service may write its
// notifications to its own log instead (oslo.messaging's driver log): what precedes them
// on their lines is no part of them, and the log's other lines are kept raw.
//
// The audit middleware sends two events about one request, both with the same id: what
// was asked for, whose outcome is pending, and the answer. They stay two records.
//
// Sources:
//   - https://www.dmtf.org/standards/cadf
//   - https://docs.openstack.org/keystone/latest/admin/event_notifications.html
//   - https://docs.openstack.org/keystonemiddleware/latest/audit.html
//   - https://docs.openstack.org/oslo.messaging/latest/configuration/opts.html
package cadf

import (
	"errors"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/frame"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// The reasons why bytes are quarantined, beside those of broken JSON.
var (
	// ErrNotCADF means that the bytes hold no audit events.
	ErrNotCADF = errors.New("no OpenStack audit events: expected CADF events or notifications, in a list or one on each line")
	// ErrNotEvent means that an element among events is not one.
	ErrNotEvent = errors.New("not a CADF event, and no notification of one: it has no action")
	// ErrMessage means that an envelope of the message bus holds something else.
	ErrMessage = errors.New("the oslo.message holds no CADF event")
)

const provider = "openstack"

var format = frame.Format{
	Provider: provider, Product: "OpenStack", NotFile: ErrNotCADF, NotEvent: ErrNotEvent,
	Lists: []string{"events"}, Prefixed: true,
	Own:   []string{"oslo.message", "event_type", "message_id", "payload", "publisher_id", "action", "eventType", "eventTime", "initiator", "target"},
	First: []string{"oslo.version", "oslo.message", "event_type", "message_id", "priority", "_unique_id", "action", "eventType", "eventTime"},
}

// Parse calls emit once for every event of inflated data, in its order: a list, a CADF
// log, or objects one after another or line by line. The record and its Attributes are
// reused: they are valid until emit returns. Body points into data, or is what an
// oslo.message in it stands for. What cannot be read is quarantined; the only errors
// that Parse returns are emit's.
func Parse(data []byte, emit func(*audit.Record) error) (audit.Counts, error) {
	return frame.Tabled(&format, table, mapElement, data, emit)
}

// mapElement maps an event, or the one in a notification or in a message.
func mapElement(f *jsonscan.Fields, d *draft.Draft) error {
	text := f.Str(fMessage)
	if text == "" {
		return mapNotification(f, d)
	}
	inner, err := jsonscan.Of(text, table)
	if err != nil {
		return ErrMessage
	}
	d.Begin([]byte(text))
	if mapNotification(inner, d) != nil {
		return ErrMessage
	}
	f.Duplicate = f.Duplicate || inner.Duplicate
	return nil
}

func mapNotification(f *jsonscan.Fields, d *draft.Draft) error {
	e := &event{Fields: f}
	if f.Kind(fPayload) == jsonscan.Object {
		e.base = inPayload
	}
	return e.record(d)
}
