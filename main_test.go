package main

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/component"
)

// What a user may name in a configuration. A change here is a change for users.
var offered = map[string]string{
	"receivers":  "aws_cloudtrail integrity_events otlp syslog",
	"processors": "attributes filter hash_chain memory_limiter redaction resource transform",
	"exporters":  "azureblob_worm debug file_worm gcs_worm otlp otlp_grpc otlp_http otlphttp s3_worm", // otlp and otlphttp are old names
	"connectors": "count forward",
	"extensions": "bearertokenauth file_storage health_check integrity oidc pprof zpages",
}

func TestOfferedComponents(t *testing.T) {
	f, err := components()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{
		"receivers":  typesOf(f.Receivers),
		"processors": typesOf(f.Processors),
		"exporters":  typesOf(f.Exporters),
		"connectors": typesOf(f.Connectors),
		"extensions": typesOf(f.Extensions),
	}
	for kind, want := range offered {
		if got[kind] != want {
			t.Errorf("%s: got %q, want %q", kind, got[kind], want)
		}
	}
}

func typesOf[F component.Factory](factories map[component.Type]F) string {
	var names []string
	for t := range maps.Keys(factories) {
		names = append(names, t.String())
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}
