package wormexport

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/store"
)

// A RetentionPolicy says how stored objects are kept from being deleted. All
// objects of a segment, its tiles and seal included, are kept until one time, so
// none is gone before the segment that it proves: the time that the segment was
// closed plus For, or its closed record's retain_until if that is later. A
// redelivery asks for the same. The zero policy asks for nothing.
//
// It is counted from the time of storing instead where For is the store's default,
// since the store counts so, and where the time would be over although hash_chain
// delivers the segment: its clock is behind, or the store was away for very long.
// What [Exporter.Store] copies keeps its time, be it over; then no lock is set, and
// the metric worm_unretained counts it.
type RetentionPolicy struct {
	// Mode is how strictly. With ModeNone it is what the store does by itself.
	Mode store.Mode
	// For is how long; 0 means as long as the store does by itself, and then also
	// at least as strictly.
	For time.Duration
	// LegalHold keeps objects until somebody lifts it.
	LegalHold bool
	// RequireLock refuses a store that cannot do so, or that, with neither mode
	// nor hold, does nothing by itself. Without it such a store is used all the
	// same, after a warning, and no retention is set.
	RequireLock bool
}

func (p RetentionPolicy) asks() bool { return p.Mode != store.ModeNone || p.LegalHold }

// soonest is the shortest retention that is asked for: a store refuses a time
// that has passed when the request arrives.
const soonest = time.Minute

// An activePolicy is what a store that was opened is asked for.
type activePolicy struct {
	RetentionPolicy
	fromStoring bool // For is counted from the time of storing
}

// of is what the policy means for the objects of a segment that was closed so, if
// For is counted from the time from.
func (p RetentionPolicy) of(c *segment.Closed, from, now time.Time) store.Retention {
	r := store.Retention{LegalHold: p.LegalHold}
	if p.Mode == store.ModeNone {
		return r
	}
	until := from.Add(p.For)
	if c.RetainUntil.After(until) {
		until = c.RetainUntil
	}
	if !until.After(now) {
		return r // It is over, and no store takes it.
	}
	if least := now.Add(soonest); until.Before(least) {
		until = least
	}
	// Stores count in whole seconds; upward, since it must not be shorter.
	if whole := until.Truncate(time.Second); whole.Before(until) {
		until = whole.Add(time.Second)
	}
	r.Mode, r.Until = p.Mode, until.UTC()
	return r
}

// checkLock finds out whether the store can do what the policy asks, and what it
// is to be asked with each object. [store.ErrRetention] is a definite no.
func (e *Exporter) checkLock(ctx context.Context, s store.Store) (activePolicy, error) {
	p := e.set.Retention
	if !p.asks() && !p.RequireLock {
		return activePolicy{}, nil
	}
	active, err := e.resolve(ctx, s, p)
	var unset *unsetError
	switch {
	case err == nil:
		e.telemetry.locked.Store(1)
		return active, nil
	case !errors.Is(err, store.ErrRetention), errors.As(err, &unset):
		return active, err
	case p.RequireLock:
		return active, fmt.Errorf("retention::mode: the store does not lock what it is given: %w; mend the store, or set require_lock: false to store without lock", err)
	}
	e.telemetry.locked.Store(0)
	e.set.Telemetry.Logger.Warn("NOTHING IS RETAINED: whoever can write to the store can also delete what lies there, since the store does not lock and require_lock is false",
		zap.String("store", e.set.ID), zap.Error(err))
	return activePolicy{}, nil
}

// resolve fills in what the store does by itself.
func (e *Exporter) resolve(ctx context.Context, s store.Store, p RetentionPolicy) (activePolicy, error) {
	as := activePolicy{RetentionPolicy: p}
	r, ok := s.(store.Retainer)
	if !ok {
		return as, fmt.Errorf("%w: this kind of store cannot retain objects", store.ErrRetention)
	}
	def, err := r.CheckLock(ctx, p.Mode)
	switch {
	case err != nil:
		return as, err
	case p.Mode != store.ModeNone && p.For > 0:
		e.exceeded(p, def)
		return as, nil
	case p.LegalHold && p.Mode == store.ModeNone:
		return as, nil
	case def.Mode == store.ModeNone || def.For <= 0:
		return as, &unsetError{p.Mode}
	}
	// Mode and time are sent with each object, where the store takes them.
	joined := activePolicy{RetentionPolicy: p, fromStoring: true}
	joined.Mode, joined.For = max(p.Mode, def.Mode), def.For
	if joined.Mode == p.Mode {
		return joined, nil
	}
	switch _, err = r.CheckLock(ctx, joined.Mode); {
	case errors.Is(err, store.ErrRetention) && p.Mode == store.ModeNone:
		return as, nil // A lock of the whole bucket.
	case errors.Is(err, store.ErrRetention):
		joined.Mode = p.Mode // The bucket's own lock binds beside it.
		return joined, nil
	}
	return joined, err
}

// exceeded warns where the configuration asks for less than the store would do by
// itself. On S3 what is sent with an object takes the default's place.
func (e *Exporter) exceeded(p RetentionPolicy, def store.Default) {
	if def.Mode == store.ModeNone || def.Mode <= p.Mode && def.For <= p.For {
		return
	}
	e.set.Telemetry.Logger.Warn("retention::mode and days ask for less than the store's default retention, and what is sent with an object can take the default's place: raise them, or leave retention::days out",
		zap.String("store", e.set.ID), zap.Stringer("mode", p.Mode), zap.Duration("for", p.For),
		zap.Stringer("default_mode", def.Mode), zap.Duration("default_for", def.For))
}

// An unsetError means that neither configuration nor store say how to retain.
type unsetError struct{ mode store.Mode }

func (e *unsetError) Error() string {
	if e.mode != store.ModeNone {
		return "retention::days: required, since the store gives no retention by itself; or give the bucket a default retention"
	}
	return "retention::mode: required, since the store gives no retention by itself; or give the bucket a default retention, or set require_lock: false to store without lock"
}

func (*unsetError) Unwrap() error { return store.ErrRetention }

// retain decides what a segment's objects are stored with.
func (e *Exporter) retain(d *sealed) {
	p := e.active.Load()
	if p == nil {
		return
	}
	c, now := d.seal.Closed(), time.Now()
	d.least = p.of(c, c.At, now)
	d.keep = d.least
	if p.fromStoring && now.After(c.At) {
		d.keep = p.of(c, now, now)
	}
	if d.fresh && p.Mode != store.ModeNone && d.least.Mode == store.ModeNone {
		d.keep = p.of(c, now, now)
		d.least = d.keep
		e.once(&e.warned.late, d, "the retention of a segment was over when hash_chain delivered it, so it is counted from now on: the clock of the machine that sealed it is behind, or the store was away for very long")
	}
}

// unretained counts a segment that was stored without the lock that the policy
// asks for.
func (e *Exporter) unretained(ctx context.Context, d *sealed) {
	if e.retains() && d.keep.IsZero() {
		e.telemetry.WormUnretained.Add(ctx, 1, e.telemetry.one)
		e.once(&e.warned.over, d, "STORED WITHOUT A LOCK: the retention of a copied segment is over, counted from the time that it was closed; if it is not that old, the clock of the machine that sealed it was behind, and otelcol-custody retain locks what lies there")
	}
}

// once warns once of what is likely to be so for many segments.
func (e *Exporter) once(said *atomic.Bool, d *sealed, text string) {
	if !said.Swap(true) {
		e.set.Telemetry.Logger.Warn(text, zap.String("store", e.set.ID), zap.String("log", d.seal.Log),
			zap.Uint64("segment", d.seal.First), zap.Time("closed", d.seal.Closed().At))
	}
}

// retains says whether objects are stored with a retention at all.
func (e *Exporter) retains() bool {
	p := e.active.Load()
	return p != nil && p.asks()
}

// extend makes a version that lies there already retained as its segment is to be.
func extend(ctx context.Context, s store.Store, name, version string, want store.Retention) error {
	if want.IsZero() {
		return nil
	}
	r, ok := s.(store.Retainer)
	if !ok {
		return fmt.Errorf("%w: this kind of store cannot retain objects", store.ErrRetention)
	}
	_, err := r.Extend(ctx, name, version, want)
	return err
}

// promised warns once when a log promises what nobody keeps. A store that cannot
// retain says so in its exporter's documentation.
func (e *Exporter) promised(s store.Store, v *seal.Verified) {
	until := v.Closed().RetainUntil
	if _, ok := s.(store.Retainer); !ok || until.IsZero() || e.retains() || e.warned.promise.Swap(true) {
		return
	}
	e.set.Telemetry.Logger.Warn("the log promises to be kept until a time, and this exporter sets no retention: set retention::mode, or the promise rests on the bucket alone",
		zap.String("store", e.set.ID), zap.String("log", v.Log), zap.Time("retain_until", until))
}
