// Package audittest holds every parser of audit events to what holds for all of them.
package audittest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/audit"
)

// A Parse is a provider's parser.
type Parse func(data []byte, emit func(*audit.Record) error) (audit.Counts, error)

// Records returns copies of all records of data, and checks what holds for every
// record whatever the input: its name is of the closed set, no attribute occurs twice,
// its body lies in data behind the one before, and the counts are right.
func (parse Parse) Records(t testing.TB, data []byte) []audit.Record {
	t.Helper()
	var out []audit.Record
	at := 0
	counts, err := parse(data, func(r *audit.Record) error {
		at = checkRecord(t, data, at, r)
		out = append(out, clone(r))
		return nil
	})
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	checkCounts(t, counts, out)
	return out
}

// checkRecord checks one record and returns where its body ends: it must lie
// in data, not before position at, or be what a string in data stands for.
func checkRecord(t testing.TB, data []byte, at int, r *audit.Record) int {
	t.Helper()
	if !audit.IsEventName(r.EventName) {
		t.Errorf("event name %q is not in the closed set", r.EventName)
	}
	seen := map[string]bool{}
	for _, a := range r.Attributes {
		if seen[a.Key] {
			t.Errorf("attribute %s occurs twice", a.Key)
		}
		seen[a.Key] = true
	}
	if want := audit.OutcomeUnknown; r.Quarantined && Text(r, audit.AttrOutcome) != want {
		t.Errorf("quarantined with outcome %q", Text(r, audit.AttrOutcome))
	}
	for from := at; from <= len(data)-len(r.Body); from++ {
		if len(r.Body) == 0 || &data[from] == &r.Body[0] {
			return from + len(r.Body)
		}
	}
	if !inString(data, r.Body) {
		t.Fatalf("body is not in the input, or out of order: %q", r.Body)
	}
	return at
}

func checkCounts(t testing.TB, counts audit.Counts, records []audit.Record) {
	t.Helper()
	var want audit.Counts
	for i := range records {
		want.Events++
		if records[i].Quarantined {
			want.Quarantined++
		}
		if v, ok := records[i].Get(audit.AttrTruncated); ok && v.Bool {
			want.Truncated++
		}
	}
	if counts != want {
		t.Errorf("counts %+v, emitted %+v", counts, want)
	}
}

// clone copies what the parser reuses.
func clone(r *audit.Record) audit.Record {
	c := *r
	c.Attributes = slices.Clone(r.Attributes)
	for i := range c.Attributes {
		v := &c.Attributes[i].Value
		v.Strs = slices.Clone(v.Strs)
		v.Maps = slices.Clone(v.Maps)
		for j := range v.Maps {
			v.Maps[j] = slices.Clone(v.Maps[j])
		}
	}
	return c
}

// Text returns an attribute in a form that tests can compare, "" if absent.
func Text(r *audit.Record, key string) string {
	v, ok := r.Get(key)
	if !ok {
		return ""
	}
	switch v.Kind {
	case audit.String:
		return v.Str
	case audit.Int:
		return fmt.Sprint(v.Int)
	case audit.Bool:
		return fmt.Sprint(v.Bool)
	case audit.Strings:
		return strings.Join(v.Strs, " | ")
	}
	var maps []string
	for _, m := range v.Maps {
		var fields []string
		for _, a := range m {
			fields = append(fields, a.Key+"="+a.Value.Str)
		}
		maps = append(maps, strings.Join(fields, " "))
	}
	return strings.Join(maps, " | ")
}

// One parses what holds one event, and returns it.
func (parse Parse) One(t testing.TB, data string) audit.Record {
	t.Helper()
	records := parse.Records(t, []byte(data))
	if len(records) != 1 {
		t.Fatalf("%d records, want 1", len(records))
	}
	return records[0]
}

// Check compares attributes: want is a list of key and value pairs; "" wants the
// attribute absent.
func Check(t testing.TB, r audit.Record, want ...string) {
	t.Helper()
	for i := 0; i < len(want); i += 2 {
		if got := Text(&r, want[i]); got != want[i+1] {
			t.Errorf("%s = %q, want %q", want[i], got, want[i+1])
		}
	}
}
