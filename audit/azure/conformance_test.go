package azure

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/audittest"
)

// TestSamples reads real events where there are some, those of Entra ID, too: none may
// be lost or changed.
func TestSamples(t *testing.T) {
	for _, folder := range []string{"azure_activity", "azure_entra_signin"} {
		var all []audit.Record
		for path, file := range audittest.Samples(t, folder) {
			data, want := sampleEvents(t, file)
			got := parse.Records(t, data)
			if len(got) != len(want) {
				t.Fatalf("%s: %d records, want %d", path, len(got), len(want))
			}
			for i := range want {
				if !bytes.Equal(got[i].Body, want[i]) || got[i].Quarantined {
					t.Errorf("%s: event %d is %s", path, i, got[i].Body)
				}
			}
			all = append(all, got...)
		}
		t.Log(folder)
		audittest.LogShares(t, all)
		explainActors(t, all)
	}
}

// explainActors logs which kinds of events have no actor, and holds against them that
// nothing in them names one: no identity, no claims, no caller.
func explainActors(t *testing.T, records []audit.Record) {
	t.Helper()
	kinds, without := map[string]int{}, 0
	for i := range records {
		r := &records[i]
		if audittest.Text(r, audit.AttrActorID) != "" {
			continue
		}
		var e struct {
			Identity, Claims, Caller any
			Properties               any
		}
		if err := json.Unmarshal(r.Body, &e); err != nil {
			t.Fatal(err)
		}
		if e.Identity != nil || e.Claims != nil || e.Caller != nil || strings.Contains(fmt.Sprint(e.Properties), "CallerInfo") {
			t.Errorf("has no actor, though it names one: %s", r.Body)
		}
		kinds[audittest.Text(r, audit.AttrCategory)+" of "+audittest.Text(r, audit.AttrService)]++
		without++
	}
	t.Logf("%d of %d have no actor, since they have neither identity nor claims nor caller:", without, len(records))
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		t.Logf("%6d %s", kinds[kind], kind)
	}
}

// sampleEvents returns what is to be parsed, and the events in it: a message, or lines
// that wrap an event each, as the member "event".
func sampleEvents(t *testing.T, file []byte) (data []byte, events []json.RawMessage) {
	t.Helper()
	var message struct{ Records []json.RawMessage }
	if json.Unmarshal(file, &message) == nil {
		return file, message.Records
	}
	for line := range bytes.Lines(file) {
		var wrapped struct{ Event json.RawMessage }
		if err := json.Unmarshal(line, &wrapped); err != nil {
			t.Fatal(err)
		}
		events = append(events, wrapped.Event)
		data = append(append(data, wrapped.Event...), '\n')
	}
	return data, events
}
