package azureblobwormexporter

import (
	"maps"
	"testing"

	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-custody/custody/internal/storeconfig/wormconfig/wormtest"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest/servers"
)

func config(t *testing.T, more map[string]any) *Config {
	s := servers.Azurite(t)
	s.Container(t, "audit")
	settings := map[string]any{
		"account_url": s.AccountURL, "container": "audit", "prefix": "custody/prod",
		"auth": map[string]any{"shared_key": map[string]any{"account": s.Account, "key": s.Key}},
	}
	maps.Copy(settings, more)
	return wormtest.Config(t, NewFactory(), settings).(*Config)
}

// The server keeps blobs and enforces preconditions; no lock.
func TestStoresUnlocked(t *testing.T) {
	cfg := config(t, map[string]any{"require_lock": false, "prefix": ""})
	said := wormtest.Stores(t, NewFactory(), cfg, func(store.Info) {})
	wormtest.Said(t, said, false, "nothing is asked to be retained: require_lock is false")
}

// The server takes an immutability policy and ignores it: it must be found out,
// also when the container's own policy is asked for.
func TestRefusesServerThatDoesNotLock(t *testing.T) {
	wormtest.RefusesUnlocked(t, NewFactory(), func(more map[string]any) component.Config { return config(t, more) })
}
