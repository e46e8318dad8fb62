// Package entra reads the logs of Microsoft Entra ID: sign-ins of users (interactive
// and not), service principals and managed identities, and directory audits. It takes
// them as a diagnostic setting sends them to an event hub or a blob, and as Microsoft
// Graph lists them. Every event becomes an [audit.Record] whose body is the event's
// own bytes.
//
// A sign-in may be delivered again, later, under the same id with more in it. Both
// copies are records: they have the same audit.record.original_id, and differ in
// audit.record.id, which binds the bytes.
//
// Where an event hub carries Azure's own logs, too, package azure takes the whole
// message and hands the events of Entra ID to this package.
//
// Sources:
//   - https://learn.microsoft.com/entra/identity/monitoring-health/reference-azure-monitor-sign-ins-log-schema
//   - https://learn.microsoft.com/entra/identity/monitoring-health/reference-azure-monitor-audit-log-schema
//   - https://learn.microsoft.com/graph/api/resources/signin
//   - https://learn.microsoft.com/graph/api/resources/directoryaudit
package entra

import (
	"errors"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/frame"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// Product is the audit.product of every record.
const Product = "Microsoft Entra ID"

// The reasons why bytes are quarantined, beside those of broken JSON.
var (
	// ErrNotEntra means that the bytes hold no events.
	ErrNotEntra = errors.New(`not a log of Entra ID: expected {"records":[…]}, {"value":[…]}, or an event on each line`)
	// ErrNotEvent means that an element among events is not one.
	ErrNotEvent = errors.New("not an event of Entra ID: it has no category of one, and is no sign-in, audit or provisioning of Microsoft Graph")
)

var format = frame.Format{
	Provider: provider, Product: Product, NotFile: ErrNotEntra, NotEvent: ErrNotEvent,
	Lists: []string{"records", "value"},
	Own:   []string{"time", "category", "operationName", "properties", "id", "createdDateTime", "activityDateTime", "activityDisplayName"},
	First: []string{"time"},
}

const provider = "azure"

// Parse calls emit once for every event of inflated data, in its order: the messages
// of an event hub, the lines of a blob, the pages of Microsoft Graph, or a list. The
// record and its Attributes are reused: they are valid until emit returns. Body points
// into data. What cannot be read is quarantined; the only errors that Parse returns
// are emit's.
//
// Microsoft Graph's events do not say whose log they are of: see [ParseTenant].
func Parse(data []byte, emit func(*audit.Record) error) (audit.Counts, error) {
	return ParseTenant("", data, emit)
}

// ParseTenant is [Parse] for what the log of a tenant holds; what an event says of
// itself counts before it. The tenant is a part of the records' ids: two tenants' events
// are never duplicates of each other.
func ParseTenant(tenant string, data []byte, emit func(*audit.Record) error) (audit.Counts, error) {
	mapper := func(f *jsonscan.Fields, d *draft.Draft) error { return mapEvent(tenant, f, d) }
	return frame.Tabled(&format, table, mapper, data, emit)
}

// A Mapper makes the records of single events, for a parser that finds them in what
// holds others, too. The zero Mapper is ready for use, by one goroutine at a time.
type Mapper struct {
	Tenant string // as of [ParseTenant]

	fields jsonscan.Fields
	draft  draft.Draft
}

// Read reads the value where the scanner stands.
func (m *Mapper) Read(s *jsonscan.Scanner) (jsonscan.Kind, error) { return m.fields.Read(s, table) }

// Map returns the record of the object that was read last, whose bytes begin at a place
// in the scanner's data. The record is reused, as that of [Parse] is. An error is the
// reason for which the event has to be quarantined.
func (m *Mapper) Map(event []byte, at int) (*audit.Record, error) {
	m.draft.Begin(event)
	m.fields.Keep(string(event), at)
	if err := mapEvent(m.Tenant, &m.fields, &m.draft); err != nil {
		return nil, err
	}
	return m.draft.Finish(m.fields.Duplicate), nil
}
