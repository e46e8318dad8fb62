// Package tiles reads a log's tree tile by tile, each proven by the log's head
// before it is used, and makes proofs and the C2SP tlog-tiles view (spec §13)
// of them.
//
// The head's edge is what a signed checkpoint vouches for. It holds the last
// tile of each level; from there each full tile is proven by the hash that
// stands for it one level up. So nothing that a store says is believed, and a
// stored tile that is missing or wrong is computed from seals instead.
package tiles

import (
	"errors"
	"fmt"

	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/tree"
)

var (
	// ErrBroken means that stored bytes contradict a seal or a checkpoint. A
	// failed read is never ErrBroken.
	ErrBroken = errors.New("evidence broken")
	// ErrBeyond means that what is asked for is not in the log at its head.
	ErrBeyond = errors.New("beyond the end of the log")
)

// A Source is a log whose tree is read. Its errors come through as they are.
type Source interface {
	// Head is the seal whose edge proves everything else. It stays the same
	// while a function of this package runs.
	Head() *seal.Verified
	// Tile is what [Read] returns for this source. A source that remembers tiles
	// saves reading them again.
	Tile(level int, index uint64) ([]tree.Hash, error)
	// Stored is a full tile of level 1 or above as it lies in the store, nil when
	// it is not there. Nothing is believed of it.
	Stored(level int, index uint64) ([]byte, error)
	// Covering is the valid seal of the segment that holds the record at index.
	Covering(index uint64) (*seal.Verified, error)
}

// Read is a tile of the tree at the head: full, or the last one of its level,
// which holds fewer than 256 hashes and can be empty. Behind that it is
// [ErrBeyond]. The caller does not change it.
func Read(src Source, level int, index uint64) ([]tree.Hash, error) {
	edge := src.Head().Edge()
	switch last := edge.Size() >> (8 * (level + 1)); {
	case index > last:
		return nil, fmt.Errorf("%w: tile %d of level %d, at size %d", ErrBeyond, index, level, edge.Size())
	case index == last:
		return edge.Level(level), nil
	}
	up, err := src.Tile(level+1, index/tree.TileWidth)
	if err != nil {
		return nil, err
	}
	above := up[index%tree.TileWidth]
	if level > 0 {
		b, err := src.Stored(level, index)
		if hs := parse(b); err != nil || hs != nil && tree.Subtree(hs) == above {
			return hs, err
		}
	}
	hs, err := computed(src, level, index)
	if err == nil && tree.Subtree(hs) != above {
		err = fmt.Errorf("%w: the seals of tile %d of level %d are not those of the tree that the head at size %d has; run custody verify", ErrBroken, index, level, edge.Size())
	}
	if err != nil {
		return nil, err
	}
	return hs, nil
}

// parse is nil for what has not the size of a full tile.
func parse(b []byte) []tree.Hash {
	if len(b) != tree.TileWidth*tree.HashSize {
		return nil
	}
	hs := make([]tree.Hash, tree.TileWidth)
	for i := range hs {
		hs[i] = tree.Hash(b[i*tree.HashSize:])
	}
	return hs
}

// computed makes a full tile from two seals at most: the one that completes it,
// and the one before, whose edge holds what was there of it.
func computed(src Source, level int, index uint64) ([]tree.Hash, error) {
	last, err := covering(src, (index+1)<<(8*(level+1))-1)
	if err != nil {
		return nil, err
	}
	if from := index * tree.TileWidth; level == 0 && last.First <= from {
		return links(nil, last, from), nil
	}
	var before *seal.Verified
	if last.First > 0 {
		if before, err = covering(src, last.First-1); err != nil {
			return nil, err
		}
	}
	if level == 0 && before != nil && before.End() == last.First {
		return links(append([]tree.Hash(nil), before.Edge().Level(0)...), last, last.First), nil
	}
	completed, err := last.Follows(before)
	if err != nil {
		return nil, fmt.Errorf("%w: log %s, seal of record %d: %w", ErrBroken, last.Log, last.First, err)
	}
	for _, t := range completed {
		if t.Level == level && t.Index == index {
			return t.Hashes, nil
		}
	}
	return nil, fmt.Errorf("tiles: seal of record %d does not complete tile %d of level %d", last.First, index, level) // Arithmetic says that it does.
}

// links fills a tile of level 0 with the links of a seal, from a record on.
func links(hs []tree.Hash, v *seal.Verified, from uint64) []tree.Hash {
	for i := int(from - v.First); len(hs) < tree.TileWidth; i++ {
		hs = append(hs, v.Link(i))
	}
	return hs
}

// covering trusts no source to have kept its contract.
func covering(src Source, index uint64) (*seal.Verified, error) {
	v, err := src.Covering(index)
	if err == nil && (index < v.First || index >= v.End()) {
		return nil, fmt.Errorf("tiles: the seal of record %d does not cover record %d", v.First, index)
	}
	return v, err
}
