package tree

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"
)

// grown is a tree with all of its leaves and tiles, the edge at its size, and
// what the other implementations make of the same leaves.
type grown struct {
	leaves []Hash
	tiles  map[[2]uint64][]Hash
	edge   Edge
	stored []tlog.Hash    // x/mod
	other  *compact.Range // transparency-dev
}

func (g *grown) grow(t *testing.T, size uint64) {
	t.Helper()
	if g.tiles == nil {
		g.tiles = map[[2]uint64][]Hash{}
		g.other = (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewEmptyRange(0)
	}
	for i := g.edge.Size(); i < size; i++ {
		prev := Hash{}
		if i > 0 {
			prev = g.leaves[i-1]
		}
		entry := Entry(prev, Digest(binary.BigEndian.AppendUint64(nil, i)))
		leaf := Link(prev, Digest(binary.BigEndian.AppendUint64(nil, i)))
		if leaf != tlog.RecordHash(entry[:]) || string(leaf[:]) != string(rfc6962.DefaultHasher.HashLeaf(entry[:])) {
			t.Fatalf("link %d is not the leaf hash of its entry", i)
		}
		g.leaves = append(g.leaves, leaf)
		hs, err := tlog.StoredHashesForRecordHash(int64(i), leaf, g)
		if err != nil {
			t.Fatal(err)
		}
		g.stored = append(g.stored, hs...)
		if err := g.other.Append(leaf[:], nil); err != nil {
			t.Fatal(err)
		}
		g.edge.Append(leaf, func(tile Tile) { g.tiles[[2]uint64{uint64(tile.Level), tile.Index}] = tile.Clone().Hashes })
	}
}

func (g *grown) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range indexes {
		out = append(out, g.stored[i])
	}
	return out, nil
}

func (g *grown) tile(level int, index uint64) ([]Hash, error) {
	if hs, ok := g.tiles[[2]uint64{uint64(level), index}]; ok {
		return hs, nil
	}
	if index != g.edge.Size()>>(8*(level+1)) {
		return nil, fmt.Errorf("tile %d/%d was never completed", level, index)
	}
	return g.edge.Level(level), nil
}

func (g *grown) checkRoot(t *testing.T) Hash {
	t.Helper()
	root := g.edge.Root()
	if want, err := tlog.TreeHash(int64(g.edge.Size()), g); err != nil || want != root {
		t.Fatalf("root at %d is %v, x/mod says %v (%v)", g.edge.Size(), root, want, err)
	}
	want := rfc6962.DefaultHasher.EmptyRoot()
	if g.edge.Size() > 0 {
		var err error
		if want, err = g.other.GetRootHash(nil); err != nil {
			t.Fatal(err)
		}
	}
	if string(want) != string(root[:]) {
		t.Fatalf("root at %d is %v, transparency-dev says %x", g.edge.Size(), root, want)
	}
	return root
}

func (g *grown) checkEdge(t *testing.T) {
	t.Helper()
	size := g.edge.Size()
	b := g.edge.AppendTo(nil)
	if len(b) != EdgeLen(size) {
		t.Fatalf("edge at %d has %d bytes, EdgeLen says %d", size, len(b), EdgeLen(size))
	}
	parsed, err := ParseEdge(size, b)
	if err != nil || !parsed.Equal(&g.edge) || !g.edge.Equal(parsed) || parsed.Root() != g.edge.Root() {
		t.Fatalf("edge at %d does not survive its encoding: %v", size, err)
	}
	for _, wrong := range [][]byte{append(slices.Clone(b), 0), append(slices.Clone(b), make([]byte, HashSize)...)} {
		if _, err := ParseEdge(size, wrong); !errors.Is(err, errEdgeLength) {
			t.Fatalf("edge at %d with %d bytes: %v", size, len(wrong), err)
		}
	}
	for level := range g.edge.Levels() {
		for i, h := range g.edge.Level(level) {
			width := uint64(1) << (8 * level)
			at := size/width&^(TileWidth-1) + uint64(i)
			if want, _ := tlog.TreeHash(int64(width), shifted{g, at * width}); want != h {
				t.Fatalf("edge at %d: hash %d of level %d is not that of its leaves", size, i, level)
			}
		}
	}
}

// shifted is the tree of the leaves from a multiple of a power of two on.
type shifted struct {
	g    *grown
	from uint64
}

func (s shifted) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var moved []int64
	for _, x := range indexes {
		level, n := tlog.SplitStoredHashIndex(x)
		moved = append(moved, tlog.StoredHashIndex(level, n+int64(s.from>>level)))
	}
	return s.g.ReadHashes(moved)
}

func bytesOf(hs []Hash) [][]byte {
	out := [][]byte{}
	for i := range hs {
		out = append(out, hs[i][:])
	}
	return out
}

func (g *grown) checkInclusion(t *testing.T, root Hash, index uint64) {
	t.Helper()
	size, leaf := g.edge.Size(), g.leaves[index]
	p, err := ProveInclusion(size, index, g.tile)
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckInclusion(p, size, root, index, leaf); err != nil {
		t.Fatalf("inclusion of %d in %d: %v", index, size, err)
	}
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, index, size, leaf[:], bytesOf(p), root[:]); err != nil {
		t.Fatalf("inclusion of %d in %d, by transparency-dev: %v", index, size, err)
	}
	theirs, err := tlog.ProveRecord(int64(size), int64(index), g)
	if err != nil || !slices.Equal(p, theirs) {
		t.Fatalf("inclusion of %d in %d differs from x/mod's: %v", index, size, err)
	}
	wrong := leaf
	wrong[0] ^= 1
	if CheckInclusion(p, size, root, index, wrong) == nil {
		t.Fatalf("a wrong leaf is accepted at %d of %d", index, size)
	}
	if size > 1 && CheckInclusion(p, size, root, (index+1)%size, leaf) == nil {
		t.Fatalf("leaf %d of %d is accepted one place further", index, size)
	}
}

func (g *grown) checkConsistency(t *testing.T, root Hash, old uint64, oldRoot Hash) {
	t.Helper()
	size := g.edge.Size()
	p, err := ProveConsistency(size, old, g.tile)
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckConsistency(p, size, root, old, oldRoot); err != nil {
		t.Fatalf("%d in %d: %v", old, size, err)
	}
	if err := proof.VerifyConsistency(rfc6962.DefaultHasher, old, size, bytesOf(p), oldRoot[:], root[:]); err != nil {
		t.Fatalf("%d in %d, by transparency-dev: %v", old, size, err)
	}
	wrong := oldRoot
	wrong[31] ^= 1
	if CheckConsistency(p, size, root, old, wrong) == nil {
		t.Fatalf("a wrong root at %d is consistent with %d", old, size)
	}
}

func TestAgreesOnSmallTrees(t *testing.T) {
	g := &grown{}
	rng := rand.New(rand.NewPCG(1, 2))
	var roots []Hash
	for size := uint64(0); size <= 1030; size++ {
		g.grow(t, size)
		root := g.checkRoot(t)
		g.checkEdge(t)
		roots = append(roots, root)
		if size == 0 {
			continue
		}
		indexes := []uint64{0, size - 1, rng.Uint64N(size), rng.Uint64N(size)}
		if size <= 40 {
			indexes = indexes[:0]
			for i := range size {
				indexes = append(indexes, i)
			}
		}
		for _, i := range indexes {
			g.checkInclusion(t, root, i)
			g.checkConsistency(t, root, i+1, roots[i+1])
		}
	}
}

func TestAgreesOnLargeTrees(t *testing.T) {
	sizes := []uint64{65535, 65536, 65537, 131072, 196608}
	rng := rand.New(rand.NewPCG(3, 4))
	for range 40 {
		sizes = append(sizes, 1031+rng.Uint64N(199_000))
	}
	slices.Sort(sizes)
	g := &grown{}
	type kept struct {
		size uint64
		root Hash
	}
	var earlier []kept
	for _, size := range sizes {
		g.grow(t, size)
		root := g.checkRoot(t)
		for _, i := range []uint64{0, size - 1, rng.Uint64N(size), rng.Uint64N(size), size / 2} {
			g.checkInclusion(t, root, i)
		}
		for _, old := range earlier {
			g.checkConsistency(t, root, old.size, old.root)
		}
		earlier = append(earlier, kept{size, root})
	}
	g.checkEdge(t)
	if len(g.tiles[[2]uint64{1, 2}]) != TileWidth || g.tiles[[2]uint64{1, 3}] != nil || g.tiles[[2]uint64{2, 0}] != nil {
		t.Error("there are not exactly three full tiles of level 1")
	}
}

// TestTilesOfLevelTwo begins at an edge of invented hashes, 257 leaves before a
// tile of level 2 is full.
func TestTilesOfLevelTwo(t *testing.T) {
	const size = 5<<24 - 257
	b := make([]byte, EdgeLen(size))
	for i := range b {
		b[i] = byte(i * 7)
	}
	e, err := ParseEdge(size, b)
	if err != nil {
		t.Fatal(err)
	}
	level1, level2 := slices.Clone(e.Level(1)), slices.Clone(e.Level(2))
	var got []Tile
	var leaves []Hash
	for i := range 257 {
		leaf := Digest([]byte{byte(i), byte(i >> 8)})
		leaves = append(leaves, leaf)
		e.Append(leaf, func(tile Tile) { got = append(got, tile.Clone()) })
	}
	var names []string
	for _, tile := range got {
		names = append(names, fmt.Sprintf("%d/%d", tile.Level, tile.Index))
	}
	if want := "0/327678 0/327679 1/1279 2/4"; strings.Join(names, " ") != want {
		t.Fatalf("tiles %v are complete, want %s", names, want)
	}
	last := Subtree(leaves[1:])
	if !slices.Equal(got[2].Hashes[:254], level1) || got[2].Hashes[255] != last {
		t.Error("the tile of level 1 is not made of the edge and the last tile of level 0")
	}
	if !slices.Equal(got[3].Hashes[:255], level2) || got[3].Hashes[255] != Subtree(got[2].Hashes) {
		t.Error("the tile of level 2 is not made of the edge and the last tile of level 1")
	}
	if len(e.Level(0)) != 0 || len(e.Level(1)) != 0 || len(e.Level(2)) != 0 || e.Level(3)[4] != Subtree(got[3].Hashes) {
		t.Error("the edge behind the tiles is wrong")
	}
	if len(got[0].Bytes()) != 8192 {
		t.Errorf("a tile has %d bytes", len(got[0].Bytes()))
	}
}

func TestCovers(t *testing.T) {
	g := &grown{}
	g.grow(t, 66_000)
	for _, first := range []uint64{0, 1, 255, 256, 257, 300, 65_279, 65_280, 65_281, 65_535, 65_536, 65_900, 65_999} {
		for _, size := range []uint64{65_536, 65_537, 65_791, 65_792, 66_000} {
			if first >= size {
				continue
			}
			e := &Edge{}
			for _, leaf := range g.leaves[:size] {
				e.Append(leaf, nil)
			}
			links := g.leaves[first:size]
			if level, ok := e.Covers(first, links); !ok {
				t.Fatalf("[%d,%d): level %d differs", first, size, level)
			}
			checkCoversEach(t, e, first, size, links)
		}
	}
}

// checkCoversEach alters each hash of an edge: it is noticed exactly when it
// stands for nothing but the leaves at hand.
func checkCoversEach(t *testing.T, e *Edge, first, size uint64, links []Hash) {
	t.Helper()
	for level := range e.Levels() {
		for i := range e.Level(level) {
			e.levels[level][i][5] ^= 1
			width := uint64(1) << (8 * level)
			begin := (size/width&^(TileWidth-1) + uint64(i)) * width
			got, ok := e.Covers(first, links)
			if want := begin < first; ok != want || !ok && got != level {
				t.Errorf("[%d,%d): hash %d of level %d altered: ok %v at level %d", first, size, i, level, ok, got)
			}
			e.levels[level][i][5] ^= 1
		}
	}
}

func TestTrailingLevels(t *testing.T) {
	for _, size := range []uint64{1 << 62, 1<<63 - 1, 1 << 16, 1<<16 - 1} {
		b := make([]byte, EdgeLen(size))
		e, err := ParseEdge(size, b)
		if err != nil {
			t.Fatal(err)
		}
		if e.Root(); e.Clone().Size() != size || e.Levels() > 8 {
			t.Errorf("edge at %d has %d levels", size, e.Levels())
		}
	}
}

func TestCloneIsIndependent(t *testing.T) {
	g := &grown{}
	g.grow(t, 300)
	c := g.edge.Clone()
	root := c.Root()
	g.edge.Append(Hash{1}, nil)
	if c.Size() != 300 || c.Root() != root || c.Equal(&g.edge) {
		t.Error("appending to an edge changes its clone")
	}
	d := c.Clone()
	d.levels[0][3][0] ^= 1
	if c.Equal(d) {
		t.Error("edges with different hashes are equal")
	}
}

func TestReaderErrors(t *testing.T) {
	if _, err := ProveInclusion(5, 5, nil); err == nil {
		t.Error("a record behind the end is proven")
	}
	short := func(int, uint64) ([]Hash, error) { return make([]Hash, 2), nil }
	if _, err := ProveInclusion(5, 0, short); err == nil {
		t.Error("a short tile is believed")
	}
	boom := errors.New("boom")
	if _, err := ProveInclusion(5, 0, func(int, uint64) ([]Hash, error) { return nil, boom }); !errors.Is(err, boom) {
		t.Errorf("a tile's error becomes %v", err)
	}
}

// TestHashInputs pins the bytes of spec §4, spelled out.
func TestHashInputs(t *testing.T) {
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	sum := func(b ...[]byte) Hash { return sha256.Sum256(slices.Concat(b...)) }
	var seed Seed
	for i := range seed {
		seed[i] = byte(i)
	}
	salt := seed.Salt(258)
	wide := sum(unhex("03"), seed[:], unhex("0000000000000102"))
	if Salt(wide[:16]) != salt {
		t.Error("salt")
	}
	digest := Digest([]byte("line"))
	commitment := Commitment(salt, digest)
	if commitment != sum(unhex("02"), salt[:], digest[:]) {
		t.Error("commitment")
	}
	prev := Genesis("o", "v", [32]byte{0xAB})
	if prev != sum([]byte("custody/genesis/v1\no\nv\nab"+strings.Repeat("0", 62)+"\n")) {
		t.Error("genesis")
	}
	if Link(prev, commitment) != sum(unhex("00 c1"), prev[:], commitment[:]) {
		t.Error("link")
	}
	if e := Entry(prev, commitment); Link(prev, commitment) != sum(unhex("00"), e[:]) || len(e) != 65 {
		t.Error("entry")
	}
}
