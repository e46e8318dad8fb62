package cadf

import (
	"testing"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/audittest"
)

var parse = audittest.Parse(Parse)

func TestGolden(t *testing.T) { parse.Golden(t) }

func FuzzParse(f *testing.F) { parse.Fuzz(f) }

func BenchmarkParse(b *testing.B) { parse.Bench(b) }

// TestSamples reads real events where there are some.
func TestSamples(t *testing.T) {
	var all []audit.Record
	for _, data := range audittest.Samples(t, "openstack_cadf") {
		all = append(all, parse.Records(t, data)...)
	}
	audittest.LogShares(t, all)
}

// having is a CADF event with more members than the few that it needs.
func having(members string) string {
	return `{"typeURI":"http://schemas.dmtf.org/cloud/audit/1.0/event","eventType":"activity","id":"ev-1","eventTime":"2025-11-23T08:00:00.5+00:00"` + members + `}`
}

func TestHostile(t *testing.T) {
	parse.Hostile(t, having(`,"action":"delete","outcome":"success","initiator":{"id":"ada"},"target":{"id":"x"}`), "action")
}
