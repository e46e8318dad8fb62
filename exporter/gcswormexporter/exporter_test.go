package gcswormexporter

import (
	"maps"
	"os"
	"testing"

	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-custody/custody/internal/storeconfig/wormconfig/wormtest"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest/servers"
)

// Else Google's library looks for its machines in the background, and nobody can wait for
// that: the check for leaks finds it. TestMain is generated.
func init() {
	if err := os.Setenv("GCE_METADATA_HOST", "127.0.0.1:1"); err != nil {
		panic(err)
	}
}

func config(t *testing.T, more map[string]any) *Config {
	s := servers.FakeGCS(t)
	s.Bucket(t, "acme-audit")
	settings := map[string]any{"endpoint": s.Endpoint, "anonymous": true, "bucket": "acme-audit", "prefix": "custody/prod"}
	maps.Copy(settings, more)
	return wormtest.Config(t, NewFactory(), settings).(*Config)
}

// The server keeps objects and enforces preconditions; no lock.
func TestStoresUnlocked(t *testing.T) {
	cfg := config(t, map[string]any{"require_lock": false, "prefix": ""})
	said := wormtest.Stores(t, NewFactory(), cfg, func(store.Info) {})
	wormtest.Said(t, said, false, "nothing is asked to be retained: require_lock is false")
}

// The server takes a retention and does not keep it: it must be found out, also
// when the bucket's own retention is asked for.
func TestRefusesServerThatDoesNotLock(t *testing.T) {
	wormtest.RefusesUnlocked(t, NewFactory(), func(more map[string]any) component.Config { return config(t, more) })
}
