package wormexport

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/store"
)

// question makes of a probe what is to be asked of the store, after checking
// what can be checked without it.
//
// A writer may go on while its probe is under way. What it delivered after the
// probe is no evidence against it; a second writer meets the seals' fence.
func (e *Exporter) question(p *delivery.Probe) (sealID, func(context.Context, store.Store) error, error) {
	asked := e.memory.now()
	if p.Seal == nil {
		if err := ledger.CheckLogName(p.Log); err != nil {
			return sealID{}, nil, altered(fmt.Errorf("a probe: %w", err))
		}
		if !e.set.Keys.Trusts(p.Origin) {
			return sealID{}, nil, altered(fmt.Errorf("log %s: %w: no key for origin %q", p.Log, checkpoint.ErrUntrusted, p.Origin))
		}
		return sha256.Sum256([]byte("genesis\n" + p.Log + "\n" + p.Origin)), func(ctx context.Context, s store.Store) error {
			return e.checkUnused(ctx, s, p.Log, p.Origin, asked)
		}, nil
	}
	v, err := openSeal(p.Seal, e.set.Keys)
	if err != nil {
		return sealID{}, nil, err
	}
	id := idOf(p.Seal)
	return sha256.Sum256(fmt.Appendf(nil, "head\n%d\n%s", p.Stored, id[:])), func(ctx context.Context, s store.Store) error {
		return e.checkHead(ctx, s, v, p.Stored, asked)
	}, nil
}

// checkUnused is the probe at genesis: the store must hold no valid seal of the
// log at all.
func (e *Exporter) checkUnused(ctx context.Context, s store.Store, log, origin string, asked uint64) error {
	for found, err := range e.from(ctx, s, log, 0, 0) {
		if err != nil {
			return err
		}
		if h := e.stranger(found, asked); h != nil {
			return e.begun(origin, heldAs(h))
		}
	}
	return nil
}

// checkHead is the probe of a writer whose newest seal is v: the store must hold
// that very seal where v begins, or none yet, and none behind it. A store that
// lags is fine, unless what it has already leads elsewhere, or it lacks some of
// the first stored records: then it was emptied, or another one is in its place,
// and it cannot say that nobody went on with the log.
func (e *Exporter) checkHead(ctx context.Context, s store.Store, v *seal.Verified, stored, asked uint64) error {
	ours := string(v.After().Note())
	held := false
	for found, err := range e.from(ctx, s, v.Log, v.First, v.End()) {
		if err != nil {
			return err
		}
		h := e.stranger(found, asked)
		if found.First == v.First {
			h = found.Conflict(v)
			if same := found.Same(v); same != nil {
				held = true
				e.memory.find(heldAs(same))
			}
		}
		if h != nil {
			return e.fork(v, ours, heldAs(h))
		}
	}
	if held {
		return nil
	}
	var lags *PredecessorError
	switch err := e.checkOrder(ctx, s, v); {
	case errors.As(err, &lags) && lags.Near >= stored:
		return nil
	case err != nil:
		return err
	case stored > v.First:
		return &PredecessorError{v.Log, v.End(), v.First}
	}
	return nil
}

// maxStrange is how many places without a valid seal a probe reads.
const maxStrange = 256

// from reads the seals of a log that begin at first or later, and tells what
// should not be there. It goes by the store's listing; behind maxStrange places
// of squatters it goes on by position from size on, where the log continues, and
// looks for the log's newest seal as a reader does.
//
// What then remains is a fork of which no seal begins at size and which ends
// among squatters: the fence of the seals finds it when the log gets there. So it
// is with a flooded place other than those at first and size, which are an error.
func (e *Exporter) from(ctx context.Context, s store.Store, log string, first, size uint64) iter.Seq2[logstore.Found, error] {
	return func(yield func(logstore.Found, error) bool) {
		strange := 0
		for found, err := range e.reader(ctx, s, log).From(ctx, first) {
			if err == nil && (found.First == first || found.First == size) {
				err = obstructed(found.Flooded())
			}
			e.tellAll(ctx, found)
			if !yield(found, err) || err != nil {
				return
			}
			if len(found.Seals) > 0 {
				continue
			}
			if strange++; strange == maxStrange {
				e.byPosition(ctx, s, log, size, yield)
				return
			}
		}
	}
}

// byPosition reads the seals that continue the log at size, and its newest one.
func (e *Exporter) byPosition(ctx context.Context, s store.Store, log string, size uint64, yield func(logstore.Found, error) bool) {
	r := e.reader(ctx, s, log)
	for at := size; ; {
		found, err := r.At(ctx, at)
		if !yield(found, err) || err != nil {
			return
		}
		if len(found.Seals) == 0 {
			break
		}
		at = found.Seals[0].Seal.End()
	}
	newest, err := e.newest(ctx, s, log)
	switch {
	case err != nil:
		yield(logstore.Found{}, err)
	case newest != nil && newest.Seal.First >= size:
		yield(r.At(ctx, newest.Seal.First))
	}
}

// newest finds the log's newest seal, nil if there is none; where the log is
// forked one that nobody can follow.
func (e *Exporter) newest(ctx context.Context, s store.Store, log string) (*logstore.Held, error) {
	h, err := logstore.New(s, log, e.set.Keys, nil).Head(ctx)
	var fork *logstore.ForkError
	switch {
	case errors.Is(err, logstore.ErrNoLog):
		return nil, nil
	case errors.As(err, &fork):
		return fork.Other, nil
	}
	return h, obstructed(err)
}

// stranger finds a valid seal that was not delivered after the point asked. What
// was delivered is ours, also where somebody laid a copy beside it.
func (e *Exporter) stranger(found logstore.Found, asked uint64) *logstore.Held {
	arrived := func(sum [32]byte) bool { return e.memory.arrivedAfter(sum, asked) }
	for _, h := range found.Seals {
		if !slices.ContainsFunc(found.Sums(h.Seal), arrived) {
			return h
		}
	}
	return nil
}
