package kubernetes

import (
	"testing"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/audittest"
)

// TestSamples reads real events where there are some.
func TestSamples(t *testing.T) {
	var all []audit.Record
	for _, data := range audittest.Samples(t, "kubernetes_audit") {
		all = append(all, parse.Records(t, data)...)
	}
	audittest.LogShares(t, all)
}
