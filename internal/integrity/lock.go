package integrity

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/store"
)

// lockEvery is how often a store is asked how it locks.
const lockEvery = time.Hour

// followLock asks the store how it locks, until ctx ends.
func (w *watch) followLock(ctx context.Context) {
	r, ok := w.store.(store.Retainer)
	if !ok {
		return // It cannot tell.
	}
	settings := incident.Place{Store: w.src.ID, Object: "lock configuration"}
	for errs := 0; ctx.Err() == nil; {
		began := w.set.Now()
		f, err := w.lock(ctx, r)
		if err == nil {
			errs = 0
			w.say(ctx, incident.LockConfig, f, began)
			w.swept(ctx, settings, began, incident.Unread)
			_ = sleep(ctx, lockEvery)
			continue
		}
		const patience = 5 // tries; of a store that is away others speak
		if errs++; errs >= patience && w.readable() {
			w.report(ctx, incident.Finding{Kind: incident.Unread, Place: settings, Message: fmt.Sprintf("how store %s locks cannot be found out: %v", w.src.ID, err)})
		}
		_ = sleep(ctx, backoff(w.set.Poll, errs))
	}
}

// lock holds the store's own settings against what is demanded, and against the
// strongest that they were.
func (w *watch) lock(ctx context.Context, r store.Retainer) (*incident.Finding, error) {
	mode := store.ModeNone
	if w.src.Retention != nil {
		mode = w.src.Retention.Mode
	}
	now, err := call(ctx, func(ctx context.Context) (store.Default, error) { return r.CheckLock(ctx, mode) })
	if errors.Is(err, store.ErrRetention) {
		if mode == store.ModeNone {
			return nil, nil // It does not lock, and nobody demands it.
		}
		return &incident.Finding{Want: mode.String(), Got: err.Error(), Message: fmt.Sprintf("the store does not lock as demanded: %v", err)}, nil
	}
	if errors.Is(err, store.ErrDenied) && w.src.Retention == nil {
		return nil, nil // Nobody demands that it can be told.
	}
	if err != nil {
		return nil, err
	}
	name := stateName(w.src.ID, "lock")
	var before store.Default
	switch err := w.set.kept(name, &before); {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errDamaged):
	case err != nil:
		return nil, err
	}
	if now.Mode < before.Mode || now.For < before.For {
		return &incident.Finding{Want: defaultWords(before), Got: defaultWords(now),
			Message: "somebody weakened the retention that the store gives by itself; objects that are written without a date of their own are protected less"}, nil
	}
	if now != before {
		w.wrote(name, w.set.keep(name, now))
	}
	return nil, nil
}

func defaultWords(d store.Default) string {
	if d.Mode == store.ModeNone {
		return d.Mode.String()
	}
	return fmt.Sprintf("%v for %v", d.Mode, d.For)
}
