package logstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/dirstore"
	"github.com/otelcol-custody/custody/store/storetest"
)

const origin = "custody.example/test"

func signer(t *testing.T) *checkpoint.Signer { return ledgertest.Signer(t, origin) }

// bench is a reader of the log "test" that remembers what it is told.
type bench struct {
	*Reader
	t    *testing.T
	told []Notice
}

func newBench(t *testing.T, s store.Store) *bench {
	b := &bench{t: t}
	b.Reader = New(s, "test", ledgertest.Keys(t, signer(t)), func(n Notice) { b.told = append(b.told, n) })
	return b
}

// fill stores segments as a writer does.
func fill(t *testing.T, s store.Store, segments ...ledgertest.Segment) {
	t.Helper()
	for _, g := range segments {
		plant(t, s, g.Seal.Log+"/"+g.Seal.SegmentName(), g.Object)
		for _, tile := range g.Tiles {
			plant(t, s, g.Seal.Log+"/"+ledger.TileName(tile.Level, tile.Index), tile.Bytes())
		}
		plant(t, s, g.Seal.Log+"/"+g.Seal.Name(), g.Seal.Bytes())
	}
}

func plant(t *testing.T, s store.Store, name string, data []byte) {
	t.Helper()
	if _, err := s.PutOnce(context.Background(), name, data, store.PutOptions{}); err != nil {
		t.Fatal(err)
	}
}

// memory is a store with versions that holds segments.
func memory(t *testing.T, segments ...ledgertest.Segment) *storetest.Memory {
	t.Helper()
	m := storetest.NewMemory("test")
	fill(t, m, segments...)
	return m
}

// stores are empty stores, with versions and without.
func stores(t *testing.T) map[string]store.Store {
	dir, err := dirstore.Open(t.TempDir(), dirstore.Options{Immutable: dirstore.ImmutableOff})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dir.Close() })
	return map[string]store.Store{"versions": storetest.NewMemory("test"), "directory": dir, "plain": storetest.NewFaulty(t, storetest.NewMemory("test"))}
}

// walk collects the seals behind one.
func (b *bench) walk(after *seal.Verified) ([]*Held, error) {
	var all []*Held
	for h, err := range b.Seals(b.t.Context(), after) {
		if err != nil {
			return all, err
		}
		all = append(all, h)
	}
	return all, nil
}

// is checks that a walk found these segments' seals and their tiles.
func is(t *testing.T, got []*Held, want ...ledgertest.Segment) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("found %d seals, want %d", len(got), len(want))
	}
	for i, h := range got {
		if !bytes.Equal(h.Seal.Bytes(), want[i].Seal.Bytes()) {
			t.Fatalf("seal %d begins at %d, want %d", i, h.Seal.First, want[i].Seal.First)
		}
		tiles := h.EncodedTiles()
		if len(tiles) != len(want[i].Tiles) {
			t.Errorf("seal %d completes %d tiles, want %d", i, len(tiles), len(want[i].Tiles))
		}
		if _, err := h.Seal.CheckTiles(tiles); err != nil {
			t.Error(err)
		}
	}
}

func (b *bench) toldOf(want ...Notice) {
	b.t.Helper()
	if !slices.Equal(b.told, want) {
		b.t.Errorf("told of %v, want %v", b.told, want)
	}
}

// junk is no seal, and has the size of one.
func junk(n uint64) []byte { return fmt.Append(make([]byte, minSeal), n) }

func sealAt(first uint64, n int) string { return SealName("test", first, n) }

func asFork(t *testing.T, err error, one, other ledgertest.Segment) {
	t.Helper()
	var fork *ForkError
	if !errors.As(err, &fork) {
		t.Fatalf("got %v, want a fork", err)
	}
	if !fork.One.Seal.Same(one.Seal) || !fork.Other.Seal.Same(other.Seal) {
		t.Errorf("the evidence is %v", err)
	}
	if errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrNotFound) {
		t.Errorf("a fork looks like a failed read: %v", err)
	}
	if want := fmt.Sprintf("root %v", other.Seal.After().Root); !bytes.Contains([]byte(err.Error()), []byte(want)) {
		t.Errorf("%v does not show %s", err, want)
	}
}
