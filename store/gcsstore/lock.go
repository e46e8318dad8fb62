package gcsstore

import (
	"context"
	"crypto/rand"
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
	if err != nil {
		refused := status(err) == http.StatusForbidden
		if err = s.fail(ctx, "look at the bucket's settings", err); refused && errors.Is(err, store.ErrDenied) {
			return nil, unseen{err}
		}
		return nil, err
	}
	if b.Name != s.opt.Bucket {
		return nil, s.notCloudStorage("look at the bucket's settings")
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
	err = s.tryLockAs(ctx, name, want)
	if err == nil || ctx.Err() != nil || !s.isThere(ctx, name) {
		return err
	}
	// Another version put it, or somebody planted it: what lies there must not
	// keep anybody from starting.
	return s.tryLockAs(ctx, name+"-"+rand.Text(), want)
}

func (s *Store) tryLockAs(ctx context.Context, name string, want store.Retention) error {
	info, err := s.put(ctx, newUpload(name, []byte("A probe of Custody: is an object retained?\n"), want))
	if err != nil {
		return err
	}
	gen, err := generation(name, info.Version)
	if err != nil {
		return err
	}
	a, err := s.attrs(ctx, s.object(name).Generation(gen), name)
	if errors.Is(err, store.ErrNotFound) {
		return s.unenforced()
	}
	if err != nil {
		return err
	}
	if _, err := s.covered(name, a, want); err != nil {
		return err
	}
	return s.tryDelete(ctx, name, gen)
}

func (s *Store) unenforced() error {
	return fmt.Errorf("%w: %s: the store deleted an object that it had just locked; it does not enforce retention: use another store, or require_lock: false", store.ErrRetention, s.id)
}

// tryDelete fails if a generation can be deleted.
func (s *Store) tryDelete(ctx context.Context, name string, gen int64) error {
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	o := s.object(name).Generation(gen)
	err := o.Delete(call)
	if err == nil || status(err) == http.StatusNotFound {
		_, err := s.attrs(ctx, o, name)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return s.unenforced()
		case err == nil: // It says that it did, and didn't.
			return s.notCloudStorage("delete what is locked")
		}
		return err
	}
	switch _, class := s.classify(err); class {
	case store.ErrRetention, store.ErrDenied, store.ErrUnfit:
		return nil
	}
	return s.fail(ctx, "delete what is locked", err)
}
