package outage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

// An answer says how a store takes a call. The zero value is a store that is well.
type answer struct {
	delay   time.Duration // before anything else; ends with the context
	err     error         // the call fails with it
	applied bool          // a put takes effect all the same
	later   time.Duration // a put takes effect then, although it failed
	deaf    bool          // the call hangs, whatever its context says, until the end of the test
	hang    bool          // the call hangs until its context ends
	garbage bool          // a read yields other bytes
	stale   time.Duration // reads and listings do not show what was put since
}

// A mood gives the answers of a store.
type mood func(m storetest.Method, name string) answer

func well(storetest.Method, string) answer { return answer{} }

var errDown = fmt.Errorf("%w: connection refused", store.ErrUnavailable)

func down(storetest.Method, string) answer { return answer{err: errDown} }

// unruly is a store with moods around one that works.
type unruly struct {
	store.Store
	release <-chan struct{} // closed at the end of the test

	mu    sync.Mutex // guards what follows
	mood  mood
	since map[string]time.Time // by name, when it was put
	bad   atomic.Int32         // calls that met another answer than that of a store that is well
}

func newUnruly(inner store.Store, release <-chan struct{}) *unruly {
	return &unruly{Store: inner, release: release, mood: well, since: map[string]time.Time{}}
}

func (u *unruly) is(m mood) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.mood = m
}

// Close leaves the store open for the next process.
func (u *unruly) Close() error { return nil }

// take waits as the mood says and returns what is to become of the call.
func (u *unruly) take(ctx context.Context, m storetest.Method, name string) (answer, error) {
	u.mu.Lock()
	a := u.mood(m, name)
	u.mu.Unlock()
	if a != (answer{}) {
		u.bad.Add(1)
	}
	switch {
	case a.deaf:
		<-u.release
		return a, errors.New("the test is over")
	case a.hang:
		<-ctx.Done()
		return a, ctx.Err()
	case a.delay > 0:
		t := time.NewTimer(a.delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return a, ctx.Err()
		}
	}
	return a, a.err
}

// stale says whether a reader does not see a name yet.
func (u *unruly) stale(a answer, name string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return time.Since(u.since[name]) < a.stale
}

func (u *unruly) put(ctx context.Context, name string, data []byte, opt store.PutOptions) (store.Info, error) {
	info, err := u.Store.PutOnce(ctx, name, data, opt)
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, known := u.since[name]; err == nil && !known {
		u.since[name] = time.Now()
	}
	return info, err
}

// PutOnce implements [store.Store].
func (u *unruly) PutOnce(ctx context.Context, name string, data []byte, opt store.PutOptions) (store.Info, error) {
	a, fault := u.take(ctx, storetest.Put, name)
	switch {
	case fault == nil:
		return u.put(ctx, name, data, opt)
	case a.later > 0:
		data = bytes.Clone(data)
		time.AfterFunc(a.later, func() { _, _ = u.put(context.WithoutCancel(ctx), name, data, opt) })
	case a.applied:
		if _, err := u.put(context.WithoutCancel(ctx), name, data, opt); err != nil {
			return store.Info{}, err
		}
	}
	return store.Info{}, fault
}

// read takes a call that reads one object.
func (u *unruly) read(ctx context.Context, m storetest.Method, name string) (answer, error) {
	a, err := u.take(ctx, m, name)
	if err == nil && u.stale(a, name) {
		err = fmt.Errorf("%w: %s", store.ErrNotFound, name)
	}
	return a, err
}

// garble makes other bytes of the same size.
func garble(b []byte) []byte {
	for i := range b {
		b[i] ^= byte(i) | 1
	}
	return b
}

// Get implements [store.Store].
func (u *unruly) Get(ctx context.Context, name string) (io.ReadCloser, store.Info, error) {
	a, err := u.read(ctx, storetest.Get, name)
	if err != nil {
		return nil, store.Info{}, err
	}
	return garbled(a)(u.Store.Get(ctx, name))
}

func garbled(a answer) func(io.ReadCloser, store.Info, error) (io.ReadCloser, store.Info, error) {
	return func(r io.ReadCloser, info store.Info, err error) (io.ReadCloser, store.Info, error) {
		if err != nil || !a.garbage {
			return r, info, err
		}
		b, err := io.ReadAll(r)
		return io.NopCloser(bytes.NewReader(garble(b))), info, errors.Join(err, r.Close())
	}
}

// GetRange implements [store.Store].
func (u *unruly) GetRange(ctx context.Context, name string, off, n int64) ([]byte, error) {
	a, err := u.read(ctx, storetest.GetRange, name)
	if err != nil {
		return nil, err
	}
	b, err := u.Store.GetRange(ctx, name, off, n)
	if a.garbage {
		b = garble(b)
	}
	return b, err
}

// List implements [store.Store].
func (u *unruly) List(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return u.listed(ctx, storetest.List, prefix, u.Store.List(ctx, prefix, after))
}

func (u *unruly) listed(ctx context.Context, m storetest.Method, prefix string, all iter.Seq2[store.Info, error]) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		a, err := u.take(ctx, m, prefix)
		if err != nil {
			yield(store.Info{}, err)
			return
		}
		for info, err := range all {
			if err == nil && u.stale(a, info.Name) {
				continue
			}
			if !yield(info, err) {
				return
			}
		}
	}
}

// Stat implements [store.Store].
func (u *unruly) Stat(ctx context.Context, name string) (store.Info, error) {
	if _, err := u.read(ctx, storetest.Stat, name); err != nil {
		return store.Info{}, err
	}
	return u.Store.Stat(ctx, name)
}

// Versions implements [store.Store].
func (u *unruly) Versions(ctx context.Context, name string) ([]store.Info, error) {
	if _, err := u.read(ctx, storetest.Versions, name); err != nil {
		return nil, err
	}
	return u.Store.Versions(ctx, name)
}

// versioned is an unruly store that shows the versions of the one inside.
type versioned struct {
	*unruly
	inner store.Versioned
}

// GetVersion implements [store.Versioned].
func (v versioned) GetVersion(ctx context.Context, name, version string) (io.ReadCloser, store.Info, error) {
	a, err := v.read(ctx, storetest.GetVersion, name)
	if err != nil {
		return nil, store.Info{}, err
	}
	return garbled(a)(v.inner.GetVersion(ctx, name, version))
}

// ListVersions implements [store.Versioned].
func (v versioned) ListVersions(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return v.listed(ctx, storetest.ListVersions, prefix, v.inner.ListVersions(ctx, prefix, after))
}

func isSeal(name string) bool { return strings.HasSuffix(name, ".seal") }
