package entra

import (
	"bytes"
	"os"
	"testing"

	"github.com/otelcol-custody/custody/audit"
)

func BenchmarkParse(b *testing.B) {
	one, err := os.ReadFile("testdata/audits.jsonl")
	if err != nil {
		b.Fatal(err)
	}
	const times = 100
	data, events := bytes.Repeat(one, times), times*bytes.Count(one, []byte{'\n'})
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		counts, err := Parse(data, func(*audit.Record) error { return nil })
		if err != nil || counts.Events != events || counts.Quarantined != 0 {
			b.Fatal(counts, err)
		}
	}
	b.ReportMetric(float64(b.N)*float64(events)/b.Elapsed().Seconds(), "events/s")
}
