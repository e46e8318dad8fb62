package storetest

import (
	"context"
	"io"
	"iter"
	"testing"

	"github.com/otelcol-custody/custody/store"
)

// FaultyVersioned is a [Faulty] around a store with versions and retention, which
// it shows. It also fails the test when the store inside keeps less than what
// was asked for.
type FaultyVersioned struct {
	*Faulty
	inner Locked
}

// NewFaultyVersioned wraps inner. Close closes inner, too.
func NewFaultyVersioned(t testing.TB, inner Locked) *FaultyVersioned {
	return &FaultyVersioned{NewFaulty(t, inner), inner}
}

// PutOnce implements [store.Store].
func (f *FaultyVersioned) PutOnce(ctx context.Context, name string, data []byte, opt store.PutOptions) (store.Info, error) {
	info, err := f.Faulty.PutOnce(ctx, name, data, opt)
	if err == nil && !opt.Retention.IsZero() {
		f.checkRetention(ctx, "PutOnce", name, opt.Retention)
	}
	return info, err
}

func (f *FaultyVersioned) checkRetention(ctx context.Context, call, name string, want store.Retention) {
	info, err := f.inner.Stat(ctx, name)
	if err == nil && !info.Retention.Covers(want) {
		f.t.Errorf("contract: %s(%q) succeeded, and it is retained by %+v, not by %+v", call, name, info.Retention, want)
	}
}

// GetVersion implements [store.Versioned].
func (f *FaultyVersioned) GetVersion(ctx context.Context, name, version string) (io.ReadCloser, store.Info, error) {
	if err := f.fails(ctx, GetVersion, name); err != nil {
		return nil, store.Info{}, err
	}
	return f.inner.GetVersion(ctx, name, version)
}

// ListVersions implements [store.Versioned].
func (f *FaultyVersioned) ListVersions(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		if err := f.fails(ctx, ListVersions, prefix); err != nil {
			yield(store.Info{}, err)
			return
		}
		f.inner.ListVersions(ctx, prefix, after)(yield)
	}
}

// CheckLock implements [store.Retainer].
func (f *FaultyVersioned) CheckLock(ctx context.Context, mode store.Mode) (store.Default, error) {
	if err := f.fails(ctx, CheckLock, ""); err != nil {
		return store.Default{}, err
	}
	return f.inner.CheckLock(ctx, mode)
}

// Extend implements [store.Retainer].
func (f *FaultyVersioned) Extend(ctx context.Context, name, version string, r store.Retention) (store.Retention, error) {
	hit := f.begin(ctx, Call{Method: Extend, Name: name})
	if hit != nil && !hit.Applied {
		return store.Retention{}, hit.Err
	}
	now, err := f.inner.Extend(ctx, name, version, r)
	if err == nil && !now.Covers(r) {
		f.t.Errorf("contract: Extend(%q) succeeded with %+v, less than %+v", name, now, r)
	}
	if hit != nil {
		return store.Retention{}, hit.Err
	}
	return now, err
}
