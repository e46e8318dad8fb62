// Package kubernetes reads the audit log of a Kubernetes API server: what it posts to a
// webhook, and the lines that it writes to a file. Every event becomes an
// [audit.Record] whose body is the event's own bytes.
//
// Source: https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/
package kubernetes

import (
	"errors"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/frame"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// The reasons why bytes are quarantined, beside those of broken JSON.
var (
	// ErrNotAudit means that the bytes hold no audit events.
	ErrNotAudit = errors.New("not a Kubernetes audit log: expected an EventList, or one event on each line")
	// ErrNotEvent means that an element among events is not one.
	ErrNotEvent = errors.New("not a Kubernetes audit event: it has no auditID")
)

var format = frame.Format{
	Product: "Kubernetes", NotFile: ErrNotAudit, NotEvent: ErrNotEvent,
	Lists: []string{"items"}, Own: []string{"auditID", "level", "stage", "verb"},
	// Not "kind", with which events may begin as well: many an object within one does.
	First: []string{"level", "auditID"},
}

// Parse calls emit once for every event of inflated data, in its order: an EventList,
// events one after another, or one on each line. The record and its Attributes are
// reused: they are valid until emit returns. Body points into data. What cannot be read
// is quarantined; the only errors that Parse returns are emit's.
//
// An event does not say which cluster it is of: see [ParseCluster].
func Parse(data []byte, emit func(*audit.Record) error) (audit.Counts, error) {
	return ParseCluster("", data, emit)
}

// ParseCluster is [Parse] for the events of the named cluster. The name is a part of
// the records' ids: two clusters' events are never duplicates of each other.
func ParseCluster(cluster string, data []byte, emit func(*audit.Record) error) (audit.Counts, error) {
	mapper := func(f *jsonscan.Fields, d *draft.Draft) error { return mapEvent(cluster, f, d) }
	return frame.Tabled(&format, table, mapper, data, emit)
}
