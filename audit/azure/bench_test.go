package azure

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/otelcol-custody/custody/audit"
)

// BenchmarkParse reads the Activity Log, and a hub that carries Entra ID's events.
func BenchmarkParse(b *testing.B) {
	for _, file := range []string{"testdata/eventhub.json", "testdata/rest.json", "../entra/testdata/signins.json"} {
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
				counts, err := Parse(data, func(*audit.Record) error { return nil })
				if err != nil || counts.Events < 100 {
					b.Fatal(counts, err)
				}
				events += counts.Events
			}
			b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
