package tree

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/bits"
)

// TileWidth is the number of hashes in a full tile.
const TileWidth = 256

// An Edge is the right edge of a tree (spec §4): for each level the hashes that
// no full tile above stands for yet. It suffices to compute the root and to go
// on appending. The zero Edge is that of the empty tree.
type Edge struct {
	size   uint64
	levels [][]Hash // levels[L] holds (size / 256^L) mod 256 hashes
}

// A Tile is 256 hashes of one level (spec §9).
type Tile struct {
	Level  int
	Index  uint64
	Hashes []Hash
}

// Clone is an independent copy.
func (t Tile) Clone() Tile {
	t.Hashes = append([]Hash(nil), t.Hashes...)
	return t
}

// Bytes is the tile's encoding: its hashes, one behind the other.
func (t Tile) Bytes() []byte {
	b := make([]byte, 0, len(t.Hashes)*HashSize)
	for i := range t.Hashes {
		b = append(b, t.Hashes[i][:]...)
	}
	return b
}

// Size is the number of leaves.
func (e *Edge) Size() uint64 { return e.size }

// Append adds a leaf. It calls full, unless that is nil, for each tile that the
// leaf completes, lowest level first; a tile's hashes are valid until full
// returns.
func (e *Edge) Append(leaf Hash, full func(Tile)) {
	h := leaf
	for level := 0; ; level++ {
		if level == len(e.levels) {
			e.levels = append(e.levels, make([]Hash, 0, TileWidth))
		}
		e.levels[level] = append(e.levels[level], h)
		if len(e.levels[level]) < TileWidth {
			break
		}
		if full != nil {
			full(Tile{level, e.size >> (8 * (level + 1)), e.levels[level]})
		}
		h = Subtree(e.levels[level])
		e.levels[level] = e.levels[level][:0]
	}
	e.size++
}

// Subtree is the root of 1, 2, 4 … or 256 hashes.
func Subtree(hs []Hash) Hash {
	var level [TileWidth]Hash
	n := copy(level[:], hs)
	for ; n > 1; n /= 2 {
		for i := range n / 2 {
			level[i] = node(level[2*i], level[2*i+1])
		}
	}
	return level[0]
}

// Root is the root of the tree.
func (e *Edge) Root() Hash {
	if e.size == 0 {
		return sha256.Sum256(nil)
	}
	var root Hash
	started := false
	for _, hs := range e.levels {
		// From the right: the low bits of the width are the small subtrees.
		for end, width := len(hs), len(hs); width > 0; {
			n := width & -width
			h := Subtree(hs[end-n : end])
			if started {
				root = node(h, root)
			} else {
				root, started = h, true
			}
			end, width = end-n, width-n
		}
	}
	return root
}

// Clone is an independent copy.
func (e *Edge) Clone() *Edge {
	c := &Edge{size: e.size, levels: make([][]Hash, len(e.levels))}
	for i, hs := range e.levels {
		c.levels[i] = append(make([]Hash, 0, TileWidth), hs...)
	}
	return c
}

// Level is the partial tile of a level; the caller does not change it.
func (e *Edge) Level(level int) []Hash {
	if level >= len(e.levels) {
		return nil
	}
	return e.levels[level]
}

// Levels is the number of levels that have ever held a hash.
func (e *Edge) Levels() int { return edgeLevels(e.size) }

func edgeLevels(size uint64) int { return (bits.Len64(size) + 7) / 8 }

// EdgeLen is the encoded length in bytes of the edge at size.
func EdgeLen(size uint64) int {
	n := 0
	for ; size > 0; size >>= 8 {
		n += int(size & (TileWidth - 1))
	}
	return n * HashSize
}

// AppendTo appends the encoding of the edge: its hashes, lowest level first.
func (e *Edge) AppendTo(dst []byte) []byte {
	for _, hs := range e.levels {
		for i := range hs {
			dst = append(dst, hs[i][:]...)
		}
	}
	return dst
}

var errEdgeLength = errors.New("edge has the wrong length")

// ParseEdge reads the edge at size, which has exactly one encoding.
func ParseEdge(size uint64, b []byte) (*Edge, error) {
	if len(b) != EdgeLen(size) {
		return nil, fmt.Errorf("%w: %d bytes at size %d, want %d", errEdgeLength, len(b), size, EdgeLen(size))
	}
	e := &Edge{size: size, levels: make([][]Hash, edgeLevels(size))}
	for level := range e.levels {
		hs := make([]Hash, 0, TileWidth)
		for range size >> (8 * level) & (TileWidth - 1) {
			hs = append(hs, Hash(b[:HashSize]))
			b = b[HashSize:]
		}
		e.levels[level] = hs
	}
	return e, nil
}

// Equal says whether both edges are the same.
func (e *Edge) Equal(o *Edge) bool {
	if e.size != o.size {
		return false
	}
	for level := range e.Levels() {
		a, b := e.Level(level), o.Level(level)
		if len(a) != len(b) {
			return false
		}
		for i := range a {
			if a[i] != b[i] {
				return false
			}
		}
	}
	return true
}

// Covers compares the edge with the leaves from first on, which end at its
// size: level 0, and every higher hash that stands for these leaves alone. It
// returns the lowest level that differs.
func (e *Edge) Covers(first uint64, leaves []Hash) (level int, ok bool) {
	for hs := leaves; len(hs) > 0; level++ {
		have := e.Level(level)
		start := first + uint64(len(hs)) - uint64(len(have)) // of the partial tile
		for i, h := range have {
			if at := start + uint64(i); at >= first && h != hs[at-first] {
				return level, false
			}
		}
		first, hs = parents(first, hs)
	}
	return level, true
}

// parents are the roots of the full tiles among the hashes from first on.
func parents(first uint64, hs []Hash) (uint64, []Hash) {
	up := (first + TileWidth - 1) / TileWidth
	skip := up*TileWidth - first
	if skip >= uint64(len(hs)) {
		return up, nil
	}
	hs = hs[skip:]
	var out []Hash
	for ; len(hs) >= TileWidth; hs = hs[TileWidth:] {
		out = append(out, Subtree(hs[:TileWidth]))
	}
	return up, out
}
