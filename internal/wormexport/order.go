package wormexport

import (
	"context"
	"slices"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/store"
)

// checkOrder makes sure that the store holds the seal that v follows, and
// remembers it, which says nothing of the segment that it proves. Its errors are a
// [PredecessorError], a fork, or the store's.
func (e *Exporter) checkOrder(ctx context.Context, s store.Store, v *seal.Verified) error {
	if v.First == 0 {
		return nil // The seal's create-only write is the fence.
	}
	before, err := e.before(ctx, s, v)
	if err != nil {
		return err
	}
	if err := e.follows(v, before); err != nil {
		return err
	}
	e.memory.find(before)
	return nil
}

// follows says whether v continues the seal in the store that ends where v
// begins. Both are valid, so if it does not, the log has two histories.
func (e *Exporter) follows(v *seal.Verified, before *held) error {
	if _, err := v.Follows(before.seal); err != nil {
		return e.fork(v, string(v.Before()), before)
	}
	return nil
}

// before finds the seal that ends where v begins.
func (e *Exporter) before(ctx context.Context, s store.Store, v *seal.Verified) (*held, error) {
	if head := e.memory.head(v.Log); head != nil && head.seal.End() <= v.First {
		if head.seal.End() == v.First {
			return head, nil
		}
		// A store that lags is the usual case while it catches up. Only another
		// exporter can have brought it further than we know.
		next, err := e.at(ctx, s, v.Log, head.seal.End())
		if err != nil {
			return nil, err
		}
		if len(next.Seals) == 0 {
			return nil, &PredecessorError{v.Log, v.First, head.seal.End()}
		}
	}
	return e.search(ctx, s, v)
}

// search looks for the seal that ends where v begins. A seal is named by where
// it begins, so ever larger ranges before v are listed, each up to where the last
// one began, up to the most records that a segment can have.
func (e *Exporter) search(ctx context.Context, s store.Store, v *seal.Verified) (*held, error) {
	to := v.First
	for back := uint64(1); ; back *= 8 {
		back = min(back, v.First, ledger.MaxRecords)
		firsts, err := e.firstsBetween(ctx, s, v.Log, v.First-back, to)
		if err != nil {
			return nil, err
		}
		for _, first := range slices.Backward(firsts) {
			h, err := e.nearest(ctx, s, v, first)
			if h != nil || err != nil {
				return h, err
			}
		}
		if back == v.First || back == ledger.MaxRecords {
			return nil, &PredecessorError{Log: v.Log, First: v.First}
		}
		to = v.First - back
	}
}

// nearest judges the seals that begin at first, the last position before v with
// any: they must end where v begins. It returns nil if none of them is valid.
func (e *Exporter) nearest(ctx context.Context, s store.Store, v *seal.Verified, first uint64) (*held, error) {
	found, err := e.at(ctx, s, v.Log, first)
	if len(found.Seals) == 0 || err != nil {
		return nil, err
	}
	for _, h := range found.Seals {
		if _, err := v.Follows(h.Seal); err == nil {
			return heldAs(h), nil
		}
	}
	switch h := heldAs(found.Seals[0]); {
	case h.seal.End() < v.First:
		return nil, &PredecessorError{v.Log, v.First, h.seal.End()}
	case h.seal.End() > v.First:
		return nil, e.fork(v, string(v.Before()), h)
	default:
		return h, nil // [Exporter.follows] accuses it.
	}
}

// firstsBetween lists where the log's seals begin, in [from, to).
func (e *Exporter) firstsBetween(ctx context.Context, s store.Store, log string, from, to uint64) ([]uint64, error) {
	var firsts []uint64
	for p, err := range e.reader(ctx, s, log).Places(ctx, from) {
		if err != nil {
			return nil, err
		}
		if p.First >= to {
			break
		}
		firsts = append(firsts, p.First)
	}
	return firsts, nil
}
