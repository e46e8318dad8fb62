package logproof

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/proof"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tiles"
	"github.com/otelcol-custody/custody/ledger/tree"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

// counts are segments that share tiles in every way.
var counts = []int{1, 1, 2, 100, 152, 256, 1, 254, 1, 700, 44, 3, 1}

func TestEveryRecordIsProven(t *testing.T) {
	chain := ledgertest.Chain(t, signer(t), counts...)
	keys := ledgertest.Keys(t, signer(t))
	for name, s := range stores(t) {
		fill(t, s, chain...)
		l := refreshed(t, s)
		head := chain[len(chain)-1].Seal
		if l.Head().End() != head.End() {
			t.Fatalf("%s: head at %d", name, l.Head().End())
		}
		for _, g := range chain {
			for i := range g.Seal.Count {
				index := g.Seal.First + uint64(i)
				inc, err := l.Inclusion(t.Context(), index, 0)
				if err != nil || inc.Leaf != g.Seal.Link(i) || inc.Size != head.End() || inc.Root != head.After().Root || !bytes.Equal(inc.Checkpoint.Note(), head.After().Note()) {
					t.Fatalf("%s: record %d: %v", name, index, err)
				}
				e, err := l.Evidence(t.Context(), index)
				if err != nil {
					t.Fatalf("%s: record %d: %v", name, index, err)
				}
				p, err := proof.Check(e.Format(), keys)
				if err != nil || p.Index != index || !bytes.Equal(p.Line, g.Lines[i]) || !slices.Equal(p.Proof, inc.Path) {
					t.Fatalf("%s: record %d: %v", name, index, err)
				}
			}
		}
	}
}

func TestOlderSizes(t *testing.T) {
	chain := ledgertest.Chain(t, signer(t), counts...)
	m := storetest.NewMemory("test")
	fill(t, m, chain...)
	l := refreshed(t, m)
	for _, older := range chain {
		from := older.Seal.After()
		c, err := l.Consistency(t.Context(), from.Size, 0)
		if err != nil || c.FromRoot != from.Root || c.ToRoot != l.Head().After().Root || c.Checkpoint.Size != l.Head().End() {
			t.Fatalf("size %d: %v", from.Size, err)
		}
		if err := tree.CheckConsistency(c.Path, c.To, c.ToRoot, c.From, c.FromRoot); err != nil {
			t.Errorf("size %d: %v", from.Size, err)
		}
		i, err := l.Inclusion(t.Context(), from.Size-1, from.Size)
		if err != nil || i.Root != from.Root || (i.Checkpoint.Size != 0) != (from.Size == l.Head().End()) {
			t.Fatalf("size %d: %v", from.Size, err)
		}
		if err := tree.CheckInclusion(i.Path, i.Size, i.Root, i.Index, i.Leaf); err != nil {
			t.Errorf("size %d: %v", from.Size, err)
		}
	}
	if c, err := l.Consistency(t.Context(), 0, 5); err != nil || len(c.Path) != 0 {
		t.Errorf("from nothing: %v", err)
	}
	size := l.Head().End()
	for what, do := range map[string]func() error{
		"record":   func() error { _, err := l.Inclusion(t.Context(), size, 0); return err },
		"size":     func() error { _, err := l.Inclusion(t.Context(), 1, size+1); return err },
		"to":       func() error { _, err := l.Consistency(t.Context(), 1, size+1); return err },
		"evidence": func() error { _, err := l.Evidence(t.Context(), size); return err },
		"leaf":     func() error { _, err := l.Leaf(t.Context(), size); return err },
		"object":   func() error { _, err := l.Object(t.Context(), "tile/0/999"); return err },
	} {
		if err := do(); !errors.Is(err, tiles.ErrBeyond) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// client lets x/mod's own client read the tlog-tiles view.
type client struct {
	get func(name string) ([]byte, error)
}

func (c client) Height() int                         { return 8 }
func (c client) SaveTiles(_ []tlog.Tile, _ [][]byte) {}

func (c client) ReadTiles(want []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, w := range want {
		b, err := c.get(tiles.Path(w.L, uint64(w.N), w.W%256))
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

func TestViewIsReadByAnotherClient(t *testing.T) {
	m := storetest.NewMemory("test")
	fill(t, m, ledgertest.Chain(t, signer(t), append(slices.Clone(counts), 65_000)...)...)
	l := refreshed(t, m)
	get := func(name string) ([]byte, error) { return l.Object(t.Context(), name) }
	note, err := get(tiles.Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	c, err := checkpoint.Open(note, ledgertest.Keys(t, signer(t)))
	if err != nil {
		t.Fatal(err)
	}
	hashes := tlog.TileHashReader(tlog.Tree{N: int64(c.Size), Hash: c.Root}, client{get})
	for i := uint64(0); i < c.Size; i += 1 + i/20 {
		width := 0
		if i/256 == c.Size/256 {
			width = int(c.Size % 256)
		}
		bundle, err := get(tiles.Path(tiles.Entries, i/256, width))
		if err != nil {
			t.Fatal(err)
		}
		const entry = 2 + tree.EntrySize
		got, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, int64(i))}) // proves the tiles up to the root
		if err != nil || got[0] != tlog.RecordHash(bundle[i%256*entry+2:][:tree.EntrySize]) {
			t.Fatalf("entry %d: %v", i, err)
		}
	}
}

// TestHead moves on only to what continues it.
func TestHead(t *testing.T) {
	l := ledgertest.NewLog("test", signer(t))
	l.Add(t, 10, 300)
	other := l.Branch("other")
	l.Add(t, 20, 400, 5)
	other.Add(t, 20, 400, 5)
	m := storetest.NewMemory("test")
	p := New(m, "test", ledgertest.Keys(t, signer(t)), NewCache(1<<20), nil)
	if _, err := p.Inclusion(t.Context(), 0, 0); !errors.Is(err, ErrNoHead) {
		t.Errorf("without a head: %v", err)
	}
	if err := p.Refresh(t.Context()); !errors.Is(err, logstore.ErrNoLog) || p.Head() != nil {
		t.Errorf("an empty store: %v", err)
	}
	fill(t, m, l.Segments[:2]...)
	at := func(want uint64) {
		t.Helper()
		if got := p.Head().End(); got != want {
			t.Errorf("the head is at %d, want %d", got, want)
		}
	}
	refresh := func() error { return p.Refresh(t.Context()) }
	advance := func(g ledgertest.Segment) error { return p.Advance(t.Context(), g.Seal) }
	if err := errors.Join(refresh(), refresh()); err != nil {
		t.Fatal(err)
	}
	at(310)
	fill(t, m, l.Segments[2:4]...)
	if err := errors.Join(advance(l.Segments[2]), advance(l.Segments[0])); err != nil {
		t.Error(err)
	}
	at(330)
	if err := advance(other.Segments[3]); !errors.Is(err, tiles.ErrBroken) {
		t.Errorf("one that does not follow: %v", err)
	}
	if err := advance(other.Segments[4]); !errors.Is(err, tiles.ErrBroken) {
		t.Errorf("one further on in another history: %v", err)
	}
	// Also where the store itself went over to the other history.
	gone := storetest.NewMemory("gone")
	fill(t, gone, other.Segments...)
	q := New(gone, "test", ledgertest.Keys(t, signer(t)), NewCache(0), nil)
	for _, g := range []ledgertest.Segment{l.Segments[2], other.Segments[4]} {
		if err := q.Advance(t.Context(), g.Seal); errors.Is(err, tiles.ErrBroken) != (g.Seal == other.Segments[4].Seal) || q.Head() != l.Segments[2].Seal {
			t.Errorf("size %d in the other store: %v", g.Seal.End(), err)
		}
	}
	stranger := ledgertest.NewLog("test", ledgertest.Signer(t, "custody.example/other"))
	stranger.Add(t, 1000, 1000)
	if err := advance(stranger.Segments[1]); !errors.Is(err, tiles.ErrBroken) {
		t.Errorf("one of another origin: %v", err)
	}
	if err := p.Advance(t.Context(), ledgertest.NewLog("else", signer(t)).Add(t, 2000).Seal); err == nil {
		t.Error("one of another log is taken")
	}
	at(330)
	fill(t, m, l.Segments[4])
	if err := advance(l.Segments[4]); err != nil {
		t.Errorf("one further on: %v", err)
	}
	at(735)
	if _, err := p.Inclusion(t.Context(), 500, 0); err != nil {
		t.Error(err)
	}
}

func TestRefreshStopsAtAFork(t *testing.T) {
	l := ledgertest.NewLog("test", signer(t))
	l.Add(t, 10, 300)
	other := l.Branch("other")
	other.Add(t, 20)
	l.Add(t, 20, 30)
	m := storetest.NewMemory("test")
	fill(t, m, l.Segments[:2]...)
	p := refreshed(t, m)
	fill(t, m, l.Segments[2:]...)
	m.Erase("test/" + l.Segments[2].Seal.Name())
	fill(t, m, other.Segments[2])
	fork := (*logstore.ForkError)(nil)
	if err := p.Refresh(t.Context()); !errors.As(err, &fork) || p.Head().End() != 330 {
		t.Errorf("got %v, head at %d", err, p.Head().End())
	}
}

// TestTroubles alters a store in every way that an attacker can, below a head that
// is known: what is still provable is proven, all else accused or passed on.
func TestTroubles(t *testing.T) {
	chain := ledgertest.Chain(t, signer(t), 300, 65_600, 700, 40, 2)
	name := func(i int) string { return "test/" + chain[i].Seal.Name() }
	object := func(i int) string { return "test/" + chain[i].Seal.SegmentName() }
	junk := bytes.Repeat([]byte("x"), 2000)
	later := ledgertest.NewLog("test", signer(t)).Branch("b")
	later.Add(t, 300, 65_600, 700)
	for _, c := range []struct {
		what   string
		do     func(m *storetest.Memory)
		proof  error // of a record's inclusion
		record error // of the record itself
	}{
		{"nothing", func(*storetest.Memory) {}, nil, nil},
		{"tiles erased", func(m *storetest.Memory) { m.Erase("test/" + ledger.TileName(1, 0)) }, nil, nil},
		{"tile shadowed", func(m *storetest.Memory) { m.Shadow("test/"+ledger.TileName(1, 0), junk) }, nil, nil},
		{"seal shadowed", func(m *storetest.Memory) { m.Shadow(name(2), junk) }, nil, nil},
		{"seal hidden", func(m *storetest.Memory) { m.Hide(name(2)) }, nil, nil},
		{"squatters between", func(m *storetest.Memory) {
			for i := range maxStrange {
				plant(t, m, fmt.Sprintf("test/seals/%020d.seal", 66_000-i), junk)
			}
		}, nil, nil},
		{"a crowd of them", func(m *storetest.Memory) {
			for i := range maxStrange + 1 {
				plant(t, m, fmt.Sprintf("test/seals/%020d.seal", 66_000-i), junk)
			}
		}, errAny, errAny},
		{"seal erased", func(m *storetest.Memory) { m.Erase(name(2)) }, tiles.ErrBroken, tiles.ErrBroken},
		{"seal of another history", func(m *storetest.Memory) { m.Erase(name(2)); fill(t, m, later.Segments[2]) }, tiles.ErrBroken, tiles.ErrBroken},
		{"segment erased", func(m *storetest.Memory) { m.Erase(object(2)) }, nil, store.ErrNotFound},
		{"segment shadowed", func(m *storetest.Memory) { m.Shadow(object(2), junk) }, nil, nil},
		{"segment altered", func(m *storetest.Memory) { m.Erase(object(2)); plant(t, m, object(2), junk) }, nil, errAny},
		{"head erased", func(m *storetest.Memory) { m.Erase(name(4)) }, nil, nil},
	} {
		m := storetest.NewMemory("test")
		fill(t, m, chain...)
		l := refreshed(t, m)
		c.do(m)
		const index = 66_001
		if _, err := l.Inclusion(t.Context(), index, 0); !is(err, c.proof) {
			t.Errorf("%s: inclusion: %v", c.what, err)
		}
		if _, err := l.Evidence(t.Context(), index); !is(err, c.record) {
			t.Errorf("%s: evidence: %v", c.what, err)
		}
		if i, err := l.Inclusion(t.Context(), 70, 0); err != nil || i.Leaf != chain[0].Seal.Link(70) {
			t.Errorf("%s: another record: %v", c.what, err)
		}
	}
}

// Who was told of every head needs no search, and no squatter is in the way.
func TestKnownPlacesAreNotSearched(t *testing.T) {
	chain := ledgertest.Chain(t, signer(t), 300, 1000, 7)
	m := storetest.NewMemory("test")
	fill(t, m, chain...)
	for i := range 200 {
		plant(t, m, fmt.Sprintf("test/seals/%020d.seal", 301+i), bytes.Repeat([]byte("x"), 2000))
	}
	l := New(m, "test", ledgertest.Keys(t, signer(t)), NewCache(0), nil)
	for _, g := range chain {
		if err := l.Advance(t.Context(), g.Seal); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Inclusion(t.Context(), 600, 0); err != nil {
		t.Error(err)
	}
}

var errAny = errors.New("any")

func is(err, want error) bool {
	return errors.Is(err, want) || want == errAny && err != nil
}

// A fork that came into the store below the head is told with both seals.
func TestForkBelowTheHead(t *testing.T) {
	l := ledgertest.NewLog("test", signer(t))
	other := l.Branch("other")
	l.Add(t, 300, 40, 500)
	other.Add(t, 300)
	m := storetest.NewMemory("test")
	fill(t, m, l.Segments...)
	p := refreshed(t, m)
	plant(t, m, logstore.SealName("test", 0, 1), other.Segments[0].Seal.Bytes())
	fork := (*logstore.ForkError)(nil)
	if _, err := p.Inclusion(t.Context(), 9, 0); !errors.As(err, &fork) || !fork.Other.Seal.Same(other.Segments[0].Seal) {
		t.Errorf("got %v", err)
	}
}

func TestFailedReadsComeThrough(t *testing.T) {
	m := storetest.NewMemory("test")
	fill(t, m, ledgertest.Chain(t, signer(t), 300, 65_600, 700)...)
	f := storetest.NewFaulty(t, m)
	l := refreshed(t, f)
	f.SetDown(true)
	for what, do := range map[string]func() error{
		"inclusion": func() error { _, err := l.Inclusion(t.Context(), 30, 0); return err },
		"evidence":  func() error { _, err := l.Evidence(t.Context(), 30); return err },
		"refresh":   func() error { return l.Refresh(t.Context()) },
		"segments": func() (err error) {
			for _, err = range l.Segments(t.Context(), 0) {
			}
			return err
		},
	} {
		if err := do(); !errors.Is(err, store.ErrUnavailable) || errors.Is(err, tiles.ErrBroken) {
			t.Errorf("%s: %v", what, err)
		}
	}
	f.SetDown(false)
	if _, err := l.Evidence(t.Context(), 30); err != nil {
		t.Errorf("back again: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Evidence(ctx, 800); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestSegments(t *testing.T) {
	l := ledgertest.NewLog("test", signer(t))
	l.Add(t, 3, 300, 5)
	m := storetest.NewMemory("test")
	fill(t, m, l.Segments...)
	p := refreshed(t, m)
	l.Add(t, 7) // behind the head: not asked for
	fill(t, m, l.Segments[3])
	m.Erase("test/" + l.Segments[1].Seal.SegmentName())
	for first, from := range []uint64{0, 3, 303, 308} {
		i := first
		for s, err := range p.Segments(t.Context(), from) {
			if err != nil {
				t.Fatal(err)
			}
			want := append(bytes.Join(l.Segments[i].Lines, []byte("\n")), '\n')
			if i == 1 {
				want = nil
			}
			if !s.Seal.Same(l.Segments[i].Seal) || !bytes.Equal(s.Lines, want) {
				t.Errorf("segment %d differs", i)
			}
			i++
		}
		if i != 3 {
			t.Errorf("from %d: the last is %d", from, i)
		}
	}
	for _, err := range p.Segments(t.Context(), 4) {
		if err == nil || !strings.Contains(err.Error(), "no segment begins at record 4") {
			t.Errorf("between segments: %v", err)
		}
	}
	m.Erase("test/" + l.Segments[2].Seal.Name())
	m.Erase("test/" + l.Segments[3].Seal.Name())
	var last error
	for _, last = range p.Segments(t.Context(), 0) {
	}
	if !errors.Is(last, tiles.ErrBroken) {
		t.Errorf("the end is cut off: %v", last)
	}
}

func TestCacheIsBounded(t *testing.T) {
	m := storetest.NewMemory("test")
	chain := ledgertest.Chain(t, signer(t), slices.Repeat([]int{500}, 20)...)
	fill(t, m, chain...)
	const limit = 100_000
	for _, c := range []*Cache{NewCache(limit), NewCache(0)} {
		l := New(m, "test", ledgertest.Keys(t, signer(t)), c, nil)
		if err := l.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			for index := uint64(0); index < l.Head().End(); index += 333 {
				if _, err := l.Evidence(t.Context(), index); err != nil {
					t.Fatal(err)
				}
				if c.Size() > c.limit || c.order.Len() != len(c.items) {
					t.Fatalf("%d bytes in a cache of %d", c.Size(), c.limit)
				}
			}
		}
		sum := int64(0)
		for e := c.order.Front(); e != nil; e = e.Next() {
			sum += e.Value.(*item).size
		}
		if sum != c.Size() || c.limit > 0 && sum < limit/2 {
			t.Errorf("%d bytes, it says %d", sum, c.Size())
		}
	}
	// The last used stays.
	c := NewCache(3 * (itemBytes + 10))
	for _, k := range []string{"a", "b", "c"} {
		c.put(k, k, 10)
	}
	c.get("a")
	c.put("d", "d", 10)
	if c.get("a") == nil || c.get("b") != nil || c.get("c") == nil || c.get("d") == nil {
		t.Error("not the one went that was used longest ago")
	}
}

func TestManyAtOnce(t *testing.T) {
	m := storetest.NewMemory("test")
	l := ledgertest.NewLog("test", signer(t))
	l.Add(t, counts...)
	fill(t, m, l.Segments...)
	p := refreshed(t, m)
	size := p.Head().End()
	var wg sync.WaitGroup
	for n := range uint64(8) {
		wg.Go(func() {
			for i := range uint64(40) {
				index := (n*131 + i*37) % size
				if _, err := p.Inclusion(t.Context(), index, 0); err != nil {
					t.Error(err)
				}
				if _, err := p.Evidence(t.Context(), index); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 5 {
		fill(t, m, l.Add(t, 30))
		if err := p.Refresh(t.Context()); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
}

// What was copied into the store since it was listed is found.
func TestAnOldListingIsForgotten(t *testing.T) {
	chain := ledgertest.Chain(t, signer(t), 300, 300, 300, 300)
	m := storetest.NewMemory("test")
	fill(t, m, chain...)
	l := refreshed(t, m)
	m.Erase("test/" + chain[1].Seal.Name())
	for _, index := range []uint64{520, 800, 520} {
		_, err := l.Seal(t.Context(), index)
		if missing := index == 520; errors.Is(err, tiles.ErrBroken) != missing {
			t.Errorf("record %d: %v", index, err)
		}
	}
	fill(t, m, chain[1])
	if _, err := l.Seal(t.Context(), 520); err != nil {
		t.Error(err)
	}
}

// Where a page of the listing holds squatters alone, the search goes on before it.
func TestSearchGoesOnBelowAPage(t *testing.T) {
	m := storetest.NewMemory("test")
	fill(t, m, ledgertest.Chain(t, signer(t), 300, 1000, 300)...)
	l := refreshed(t, m)
	for _, first := range []int{1100, 1200, 1250} {
		plant(t, m, fmt.Sprintf("test/seals/%020d.seal", first), bytes.Repeat([]byte("x"), 2000))
	}
	l.step.Store(30)
	if v, err := l.Seal(t.Context(), 1260); err != nil || v.First != 300 {
		t.Error(err)
	}
}

// A seal that came into the store in the place of the one that is proven is none.
func TestSealIsProven(t *testing.T) {
	l := ledgertest.NewLog("test", signer(t))
	other := l.Branch("other")
	l.Add(t, 300, 300)
	other.Add(t, 300)
	m := storetest.NewMemory("test")
	fill(t, m, l.Segments...)
	p := refreshed(t, m)
	if _, err := p.Leaf(t.Context(), 7); err != nil {
		t.Fatal(err)
	}
	delete(p.cache.items, sealKey{p, 0})
	m.Erase("test/" + l.Segments[0].Seal.Name())
	fill(t, m, other.Segments[0])
	if _, err := p.Seal(t.Context(), 7); !errors.Is(err, tiles.ErrBroken) {
		t.Errorf("got %v", err)
	}
}

// The key's holder can sign for a segment whose lines are not those of the tree.
func TestSealedOverOtherLines(t *testing.T) {
	s := signer(t)
	closed, err := (&segment.Closed{At: ledgertest.Began, Count: 2, Key: s.ID(), NextBy: ledgertest.Began.Add(time.Minute), Reason: segment.BySize, Software: "test"}).Line()
	if err != nil {
		t.Fatal(err)
	}
	lines := append([]byte("{\"body\":\"other\"}\n"), append(closed, '\n')...)
	object, err := segment.NewEncoder().Append(nil, segment.Header{Origin: origin, Count: 2, Bytes: len(lines)}, lines)
	if err != nil {
		t.Fatal(err)
	}
	digests := []tree.Hash{tree.Digest([]byte(`{"body":"sealed"}`)), tree.Digest(closed)}
	v, _, err := seal.Build(seal.Genesis("test", origin, s.VerifierKey(), [32]byte{}), seal.Content{Object: object, Digests: digests, ClosedLine: closed, Checkpoints: s})
	if err != nil {
		t.Fatal(err)
	}
	m := storetest.NewMemory("test")
	fill(t, m, ledgertest.Segment{Object: object, Seal: v})
	l := refreshed(t, m)
	if _, err := l.Evidence(t.Context(), 0); !errors.Is(err, tiles.ErrBroken) {
		t.Errorf("evidence: %v", err)
	}
	for _, err := range l.Segments(t.Context(), 0) {
		if !errors.Is(err, tiles.ErrBroken) {
			t.Errorf("segments: %v", err)
		}
	}
}
