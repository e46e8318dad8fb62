package audittest

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/otelcol-custody/custody/audit"
)

// Bench measures a parser with each of the fixtures, many times over.
func (parse Parse) Bench(b *testing.B) {
	b.Helper()
	for _, file := range fixtures(b) {
		parse.BenchFile(b, file)
	}
}

// BenchFile is the same for one file. Every time, the same comes out, and some of every
// copy is understood.
func (parse Parse) BenchFile(b *testing.B, file string) {
	b.Helper()
	b.Run(filepath.Base(file), func(b *testing.B) {
		one, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		emit := func(*audit.Record) error { return nil }
		const times = 50
		data := bytes.Repeat(one, times)
		want, err := parse(data, emit)
		if err != nil || want.Events-want.Quarantined < times {
			b.Fatal(want, err)
		}
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		events := 0
		for b.Loop() {
			counts, err := parse(data, emit)
			if err != nil || counts != want {
				b.Fatal(counts, err)
			}
			events += counts.Events
		}
		b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
	})
}
