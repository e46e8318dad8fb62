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
		b.Run(filepath.Base(file), func(b *testing.B) {
			one, err := os.ReadFile(file)
			if err != nil {
				b.Fatal(err)
			}
			data := bytes.Repeat(one, 50)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			events := 0
			for b.Loop() {
				counts, err := parse(data, func(*audit.Record) error { return nil })
				if err != nil || counts.Events < 50 {
					b.Fatal(counts, err)
				}
				events += counts.Events
			}
			b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
