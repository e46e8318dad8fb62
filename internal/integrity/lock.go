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
	settings := w.settings()
	for errs := 0; ctx.Err() == nil; {
		began := w.set.Now()
		f, err := w.lock(ctx, r)
		if err == nil {
			errs = 0
			w.say(ctx, incident.LockConfig, f, began)
			w.swept(ctx, settings, began, incident.Unread, incident.StateDamaged)
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

func (w *watch) settings() incident.Place {
	return incident.Place{Store: w.src.ID, Object: "lock configuration"}
}

// lock holds the store's own settings against what is demanded, and against what
// they were.
func (w *watch) lock(ctx context.Context, r store.Retainer) (*incident.Finding, error) {
	mode := store.ModeNone
	if w.src.Retention != nil {
		mode = w.src.Retention.Mode
	}
	now, err := ask(ctx, w.calls, func(ctx context.Context) (store.Default, error) { return r.CheckLock(ctx, mode) })
	switch {
	case errors.Is(err, store.ErrRetention) && mode == store.ModeNone:
		now = store.Default{} // It does not lock, which nobody demands, unless it did before.
	case errors.Is(err, store.ErrRetention):
		return &incident.Finding{Want: mode.String(), Got: err.Error(), Message: fmt.Sprintf("the store does not lock as demanded: %v", err)}, nil
	case errors.Is(err, store.ErrDenied) && w.src.Retention == nil:
		return nil, nil // Nobody demands that it can be told.
	case err != nil:
		return nil, err
	}
	return w.weakened(ctx, now)
}

// weakened holds the store's settings against the strongest that they were.
func (w *watch) weakened(ctx context.Context, now store.Default) (*incident.Finding, error) {
	name := lockName(w.src.ID)
	var before store.Default
	err := w.set.kept(name, &before)
	damaged := errors.Is(err, errDamaged)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case damaged:
		before = store.Default{}
		w.report(ctx, incident.Finding{Kind: incident.StateDamaged, Place: w.settings(),
			Message: fmt.Sprintf("how strongly store %s locked before is not known any more, so what it says now is believed (%s): %v", w.src.ID, defaultWords(now), err)})
	case err != nil:
		return nil, err
	}
	if now.Mode < before.Mode || now.For < before.For {
		return &incident.Finding{Want: defaultWords(before), Got: defaultWords(now),
			Message: "somebody weakened the retention that the store gives by itself; objects that are written without a date of their own are protected less"}, nil
	}
	if now != before || damaged {
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
