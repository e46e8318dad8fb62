package logstore

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

func TestSealsOfEveryStore(t *testing.T) {
	chain := ledgertest.Chain(t, signer(t), 3, 1, 300, 65300, 2)
	for name, s := range stores(t) {
		t.Run(name, func(t *testing.T) {
			fill(t, s, chain...)
			b := newBench(t, s)
			got, err := b.walk(nil)
			if err != nil {
				t.Fatal(err)
			}
			is(t, got, chain...)
			got, err = b.walk(chain[1].Seal)
			if err != nil {
				t.Fatal(err)
			}
			is(t, got, chain[2:]...)
			got, err = b.walk(chain[4].Seal)
			if err != nil || len(got) != 0 {
				t.Errorf("behind the end: %d seals, %v", len(got), err)
			}
			h, err := b.Head(t.Context())
			if err != nil || !h.Seal.Same(chain[4].Seal) || h.Object.Name != sealAt(65604, 0) {
				t.Errorf("head: %+v, %v", h, err)
			}
			b.toldOf()
		})
	}
}

func TestSealsStop(t *testing.T) {
	b := newBench(t, memory(t, ledgertest.Chain(t, signer(t), 1, 1, 1, 1)...))
	n := 0
	for range b.Seals(t.Context(), nil) {
		if n++; n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("%d seals", n)
	}
}

// cosigned adds a signature line by a key that nobody knows.
func cosigned(seal []byte) []byte { return copyOf(seal, -1) }

// Whatever anybody can write into a store neither hides nor ends the log.
func TestStrangersDoNotStopTheWalk(t *testing.T) {
	chain := ledgertest.Chain(t, signer(t), 3, 2, 4)
	impostor := ledgertest.Chain(t, ledgertest.ImpostorOf(t, origin, "mallory"), 3, 2, 4)
	at3, end := sealAt(3, 0), sealAt(9, 0)
	for _, c := range []struct {
		name string
		do   func(m *storetest.Memory)
		told []Notice
	}{
		{"shadow", func(m *storetest.Memory) { m.Shadow(at3, []byte("x")) }, []Notice{{Shadow, at3, "2"}}},
		{"impostor above", func(m *storetest.Memory) { m.Shadow(at3, impostor[1].Seal.Bytes()) }, []Notice{{Shadow, at3, "2"}}},
		{"marker", func(m *storetest.Memory) { m.Hide(at3) }, []Notice{{Marker, at3, "2"}}},
		{"marker and shadow", func(m *storetest.Memory) { m.Hide(at3); m.Shadow(at3, nil) }, []Notice{{Shadow, at3, "3"}, {Marker, at3, "2"}}},
		{"marker on the last", func(m *storetest.Memory) { m.Hide(sealAt(5, 0)) }, []Notice{{Marker, sealAt(5, 0), "2"}}},
		{"all hidden", func(m *storetest.Memory) {
			for _, s := range chain {
				m.Hide("test/" + s.Seal.Name())
			}
		}, []Notice{{Marker, sealAt(0, 0), "2"}, {Marker, at3, "2"}, {Marker, sealAt(5, 0), "2"}}},
		{"squatter below", func(m *storetest.Memory) {
			m.Erase(at3)
			m.Shadow(at3, []byte("x"))
			m.Hide(at3)
			m.Shadow(at3, chain[1].Seal.Bytes())
		}, []Notice{{Marker, at3, "2"}, {Squatter, at3, "1"}}},
		{"beside a squatter", func(m *storetest.Memory) {
			m.Erase(at3)
			m.Shadow(at3, []byte("x"))
			m.Shadow(sealAt(3, 1), chain[1].Seal.Bytes())
		}, []Notice{{Squatter, at3, "1"}}},
		{"copy above", func(m *storetest.Memory) { m.Shadow(at3, cosigned(chain[1].Seal.Bytes())) }, []Notice{{Copy, at3, "2"}}},
		{"copy beside", func(m *storetest.Memory) { m.Shadow(sealAt(3, 2), cosigned(chain[1].Seal.Bytes())) }, []Notice{{Copy, sealAt(3, 2), "1"}}},
		{"within a segment", func(m *storetest.Memory) { m.Shadow(sealAt(4, 0), chain[1].Seal.Bytes()) }, []Notice{{Squatter, sealAt(4, 0), "1"}}},
		{"at the end", func(m *storetest.Memory) { m.Shadow(end, chain[1].Seal.Bytes()) }, []Notice{{Squatter, end, "1"}}},
		{"far ahead", func(m *storetest.Memory) { m.Shadow(sealAt(1<<62, 0), impostor[0].Seal.Bytes()) }, []Notice{{Squatter, sealAt(1<<62, 0), "1"}}},
		{"other names", func(m *storetest.Memory) {
			m.Shadow("test/seals/README", nil)
			m.Shadow("test/seals/00000000000000000003.01.seal", nil)
			m.Shadow("test/seals/00000000000000000003.seal/x", nil)
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := memory(t, chain...)
			c.do(m)
			b := newBench(t, m)
			got, err := b.walk(nil)
			if err != nil {
				t.Fatal(err)
			}
			is(t, got, chain...)
			b.toldOf(c.told...)
			if h, err := newBench(t, m).Head(t.Context()); err != nil || !h.Seal.Same(chain[2].Seal) {
				t.Errorf("head: %+v, %v", h, err)
			}
		})
	}
}

// Versions without number of one seal take the memory of one.
func TestOneSealManyTimes(t *testing.T) {
	s := ledgertest.Chain(t, signer(t), 3)[0]
	m := memory(t, s)
	for range 30 {
		m.Hide(sealAt(0, 0))
		m.Shadow(sealAt(0, 0), s.Seal.Bytes())
	}
	f, err := newBench(t, m).At(t.Context(), 0)
	if err != nil || len(f.Seals) != 1 || len(f.Notices) != 30 {
		t.Fatalf("%d seals, %d notices, %v", len(f.Seals), len(f.Notices), err)
	}
	if same := f.Same(s.Seal); same == nil || same.Object.Version != "61" {
		t.Errorf("the newest is %+v", same)
	}
	if h, err := newBench(t, m).one(f); err != nil || h.Object.Version != "1" {
		t.Errorf("the one that was there first is %+v, %v", h, err)
	}
}

func TestForkInAStore(t *testing.T) {
	l := ledgertest.NewLog("test", signer(t))
	a := l.Add(t, 3)
	other := l.Branch("other")
	b, c := l.Add(t, 2), l.Add(t, 4)
	x, y := other.Add(t, 2), other.Add(t, 1)
	for name, s := range stores(t) {
		t.Run(name, func(t *testing.T) {
			fill(t, s, a, b)
			plant(t, s, "test/"+y.Seal.Name(), y.Seal.Bytes())
			got, err := newBench(t, s).walk(nil)
			is(t, got, a, b)
			asFork(t, err, b, y)
			_, err = newBench(t, s).walk(b.Seal)
			asFork(t, err, b, y)
			// The head alone cannot know.
			if h, err := newBench(t, s).Head(t.Context()); err != nil || !h.Seal.Same(y.Seal) {
				t.Errorf("head: %v, %v", h, err)
			}
		})
	}
	t.Run("one place", func(t *testing.T) {
		m := memory(t, a, b, c)
		m.Shadow("test/"+x.Seal.Name(), x.Seal.Bytes())
		got, err := newBench(t, m).walk(nil)
		is(t, got, a)
		asFork(t, err, b, x)
	})
	t.Run("the head's place", func(t *testing.T) {
		m := memory(t, a, b)
		m.Shadow(sealAt(3, 1), x.Seal.Bytes())
		_, err := newBench(t, m).Head(t.Context())
		asFork(t, err, b, x)
	})
	t.Run("below a marker", func(t *testing.T) {
		m := memory(t, a, x)
		m.Hide("test/" + x.Seal.Name())
		fill(t, m, b)
		_, err := newBench(t, m).walk(nil)
		asFork(t, err, x, b)
	})
	t.Run("within a segment", func(t *testing.T) {
		m := memory(t, a, b, c)
		short := ledgertest.NewLog("test", signer(t)).Branch("short")
		short.Add(t, 3, 1)
		late := short.Add(t, 1)
		plant(t, m, "test/"+late.Seal.Name(), late.Seal.Bytes())
		got, err := newBench(t, m).walk(nil)
		is(t, got, a, b)
		asFork(t, err, b, late)
	})
}

func TestGap(t *testing.T) {
	chain := ledgertest.Chain(t, signer(t), 3, 2, 4, 1)
	m := memory(t, chain...)
	m.Erase("test/" + chain[1].Seal.Name())
	m.Shadow(sealAt(4, 0), []byte("x"))
	b := newBench(t, m)
	got, err := b.walk(nil)
	is(t, got, chain[0])
	var gap *GapError
	if !errors.As(err, &gap) || gap.First != 3 || !gap.Next.Seal.Same(chain[2].Seal) {
		t.Errorf("got %v", err)
	}
	b.toldOf(Notice{Squatter, sealAt(4, 0), "1"})
	if want := "store memory://test has no seal of log test for record 3, yet " + sealAt(5, 0); !strings.Contains(err.Error(), want) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// A listing that a seal came too late for is no end.
func TestSealsBehindTheListing(t *testing.T) {
	chain := ledgertest.Chain(t, signer(t), 3, 2, 4, 1)
	for _, versions := range []bool{true, false} {
		m := memory(t, chain[:2]...)
		s := store.Store(storetest.NewFaulty(t, m))
		if versions {
			s = m
		}
		b := newBench(t, s)
		var got []*Held
		for h, err := range b.Seals(t.Context(), nil) {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, h); len(got) == 2 {
				fill(t, m, chain[2:]...)
			}
		}
		is(t, got, chain...)
	}
}

// blind is a store whose listing lacks a name.
type blind struct {
	store.Store
	name string
}

func (b blind) List(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		for info, err := range b.Store.List(ctx, prefix, after) {
			if info.Name != b.name && !yield(info, err) {
				return
			}
		}
	}
}

// Nor is a name that the listing passed before its seal came, when it shows
// later ones.
func TestSealThatTheListingLacks(t *testing.T) {
	chain := ledgertest.Chain(t, signer(t), 3, 2, 4, 1)
	for _, s := range chain {
		b := newBench(t, blind{memory(t, chain...), "test/" + s.Seal.Name()})
		got, err := b.walk(nil)
		if err != nil {
			t.Fatal(err)
		}
		is(t, got, chain...)
	}
}

// However many squatters lie behind the end, each is read once and few are told of;
// what the log adds meanwhile is found among them.
func TestManySquatters(t *testing.T) {
	chain := ledgertest.Chain(t, signer(t), 3, 2, 1)
	m := memory(t, chain[:2]...)
	s := storetest.NewFaulty(t, m)
	s.AllowConflicts()
	for i := range 500 {
		plant(t, s, sealAt(uint64(7+i), 0), junk(uint64(i)))
	}
	before := len(s.Calls())
	b := newBench(t, s)
	tell := b.tell
	b.tell = func(n Notice) {
		if tell(n); n.Kind == Flood {
			fill(t, m, chain[2])
		}
	}
	got, err := b.walk(nil)
	if err != nil {
		t.Fatal(err)
	}
	is(t, got, chain...)
	if n := len(s.Calls()) - before; n > 500+40 {
		t.Errorf("%d requests", n)
	}
	if n := len(b.told); n > 2*(maxStrange+1) || !slices.Contains(b.told, Notice{Flood, sealAt(7+maxStrange, 0), ""}) {
		t.Errorf("told of %d: %v", n, b.told[n-1])
	}
}

// A seal behind a missing one is found, whatever lies between.
func TestGapBehindSquatters(t *testing.T) {
	chain := ledgertest.Chain(t, signer(t), 1000, 1000, 4)
	for i, gone := range chain[:2] {
		m := memory(t, chain...)
		first := gone.Seal.First
		m.Erase(sealAt(first, 0))
		for n := range uint64(500) {
			m.Shadow(sealAt(first+1+n, 0), junk(n))
		}
		got, err := newBench(t, m).walk(nil)
		is(t, got, chain[:i]...)
		var gap *GapError
		if !errors.As(err, &gap) || gap.First != first || !gap.Next.Seal.Same(chain[i+1].Seal) || gap.Flooded != nil {
			t.Errorf("got %v", err)
		}
	}
}

// The seals of a log whose keys are not trusted are not all read.
func TestLogOfAnotherKey(t *testing.T) {
	l := ledgertest.NewLog("test", ledgertest.ImpostorOf(t, origin, "other"))
	for range 500 {
		l.Add(t, 1)
	}
	m := memory(t, l.Segments...)
	s := storetest.NewFaulty(t, m)
	b := newBench(t, s)
	if got, err := b.walk(nil); err != nil || len(got) != 0 {
		t.Errorf("%d seals, %v", len(got), err)
	}
	if n := len(s.Calls()); n > 2*maxStrange {
		t.Errorf("%d requests", n)
	}
	if n := len(b.told); n > maxStrange+3 || !slices.Contains(b.told, Notice{Flood, sealAt(maxStrange+1, 0), ""}) {
		t.Errorf("told of %d: %v", n, b.told[n-1])
	}
	s.Inject(storetest.Fault{Method: storetest.List, N: 2}) // Of the search for a head.
	if _, err := b.walk(nil); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a fault is taken for the end: %v", err)
	}
}

// Every call fails once or for good: the error is the store's, the seals before
// it are right, and no fault is taken for the end of the log or for tampering.
func TestFaultsOfSeals(t *testing.T) {
	chain := ledgertest.Chain(t, signer(t), 3, 2, 4, 1, 1, 1)
	mem := memory(t, chain...)
	for n := 1; ; n++ {
		hit := false
		for _, good := range []bool{true, false} {
			s := storetest.NewFaulty(t, mem)
			s.Inject(storetest.Fault{N: n, UntilHeal: good})
			b := newBench(t, s)
			got, err := b.walk(nil)
			if err == nil {
				is(t, got, chain...)
				continue
			}
			hit = true
			if !errors.Is(err, store.ErrUnavailable) {
				t.Fatalf("call %d failed: %v", n, err)
			}
			is(t, got, chain[:len(got)]...)
			b.toldOf()
			s.Heal()
			rest, err := b.walk(nil)
			if err != nil {
				t.Fatal(err)
			}
			is(t, rest, chain...)
		}
		if !hit {
			if n < 8 {
				t.Errorf("only %d calls", n)
			}
			return
		}
	}
}
