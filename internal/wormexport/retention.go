package wormexport

import (
	"context"
	"errors"
	"fmt"
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
type RetentionPolicy struct {
	// Mode is how strictly. With ModeNone it is what the store does by itself.
	Mode store.Mode
	// For is how long; 0 means as long as the store does by itself.
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

// of is what the policy means for the objects of a segment that was closed so.
func (p RetentionPolicy) of(c *segment.Closed, now time.Time) store.Retention {
	r := store.Retention{LegalHold: p.LegalHold}
	if p.Mode == store.ModeNone {
		return r
	}
	until := c.At.Add(p.For)
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
func (e *Exporter) checkLock(ctx context.Context, s store.Store) (RetentionPolicy, error) {
	p := e.set.Retention
	if !p.asks() && !p.RequireLock {
		return p, nil
	}
	active, err := resolve(ctx, s, p)
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
	return RetentionPolicy{}, nil
}

// resolve fills in what the store does by itself.
func resolve(ctx context.Context, s store.Store, p RetentionPolicy) (RetentionPolicy, error) {
	r, ok := s.(store.Retainer)
	if !ok {
		return p, fmt.Errorf("%w: this kind of store cannot retain objects", store.ErrRetention)
	}
	def, err := r.CheckLock(ctx, p.Mode)
	switch {
	case err != nil:
		return p, err
	case p.Mode != store.ModeNone && p.For > 0, p.LegalHold && p.Mode == store.ModeNone:
		return p, nil
	case def.Mode == store.ModeNone || def.For <= 0:
		return p, &unsetError{p.Mode}
	case p.Mode != store.ModeNone:
		p.For = def.For
		return p, nil
	}
	// Mode and time are sent with each object, where the store takes them.
	_, err = r.CheckLock(ctx, def.Mode)
	if errors.Is(err, store.ErrRetention) {
		return p, nil // A lock of the whole bucket.
	}
	p.Mode, p.For = def.Mode, def.For
	return p, err
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

// retention is what a segment's objects are stored with.
func (e *Exporter) retention(v *seal.Verified) store.Retention {
	if p := e.active.Load(); p != nil {
		return p.of(v.Closed(), time.Now())
	}
	return store.Retention{}
}

// retains says whether objects are stored with a retention at all.
func (e *Exporter) retains() bool {
	p := e.active.Load()
	return p != nil && p.asks()
}

// extend makes a version that lies there already retained as its segment is to be.
func (e *Exporter) extend(ctx context.Context, s store.Store, name, version string, v *seal.Verified) error {
	want := e.retention(v)
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
	if _, ok := s.(store.Retainer); !ok || until.IsZero() || e.retains() || e.warned.Swap(true) {
		return
	}
	e.set.Telemetry.Logger.Warn("the log promises to be kept until a time, and this exporter sets no retention: set retention::mode, or the promise rests on the bucket alone",
		zap.String("store", e.set.ID), zap.String("log", v.Log), zap.Time("retain_until", until))
}
