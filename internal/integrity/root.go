package integrity

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/otelcol-custody/custody/internal/logproof"
	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/tiles"
	"github.com/otelcol-custody/custody/ledger/tree"
	"github.com/otelcol-custody/custody/store"
)

// trail are the last seals that were seen, each following the one before, so one
// history goes through all of them.
type trail []position

// maxTrail is how many are kept. What is asked for is nearly always the last but
// one, or where another store has got to.
const maxTrail = 256

// on goes on from a seal, which is where the trail ends, or where it begins anew.
func (t trail) on(from position, path []position) trail {
	if len(t) == 0 || t[len(t)-1] != from {
		t = trail{from}
	}
	t = slices.Concat(t, path)
	return t[max(len(t)-maxTrail, 0):]
}

// root is the root at a size of the history that has this head.
func (t trail) root(head position, size uint64) (root tree.Hash, ok bool) {
	i := slices.IndexFunc(t, func(p position) bool { return p.End == size })
	if i < 0 || !slices.Contains(t, head) {
		return root, false
	}
	return t[i].Root, true
}

// with adds a root that head proves.
func (t trail) with(head position, size uint64, root tree.Hash) trail {
	if !slices.Contains(t, head) {
		t = trail{head}
	}
	if len(t) >= 2*maxTrail {
		return t
	}
	return append(trail{{End: size, Root: root}}, t...)
}

// rootAt computes the root at a size of the history that ends in head. No other
// seal is believed to be of that history: whoever holds the key can sign any. The
// error is a [tiles.ErrBroken], or contradicts, where the store's seals before
// head are not those that lead to it.
func (l *logWatch) rootAt(ctx context.Context, head *seal.Verified, size uint64) (tree.Hash, error) {
	if head == nil || size > head.End() {
		return tree.Hash{}, fmt.Errorf("log %s in store %s does not reach size %d", l.name, l.src, size)
	}
	if size == head.End() {
		return head.After().Root, nil
	}
	l.mu.Lock()
	root, ok := l.trail.root(positionOf(head), size)
	l.mu.Unlock()
	if ok {
		return root, nil
	}
	root, err := l.provenRoot(ctx, head, size)
	if err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrUnavailable) && !errors.Is(err, store.ErrDenied) {
		root, err = l.walkedRoot(ctx, head, size) // Junk and strays mislead a search, not a walk.
	}
	if err != nil {
		return tree.Hash{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trail = l.trail.with(positionOf(head), size, root)
	return root, nil
}

// provenRoot takes a few reads, each proven by head.
func (l *logWatch) provenRoot(ctx context.Context, head *seal.Verified, size uint64) (tree.Hash, error) {
	log := logproof.New(l.urgent, l.name, l.set.Keys, logproof.NewCache(0), nil)
	if err := log.Advance(ctx, head); err != nil {
		return tree.Hash{}, err
	}
	return log.Root(ctx, size)
}

// walkedRoot reads all seals up to head.
func (l *logWatch) walkedRoot(ctx context.Context, head *seal.Verified, size uint64) (root tree.Hash, err error) {
	edge, within := &tree.Edge{}, true
	for h, err := range straight(ctx, l.reader(l.urgent, nil), nil, nil) {
		switch {
		case err != nil:
			return tree.Hash{}, err
		case within && h.Seal.End() >= size:
			edge, within = edge.Clone(), false
			for i := 0; edge.Size() < size; i++ {
				edge.Append(h.Seal.Link(i), nil)
			}
			root = edge.Root()
		case within:
			edge = h.Seal.Edge()
		}
		if positionOf(h.Seal) == positionOf(head) {
			return root, nil
		}
		if h.Seal.End() >= head.End() {
			break
		}
	}
	return tree.Hash{}, fmt.Errorf("%w: the seals of log %s in store %s do not lead to its head of size %d", tiles.ErrBroken, l.name, l.src, head.End())
}

// straight walks along seals as [logstore.Reader.Seals] does, past strays: valid
// seals that begin within a segment.
func straight(ctx context.Context, r *logstore.Reader, after *seal.Verified, stray func(*seal.Verified)) iter.Seq2[*logstore.Held, error] {
	return func(yield func(*logstore.Held, error) bool) {
		for at, more := after, true; more; {
			more = false
			for h, err := range r.Seals(ctx, at) {
				if fork := (*logstore.ForkError)(nil); errors.As(err, &fork) && fork.Other.Seal.First < size(at) {
					if stray != nil {
						stray(fork.Other.Seal)
					}
					more = true
					break
				}
				if !yield(h, err) || err != nil {
					return
				}
				at = h.Seal
			}
		}
	}
}
