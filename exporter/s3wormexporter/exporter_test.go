package s3wormexporter

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-custody/custody/internal/storeconfig/wormconfig/wormtest"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest/servers"
)

func settings(s *servers.S3, bucket string, more map[string]any) map[string]any {
	all := map[string]any{
		"region": s.Region, "endpoint": s.Endpoint, "path_style": true, "bucket": bucket, "prefix": "custody/prod",
		"access_key_id": s.AccessKey, "secret_access_key": s.SecretKey,
	}
	maps.Copy(all, more)
	return all
}

// Against a server that enforces Object Lock. The days count from when the
// segments were closed.
func TestStoresLocked(t *testing.T) {
	const days = 3650
	until := ledgertest.Began.AddDate(0, 0, days)
	s := servers.Versity(t)
	s.Bucket(t, "acme-audit", true)
	f := NewFactory()
	cfg := wormtest.Config(t, f, settings(s, "acme-audit", map[string]any{"retention": map[string]any{"mode": "governance", "days": days}}))
	said := wormtest.Stores(t, f, cfg, func(info store.Info) {
		require.Equal(t, store.ModeGovernance, info.Retention.Mode, info.Name)
		require.WithinRange(t, info.Retention.Until, until, until.Add(time.Hour), info.Name)
	})
	wormtest.Said(t, said, true)
}

func TestRefusesBucketWithoutLock(t *testing.T) {
	s := servers.Versity(t)
	s.Bucket(t, "plain", false)
	s.Versioned(t, "plain")
	f := NewFactory()
	retention := map[string]any{"mode": "compliance", "days": 1}
	cfg := wormtest.Config(t, f, settings(s, "plain", map[string]any{"retention": retention}))
	err := wormtest.Refused(t, f, cfg)
	require.ErrorIs(t, err, store.ErrRetention)
	require.ErrorContains(t, err, "require_lock: false")
	require.NotContains(t, err.Error(), s.SecretKey)
}

func TestStoresUnlocked(t *testing.T) {
	s := servers.Versity(t)
	s.Bucket(t, "plain", false)
	s.Versioned(t, "plain")
	f := NewFactory()
	cfg := wormtest.Config(t, f, settings(s, "plain", map[string]any{"require_lock": false, "prefix": ""}))
	said := wormtest.Stores(t, f, cfg, func(info store.Info) {
		require.True(t, info.Retention.IsZero(), "%s is retained by %+v", info.Name, info.Retention)
	})
	wormtest.Said(t, said, false, "nothing is asked to be retained: require_lock is false")
}
