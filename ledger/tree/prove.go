package tree

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Tiles reads tiles: the hashes of level, as many as the tree at hand has, from
// index*256 on. It returns fewer than 256 only for the last tile of a level.
type Tiles func(level int, index uint64) ([]Hash, error)

// ProveInclusion makes the proof (RFC 6962 §2.1.1) that leaf index is in the
// tree of this size, from the leaf to the root.
func ProveInclusion(size, index uint64, tiles Tiles) ([]Hash, error) {
	if index >= size {
		return nil, fmt.Errorf("record %d is not in a log of size %d", index, size)
	}
	return tlog.ProveRecord(int64(size), int64(index), tiles.reader())
}

// CheckInclusion checks a proof by [ProveInclusion].
func CheckInclusion(proof []Hash, size uint64, root Hash, index uint64, leaf Hash) error {
	return tlog.CheckRecord(proof, int64(size), root, int64(index), leaf)
}

// Root is the root of the tree of this size, or of an earlier size of the tree at
// hand.
func Root(size uint64, tiles Tiles) (Hash, error) {
	if size == 0 {
		return (&Edge{}).Root(), nil
	}
	return tlog.TreeHash(int64(size), tiles.reader())
}

// ProveConsistency makes the proof (RFC 6962 §2.1.2) that the tree of size old
// is a prefix of the tree of this size.
func ProveConsistency(size, old uint64, tiles Tiles) ([]Hash, error) {
	return tlog.ProveTree(int64(size), int64(old), tiles.reader())
}

// CheckConsistency checks a proof by [ProveConsistency].
func CheckConsistency(proof []Hash, size uint64, root Hash, old uint64, oldRoot Hash) error {
	return tlog.CheckTree(proof, int64(size), root, int64(old), oldRoot)
}

// reader computes the hashes of inner nodes from tiles, each of which it reads
// once.
func (t Tiles) reader() tlog.HashReader {
	type key struct {
		level int
		index uint64
	}
	seen := map[key][]Hash{}
	return tlog.HashReaderFunc(func(indexes []int64) ([]Hash, error) {
		out := make([]Hash, 0, len(indexes))
		for _, x := range indexes {
			level, n := tlog.SplitStoredHashIndex(x)
			width := uint64(1) << (level % 8)
			at := uint64(n) * width
			k := key{level / 8, at / TileWidth}
			if _, ok := seen[k]; !ok {
				hs, err := t(k.level, k.index)
				if err != nil {
					return nil, err
				}
				seen[k] = hs
			}
			from := at % TileWidth
			if from+width > uint64(len(seen[k])) {
				return nil, fmt.Errorf("tile %d of level %d has %d hashes, want %d", k.index, k.level, len(seen[k]), from+width)
			}
			out = append(out, Subtree(seen[k][from:from+width]))
		}
		return out, nil
	})
}
