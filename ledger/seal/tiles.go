package seal

import (
	"fmt"

	"github.com/otelcol-custody/custody/ledger/tree"
)

// CheckTiles holds the encoded tiles that came with a segment against its seal:
// exactly the full tiles of level 1 and above that it completes, in the order of
// completion, each proven by the hash above it.
func (v *Verified) CheckTiles(encoded [][]byte) ([]tree.Tile, error) {
	tiles := v.completes()
	if len(encoded) != len(tiles) {
		return nil, fmt.Errorf("%w: %d tiles came with the segment, which completes %d", ErrInvalid, len(encoded), len(tiles))
	}
	for i, b := range encoded {
		if len(b) != tree.TileWidth*tree.HashSize {
			return nil, fmt.Errorf("%w: a tile of %d bytes", ErrInvalid, len(b))
		}
		for ; len(b) > 0; b = b[tree.HashSize:] {
			tiles[i].Hashes = append(tiles[i].Hashes, tree.Hash(b[:tree.HashSize]))
		}
	}
	for _, t := range tiles {
		if want, ok := v.above(t, tiles); !ok || tree.Subtree(t.Hashes) != want {
			return nil, fmt.Errorf("%w: tile %d of level %d is not that of the log's tree", ErrInvalid, t.Index, t.Level)
		}
	}
	return tiles, nil
}

// completes lists the tiles that the segment completes, without their hashes.
func (v *Verified) completes() []tree.Tile {
	var tiles []tree.Tile
	const leaves = tree.TileWidth * tree.TileWidth // of a tile of level 1
	for end := (v.First/leaves + 1) * leaves; end <= v.End(); end += leaves {
		for level, n := 1, end/leaves; ; level, n = level+1, n/tree.TileWidth {
			tiles = append(tiles, tree.Tile{Level: level, Index: n - 1})
			if n%tree.TileWidth != 0 {
				break
			}
		}
	}
	return tiles
}

// above is the hash that stands for a full tile in the level above it.
func (v *Verified) above(t tree.Tile, tiles []tree.Tile) (tree.Hash, bool) {
	level, parent, at := t.Level+1, t.Index/tree.TileWidth, int(t.Index%tree.TileWidth)
	if parent == v.End()>>(8*(level+1)) {
		hs := v.edge.Level(level)
		if at < len(hs) {
			return hs[at], true
		}
		return tree.Hash{}, false
	}
	for _, up := range tiles {
		if up.Level == level && up.Index == parent {
			return up.Hashes[at], true
		}
	}
	return tree.Hash{}, false
}
