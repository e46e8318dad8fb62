// Package m365 reads the unified audit log of Microsoft 365, as the Management Activity
// API delivers it: blobs with a list of records each, or records line by line. Every
// record becomes an [audit.Record] whose body is the record's own bytes.
//
// Sources:
//   - https://learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-schema
//   - https://learn.microsoft.com/purview/audit-log-activities
package m365

import (
	"errors"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/frame"
)

// The reasons why bytes are quarantined, beside those of broken JSON.
var (
	// ErrNotM365 means that the bytes hold no records.
	ErrNotM365 = errors.New("not a Microsoft 365 audit log: expected a list of records, or one on each line")
	// ErrNotEvent means that an element among records is not one.
	ErrNotEvent = errors.New("not a Microsoft 365 audit record: it has no Operation")
)

var format = frame.Format{
	Product: "Microsoft 365", NotFile: ErrNotM365, NotEvent: ErrNotEvent,
	First: []string{"CreationTime", "Id", "AppAccessContext", "RecordType"},
}

// Parse calls emit once for every record of inflated data, in its order: a list, or
// objects one after another or line by line. The record and its Attributes are reused:
// they are valid until emit returns. Body points into data. What cannot be read is
// quarantined; the only errors that Parse returns are emit's.
func Parse(data []byte, emit func(*audit.Record) error) (audit.Counts, error) {
	return frame.Tabled(&format, table, mapRecord, data, emit)
}
