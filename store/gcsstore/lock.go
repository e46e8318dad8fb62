package gcsstore

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/otelcol-custody/custody/store"
)

// settings are a bucket's.
type settings struct {
	perObject bool          // objects can have a retention of their own
	byItself  store.Default // by the bucket's retention policy
}

// unseen is what look fails with if the caller may not see the settings. Much
// can be done without.
type unseen struct{ error }

func (u unseen) Unwrap() error { return u.error }

func isUnseen(err error) bool { return errors.As(err, new(unseen)) }

// look asks for the bucket's settings and remembers them.
func (s *Store) look(ctx context.Context) (*settings, error) {
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	b, err := s.bucket.Attrs(call)
	if status(err) == http.StatusForbidden {
		return nil, unseen{s.fail(ctx, "look at the bucket's settings", err)}
	}
	if err != nil {
		return nil, s.fail(ctx, "look at the bucket's settings", err)
	}
	seen := &settings{perObject: b.ObjectRetentionMode == "Enabled"}
	if p := b.RetentionPolicy; p != nil && p.RetentionPeriod > 0 {
		seen.byItself = store.Default{Mode: store.ModeGovernance, For: p.RetentionPeriod}
		if p.IsLocked {
			seen.byItself.Mode = store.ModeCompliance
		}
	}
	s.settings.Store(seen)
	return seen, nil
}

func (s *Store) hasBucket(ctx context.Context) bool {
	_, err := s.look(ctx)
	return !errors.Is(err, store.ErrUnfit)
}

// CheckLock implements [store.Retainer]. It refuses if the bucket has no
// per-object retention; what it gives by itself is returned all the same, for
// those who are content with that. If the settings cannot be seen (no
// storage.buckets.get), a store for writing goes by what it sees happen, and
// one for reading fails with [store.ErrDenied].
//
// The object that it stores stays for up to two days: it is retained, with
// mode compliance for good. Then it tries to delete it. A caller without the
// right to delete, as it should be, learns no more than that it hasn't.
func (s *Store) CheckLock(ctx context.Context, mode store.Mode) (store.Default, error) {
	if err := s.usable(ctx); err != nil {
		return store.Default{}, err
	}
	seen, err := s.look(ctx)
	switch {
	case err != nil && (s.opt.ReadOnly || !isUnseen(err)):
		return store.Default{}, err
	case err != nil:
		return store.Default{}, s.tryLock(ctx, mode)
	case mode == store.ModeNone:
		return seen.byItself, nil
	case !seen.perObject:
		return seen.byItself, fmt.Errorf("%w: %s: the bucket has no per-object retention; %s", store.ErrRetention, s.id, enable)
	case s.opt.ReadOnly:
		return seen.byItself, nil
	}
	return seen.byItself, s.tryLock(ctx, mode)
}

// tryLock looks at what becomes of an object that it retains.
func (s *Store) tryLock(ctx context.Context, mode store.Mode) error {
	if mode == store.ModeNone || s.opt.ReadOnly {
		return nil
	}
	// The same all day, so that a restart finds it and has nothing to extend.
	today := time.Now().UTC().Truncate(24 * time.Hour)
	want, err := sayable(store.Retention{Mode: mode, Until: today.Add(48 * time.Hour)}, today)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%slock-%v-%s", hidden, mode, today.Format(time.DateOnly))
	if _, err := s.put(ctx, newUpload(name, []byte("A probe of Custody: is an object retained?\n"), want)); err != nil {
		return err
	}
	a, err := s.attrs(ctx, s.object(name), name)
	if err != nil {
		return err
	}
	if _, err := s.covered(name, a, want); err != nil {
		return err
	}
	return s.tryDelete(ctx, name, a.Generation)
}

// tryDelete fails if a generation can be deleted.
func (s *Store) tryDelete(ctx context.Context, name string, gen int64) error {
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := s.object(name).Generation(gen).Delete(call)
	if err == nil || status(err) == http.StatusNotFound {
		return fmt.Errorf("%w: %s: the store deleted an object that it had just locked; it does not enforce retention: use another store, or require_lock: false", store.ErrRetention, s.id)
	}
	switch _, class := classify(err); class {
	case store.ErrRetention, store.ErrDenied, store.ErrUnfit:
		return nil
	}
	return s.fail(ctx, "delete what is locked", err)
}
