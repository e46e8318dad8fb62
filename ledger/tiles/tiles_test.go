package tiles_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/proof"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/tiles"
	"github.com/otelcol-custody/custody/ledger/tree"
)

const origin = "custody.example/test"

// A field is a log in memory that counts what is read of it.
type field struct {
	chain  []ledgertest.Segment
	stored map[string][]byte
	err    error // of every read
	seals  int   // that were read
}

func fieldOf(chain []ledgertest.Segment) *field {
	f := &field{chain: chain, stored: map[string][]byte{}}
	for _, s := range chain {
		for _, t := range s.Tiles {
			f.stored[fmt.Sprint(t.Level, t.Index)] = t.Bytes()
		}
	}
	return f
}

func (f *field) Head() *seal.Verified { return f.chain[len(f.chain)-1].Seal }

func (f *field) Tile(level int, index uint64) ([]tree.Hash, error) {
	return tiles.Read(f, level, index)
}

func (f *field) Stored(level int, index uint64) ([]byte, error) {
	return f.stored[fmt.Sprint(level, index)], f.err
}

func (f *field) Covering(index uint64) (*seal.Verified, error) {
	f.seals++
	for _, s := range f.chain {
		if index < s.Seal.End() {
			return s.Seal, f.err
		}
	}
	return nil, errors.New("no seal")
}

func (f *field) link(index uint64) tree.Hash {
	for _, s := range f.chain {
		if index < s.Seal.End() {
			return s.Seal.Link(int(index - s.Seal.First))
		}
	}
	panic("no link")
}

// oracle is x/mod's own tree over the same leaves.
type oracle []tlog.Hash

func (o *oracle) read(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range indexes {
		out = append(out, (*o)[i])
	}
	return out, nil
}

func oracleOf(t testing.TB, f *field) *oracle {
	o := &oracle{}
	for i := range f.Head().End() {
		hs, err := tlog.StoredHashesForRecordHash(int64(i), f.link(i), tlog.HashReaderFunc(o.read))
		if err != nil {
			t.Fatal(err)
		}
		*o = append(*o, hs...)
	}
	return o
}

// counts are segments that share tiles in every way: many in one tile, one over
// many, ends at a tile's end.
var counts = []int{1, 1, 2, 100, 152, 256, 1, 254, 1, 700, 44, 3, 1}

func TestProofsAreThoseOfAnotherTree(t *testing.T) {
	f := fieldOf(ledgertest.Chain(t, ledgertest.Signer(t, origin), counts...))
	o := tlog.HashReaderFunc(oracleOf(t, f).read)
	size := f.Head().End()
	for n := uint64(1); n <= size; n += 1 + n%29 {
		root, err := tiles.Root(f, n)
		want, _ := tlog.TreeHash(int64(n), o)
		if err != nil || root != want {
			t.Fatalf("root at size %d: %v (%v), x/mod says %v", n, root, err, want)
		}
		for _, i := range []uint64{0, n / 3, n / 2, n - 1} {
			leaf, path, err := tiles.Inclusion(f, i, n)
			want, _ := tlog.ProveRecord(int64(n), int64(i), o)
			if err != nil || leaf != f.link(i) || !slices.Equal(path, want) {
				t.Fatalf("inclusion of %d in %d: %v, %v; x/mod says %v", i, n, path, err, want)
			}
			path, err = tiles.Consistency(f, i+1, n)
			grown, _ := tlog.ProveTree(int64(n), int64(i+1), o)
			if err != nil || !slices.Equal(path, grown) {
				t.Fatalf("consistency of %d and %d: %v, %v; x/mod says %v", i+1, n, path, err, grown)
			}
		}
	}
	if path, err := tiles.Consistency(f, 0, size); err != nil || len(path) != 0 {
		t.Errorf("the empty log: %v, %v", path, err)
	}
}

func TestBeyond(t *testing.T) {
	f := fieldOf(ledgertest.Chain(t, ledgertest.Signer(t, origin), 300))
	for name, do := range map[string]func() error{
		"tile":        func() error { _, err := tiles.Read(f, 0, 2); return err },
		"level":       func() error { _, err := tiles.Read(f, 5, 1); return err },
		"record":      func() error { _, _, err := tiles.Inclusion(f, 300, 300); return err },
		"size":        func() error { _, _, err := tiles.Inclusion(f, 1, 301); return err },
		"from":        func() error { _, err := tiles.Consistency(f, 7, 6); return err },
		"to":          func() error { _, err := tiles.Consistency(f, 7, 301); return err },
		"full":        func() error { _, err := tiles.Object(f, "tile/0/001"); return err },
		"wide":        func() error { _, err := tiles.Object(f, "tile/0/001.p/45"); return err },
		"bundle":      func() error { _, err := tiles.Object(f, "tile/entries/001.p/45"); return err },
		"high":        func() error { _, err := tiles.Object(f, "tile/2/000.p/1"); return err },
		"last level":  func() error { _, err := tiles.Object(f, "tile/7/000.p/1"); return err },
		"no tile":     func() error { _, err := tiles.Object(f, "tile/0/01"); return err },
		"not a name":  func() error { _, err := tiles.Object(f, "seals/x"); return err },
		"far":         func() error { _, err := tiles.Object(f, "tile/0/x009/x223/x372/x036/x854/x775/807"); return err },
		"far entries": func() error { _, err := tiles.Object(f, "tile/entries/x036/x028/x797/x018/963"); return err },
	} {
		if err := do(); !errors.Is(err, tiles.ErrBeyond) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTwoSealsSuffice counts the seals that a tile takes, however many segments
// it spans, and whatever is stored.
func TestTwoSealsSuffice(t *testing.T) {
	many := slices.Repeat([]int{1, 2, 3}, 100) // 600 records
	f := fieldOf(ledgertest.Chain(t, ledgertest.Signer(t, origin), append(many, 65_000, 700, 70_000)...))
	for _, at := range []struct {
		level int
		index uint64
	}{{0, 0}, {0, 1}, {0, 2}, {0, 100}, {1, 0}, {1, 1}} {
		want, err := f.Tile(at.level, at.index)
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprint(at.level, at.index)
		stored := f.stored[name]
		for what, b := range map[string][]byte{"missing": nil, "altered": bytes.Repeat([]byte{1}, 8192), "cut": bytes.Repeat([]byte{1}, 8191), "long": append(bytes.Clone(stored), 1)} {
			f.stored[name], f.seals = b, 0
			got, err := f.Tile(at.level, at.index)
			if err != nil || !slices.Equal(got, want) || f.seals > 2 {
				t.Errorf("tile %d of level %d, %s: %v, after %d seals", at.index, at.level, what, err, f.seals)
			}
		}
		if f.stored[name] = stored; stored == nil {
			continue
		}
		if f.seals = 0; !slices.Equal(must(t)(f.Tile(at.level, at.index)), want) || f.seals != 0 {
			t.Errorf("tile %d of level %d is stored, and took %d seals", at.index, at.level, f.seals)
		}
	}
}

func must(t *testing.T) func([]tree.Hash, error) []tree.Hash {
	return func(hs []tree.Hash, err error) []tree.Hash {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return hs
	}
}

// Nothing that a source says makes a wrong answer: with the seals and tiles of
// another history there is none.
func TestOtherHistoryIsBroken(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	l := ledgertest.NewLog("test", s)
	l.Add(t, 10)
	other := l.Branch("other")
	l.Add(t, 500, 65_600, 100)
	other.Add(t, 500, 65_600, 100)
	f := fieldOf(slices.Concat(other.Segments[:3], l.Segments[3:]))
	for name, do := range map[string]func() error{
		"level 0":     func() error { _, err := tiles.Read(f, 0, 1); return err },
		"level 1":     func() error { _, err := tiles.Read(f, 1, 0); return err },
		"inclusion":   func() error { _, _, err := tiles.Inclusion(f, 30, f.Head().End()); return err },
		"consistency": func() error { _, err := tiles.Consistency(f, 510, f.Head().End()); return err },
		"bundle":      func() error { _, err := tiles.Object(f, "tile/entries/001"); return err },
	} {
		if err := do(); !errors.Is(err, tiles.ErrBroken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The last tile is the head's edge; its entries are not the other seal's.
	f = fieldOf(slices.Concat(l.Segments[:2], []ledgertest.Segment{other.Segments[2]}, l.Segments[3:]))
	if _, err := tiles.Object(f, fmt.Sprintf("tile/entries/%03d.p/1", f.Head().End()/256)); !errors.Is(err, tiles.ErrBroken) {
		t.Errorf("the last bundle: %v", err)
	}
	// A failed read is not that.
	f = fieldOf(l.Segments)
	f.err = errors.New("input/output error")
	for _, at := range []uint64{0, 1} {
		if _, err := tiles.Read(f, int(1-at), at); !errors.Is(err, f.err) || errors.Is(err, tiles.ErrBroken) {
			t.Errorf("tile %d: %v", at, err)
		}
	}
}

func TestEvidence(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	chain := ledgertest.Chain(t, s, 3, 300, 5)
	f := fieldOf(chain)
	for _, g := range chain {
		for i := range g.Seal.Count {
			index := g.Seal.First + uint64(i)
			e, err := tiles.Evidence(f, g.Seal, index, g.Seed.Salt(index), g.Lines[i])
			if err != nil {
				t.Fatal(err)
			}
			if p, err := proof.Check(e.Format(), ledgertest.Keys(t, s)); err != nil || p.Index != index {
				t.Fatalf("record %d: %v", index, err)
			}
			if _, err := tiles.Evidence(f, g.Seal, index, g.Seed.Salt(index), append(bytes.Clone(g.Lines[i]), ' ')); !errors.Is(err, tiles.ErrBroken) {
				t.Fatalf("record %d with another line: %v", index, err)
			}
		}
	}
}

// view serves the tlog-tiles view to x/mod's own client.
type view struct{ f *field }

func (v view) Height() int                         { return 8 }
func (v view) SaveTiles(_ []tlog.Tile, _ [][]byte) {}

func (v view) ReadTiles(want []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, w := range want {
		b, err := tiles.Object(v.f, tiles.Path(w.L, uint64(w.N), w.W%256))
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

func TestViewIsReadByAnotherClient(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	for _, more := range [][]int{nil, {200}, {200, 65_300}} {
		f := fieldOf(ledgertest.Chain(t, s, append(slices.Clone(counts), more...)...))
		note, err := tiles.Object(f, tiles.Checkpoint)
		if err != nil {
			t.Fatal(err)
		}
		c, err := checkpoint.Open(note, ledgertest.Keys(t, s))
		if err != nil {
			t.Fatal(err)
		}
		hashes := tlog.TileHashReader(tlog.Tree{N: int64(c.Size), Hash: c.Root}, view{f})
		for i := uint64(0); i < c.Size; i += 1 + i/40 {
			width := 0
			if i/256 == c.Size/256 {
				width = int(c.Size % 256)
			}
			bundle, err := tiles.Object(f, tiles.Path(tiles.Entries, i/256, width))
			if err != nil {
				t.Fatal(err)
			}
			const entry = 2 + tree.EntrySize
			if want := entry * cmp.Or(width, 256); len(bundle) != want {
				t.Fatalf("bundle of %d bytes, want %d", len(bundle), want)
			}
			got, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, int64(i))}) // proves the tiles up to the root
			if err != nil || got[0] != tlog.RecordHash(bundle[i%256*entry+2:][:tree.EntrySize]) {
				t.Fatalf("entry %d of %d: %v", i, c.Size, err)
			}
		}
		// A client that is behind asks for narrower tiles.
		full := must(t)(f.Tile(0, 0))
		for _, width := range []int{1, 7, 255} {
			b, err := tiles.Object(f, tiles.Path(0, 0, width))
			if err != nil || !bytes.Equal(b, tree.Tile{Hashes: full[:width]}.Bytes()) {
				t.Errorf("a tile %d wide: %v", width, err)
			}
		}
	}
}

func TestPath(t *testing.T) {
	for _, c := range []struct {
		level int
		index uint64
		width int
		want  string
	}{
		{0, 0, 0, "tile/0/000"},
		{1, 999, 255, "tile/1/999.p/255"},
		{tiles.Entries, 1000, 0, "tile/entries/x001/000"},
		{0, 1234067, 7, "tile/0/x001/x234/067.p/7"},
	} {
		if got := tiles.Path(c.level, c.index, c.width); got != c.want {
			t.Errorf("tile %d of level %d, %d wide: %s, want %s", c.index, c.level, c.width, got, c.want)
		}
		if level, index, width, ok := tiles.ParsePath(c.want); !ok || level != c.level || index != c.index || width != c.width {
			t.Errorf("%s is read as %d %d %d %v", c.want, level, index, width, ok)
		}
	}
	for _, no := range []string{
		"", "tile", "tile/", "tile/0", "tile/0/", "tile/0/0", "tile/0/00", "tile/0/0000", "tile/00/000", "tile/-1/000", "tile/+1/000", "tile/8/000",
		"tile/0/x000/001", "tile/0/001/000", "tile/0/x001/000.p/0", "tile/0/x001/000.p/256", "tile/0/000.p/", "tile/0/000.p/01", "tile/0/000.p",
		"tile/0/000/", "/tile/0/000", "tile/Entries/000", "tile/0/x001000", "tile/0/../000", "tile/0/000?", "tile/0/x092/x233/x720/x368/x547/x758/080",
	} {
		if _, _, _, ok := tiles.ParsePath(no); ok {
			t.Errorf("%q is taken for a tile", no)
		}
	}
}

func FuzzParsePath(f *testing.F) {
	for _, seed := range []string{"tile/0/000", "tile/entries/x001/067.p/255", "tile/7/x1/..", "checkpoint"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		level, index, width, ok := tiles.ParsePath(path)
		if ok && tiles.Path(level, index, width) != path {
			t.Errorf("%q is read as %d %d %d", path, level, index, width)
		}
	})
}

// FuzzObject asks for anything of a log whose store says anything: what comes back
// is what another tree says.
func FuzzObject(f *testing.F) {
	l := fieldOf(ledgertest.Chain(f, ledgertest.Signer(f, origin), append(slices.Clone(counts), 65_000)...))
	want := map[string][]byte{}
	rng := rand.New(rand.NewPCG(1, 2))
	f.Add(uint8(0), uint16(0), uint8(0), []byte{})
	f.Add(uint8(1), uint16(0), uint8(3), bytes.Repeat([]byte{7}, 8192))
	f.Add(uint8(2), uint16(3), uint8(0), l.stored["1 0"])
	f.Add(uint8(rng.UintN(3)), uint16(rng.UintN(260)), uint8(rng.UintN(256)), []byte("x"))
	f.Fuzz(func(t *testing.T, level uint8, index uint16, width uint8, stored []byte) {
		name := tiles.Path(int(level%4)-1, uint64(index), int(width))
		if _, ok := want[name]; !ok {
			b, err := tiles.Object(l, name)
			if err != nil && !errors.Is(err, tiles.ErrBeyond) {
				t.Fatal(err)
			}
			want[name] = b
		}
		lying := *l
		lying.stored = map[string][]byte{"1 0": stored, "2 0": stored}
		if b, err := tiles.Object(&lying, name); !bytes.Equal(b, want[name]) || err != nil && !errors.Is(err, tiles.ErrBeyond) {
			t.Errorf("%s: %v", name, err)
		}
	})
}
