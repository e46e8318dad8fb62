package sealer

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-custody/custody/internal/delivery"
)

// troubled is an observer that knows what is in trouble now.
type troubled struct {
	quiet
	mu      sync.Mutex
	now     map[string]error
	changes int // of Intake
}

func (o *troubled) Trouble(what string, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.now == nil {
		o.now = map[string]error{}
	}
	if what == Intake && o.now[what] == nil {
		o.changes++
	}
	o.now[what] = err
}

func (o *troubled) Better(what string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if what == Intake && o.now[what] != nil {
		o.changes++
	}
	delete(o.now, what)
}

func (o *troubled) all() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Sorted(maps.Keys(o.now))
}

func (o *troubled) changed() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.changes
}

func (o *troubled) intake() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now[Intake]
}

// A spool that is full is a trouble of its own, though no store has failed; it
// passes by itself, also when nobody sends any more.
func TestFullSpoolIsTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		w.c.FS, w.c.SpoolLimit, w.c.Heartbeat = w.fs, 20_000, 10*time.Hour
		down, obs := &deaf{memStore: w.store, gate: make(chan struct{})}, &troubled{}
		s, err := Open(w.c, down, obs)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		down.deliveries.Store(true) // It is slow, and says nothing.
		sent := 0
		for err == nil && sent < 1000 {
			err = s.Append(t.Context(), batchOf(sent*5, 5))
			synctest.Wait() // Sealed segments are smaller than journals.
			sent++
		}
		if !errors.Is(err, ErrFull) || !errors.Is(obs.intake(), ErrFull) {
			t.Fatalf("after %d batches: %v, in trouble: %v", sent, err, obs.all())
		}
		if b := s.Backlog(); b.Bytes < b.Limit || b.Limit != w.c.SpoolLimit || b.Oldest != 0 {
			t.Errorf("backlog is %+v", b)
		}
		time.Sleep(time.Hour)
		if b := s.Backlog(); b.Oldest < time.Hour || b.Oldest > time.Hour+w.c.MaxAge {
			t.Errorf("the oldest segment has waited %v", b.Oldest)
		}
		if obs.intake() == nil {
			t.Error("nothing has left the spool, and records are said to enter")
		}
		down.deliveries.Store(false)
		close(down.gate)
		time.Sleep(time.Minute)
		if got := obs.all(); len(got) > 0 {
			t.Errorf("the spool is empty, in trouble: %v", got)
		}
		if b := s.Backlog(); b.Oldest != 0 || b.Bytes > 1000 {
			t.Errorf("backlog of an empty spool is %+v", b)
		}
		if obs.changed() != 2 {
			t.Errorf("the state changed %d times, want 2", obs.changed())
		}
		closeIt(t, s)
	})
}

func TestBehindIsTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		w.c.FS, w.c.AckStored, w.c.Heartbeat = w.fs, true, 10*time.Hour
		down, obs := &deaf{memStore: w.store, gate: make(chan struct{})}, &troubled{}
		s, err := Open(w.c, down, obs)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		down.deliveries.Store(true)
		if err := s.Append(t.Context(), batchOf(0, 5)); !errors.Is(err, ErrUnanswered) {
			t.Fatal(err)
		}
		time.Sleep(w.c.AckTimeout)
		if err := s.Append(t.Context(), batchOf(5, 5)); !errors.Is(err, ErrBehind) || !errors.Is(obs.intake(), ErrBehind) {
			t.Errorf("%v, in trouble: %v", err, obs.all())
		}
		down.deliveries.Store(false)
		close(down.gate)
		synctest.Wait()
		if got := obs.all(); len(got) > 0 {
			t.Errorf("all is stored, in trouble: %v", got)
		}
		closeIt(t, s)
	})
}

// slow is a store that takes a second for each segment.
type slow struct{ *memStore }

func (s slow) Deliver(ctx context.Context, o *delivery.Objects) (int, int, error) {
	time.Sleep(time.Second)
	return s.memStore.Deliver(ctx, o)
}

// With a store that is merely slower than the senders health does not change with
// every segment.
func TestFullSpoolDoesNotFlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		w.c.FS, w.c.SpoolLimit, w.c.Heartbeat = w.fs, 100_000, 10*time.Hour
		obs := &troubled{}
		s, err := Open(w.c, slow{w.store}, obs)
		if err != nil {
			t.Fatal(err)
		}
		refused := 0
		for i := range 3000 {
			if s.Append(t.Context(), batchOf(i*5, 5)) != nil {
				refused++
			}
			time.Sleep(100 * time.Millisecond)
		}
		if refused < 100 || refused > 2900 || obs.intake() == nil || obs.changed() != 1 {
			t.Errorf("%d of 3000 batches were refused, in trouble %v, the state changed %d times, want 1", refused, obs.all(), obs.changed())
		}
		time.Sleep(time.Hour)
		if got := obs.all(); len(got) > 0 {
			t.Errorf("all is stored, in trouble: %v", got)
		}
		closeIt(t, s)
	})
}
