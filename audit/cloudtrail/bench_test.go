package cloudtrail

import (
	"testing"

	"github.com/otelcol-custody/custody/audit"
)

func BenchmarkParse(b *testing.B) {
	const events = 1000
	data := generated(events)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		counts, err := Parse(data, func(*audit.Record) error { return nil })
		if err != nil || counts.Events != events || counts.Quarantined != 0 {
			b.Fatal(counts, err)
		}
	}
	b.ReportMetric(float64(b.N)*events/b.Elapsed().Seconds(), "events/s")
}

// TestAllocations: an event costs its text, its hash and its id, whatever is mapped.
func TestAllocations(t *testing.T) {
	const events, each = 1000, 3
	data := generated(events)
	got := testing.AllocsPerRun(5, func() {
		if _, err := Parse(data, func(*audit.Record) error { return nil }); err != nil {
			t.Fatal(err)
		}
	})
	if got > events*each+100 {
		t.Errorf("%.0f allocations for %d events, want %d for each", got, events, each)
	}
}

// BenchmarkFixtures has the envelopes among others.
func BenchmarkFixtures(b *testing.B) { ofCloudTrail.Bench(b) }
