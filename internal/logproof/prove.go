package logproof

import (
	"context"
	"errors"

	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/proof"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/tiles"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// ErrNoHead means that the log's head is not known yet: the store has not been
// read, or holds no valid seal of the log.
var ErrNoHead = errors.New("the log's head is not known yet")

// An Inclusion proves that the record at Index is in the log (RFC 6962 §2.1.1).
type Inclusion struct {
	Index, Size uint64
	Leaf        tree.Hash   // its link
	Root        tree.Hash   // of the tree of this size
	Path        []tree.Hash // from the leaf to the root
	// Checkpoint is the head's, whose size is Size; zero if another was asked for.
	Checkpoint checkpoint.Signed
}

// Inclusion proves a record in the tree of this size, 0 meaning the head's. What
// is not in the log is [tiles.ErrBeyond].
func (l *Log) Inclusion(ctx context.Context, index, size uint64) (*Inclusion, error) {
	r, err := l.at(ctx)
	if err != nil {
		return nil, err
	}
	i := &Inclusion{Index: index, Size: size}
	if size == 0 || size == r.head.End() {
		i.Size, i.Checkpoint = r.head.End(), r.head.After()
	}
	if i.Leaf, i.Path, err = tiles.Inclusion(r, index, i.Size); err != nil {
		return nil, err
	}
	if i.Root, err = tiles.Root(r, i.Size); err != nil {
		return nil, err
	}
	return i, nil
}

// A Consistency proves that the log of size From is the beginning of that of
// size To (RFC 6962 §2.1.2). Path is empty if From is 0 or To.
type Consistency struct {
	From, To         uint64
	FromRoot, ToRoot tree.Hash
	Path             []tree.Hash
	// Checkpoint is the head's, whose size is To; zero if another was asked for.
	Checkpoint checkpoint.Signed
}

// Consistency proves one size to be the beginning of another, 0 for to meaning
// the head's. What the log has not is [tiles.ErrBeyond].
func (l *Log) Consistency(ctx context.Context, from, to uint64) (*Consistency, error) {
	r, err := l.at(ctx)
	if err != nil {
		return nil, err
	}
	c := &Consistency{From: from, To: to}
	if to == 0 || to == r.head.End() {
		c.To, c.Checkpoint = r.head.End(), r.head.After()
	}
	if c.Path, err = tiles.Consistency(r, c.From, c.To); err != nil {
		return nil, err
	}
	if c.FromRoot, err = tiles.Root(r, c.From); err != nil {
		return nil, err
	}
	if c.ToRoot, err = tiles.Root(r, c.To); err != nil {
		return nil, err
	}
	return c, nil
}

// Root is the root of the log's tree when it had this size. What the log has not
// is [tiles.ErrBeyond].
func (l *Log) Root(ctx context.Context, size uint64) (tree.Hash, error) {
	r, err := l.at(ctx)
	if err != nil {
		return tree.Hash{}, err
	}
	return tiles.Root(r, size)
}

// Object is an object of the C2SP tlog-tiles view (spec §13), such as
// "checkpoint" or "tile/0/x001/067.p/7". All but the checkpoint stay the same for
// ever. What is not there, or not yet, is [tiles.ErrBeyond].
func (l *Log) Object(ctx context.Context, name string) ([]byte, error) {
	r, err := l.at(ctx)
	if err != nil {
		return nil, err
	}
	return tiles.Object(r, name)
}

// Leaf is a record's leaf hash, which is its link.
func (l *Log) Leaf(ctx context.Context, index uint64) (tree.Hash, error) {
	r, err := l.at(ctx)
	if err != nil {
		return tree.Hash{}, err
	}
	return r.leaf(index)
}

// Seal is the seal of the segment that holds a record, proven to be of the
// head's history as far as this record goes.
func (l *Log) Seal(ctx context.Context, index uint64) (*seal.Verified, error) {
	r, err := l.at(ctx)
	if err != nil {
		return nil, err
	}
	return r.proven(index)
}

// Evidence is a record with its proof, as a file for a stranger (spec §12). It
// takes the whole segment, which is read once and remembered. Where that has
// expired or was taken away it is store.ErrNotFound.
func (l *Log) Evidence(ctx context.Context, index uint64) (*proof.Evidence, error) {
	r, err := l.at(ctx)
	if err != nil {
		return nil, err
	}
	v, err := r.proven(index)
	if err != nil {
		return nil, err
	}
	seed, line, err := r.line(v, index)
	if err != nil {
		return nil, err
	}
	return tiles.Evidence(r, v, index, seed.Salt(index), line)
}

// Line is a record's line, proven as [Log.Evidence] proves it.
func (l *Log) Line(ctx context.Context, index uint64) ([]byte, error) {
	e, err := l.Evidence(ctx, index)
	if err != nil {
		return nil, err
	}
	return e.Line, nil
}
