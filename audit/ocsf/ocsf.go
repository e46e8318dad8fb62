// Package ocsf renders audit records as events of the Open Cybersecurity Schema
// Framework (https://schema.ocsf.io/1.6.0).
//
// Every record has its event. One without a class, or with a class that this package
// does not know, is a base event. What a class has no attribute for is kept in
// unmapped, under the name that it has in the record, so nothing of a record is lost.
// A required attribute about which the record says nothing is "Unknown". Observables
// are left out: they would only repeat what stands in its place already.
package ocsf

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/otelcol-custody/custody/audit"
)

// A Record is what was sealed of one event.
type Record struct {
	audit.Record
	// Observed is when the event was taken up; zero when that is not known.
	Observed time.Time
	// Receiver is by what it was taken up; empty when that is not known.
	Receiver string
	// Log is the log in which the record is sealed, and Index its place there. Without
	// Log the place is left out.
	Log   string
	Index uint64
	// Statement is the kind of a record of the log's own, such as "closed"; empty for
	// every event.
	Statement string
	// Rest is a JSON object with what the fields above have no place for; nil for
	// nothing. It becomes the member "$record" of unmapped.
	Rest []byte
}

// A Renderer renders records one after another. It serves one goroutine at a time.
type Renderer struct {
	schema  *schema
	used    []bool
	targets []target
}

// Versions are the versions of OCSF that can be rendered.
func Versions() []string { return slices.Sorted(maps.Keys(schemas)) }

// NewRenderer returns a renderer for a version of OCSF, such as [audit.OCSFVersion].
func NewRenderer(version string) (*Renderer, error) {
	s, ok := schemas[version]
	if !ok {
		return nil, fmt.Errorf("unknown version %q of OCSF; this one knows %s", version, strings.Join(Versions(), ", "))
	}
	return &Renderer{schema: s}, nil
}

// Append appends a record's event: one JSON object on one line, without a line feed.
// The same record always gives the same bytes. Characters that steer a terminal or turn
// the direction of reading are escaped; a byte that is not UTF-8 becomes U+001A and two
// hex digits, as in the log's own lines, and a body that holds one is in base64.
func (r *Renderer) Append(dst []byte, rec *Record) []byte {
	e := event{writer: writer{b: dst}, rec: rec, schema: r.schema, class: r.schema.base}
	r.used = append(r.used[:0], make([]bool, len(rec.Attributes))...)
	e.used, e.targets = r.used, r.targets[:0]
	e.render()
	r.targets = e.targets
	return e.b
}
