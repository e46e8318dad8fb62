package wormexport

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"

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
			return e.checkUnused(ctx, s, p.Log, asked)
		}, nil
	}
	v, err := openSeal(p.Seal, e.set.Keys)
	if err != nil {
		return sealID{}, nil, err
	}
	id := idOf(p.Seal)
	return sha256.Sum256(append([]byte("head\n"), id[:]...)), func(ctx context.Context, s store.Store) error {
		return e.checkHead(ctx, s, v, asked)
	}, nil
}

// checkUnused is the probe at genesis: the store must hold no valid seal of the
// log at all.
func (e *Exporter) checkUnused(ctx context.Context, s store.Store, log string, asked uint64) error {
	for found, err := range e.from(ctx, s, log, 0) {
		if err != nil {
			return err
		}
		if h := e.stranger(found, asked); h != nil {
			return e.another("", h)
		}
	}
	return nil
}

// checkHead is the probe of a writer whose newest seal is v: the store must hold
// that very seal where v begins, or none yet, and none behind it. A store that
// lags is fine, unless what it has already leads elsewhere.
func (e *Exporter) checkHead(ctx context.Context, s store.Store, v *seal.Verified, asked uint64) error {
	ours := string(v.After().Note())
	held := false
	for found, err := range e.from(ctx, s, v.Log, v.First) {
		if err != nil {
			return err
		}
		h := e.stranger(found, asked)
		if found.First == v.First {
			h = found.Conflict(v)
			if same := found.Same(v); same != nil {
				held = true
				e.remember(heldAs(same))
			}
		}
		if h != nil {
			return e.another(ours, h)
		}
	}
	if held {
		return nil
	}
	var lags *PredecessorError
	if err := e.checkOrder(ctx, s, v); err != nil && !errors.As(err, &lags) {
		return err
	}
	return nil
}

// from reads the seals of a log that begin at first or later, and tells what
// should not be there.
func (e *Exporter) from(ctx context.Context, s store.Store, log string, first uint64) iter.Seq2[logstore.Found, error] {
	return func(yield func(logstore.Found, error) bool) {
		r := e.reader(ctx, s, log)
		for place, err := range r.Places(ctx, first) {
			if err != nil {
				yield(logstore.Found{}, err)
				return
			}
			found, err := r.Read(ctx, place)
			e.tellAll(ctx, found)
			if !yield(found, err) || err != nil {
				return
			}
		}
	}
}

// stranger finds a valid seal that was not delivered after the point asked.
func (e *Exporter) stranger(found logstore.Found, asked uint64) *logstore.Held {
	for _, h := range found.Seals {
		if !e.memory.arrivedAfter(idOf(h.Seal.Bytes()), asked) {
			return h
		}
	}
	return nil
}
