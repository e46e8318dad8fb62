package tiles

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/tree"
)

const (
	// Checkpoint is the name of the head's checkpoint in the view.
	Checkpoint = "checkpoint"
	// Entries is the level of entry bundles in [Path] and [ParsePath].
	Entries = -1
)

// Object is an object of the view at the log's head, by its name: [Checkpoint]
// or a [Path]. Of tiles that have grown since, their beginnings are there too. A
// name that there is not, or not yet, is [ErrBeyond].
func Object(src Source, name string) ([]byte, error) {
	head := src.Head()
	if name == Checkpoint {
		return head.After().Note(), nil
	}
	level, index, width, ok := ParsePath(name)
	if !ok {
		return nil, fmt.Errorf("%w: %q is not the name of a tile", ErrBeyond, name)
	}
	if width == 0 {
		width = tree.TileWidth
	}
	// Of hashes of its level that the tree has, those before the tile's.
	if have := head.End() >> (8 * max(level, 0)); index > have/tree.TileWidth || have-index*tree.TileWidth < uint64(width) {
		return nil, fmt.Errorf("%w: log %s has no %s at size %d", ErrBeyond, head.Log, name, head.End())
	}
	if level == Entries {
		return bundle(src, index, width)
	}
	hs, err := src.Tile(level, index)
	if err != nil {
		return nil, err
	}
	return tree.Tile{Hashes: hs[:width]}.Bytes(), nil
}

// bundle is the first entries of a bundle, each proven by its leaf.
func bundle(src Source, index uint64, width int) ([]byte, error) {
	leaves, err := src.Tile(0, index)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, width*(2+tree.EntrySize))
	var v *seal.Verified
	for i := range width {
		at := index*tree.TileWidth + uint64(i)
		if v == nil || at >= v.End() {
			if v, err = covering(src, at); err != nil {
				return nil, err
			}
		}
		j := int(at - v.First)
		if tree.Link(before(v, j), v.Commitment(j)) != leaves[i] {
			return nil, fmt.Errorf("%w: log %s: the seal of record %d is not that of the tree at size %d; run custody verify", ErrBroken, v.Log, v.First, src.Head().End())
		}
		b = AppendEntry(b, v, j)
	}
	return b, nil
}

// AppendEntry appends the entry of the i-th record of a segment, as bundles hold
// it: behind its length.
func AppendEntry(dst []byte, v *seal.Verified, i int) []byte {
	e := tree.Entry(before(v, i), v.Commitment(i))
	return append(binary.BigEndian.AppendUint16(dst, uint16(len(e))), e[:]...)
}

// Path is the name of a tile, or with the level [Entries] of a bundle, partial
// when width is not 0: the index in groups of three digits, all but the last
// with an x in front.
func Path(level int, index uint64, width int) string {
	path := fmt.Sprintf("%03d", index%1000)
	for index >= 1000 {
		index /= 1000
		path = fmt.Sprintf("x%03d/%s", index%1000, path)
	}
	folder := "entries"
	if level != Entries {
		folder = strconv.Itoa(level)
	}
	path = "tile/" + folder + "/" + path
	if width > 0 {
		path += ".p/" + strconv.Itoa(width)
	}
	return path
}

// ParsePath accepts exactly what [Path] makes.
func ParsePath(path string) (level int, index uint64, width int, ok bool) {
	rest, ok := strings.CutPrefix(path, "tile/")
	folder, rest, ok2 := strings.Cut(rest, "/")
	if !ok || !ok2 {
		return 0, 0, 0, false
	}
	digits, partial, isPartial := strings.Cut(rest, ".p/")
	var err1, err2, err3 error
	level = Entries
	if folder != "entries" {
		level, err1 = strconv.Atoi(folder)
	}
	index, err2 = strconv.ParseUint(strings.NewReplacer("x", "", "/", "").Replace(digits), 10, 63)
	if isPartial {
		width, err3 = strconv.Atoi(partial)
	}
	ok = err1 == nil && err2 == nil && err3 == nil && level >= Entries && level < 8 && width >= 0 && width < tree.TileWidth && Path(level, index, width) == path
	return level, index, width, ok
}
