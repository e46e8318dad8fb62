package gcsstore

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"cloud.google.com/go/storage"

	"github.com/otelcol-custody/custody/store"
)

// The modes of Cloud Storage's object retention.
const (
	unlocked = "Unlocked"
	locked   = "Locked"
)

// sayable turns r into what Cloud Storage can express, which counts in
// seconds: never less than r.
func sayable(r store.Retention, now time.Time) (store.Retention, error) {
	switch {
	case r.Mode > store.ModeCompliance:
		return r, fmt.Errorf("%w: mode %v is unknown", store.ErrRetention, r.Mode)
	case r.Mode == store.ModeNone && !r.Until.IsZero():
		return r, fmt.Errorf("%w: until %v, but without a mode", store.ErrRetention, r.Until)
	case r.Mode == store.ModeNone:
		return r, nil
	case !r.Until.After(now):
		return r, fmt.Errorf("%w: %v until %v, which is no time to come", store.ErrRetention, r.Mode, r.Until)
	}
	if whole := r.Until.UTC().Truncate(time.Second); whole.Before(r.Until) {
		r.Until = whole.Add(time.Second)
	} else {
		r.Until = whole
	}
	return r, nil
}

// config is r's date and mode as Cloud Storage has them, or nil.
func config(r store.Retention) *storage.ObjectRetention {
	switch r.Mode {
	case store.ModeGovernance:
		return &storage.ObjectRetention{Mode: unlocked, RetainUntil: r.Until}
	case store.ModeCompliance:
		return &storage.ObjectRetention{Mode: locked, RetainUntil: r.Until}
	}
	return nil
}

// own is the retention that was put on the object itself.
func own(a *storage.ObjectAttrs) store.Retention {
	r := store.Retention{LegalHold: a.TemporaryHold || a.EventBasedHold}
	if a.Retention == nil {
		return r
	}
	switch a.Retention.Mode {
	case unlocked:
		r.Mode = store.ModeGovernance
	case locked:
		r.Mode = store.ModeCompliance
	default:
		return r
	}
	r.Until = a.Retention.RetainUntil.UTC()
	return r
}

// retention is what binds an object: its own, or its bucket's policy where that
// is stricter. Where neither covers the other it is the object's own, which
// says too little and never too much.
func (s *Store) retention(a *storage.ObjectAttrs) store.Retention {
	r := own(a)
	if a.RetentionExpirationTime.IsZero() {
		return r
	}
	policy := store.Retention{Mode: store.ModeGovernance, Until: a.RetentionExpirationTime.UTC(), LegalHold: r.LegalHold}
	if seen := s.settings.Load(); seen != nil && seen.byItself.Mode == store.ModeCompliance {
		// Later than by the policy: then something weaker is behind it.
		if end := a.Created.UTC().Add(seen.byItself.For); !policy.Until.After(end.Add(time.Second)) {
			policy.Mode = store.ModeCompliance
		}
	}
	if policy.Covers(r) {
		return policy
	}
	return r
}

// errChanged: the object's metadata changed between a look and a patch.
var errChanged = errors.New("changed meanwhile")

// Extend implements [store.Retainer]. To make Unlocked Locked, Cloud Storage
// wants storage.objects.overrideUnlockedRetention. The override is sent for
// that alone, bound to the metadata that was seen, so it cannot shorten.
func (s *Store) Extend(ctx context.Context, name, version string, r store.Retention) (store.Retention, error) {
	if err := s.writable(ctx, name); err != nil {
		return store.Retention{}, err
	}
	o := s.object(name)
	if version != "" {
		gen, err := generation(name, version)
		if err != nil {
			return store.Retention{}, err
		}
		o = o.Generation(gen)
	}
	for range attempts {
		a, err := s.attrs(ctx, o, name)
		if err != nil {
			return store.Retention{}, err
		}
		if r, err := s.extend(ctx, name, a, r); !errors.Is(err, errChanged) {
			return r, err
		}
	}
	return store.Retention{}, fmt.Errorf("%w: %s: extend the retention of %s: it was changed by others %d times", store.ErrUnavailable, s.id, name, attempts)
}

func generation(name, version string) (int64, error) {
	gen, err := strconv.ParseInt(version, 10, 64)
	if err != nil || gen <= 0 {
		return 0, fmt.Errorf("%w: %s has no version %q; versions of Cloud Storage are generations", store.ErrNotFound, name, version)
	}
	return gen, nil
}

// extend patches the generation that a describes, so that r is covered.
func (s *Store) extend(ctx context.Context, name string, a *storage.ObjectAttrs, r store.Retention) (store.Retention, error) {
	if now := s.retention(a); now.Covers(r) {
		return now, nil
	}
	has := own(a)
	want, err := sayable(has.Join(r), time.Now())
	if err != nil {
		return store.Retention{}, err
	}
	var patch storage.ObjectAttrsToUpdate
	if want.Mode != has.Mode || !want.Until.Equal(has.Until) {
		patch.Retention = config(want)
	}
	if want.LegalHold && !has.LegalHold {
		patch.TemporaryHold = true
	}
	o := s.object(name).Generation(a.Generation).If(storage.Conditions{MetagenerationMatch: a.Metageneration})
	if has.Mode == store.ModeGovernance && want.Mode == store.ModeCompliance {
		o = o.OverrideUnlockedRetention(true)
	}
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	got, err := o.Update(call, patch)
	if status(err) == http.StatusPreconditionFailed {
		return store.Retention{}, errChanged
	}
	if err != nil {
		return store.Retention{}, s.fail(ctx, "extend the retention of "+name, err)
	}
	if !s.describes(got, name) {
		return store.Retention{}, s.notCloudStorage("extend the retention of " + name)
	}
	return s.covered(name, got, r)
}

// covered checks the store's own description of an object for what was asked.
func (s *Store) covered(name string, a *storage.ObjectAttrs, asked store.Retention) (store.Retention, error) {
	got := s.retention(a)
	if got.Covers(asked) {
		return got, nil
	}
	return got, fmt.Errorf("%w: %s: %s should be retained by %s, but the server answers that it is by %s; %s",
		store.ErrRetention, s.id, name, shown(asked), shown(got), enable)
}

func shown(r store.Retention) string {
	text := r.Mode.String()
	if !r.Until.IsZero() {
		text += " until " + r.Until.UTC().Format(time.RFC3339)
	}
	if r.LegalHold {
		text += " with a legal hold"
	}
	return text
}
