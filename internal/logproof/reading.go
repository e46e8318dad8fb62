package logproof

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tiles"
	"github.com/otelcol-custody/custody/ledger/tree"
	"github.com/otelcol-custody/custody/store"
)

// A reading is one question to the log, at one head. It is the tiles' source.
type reading struct {
	*Log
	ctx   context.Context
	head  *seal.Verified
	cache *Cache // of what this head proves
}

// The keys of the cache.
type (
	tileKey struct {
		log   *Log
		level int
		index uint64
	}
	sealKey struct {
		log   *Log
		first uint64
	}
	segmentKey struct{ sum [32]byte }
)

// Head implements [tiles.Source].
func (r *reading) Head() *seal.Verified { return r.head }

// Tile implements [tiles.Source]. Full tiles stay what they are, so they are
// remembered; the others are the head's edge.
func (r *reading) Tile(level int, index uint64) ([]tree.Hash, error) {
	key := tileKey{r.Log, level, index}
	if hs, ok := r.cache.get(key).([]tree.Hash); ok {
		return hs, nil
	}
	hs, err := tiles.Read(r, level, index)
	if err == nil && len(hs) == tree.TileWidth {
		r.cache.put(key, hs, tree.TileWidth*tree.HashSize)
	}
	return hs, err
}

// Stored implements [tiles.Source].
func (r *reading) Stored(level int, index uint64) ([]byte, error) {
	const size = tree.TileWidth * tree.HashSize
	name := logstore.ObjectName(r.name, ledger.TileName(level, index))
	b, err := r.store.GetRange(r.ctx, name, 0, size+1)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return b, err
}

// leaf is a record's link.
func (r *reading) leaf(index uint64) (tree.Hash, error) {
	if index >= r.head.End() {
		return tree.Hash{}, fmt.Errorf("%w: log %s has %d records, the last one is %d", tiles.ErrBeyond, r.name, r.head.End(), r.head.End()-1)
	}
	leaves, err := r.Tile(0, index/tree.TileWidth)
	if err != nil {
		return tree.Hash{}, err
	}
	return leaves[index%tree.TileWidth], nil
}

// proven is the seal that covers a record, whose link there is the head's.
func (r *reading) proven(index uint64) (*seal.Verified, error) {
	want, err := r.leaf(index)
	if err != nil {
		return nil, err
	}
	v, err := r.Covering(index)
	if err != nil {
		return nil, err
	}
	if got := v.Link(int(index - v.First)); got != want {
		return nil, fmt.Errorf("%w: log %s in store %s: the seal of record %d has link %v for record %d, the tree at size %d has %v",
			tiles.ErrBroken, r.name, r.store.ID(), v.First, got, index, r.head.End(), want)
	}
	return v, nil
}

// line is a record's line and its segment's seed. It is what was sealed if its
// commitment is: tiles.Evidence checks that.
func (r *reading) line(v *seal.Verified, index uint64) (tree.Seed, []byte, error) {
	if err := r.room.Acquire(r.ctx, 1); err != nil {
		return tree.Seed{}, nil, err
	}
	defer r.room.Release(1)
	b, err := r.object(v)
	if err != nil {
		return tree.Seed{}, nil, err
	}
	dec := segment.NewDecoder()
	defer dec.Close()
	seed, lines, err := inflate(v, b, dec)
	if err != nil {
		return seed, nil, err
	}
	for i, line := range segment.Lines(lines) {
		if uint64(i) == index-v.First {
			return seed, bytes.Clone(line), nil
		}
	}
	return seed, nil, fmt.Errorf("%w: %s/%s ends before record %d", tiles.ErrBroken, v.Log, v.SegmentName(), index)
}

// inflate returns a segment's seed and lines, which dec keeps.
func inflate(v *seal.Verified, object []byte, dec *segment.Decoder) (tree.Seed, []byte, error) {
	s, err := segment.Parse(object)
	if err != nil {
		return tree.Seed{}, nil, fmt.Errorf("%w: %s/%s: %w", tiles.ErrBroken, v.Log, v.SegmentName(), err)
	}
	lines, err := dec.Inflate(s)
	if err != nil {
		return s.Seed, nil, fmt.Errorf("%w: %s/%s: %w", tiles.ErrBroken, v.Log, v.SegmentName(), err)
	}
	return s.Seed, lines, nil
}

// object is a segment object.
func (r *reading) object(v *seal.Verified) ([]byte, error) {
	key := segmentKey{v.Segment}
	if b, ok := r.Log.cache.get(key).([]byte); ok {
		return b, nil
	}
	b, _, err := r.reader.Segment(r.ctx, v)
	if err != nil {
		return nil, fmt.Errorf("the segment of records %d to %d of log %s: %w", v.First, v.End()-1, r.name, err)
	}
	r.Log.cache.put(key, b, int64(len(b)))
	return b, nil
}
