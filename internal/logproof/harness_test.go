package logproof

import (
	"testing"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/dirstore"
	"github.com/otelcol-custody/custody/store/storetest"
)

const origin = "custody.example/test"

func signer(t testing.TB) *checkpoint.Signer { return ledgertest.Signer(t, origin) }

// fill stores segments as a writer does.
func fill(t testing.TB, s store.Store, segments ...ledgertest.Segment) {
	t.Helper()
	for _, g := range segments {
		plant(t, s, g.Seal.Log+"/"+g.Seal.SegmentName(), g.Object)
		for _, tile := range g.Tiles {
			plant(t, s, g.Seal.Log+"/"+ledger.TileName(tile.Level, tile.Index), tile.Bytes())
		}
		plant(t, s, g.Seal.Log+"/"+g.Seal.Name(), g.Seal.Bytes())
	}
}

func plant(t testing.TB, s store.Store, name string, data []byte) {
	t.Helper()
	if _, err := s.PutOnce(t.Context(), name, data, store.PutOptions{}); err != nil {
		t.Fatal(err)
	}
}

// stores are empty stores, with versions and without.
func stores(t *testing.T) map[string]store.Store {
	dir, err := dirstore.Open(t.TempDir(), dirstore.Options{Immutable: dirstore.ImmutableOff})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dir.Close() })
	return map[string]store.Store{"versions": storetest.NewMemory("test"), "directory": dir}
}

// refreshed is a log of the store at its newest head, with a cache of its own.
func refreshed(t testing.TB, s store.Store) *Log {
	t.Helper()
	l := New(s, "test", ledgertest.Keys(t, signer(t)), NewCache(64<<20), nil)
	if err := l.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}
