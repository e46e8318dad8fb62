package logstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"iter"
	"runtime"
	"slices"
	"strconv"
	"strings"
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
		if !errors.As(err, &a) || !slices.Contains(a.Got, sha256.Sum256(flipped)) || a.Want != s.Seal.Segment || a.Object != name || a.Unread != 0 {
			t.Errorf("got %v", err)
		}
		if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrUnavailable) {
			t.Errorf("tampering looks like a failed read: %v", err)
		}
	}
}

// marked is a store in which somebody deleted one object very often.
type marked struct {
	*storetest.Memory
	name    string
	markers int
}

func (m marked) ListVersions(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		for i := range m.markers {
			if !yield(store.Info{Name: m.name, Version: strconv.Itoa(i), DeleteMarker: true}, nil) {
				return
			}
		}
		m.Memory.ListVersions(ctx, prefix, after)(yield)
	}
}

// Delete markers cost who finds them next to nothing: they take no memory.
func TestSegmentBelowManyMarkers(t *testing.T) {
	s := ledgertest.Chain(t, signer(t), 5)[0]
	name := "test/" + s.Seal.SegmentName()
	m := memory(t, s)
	m.Hide(name)
	b := newBench(t, marked{m, name, 200_000})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, info, err := b.Segment(t.Context(), s.Seal)
	runtime.ReadMemStats(&after)
	if err != nil || !bytes.Equal(got, s.Object) || info.Version != "1" {
		t.Errorf("got version %q, %v", info.Version, err)
	}
	if n := (after.TotalAlloc - before.TotalAlloc) >> 20; n > 20 { // All of them take 40.
		t.Errorf("%d MiB for delete markers", n)
	}
	if len(b.told) != MaxVersions || b.told[0] != (Notice{Marker, name, "0"}) {
		t.Errorf("told of %d", len(b.told))
	}
}

// However many versions of its length lie upon a segment, few are read.
func TestSegmentInAFlood(t *testing.T) {
	s := ledgertest.Chain(t, signer(t), 5)[0]
	name := "test/" + s.Seal.SegmentName()
	flipped := bytes.Clone(s.Object)
	flipped[9] ^= 1
	flood := func(m *storetest.Memory, n int) {
		for range n {
			m.Shadow(name, flipped)
		}
	}
	m := memory(t, s)
	flood(m, 1000)
	for _, c := range []struct {
		title  string
		change func()
		found  string // version
		gets   int
		told   Notice // the last one
	}{
		{"below", func() {}, "1", 3, Notice{Shadow, name, "2"}},
		{"uppermost but for a marker", func() { m.Shadow(name, s.Object); m.Hide(name) }, "1002", 2, Notice{Marker, name, "1003"}},
		{"gone", func() { m.Erase(name); flood(m, 1000) }, "", 1 + maxSegments, Notice{}},
		{"in the midst", func() { m.Shadow(name, s.Object); flood(m, 1000) }, "", 1 + maxSegments, Notice{}},
	} {
		c.change()
		f := storetest.NewFaultyVersioned(t, m)
		b := newBench(t, f)
		got, info, err := b.Segment(t.Context(), s.Seal)
		var a *AlteredError
		switch {
		case c.found == "":
			if !errors.As(err, &a) || len(a.Got) != maxSegments || a.Unread == 0 || !strings.Contains(err.Error(), "that were not read") {
				t.Errorf("%s: %v", c.title, err)
			}
		case err != nil || !bytes.Equal(got, s.Object) || info.Version != c.found:
			t.Errorf("%s: version %q, %v", c.title, info.Version, err)
		case b.told[0] != (Notice{Flood, name, ""}) || b.told[len(b.told)-1] != c.told:
			t.Errorf("%s: told of %v, then %v", c.title, b.told[0], b.told[len(b.told)-1])
		}
		n := 0
		for _, call := range f.Calls() {
			if call.Method == storetest.Get || call.Method == storetest.GetVersion {
				n++
			}
		}
		if n != c.gets {
			t.Errorf("%s: %d reads, want %d", c.title, n, c.gets)
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
