// Package wormtest checks the WORM exporters of clouds against servers.
package wormtest

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/storeconfig/wormconfig"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/store"
)

// Origin is that of the logs whose key lies in testdata/log.pub.
const Origin = "custody.example/test"

// settled is more than a server on this machine needs for a segment.
const settled = 30 * time.Second

// Load reads a configuration from testdata/config.yaml over the defaults.
func Load(t *testing.T, f exporter.Factory, name string) component.Config {
	t.Helper()
	all, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	sub, err := all.Sub(component.NewIDWithName(f.Type(), name).String())
	require.NoError(t, err)
	cfg := f.CreateDefaultConfig()
	require.NoError(t, sub.Unmarshal(cfg))
	return cfg
}

// Valid checks that configurations of testdata/config.yaml are without fault.
func Valid(t *testing.T, f exporter.Factory, names ...string) {
	t.Helper()
	for _, name := range names {
		require.NoError(t, confmap.Validate(Load(t, f, name)), name)
	}
}

// Faults checks that the configurations of testdata/config.yaml that want names
// have these faults, as the collector reports them, and that a setting which
// does not exist is a fault.
func Faults(t *testing.T, f exporter.Factory, want map[string][]string) {
	t.Helper()
	for name, faults := range want {
		require.EqualError(t, confmap.Validate(Load(t, f, name)), strings.Join(faults, "\n"), name)
	}
	err := confmap.NewFromStringMap(map[string]any{"prefx": "x"}).Unmarshal(f.CreateDefaultConfig())
	require.ErrorContains(t, err, "prefx")
}

// Config reads settings over the defaults, with the key of [Origin].
func Config(t *testing.T, f exporter.Factory, settings map[string]any) component.Config {
	t.Helper()
	cfg := f.CreateDefaultConfig()
	conf := confmap.NewFromStringMap(settings)
	require.NoError(t, conf.Merge(confmap.NewFromStringMap(map[string]any{
		"log_keys": []any{filepath.Join("testdata", "log.pub")},
		"timeout":  "10s",
	})))
	require.NoError(t, conf.Unmarshal(cfg))
	require.NoError(t, confmap.Validate(cfg))
	return cfg
}

// start makes the exporter and starts it, with what that says.
func start(t *testing.T, f exporter.Factory, cfg component.Config) (exporter.Logs, *observer.ObservedLogs, error) {
	t.Helper()
	core, logs := observer.New(zap.InfoLevel)
	set := exportertest.NewNopSettings(f.Type())
	set.Logger = zap.New(core)
	e, err := f.CreateLogs(t.Context(), set, cfg)
	require.NoError(t, err)
	return e, logs, e.Start(t.Context(), componenttest.NewNopHost())
}

// Stores delivers a log to the exporter and reads it back through the store: the
// same bytes, their seals valid, each object as check wants it. It returns what
// the exporter logged at its start.
func Stores(t *testing.T, f exporter.Factory, cfg component.Config, check func(store.Info)) []observer.LoggedEntry {
	t.Helper()
	signer := ledgertest.Signer(t, Origin)
	chain := ledgertest.Chain(t, signer, 3, 2, 4)
	e, logs, err := start(t, f, cfg)
	require.NoError(t, err)
	said := logs.TakeAll()
	deliver(t, e, chain)
	require.NoError(t, e.Shutdown(t.Context()))

	// The next process finds them there and uploads nothing.
	e, _, err = start(t, f, cfg)
	require.NoError(t, err)
	deliver(t, e, chain)
	require.NoError(t, e.Shutdown(t.Context()))

	s, _ := cfg.(wormconfig.Config).Parts()
	st, err := s.Open(t.Context(), true)
	require.NoError(t, err)
	defer func() { require.NoError(t, st.Close()) }()
	require.Equal(t, s.ID(), st.ID())
	keys := ledgertest.Keys(t, signer)
	for _, c := range chain {
		require.Equal(t, c.Object, read(t, st, c.Seal.Log+"/"+c.Seal.SegmentName(), check))
		_, err := seal.Open(read(t, st, c.Seal.Log+"/"+c.Seal.Name(), check), keys)
		require.NoError(t, err)
	}
	_, err = st.PutOnce(t.Context(), "x", nil, store.PutOptions{})
	require.ErrorIs(t, err, store.ErrReadOnly)
	return said
}

// Said checks what the exporter logged at its start: once that it opened the
// store, whether it was found to lock, and just these warnings.
func Said(t *testing.T, said []observer.LoggedEntry, locks bool, warnings ...string) {
	t.Helper()
	texts := map[string]int{}
	var warned []string
	for _, e := range said {
		texts[e.Message]++
		if e.Level >= zap.WarnLevel {
			warned = append(warned, e.Message)
		}
	}
	require.Equal(t, 1, texts["store opened"], "%v", texts)
	require.Equal(t, locks, texts["store locks"] > 0, "%v", texts)
	require.Len(t, warned, len(warnings), "%q", warned)
	for i, want := range warnings {
		require.Contains(t, warned[i], want)
	}
}

// deliver sends a log's segments as hash_chain does, until they are stored.
func deliver(t *testing.T, e exporter.Logs, chain []ledgertest.Segment) {
	t.Helper()
	for _, c := range chain {
		var err error
		require.Eventually(t, func() bool {
			ctx, book := delivery.WithBook(t.Context())
			ld := (&delivery.Objects{Segment: c.Object, Seal: c.Seal.Bytes()}).Logs()
			ld.MarkReadOnly()
			err = e.ConsumeLogs(ctx, ld)
			return err == nil && book.Complete(1)
		}, settled, settled/100, "segment at %d: %v", c.Seal.First, err)
	}
}

func read(t *testing.T, s store.Store, name string, check func(store.Info)) []byte {
	t.Helper()
	info, err := s.Stat(t.Context(), name)
	require.NoError(t, err)
	check(info)
	r, _, err := s.Get(t.Context(), name)
	require.NoError(t, err)
	var b bytes.Buffer
	_, err = io.Copy(&b, r)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	return b.Bytes()
}

// Refused starts the exporter on a store that must be refused, and returns why.
func Refused(t *testing.T, f exporter.Factory, cfg component.Config) error {
	t.Helper()
	e, _, err := start(t, f, cfg)
	require.NoError(t, e.Shutdown(context.Background()))
	t.Logf("refused: %v", err)
	require.Error(t, err, "the exporter started on a store that cannot hold what it is given")
	return err
}

// RefusesUnlocked checks that a server which does not lock is refused at start,
// whatever retention is asked for, unless require_lock is false.
func RefusesUnlocked(t *testing.T, f exporter.Factory, config func(more map[string]any) component.Config) {
	t.Helper()
	for name, more := range map[string]map[string]any{
		"default": {},
		"locked":  {"retention": map[string]any{"mode": "locked", "days": 1}},
		"held":    {"retention": map[string]any{"mode": "unlocked", "days": 1, "legal_hold": true}},
	} {
		err := Refused(t, f, config(more))
		require.ErrorIs(t, err, store.ErrRetention, name)
		require.ErrorContains(t, err, "require_lock: false", name)
	}
}
