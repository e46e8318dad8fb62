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
