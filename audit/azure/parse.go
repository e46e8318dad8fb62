// Package azure reads what Azure Monitor delivers: the Activity Log of subscriptions
// and management groups in all its shapes, resource logs in the same envelope, and
// Entra ID's logs. Every event becomes an [audit.Record] whose body is the event's own
// bytes.
//
// One event hub may carry all of these, even in one message. So [Parse] takes any
// message, blob or page, and looks at each event: those of Entra ID, told by their
// category (entra.Is) or, from Microsoft Graph, by their fields, are mapped by package
// entra. A receiver needs no other function, and no setting that says what a hub
// carries.
//
// An action gives several records: it was started, accepted, and succeeded or failed.
// They stay apart, with the word of the log as audit.phase; only the last has an
// outcome. The operation has no id of its own but audit.correlation.id.
//
// Azure does not care for the case of resource ids, and writes the same one in
// different ways. In targets, ids and types are therefore in lower case, so that
// equal means equal; names and operations stay as written.
//
// Azure states that resource logs are not lossless. Nothing here can tell what never
// came; the REST API is there to compare with, for 90 days.
//
// Sources:
//   - https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema
//   - https://learn.microsoft.com/azure/azure-monitor/platform/resource-logs-schema
//   - https://learn.microsoft.com/rest/api/monitor/activity-logs/list
package azure

import (
	"errors"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/entra"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/frame"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// The reasons why bytes are quarantined, beside those of broken JSON and those of
// package entra.
var (
	// ErrNotAzure means that the bytes hold no events.
	ErrNotAzure = errors.New(`not an Azure log: expected {"records":[…]}, {"value":[…]}, or an event on each line`)
	// ErrNotEvent means that an element among events is not one.
	ErrNotEvent = errors.New("not an Azure event: it has no operationName")
)

const provider = "azure"

var format = frame.Format{
	Provider: provider, NotFile: ErrNotAzure, NotEvent: ErrNotEvent,
	Lists: []string{"records", "value"},
	Own: []string{"time", "eventTimestamp", "operationName", "category", "properties", "resourceId", "correlationId",
		"id", "createdDateTime", "activityDateTime", "activityDisplayName"},
	First: []string{"RoleLocation", "time", "Level", "eventTimestamp"},
}

// Parse calls emit once for every event of inflated data, in its order: the messages
// of an event hub, the lines of a blob, the pages of the REST APIs, or a list. The
// record and its Attributes are reused: they are valid until emit returns. Body points
// into data. What cannot be read is quarantined; the only errors that Parse returns
// are emit's.
//
// Not every event says whose log it is of: see [ParseTenant].
func Parse(data []byte, emit func(*audit.Record) error) (audit.Counts, error) {
	return ParseTenant("", data, emit)
}

// ParseTenant is [Parse] for what the logs of a tenant hold; what an event says of
// itself counts before it. Where an event names no subscription, the tenant is a part
// of the record's id.
func ParseTenant(tenant string, data []byte, emit func(*audit.Record) error) (audit.Counts, error) {
	r := &reader{scan: jsonscan.Scanner{Data: data}, tenant: tenant, entra: entra.Mapper{Tenant: tenant}}
	return frame.Parse(&format, &r.scan, r, emit)
}

// A reader maps events of both kinds.
type reader struct {
	scan    jsonscan.Scanner
	fields  jsonscan.Fields
	draft   draft.Draft
	tenant  string
	entra   entra.Mapper
	isEntra bool // the last event is Entra ID's, and r.entra has read it
}

// Read reads an event with the table of its kind. What follows one of Entra ID's mostly
// is one, too, which its beginning shows; others are read twice.
func (r *reader) Read() (jsonscan.Kind, error) {
	if r.isEntra = r.isEntra && entra.Is(category(r.scan)); r.isEntra {
		return r.entra.Read(&r.scan)
	}
	return r.fields.Read(&r.scan, table)
}

func (r *reader) Map(e *frame.Element) (*audit.Record, error) {
	body := e.Body()
	if !r.isEntra {
		r.draft.Begin(body)
		r.fields.Keep(string(body), e.Start)
		if r.isEntra = isEntra(&r.fields); !r.isEntra {
			if err := mapEvent(r.tenant, &r.fields, &r.draft); err != nil {
				return nil, err
			}
			return r.draft.Finish(r.fields.Duplicate), nil
		}
		r.scan.Pos = e.Start
		if _, err := r.entra.Read(&r.scan); err != nil {
			return nil, err
		}
	}
	return r.entra.Map(body, e.Start)
}

// category is that of the envelope where a scanner stands, if it comes before the
// payload; the scanner, a copy, goes no further.
func category(s jsonscan.Scanner) string {
	if s.Peek() != '{' {
		return ""
	}
	for more := s.Open('}'); more; {
		key, escaped, err := s.Key()
		if err != nil || escaped {
			return ""
		}
		start := s.Pos
		if kind, err := s.Scalar(); err != nil || string(key) == "category" {
			if kind != jsonscan.Text || err != nil {
				return ""
			}
			return string(s.Data[start+1 : s.Pos-1])
		}
		if more, err = s.Next('}'); err != nil {
			return ""
		}
	}
	return ""
}

// isEntra tells Entra ID's events from Azure's. The category does; without it, or
// with one of the directory's own, what only Entra ID's have.
func isEntra(f *jsonscan.Fields) bool {
	if entra.Is(f.Str(fCategory)) {
		return true
	}
	return f.Has(fDirectoryActivity) || f.Has(fDirectoryService) || f.Has(fGraphActivity) ||
		(f.Has(fGraphCreated) || f.Has(fGraphProvisioned)) && !f.Has(fOperation)
}
