package distro

import (
	"strings"
	"testing"
)

// A queue in front of a gateway says that it has what it only holds.
func TestHandOverIntoQueue(t *testing.T) {
	const agent = "exporters: {otlp_grpc: {endpoint: localhost:4317}}\nservice: {pipelines: {logs: {exporters: [otlp_grpc]}}}\n"
	const none = "processors: {hash_chain: {min_stores: 0}}"
	for name, c := range map[string]struct {
		overlays []string
		taken    bool
	}{
		"by default":           {[]string{agent, none}, false},
		"with settings":        {[]string{agent, none, "exporters: {otlp_grpc: {sending_queue: {queue_size: 10}}}"}, false},
		"enabled":              {[]string{agent, none, "exporters: {otlp_grpc: {sending_queue: {enabled: true}}}"}, false},
		"off":                  {[]string{agent, none, "exporters: {otlp_grpc: {sending_queue: {enabled: false}}}"}, true},
		"receipts are wanted":  {[]string{agent}, true},
		"in another pipeline":  {[]string{agent, none, "service: {pipelines: {logs: {exporters: [file_worm/a]}}}"}, true},
		"beside stores, too":   {[]string{agent, none, "service: {pipelines: {logs: {exporters: [file_worm/a, otlp_grpc]}}}"}, false},
		"no queue by its name": {[]string{none}, true},
	} {
		_, err := findIn(t, "test", append([]string{siteConfig(site(t))}, c.overlays...)...)
		if (err == nil) != c.taken || !c.taken && !strings.Contains(err.Error(), "exporters::otlp_grpc::sending_queue: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
