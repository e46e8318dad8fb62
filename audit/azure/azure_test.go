package azure

import (
	"testing"

	"github.com/otelcol-custody/custody/audit/audittest"
)

var parse = audittest.Parse(Parse)

func TestGolden(t *testing.T) { parse.Golden(t) }

// What somebody made to mislead, beside what the traps are.
func TestHostile(t *testing.T) {
	parse.Hostile(t, record(`,"resultType":"Success","caller":"ada@example.com"`), "operationName")
}

func FuzzParse(f *testing.F) { parse.Fuzz(f) }

// BenchmarkParse reads the Activity Log, and a hub that carries Entra ID's events.
func BenchmarkParse(b *testing.B) {
	parse.Bench(b)
	parse.BenchFile(b, "../entra/testdata/signins.json")
}
