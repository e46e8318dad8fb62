package tiles

import (
	"fmt"

	"github.com/otelcol-custody/custody/ledger/proof"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// Root is the root of the log's tree when it had this size.
func Root(src Source, size uint64) (tree.Hash, error) {
	head := src.Head()
	switch {
	case size == head.End():
		return head.After().Root, nil
	case size > head.End():
		return tree.Hash{}, beyond(head, size)
	}
	return tree.Root(size, src.Tile)
}

func beyond(head *seal.Verified, size uint64) error {
	return fmt.Errorf("%w: log %s has %d records, not %d", ErrBeyond, head.Log, head.End(), size)
}

// Inclusion is a record's leaf hash with the proof that it is in the tree of
// some size, up to that of the head.
func Inclusion(src Source, index, size uint64) (leaf tree.Hash, path []tree.Hash, err error) {
	if index >= size {
		return leaf, nil, fmt.Errorf("%w: record %d is not in a log of size %d", ErrBeyond, index, size)
	}
	root, err := Root(src, size)
	if err != nil {
		return leaf, nil, err
	}
	leaves, err := src.Tile(0, index/tree.TileWidth)
	if err != nil {
		return leaf, nil, err
	}
	leaf = leaves[index%tree.TileWidth]
	if path, err = tree.ProveInclusion(size, index, src.Tile); err != nil {
		return leaf, nil, err
	}
	if err := tree.CheckInclusion(path, size, root, index, leaf); err != nil {
		return leaf, nil, fmt.Errorf("%w: the proof of record %d at size %d does not hold; run custody verify: %w", ErrBroken, index, size, err)
	}
	return leaf, path, nil
}

// Consistency proves that the tree of size from is the beginning of that of size
// to. It is empty where there is nothing to prove: from is 0, or to.
func Consistency(src Source, from, to uint64) ([]tree.Hash, error) {
	if from > to {
		return nil, fmt.Errorf("%w: a log of size %d is no beginning of one of size %d", ErrBeyond, from, to)
	}
	newer, err := Root(src, to)
	if err != nil || from == 0 || from == to {
		return nil, err
	}
	older, err := Root(src, from)
	if err != nil {
		return nil, err
	}
	path, err := tree.ProveConsistency(to, from, src.Tile)
	if err != nil {
		return nil, err
	}
	if err := tree.CheckConsistency(path, to, newer, from, older); err != nil {
		return nil, fmt.Errorf("%w: the proof that size %d continues size %d does not hold; run custody verify: %w", ErrBroken, to, from, err)
	}
	return path, nil
}

// Evidence proves a record with the head's checkpoint: its line, which a seal
// has at the index, and the salt.
func Evidence(src Source, v *seal.Verified, index uint64, salt tree.Salt, line []byte) (*proof.Evidence, error) {
	head := src.Head()
	e := &proof.Evidence{Index: index, Salt: salt, Previous: before(v, int(index-v.First)), Line: line, Checkpoint: head.After().Note()}
	leaf, path, err := Inclusion(src, index, head.End())
	if err != nil {
		return nil, fmt.Errorf("log %s: prove record %d: %w", head.Log, index, err)
	}
	if e.Leaf() != leaf {
		return nil, fmt.Errorf("%w: log %s: record %d is not the one that the tree at size %d has; run custody verify", ErrBroken, head.Log, index, head.End())
	}
	e.Proof = path
	return e, nil
}

// before is the link before the i-th record of a segment.
func before(v *seal.Verified, i int) tree.Hash {
	if i == 0 {
		return v.Previous
	}
	return v.Link(i - 1)
}
