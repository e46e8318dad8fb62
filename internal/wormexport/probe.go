package wormexport

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/otelcol-custody/custody/internal/delivery"
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
		return e.checkHead(ctx, s, id, v, asked)
	}, nil
}

// checkUnused is the probe at genesis: the store must hold no valid seal of the
// log at all.
func (e *Exporter) checkUnused(ctx context.Context, s store.Store, log string, asked uint64) error {
	h, err := e.firstValid(ctx, s, log, 0, nil, asked)
	if h == nil || err != nil {
		return err
	}
	return e.fork("", h)
}

// checkHead is the probe of a writer whose newest seal is v: the store must hold
// that very seal where v begins, or none yet, and none behind it. A store that
// lags is fine, unless what it has already leads elsewhere.
func (e *Exporter) checkHead(ctx context.Context, s store.Store, id sealID, v *seal.Verified, asked uint64) error {
	other, err := e.firstValid(ctx, s, v.Log, v.First, v, asked)
	if err != nil {
		return err
	}
	ours := string(v.After().Note())
	if other != nil {
		return e.fork(ours, other)
	}
	found, err := e.at(ctx, s, v.Log, v.First)
	if err != nil {
		return err
	}
	if h := conflicting(found, v); h != nil {
		return e.fork(ours, h)
	}
	if h := same(found, v); h != nil {
		e.memory.store(id, h)
		return nil
	}
	var lags *PredecessorError
	if err := e.checkOrder(ctx, s, v); err != nil && !errors.As(err, &lags) {
		return err
	}
	return nil
}

// firstValid finds a valid seal of the log that begins at from or later, is not
// v, and was not delivered after the point asked.
func (e *Exporter) firstValid(ctx context.Context, s store.Store, log string, from uint64, v *seal.Verified, asked uint64) (*held, error) {
	for at, err := range sealsFrom(ctx, s, log, from) {
		if err != nil {
			return nil, err
		}
		found, squatters, err := e.look(ctx, s, log, at.first, at.name)
		if errors.Is(err, store.ErrNotFound) {
			continue // Removed since it was listed.
		}
		if err != nil {
			return nil, err
		}
		if squatters > 0 {
			e.notice(ctx, noticeSquatter, at.name)
		}
		for _, h := range found {
			ours := v != nil && v.Same(h.seal)
			if !ours && !e.memory.arrivedAfter(idOf(h.seal.Bytes()), asked) {
				return h, nil
			}
		}
	}
	return nil, nil
}
