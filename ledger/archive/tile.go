package archive

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// Tile is a tile of the tree at the log's size, full or the last one of its
// level. Partial tiles come from the newest seal's edge, level 0 from the
// commitments, and the others from the tiles folder. A tile that is missing, or
// is not the one that the hash above it stands for, is computed from the level
// below, so that a proof never depends on derived objects (spec §9).
func (l *Log) Tile(level int, index uint64) ([]tree.Hash, error) {
	edge := l.head.Edge()
	if index == edge.Size()>>(8*(level+1)) {
		return edge.Level(level), nil
	}
	if level == 0 {
		return l.leaves(index)
	}
	b, err := l.read(ledger.TileName(level, index), tree.TileWidth*tree.HashSize)
	if err == nil && len(b) == tree.TileWidth*tree.HashSize {
		hs := make([]tree.Hash, tree.TileWidth)
		for i := range hs {
			hs[i] = tree.Hash(b[i*tree.HashSize:][:tree.HashSize])
		}
		if above, err := l.above(level, index); err != nil || tree.Subtree(hs) == above {
			return hs, err
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, ErrBroken) {
		return nil, err
	}
	return l.compute(level, index)
}

// above is the hash of the next level that stands for a full tile.
func (l *Log) above(level int, index uint64) (tree.Hash, error) {
	up, err := l.Tile(level+1, index/tree.TileWidth)
	if err != nil {
		return tree.Hash{}, err
	}
	return up[index%tree.TileWidth], nil
}

// compute makes a full tile from the 256 tiles below it.
func (l *Log) compute(level int, index uint64) ([]tree.Hash, error) {
	out := make([]tree.Hash, 0, tree.TileWidth)
	for i := range uint64(tree.TileWidth) {
		below, err := l.Tile(level-1, index*tree.TileWidth+i)
		if err != nil {
			return nil, err
		}
		out = append(out, tree.Subtree(below))
	}
	return out, nil
}

// leaves are the 256 leaf hashes of a full tile of level 0.
func (l *Log) leaves(index uint64) ([]tree.Hash, error) {
	var out []tree.Hash
	for at := index * tree.TileWidth; len(out) < tree.TileWidth; {
		v, err := l.Covering(at)
		if err != nil {
			return nil, fmt.Errorf("tile %d: %w", index, err)
		}
		for ; at < v.End() && len(out) < tree.TileWidth; at++ {
			out = append(out, v.Link(int(at-v.First)))
		}
	}
	return out, nil
}
