package logstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

func TestSegment(t *testing.T) {
	s := ledgertest.Chain(t, signer(t), 5)[0]
	name := "test/" + s.Seal.SegmentName()
	flipped := bytes.Clone(s.Object)
	flipped[9] ^= 1
	for _, c := range []struct {
		title   string
		do      func(m *storetest.Memory)
		version string // in which it is found; empty: not
		want    error
		told    []Notice
	}{
		{"as written", func(*storetest.Memory) {}, "1", nil, nil},
		{"shadow", func(m *storetest.Memory) { m.Shadow(name, []byte("x")) }, "1", nil, []Notice{{Shadow, name, "2"}}},
		{"shadow of the same length", func(m *storetest.Memory) { m.Shadow(name, flipped) }, "1", nil, []Notice{{Shadow, name, "2"}}},
		{"marker", func(m *storetest.Memory) { m.Hide(name) }, "1", nil, []Notice{{Marker, name, "2"}}},
		{"both", func(m *storetest.Memory) { m.Shadow(name, nil); m.Hide(name) }, "1", nil, []Notice{{Marker, name, "3"}, {Shadow, name, "2"}}},
		{"written over a marker", func(m *storetest.Memory) { m.Hide(name); m.Shadow(name, s.Object) }, "3", nil, nil},
		{"gone", func(m *storetest.Memory) { m.Erase(name) }, "", store.ErrNotFound, nil},
		{"gone, marker left", func(m *storetest.Memory) { m.Erase(name); m.Hide(name) }, "", store.ErrNotFound, nil},
	} {
		t.Run(c.title, func(t *testing.T) {
			m := memory(t, s)
			c.do(m)
			b := newBench(t, m)
			got, info, err := b.Segment(t.Context(), s.Seal)
			if !errors.Is(err, c.want) || (err == nil) != bytes.Equal(got, s.Object) || err == nil && info.Version != c.version {
				t.Errorf("got %d bytes of version %q, %v", len(got), info.Version, err)
			}
			b.toldOf(c.told...)
		})
	}
}

func TestAlteredSegment(t *testing.T) {
	s := ledgertest.Chain(t, signer(t), 5)[0]
	name := "test/" + s.Seal.SegmentName()
	flipped := bytes.Clone(s.Object)
	flipped[9] ^= 1
	for _, versions := range []bool{true, false} {
		m := memory(t, s)
		m.Erase(name)
		plant(t, m, name, flipped)
		st := store.Store(storetest.NewFaulty(t, m))
		if versions {
			m.Shadow(name, []byte("x"))
			st = m
		}
		_, _, err := newBench(t, st).Segment(t.Context(), s.Seal)
		var a *AlteredError
		if !errors.As(err, &a) || !slices.Contains(a.Got, sha256.Sum256(flipped)) || a.Want != s.Seal.Segment || a.Object != name {
			t.Errorf("got %v", err)
		}
		if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrUnavailable) {
			t.Errorf("tampering looks like a failed read: %v", err)
		}
	}
}

// flaky gives wrong bytes once.
type flaky struct {
	store.Store
	wrong []byte
}

func (f *flaky) Get(ctx context.Context, name string) (io.ReadCloser, store.Info, error) {
	r, info, err := f.Store.Get(ctx, name)
	if f.wrong != nil && err == nil {
		_ = r.Close()
		r, f.wrong = io.NopCloser(bytes.NewReader(f.wrong)), nil
	}
	return r, info, err
}

func TestPassingFaultIsNoTampering(t *testing.T) {
	s := ledgertest.Chain(t, signer(t), 5)[0]
	flipped := bytes.Clone(s.Object)
	flipped[9] ^= 1
	mem := storetest.NewFaulty(t, memory(t, s))
	got, _, err := newBench(t, &flaky{mem, flipped}).Segment(t.Context(), s.Seal)
	if err != nil || !bytes.Equal(got, s.Object) {
		t.Errorf("got %v", err)
	}
	mem.Inject(storetest.Fault{})
	if _, _, err := newBench(t, mem).Segment(t.Context(), s.Seal); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}
