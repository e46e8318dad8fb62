package logstore

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

// copyOf is the n-th copy of a seal, with a signature line that no reader knows.
func copyOf(seal []byte, n int) []byte {
	sig := make([]byte, 68)
	binary.BigEndian.PutUint32(sig, uint32(n+1))
	line := "— mallory.example " + base64.StdEncoding.EncodeToString(sig) + "\n"
	text := bytes.Index(seal, []byte("\n\n")) + 2
	end := text + bytes.Index(seal[text:], []byte("\n\n")) + 1
	return slices.Concat(seal[:end], []byte(line), seal[end:])
}

func shadow(m *storetest.Memory, first uint64, count int) {
	for i := range count {
		m.Shadow(sealAt(first, 0), junk(uint64(i)))
	}
}

func asFlood(t *testing.T, err error, want FloodedError) {
	t.Helper()
	var flood *FloodedError
	if !errors.As(err, &flood) {
		t.Fatalf("got %v, want a flood", err)
	}
	want.Store, want.Log, want.Object = "memory://test", "test", sealAt(want.First, 0)
	if *flood != want {
		t.Errorf("got  %+v\nwant %+v", *flood, want)
	}
	if errors.Is(err, store.ErrUnavailable) || errors.As(err, new(*ForkError)) {
		t.Errorf("a flood looks like something else: %v", err)
	}
}

// Copies without number take the memory of one seal, and the exact bytes of each
// are found.
func TestCopiesAreHeldOnce(t *testing.T) {
	chain := ledgertest.Chain(t, signer(t), 3, 5)
	m := memory(t, chain...)
	raw := chain[1].Seal.Bytes()
	for i := range 200 {
		m.Shadow(sealAt(3, 0), copyOf(raw, i))
		m.Shadow(sealAt(3, i+1), copyOf(raw, i))
	}
	b := newBench(t, m)
	f, err := b.At(t.Context(), 3)
	if err != nil || len(f.Seals) != 1 || !bytes.Equal(f.Seals[0].Seal.Bytes(), raw) || f.Seals[0].Object.Version != "1" {
		t.Fatalf("%d seals, %v", len(f.Seals), err)
	}
	if same := f.Same(chain[1].Seal); same == nil || same.Object != f.Seals[0].Object {
		t.Errorf("the exact one is %+v", same)
	}
	if n := len(f.Sums(chain[1].Seal)); n != 201 {
		t.Errorf("%d sums", n)
	}
	if f.Conflict(chain[1].Seal) != nil || f.Conflict(chain[0].Seal) == nil || f.Same(chain[0].Seal) != nil {
		t.Error("a copy conflicts, or another seal does not")
	}
	got, err := b.walk(nil)
	if err != nil {
		t.Fatal(err)
	}
	is(t, got, chain...)
	if len(b.told) != 400 {
		t.Errorf("told of %d copies", len(b.told))
	}
}

// Wherever it lies among junk and copies, a second seal is found.
func TestForkAmongJunk(t *testing.T) {
	l := ledgertest.NewLog("test", signer(t))
	a := l.Add(t, 3)
	other := l.Branch("other")
	c, x := l.Add(t, 2), other.Add(t, 2)
	const count = MaxVersions - 2
	for _, at := range []int{0, count / 2, count} {
		m := memory(t, a, c)
		for i := range count + 1 {
			switch {
			case i == at:
				m.Shadow(sealAt(3, 0), x.Seal.Bytes())
			case i%16 == 0:
				m.Shadow(sealAt(3, 0), copyOf(c.Seal.Bytes(), i))
			default:
				m.Shadow(sealAt(3, 0), junk(uint64(i)))
			}
		}
		b := newBench(t, m)
		f, err := b.At(t.Context(), 3)
		if err != nil || f.Same(c.Seal) == nil || f.Same(x.Seal) == nil || f.Conflict(c.Seal) == nil || len(f.Seals) != 2 {
			t.Fatalf("at %d: %d seals, %v", at, len(f.Seals), err)
		}
		_, err = b.walk(nil)
		asFork(t, err, c, x)
	}
}

// What has not the size of a seal is not read.
func TestSizesAreNotRead(t *testing.T) {
	chain := ledgertest.Chain(t, signer(t), 3, 5)
	m := memory(t, chain...)
	huge := make([]byte, ledger.MaxSeal+1)
	m.Shadow(sealAt(3, 0), huge)
	for range 3000 {
		m.Shadow(sealAt(3, 0), []byte("x"))
	}
	s := storetest.NewFaultyVersioned(t, m)
	f, err := newBench(t, s).At(t.Context(), 3)
	if err != nil || f.Same(chain[1].Seal) == nil || len(f.Notices) != MaxVersions {
		t.Errorf("%d seals, %d notices, %v", len(f.Seals), len(f.Notices), err)
	}
	if n := len(s.Calls()); n != 2 {
		t.Errorf("%d requests", n)
	}
}

// The smallest seal there can be is larger than what is passed over.
func TestSmallestSeal(t *testing.T) {
	s := ledgertest.NewLog("t", ledgertest.Signer(t, "a")).Add(t, 1)
	if n := len(s.Seal.Bytes()); n < minSeal*5/4 {
		t.Errorf("a seal has %d bytes", n)
	}
}

// Large seals are read in two parts; a large copy of another place's only begun.
func TestLargeSeals(t *testing.T) {
	chain := ledgertest.Chain(t, signer(t), 10_000, 10_000)
	m := memory(t, chain...)
	m.Shadow(sealAt(10_000, 0), chain[0].Seal.Bytes())
	m.Shadow(sealAt(10_000, 0), make([]byte, 1<<20))
	b := newBench(t, m)
	got, err := b.walk(nil)
	if err != nil {
		t.Fatal(err)
	}
	is(t, got, chain...)
	b.toldOf(Notice{Shadow, sealAt(10_000, 0), "3"}, Notice{Shadow, sealAt(10_000, 0), "2"})
}

// Many are read at a time.
func TestJunkIsReadInParallel(t *testing.T) {
	chain := ledgertest.Chain(t, signer(t), 3)
	synctest.Test(t, func(t *testing.T) {
		m := memory(t, chain...)
		shadow(m, 3, 640)
		s := storetest.NewFaultyVersioned(t, m)
		s.SetDelay(10 * time.Millisecond)
		began := time.Now()
		f, err := newBench(t, s).At(t.Context(), 3)
		if took := time.Since(began); err != nil || len(f.Notices) != 640 || took > time.Second {
			t.Errorf("%d notices, %v, after %v", len(f.Notices), err, took)
		}
	})
}

func TestFloodedPlace(t *testing.T) {
	chain := ledgertest.Chain(t, signer(t), 3, 5)
	m := memory(t, chain...)
	shadow(m, 8, MaxVersions)
	if f, err := newBench(t, m).At(t.Context(), 8); err != nil || len(f.Seals) != 0 || len(f.Notices) != MaxVersions {
		t.Errorf("up to the limit: %d notices, %v", len(f.Notices), err)
	}
	m.Hide(sealAt(8, 0))
	shadow(m, 8, 1)
	s := storetest.NewFaultyVersioned(t, m)
	b := newBench(t, s)
	want := FloodedError{First: 8, Versions: MaxVersions + 1}
	_, err := b.At(t.Context(), 8)
	asFlood(t, err, want)
	if n := len(s.Calls()); n != 1+MaxVersions {
		t.Errorf("%d requests", n)
	}
	if !strings.Contains(err.Error(), "1025 versions that could be seals lie there, and 1024 are read") {
		t.Error(err)
	}
	// It is due there, and nobody knows whether it is.
	got, err := b.walk(nil)
	is(t, got, chain...)
	asFlood(t, err, want)
	_, err = newBench(t, m).Head(t.Context())
	asFlood(t, err, want)
}

// A flood hides neither the seal that was there before nor one that came after,
// and elsewhere it stops nobody.
func TestReadersGoOnAfterAFlood(t *testing.T) {
	chain := ledgertest.Chain(t, signer(t), 3, 5, 2)
	const count = MaxVersions + 100
	for name, flood := range map[string]func(m *storetest.Memory){
		"above": func(m *storetest.Memory) { shadow(m, 3, count) },
		"below": func(m *storetest.Memory) {
			m.Erase(sealAt(3, 0))
			shadow(m, 3, count)
			m.Shadow(sealAt(3, 0), chain[1].Seal.Bytes())
		},
		"within a segment": func(m *storetest.Memory) { shadow(m, 4, count) },
		"far ahead":        func(m *storetest.Memory) { shadow(m, 1000, count) },
	} {
		t.Run(name, func(t *testing.T) {
			m := memory(t, chain...)
			flood(m)
			b := newBench(t, m)
			got, err := b.walk(nil)
			if err != nil {
				t.Fatal(err)
			}
			is(t, got, chain...)
			if !slices.ContainsFunc(b.told, func(n Notice) bool { return n.Kind == Flood }) {
				t.Error("nobody is told of the flood")
			}
			if h, err := newBench(t, m).Head(t.Context()); err != nil || !h.Seal.Same(chain[2].Seal) {
				t.Errorf("head: %v, %v", h, err)
			}
		})
	}
}

// However long the listing of a place is, the seal at its end is found, in memory
// that does not grow with it, and so is what comes behind.
func TestListingOfAFlood(t *testing.T) {
	chain := ledgertest.Chain(t, signer(t), 3, 5, 2)
	m := memory(t, chain...)
	for i := range 3 * MaxVersions {
		m.Shadow(sealAt(3, 0), junk(uint64(i)))
		m.Hide(sealAt(3, 0))
	}
	m.Shadow(sealAt(3, 7), chain[1].Seal.Bytes())
	b := newBench(t, m)
	f, err := b.At(t.Context(), 3)
	if h := f.Same(chain[1].Seal); h == nil || h.Object.Version != "1" || len(f.Seals) != 1 {
		t.Errorf("the seals beside and below the flood are not found: %+v", f.Seals)
	}
	asFlood(t, err, FloodedError{First: 3, Versions: 3*MaxVersions + 2})
	var firsts []uint64
	for p, err := range b.Places(t.Context(), 0) {
		if err != nil || len(p.fit)+len(p.rest) > 3*MaxVersions {
			t.Fatal(len(p.fit), len(p.rest), err)
		}
		firsts = append(firsts, p.First)
	}
	if !slices.Equal(firsts, []uint64{0, 3, 8}) {
		t.Errorf("listed %v", firsts)
	}
}

// Of versions that came within one moment of the store's clock, those that are
// listed last are the oldest.
func TestFloodOfOneMoment(t *testing.T) {
	chain := ledgertest.Chain(t, signer(t), 3, 5)
	synctest.Test(t, func(t *testing.T) {
		m := memory(t, chain...)
		shadow(m, 3, MaxVersions*3/4)
		time.Sleep(time.Second)
		shadow(m, 3, MaxVersions)
		if f, err := newBench(t, m).At(t.Context(), 3); f.Same(chain[1].Seal) == nil {
			t.Errorf("the seal is not found: %v", err)
		}
	})
}

// A flood in place of a seal does not hide that the log went on.
func TestFloodInPlaceOfASeal(t *testing.T) {
	chain := ledgertest.Chain(t, signer(t), 3, 5, 2)
	m := memory(t, chain...)
	m.Erase(sealAt(3, 0))
	shadow(m, 3, MaxVersions+1)
	b := newBench(t, m)
	got, err := b.walk(nil)
	is(t, got, chain[0])
	var gap *GapError
	if !errors.As(err, &gap) || gap.First != 3 || !gap.Next.Seal.Same(chain[2].Seal) || !strings.Contains(err.Error(), "1025 versions") {
		t.Errorf("got %v", err)
	}
	asFlood(t, err, FloodedError{First: 3, Versions: MaxVersions + 1})
	if !slices.Contains(b.told, Notice{Flood, sealAt(3, 0), ""}) {
		t.Error("nobody is told of the flood")
	}
}

// Every call at a flooded place fails once: the error is the store's.
func TestFaultsAmongJunk(t *testing.T) {
	chain := ledgertest.Chain(t, signer(t), 3)
	m := memory(t, chain...)
	shadow(m, 0, 40)
	for n := range 42 {
		s := storetest.NewFaultyVersioned(t, m)
		s.Inject(storetest.Fault{N: n + 1})
		if _, err := newBench(t, s).At(t.Context(), 0); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("call %d: %v", n+1, err)
		}
	}
}
