package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/store"
)

// Method names a method of a store.
type Method string

// The methods that can be made to fail.
const (
	Put      Method = "PutOnce"
	Get      Method = "Get"
	GetRange Method = "GetRange"
	List     Method = "List"
	Stat     Method = "Stat"
	Versions Method = "Versions"

	// Of a [FaultyVersioned].
	GetVersion   Method = "GetVersion"
	ListVersions Method = "ListVersions"
	CheckLock    Method = "CheckLock"
	Extend       Method = "Extend"
)

// Fault makes calls fail.
type Fault struct {
	Method Method // empty: all
	Name   string // part of the object's name, of a listing's prefix; empty: all
	N      int    // the n-th such call from now on fails, 1 is the next; 0 means 1

	Applied   bool  // a PutOnce or Extend takes effect although it fails
	UntilHeal bool  // all such calls from the n-th on fail
	Err       error // nil means [store.ErrUnavailable]
}

// Call is a call that was made.
type Call struct {
	Method Method
	Name   string
	Bytes  int // of a PutOnce
}

// Faulty is a store that fails when told, around one that works, and that
// fails the test when its caller or the store inside breaks the contract:
//   - other bytes put at a name than before (see [Faulty.AllowConflicts])
//   - data changed while PutOnce ran
//   - success without the bytes being there, or [store.ErrExists] for bytes
//     that are there
//   - a call after Close
type Faulty struct {
	t     testing.TB
	inner store.Store

	mu        sync.Mutex // guards what follows
	faults    []*fault
	calls     []Call
	down      bool
	delay     time.Duration
	gate      chan struct{} // not nil: calls wait until it is closed
	put       map[string][32]byte
	conflicts bool
	closed    bool
}

type fault struct {
	Fault
	seen int
}

// NewFaulty wraps inner. Close closes inner, too.
func NewFaulty(t testing.TB, inner store.Store) *Faulty {
	return &Faulty{t: t, inner: inner, put: map[string][32]byte{}}
}

// Inject adds a fault.
func (f *Faulty) Inject(fa Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fa.N = max(fa.N, 1)
	if fa.Err == nil {
		fa.Err = fmt.Errorf("%w: injected", store.ErrUnavailable)
	}
	f.faults = append(f.faults, &fault{Fault: fa})
}

// Heal takes all faults away and lets waiting calls go on.
func (f *Faulty) Heal() {
	f.Hang(false)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults, f.down, f.delay = nil, false, 0
}

// SetDown makes every call fail with [store.ErrUnavailable] until it is
// called with false.
func (f *Faulty) SetDown(down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = down
}

// SetDelay makes every call take at least d, or end with its context.
func (f *Faulty) SetDelay(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.delay = d
}

// Hang makes every call wait for its context's end, or until Hang(false).
func (f *Faulty) Hang(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if on == (f.gate != nil) {
		return
	}
	if on {
		f.gate = make(chan struct{})
		return
	}
	close(f.gate)
	f.gate = nil
}

// AllowConflicts lets the test put other bytes at a name, for tests of forks.
func (f *Faulty) AllowConflicts() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conflicts = true
}

// Calls returns the calls made so far, in order, also those that failed.
func (f *Faulty) Calls() []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// begin records a call and waits as told. It returns the fault that is due.
func (f *Faulty) begin(ctx context.Context, c Call) *fault {
	f.mu.Lock()
	if f.closed {
		f.t.Errorf("%s(%q) was called after Close", c.Method, c.Name)
	}
	f.calls = append(f.calls, c)
	hit := f.due(c)
	delay, gate := f.delay, f.gate
	f.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return &fault{Fault: Fault{Err: ctx.Err()}}
		}
	}
	if delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return &fault{Fault: Fault{Err: ctx.Err()}}
		}
	}
	return hit
}

// due finds the fault for a call. The caller holds mu.
func (f *Faulty) due(c Call) *fault {
	var hit *fault
	for _, fa := range f.faults {
		if fa.Method != "" && fa.Method != c.Method || !strings.Contains(c.Name, fa.Name) {
			continue
		}
		fa.seen++
		if hit == nil && (fa.seen == fa.N || fa.UntilHeal && fa.seen > fa.N) {
			hit = fa
		}
	}
	if f.down {
		return &fault{Fault: Fault{Err: fmt.Errorf("%w: switched off by the test", store.ErrUnavailable)}}
	}
	return hit
}

func (f *Faulty) fails(ctx context.Context, m Method, name string) error {
	if hit := f.begin(ctx, Call{Method: m, Name: name}); hit != nil {
		return hit.Err
	}
	return nil
}

// ID implements [store.Store].
func (f *Faulty) ID() string { return f.inner.ID() }

// PutOnce implements [store.Store].
func (f *Faulty) PutOnce(ctx context.Context, name string, data []byte, opt store.PutOptions) (store.Info, error) {
	sum := sha256.Sum256(data)
	f.checkPut(name, sum)
	hit := f.begin(ctx, Call{Method: Put, Name: name, Bytes: len(data)})
	if hit != nil && !hit.Applied {
		return store.Info{}, hit.Err
	}
	info, err := f.inner.PutOnce(ctx, name, data, opt)
	if sha256.Sum256(data) != sum {
		f.t.Errorf("the data for %q changed while PutOnce ran", name)
	}
	f.checkPutResult(ctx, name, data, err)
	if hit != nil && (err == nil || !errors.Is(err, store.ErrExists)) {
		return store.Info{}, hit.Err
	}
	return info, err
}

// checkPut fails the test if another call put other bytes at name.
func (f *Faulty) checkPut(name string, sum [32]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	before, ok := f.put[name]
	if !ok {
		f.put[name] = sum
	} else if before != sum && !f.conflicts {
		f.t.Errorf("contract: %q was put with bytes hashing to %x, now with %x", name, before, sum)
	}
}

// checkPutResult reads back what the store inside said that it stored.
func (f *Faulty) checkPutResult(ctx context.Context, name string, data []byte, putErr error) {
	if putErr != nil && !errors.Is(putErr, store.ErrExists) {
		return
	}
	b, err := f.inner.GetRange(ctx, name, 0, int64(len(data))+1)
	if err != nil {
		if ctx.Err() == nil {
			f.t.Errorf("contract: %q cannot be read after PutOnce returned %v: %v", name, putErr, err)
		}
		return
	}
	switch same := bytes.Equal(b, data); {
	case putErr == nil && !same:
		f.t.Errorf("contract: PutOnce(%q) succeeded, but other bytes are there", name)
	case putErr != nil && same:
		f.t.Errorf("contract: PutOnce(%q) returned %v for the bytes that are there", name, putErr)
	}
}

// Get implements [store.Store].
func (f *Faulty) Get(ctx context.Context, name string) (io.ReadCloser, store.Info, error) {
	if err := f.fails(ctx, Get, name); err != nil {
		return nil, store.Info{}, err
	}
	return f.inner.Get(ctx, name)
}

// GetRange implements [store.Store].
func (f *Faulty) GetRange(ctx context.Context, name string, off, n int64) ([]byte, error) {
	if err := f.fails(ctx, GetRange, name); err != nil {
		return nil, err
	}
	return f.inner.GetRange(ctx, name, off, n)
}

// List implements [store.Store].
func (f *Faulty) List(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		if err := f.fails(ctx, List, prefix); err != nil {
			yield(store.Info{}, err)
			return
		}
		f.inner.List(ctx, prefix, after)(yield)
	}
}

// Stat implements [store.Store].
func (f *Faulty) Stat(ctx context.Context, name string) (store.Info, error) {
	if err := f.fails(ctx, Stat, name); err != nil {
		return store.Info{}, err
	}
	return f.inner.Stat(ctx, name)
}

// Versions implements [store.Store].
func (f *Faulty) Versions(ctx context.Context, name string) ([]store.Info, error) {
	if err := f.fails(ctx, Versions, name); err != nil {
		return nil, err
	}
	return f.inner.Versions(ctx, name)
}

// Close implements [store.Store].
func (f *Faulty) Close() error {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	return f.inner.Close()
}
