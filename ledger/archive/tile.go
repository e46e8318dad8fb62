package archive

import (
	"errors"
	"io/fs"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/tiles"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// Tile is a tile of the tree at the log's size, full or the last one of its
// level. One that is missing from the tiles folder, or is not the one that the
// hash above it stands for, is computed from seals, so that a proof never
// depends on derived objects (spec §9).
func (l *Log) Tile(level int, index uint64) ([]tree.Hash, error) {
	return tiles.Read(l, level, index)
}

// Stored is a tile as the tiles folder has it, nil when it has none.
func (l *Log) Stored(level int, index uint64) ([]byte, error) {
	b, err := l.read(ledger.TileName(level, index), tree.TileWidth*tree.HashSize)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrBroken) {
		return nil, nil
	}
	return b, err
}
