package wormexport

import (
	"context"
	"errors"
	"fmt"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/store"
)

// Store stores a segment for a caller that has it from elsewhere and waits: with
// the same checks, order and fence as what hash_chain delivers, without receipts.
// Where the seal is there already it makes sure of the rest. It works without
// Start; many may run at once, also for one log.
//
// Its errors are [delivery.AlteredError], [delivery.ForkError],
// [PredecessorError] when the seal before is neither in the store nor under way,
// [ObstructedError], and those of the store. After any but the first two it may be
// called again.
func (e *Exporter) Store(ctx context.Context, o *delivery.Objects) error {
	d, err := check(o, e.set.Keys)
	if err != nil {
		return err
	}
	return e.direct(ctx, d)
}

// StoreExpired is Store for a segment that is gone where it comes from, since its
// retention is over: tiles and seal prove it still. Objects.Segment is ignored.
func (e *Exporter) StoreExpired(ctx context.Context, o *delivery.Objects) error {
	d, err := checkExpired(o, e.set.Keys)
	if err != nil {
		return err
	}
	return e.direct(ctx, d)
}

func (e *Exporter) direct(ctx context.Context, d *sealed) error {
	if e.memory.isStored(d.id) {
		return nil
	}
	e.memory.arrive(d)
	for {
		err := e.jobs.here(ctx, &job{id: d.id, log: d.seal.Log, end: d.seal.End(), do: func(ctx context.Context, s store.Store) error {
			return e.keep(ctx, s, d)
		}}, e.opened)
		var lags *PredecessorError
		if errors.As(err, &lags) && e.jobs.awaitEarlier(ctx, d.seal) {
			continue // Its content is placed by now.
		}
		if err == nil {
			return nil
		}
		if fork := (*delivery.ForkError)(nil); errors.As(err, &fork) {
			e.telemetry.forked(ctx)
			return err
		}
		e.telemetry.failed(ctx, err)
		return fmt.Errorf("store %s: %w", e.set.ID, err)
	}
}
