// Package github reads GitHub's audit log: the files and batches of audit log
// streaming, and the answers of the REST API. Every event becomes an [audit.Record]
// whose body is the event's own bytes.
//
// Source: https://docs.github.com/en/enterprise-cloud@latest/admin/monitoring-activity-in-your-enterprise/reviewing-audit-logs-for-your-enterprise/streaming-the-audit-log-for-your-enterprise
package github

import (
	"errors"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/frame"
)

// The reasons why bytes are quarantined, beside those of broken JSON.
var (
	// ErrNotGitHub means that the bytes hold no audit events.
	ErrNotGitHub = errors.New("not a GitHub audit log: expected a list of events, or one on each line")
	// ErrNotEvent means that an element among events is not one.
	ErrNotEvent = errors.New("not a GitHub audit event: it has no action")
)

var format = frame.Format{
	Product: "GitHub", NotFile: ErrNotGitHub, NotEvent: ErrNotEvent,
	First: []string{"@timestamp", "_document_id", "action"},
}

// Parse calls emit once for every event of inflated data, in its order: a list, or
// objects one after another or line by line. The record and its Attributes are reused:
// they are valid until emit returns. Body points into data. What cannot be read is
// quarantined; the only errors that Parse returns are emit's.
func Parse(data []byte, emit func(*audit.Record) error) (audit.Counts, error) {
	return frame.Tabled(&format, table, mapEvent, data, emit)
}
