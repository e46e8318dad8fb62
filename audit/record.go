// Package audit is the normalised audit record that every provider's events
// are turned into: who did what to which target, from where, with what
// outcome, beside the event's own bytes.
//
// The package and the parsers below it are pure: bytes in, values out. They
// know no collector, no store and no ledger.
package audit

import "time"

// A Record is one native audit event, normalised.
//
// A parser may reuse a Record and its Attributes for the next event: what
// must outlive the callback has to be copied. The strings in it are
// immutable and may be kept.
type Record struct {
	// Body is the event's own bytes, never re-marshalled: a sub-slice of the
	// parser's input, or, if its parser says so, what a string or packed bytes
	// in it stand for. It is not necessarily valid UTF-8.
	Body []byte

	// EventName is one of the names in this package, see [IsEventName].
	EventName string

	// Time is the event's own time; zero when it is missing or cannot be
	// parsed, and then AttrParseError says so.
	Time time.Time

	// Attributes has no duplicate keys. Its order means nothing.
	Attributes []Attribute

	// Resource says whose log the event belongs to.
	Resource Resource

	// Quarantined marks an event that could not be understood: its bytes are
	// kept raw, and AttrQuarantined and AttrParseError are set.
	Quarantined bool
}

// A Resource is what records are grouped by. It is comparable. Each field is
// empty when the event does not say.
type Resource struct {
	Provider  string // cloud.provider: "aws", "azure", "gcp" …
	AccountID string // cloud.account.id
	Region    string // cloud.region
	OrgID     string // audit.org.id
	Product   string // audit.product
	Stream    string // the source stream within the product
}

// Counts says what a parser emitted.
type Counts struct {
	Events      int // records emitted, quarantined ones included
	Quarantined int // of Events: sealed raw
	Truncated   int // of Events: shortened by the provider (AttrTruncated)
}

// Get returns the attribute with the given key.
func (r *Record) Get(key string) (Value, bool) {
	for i := range r.Attributes {
		if r.Attributes[i].Key == key {
			return r.Attributes[i].Value, true
		}
	}
	return Value{}, false
}
