package wormexport

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store"
)

// courier delivers as hash_chain does: a window of the oldest segments again and
// again, when it is woken.
type courier struct {
	*bench
	wakes   atomic.Int32
	wake    chan struct{}
	longest time.Duration // that one delivery took
}

func newCourier(b *bench) *courier { return &courier{bench: b, wake: make(chan struct{}, 1)} }

func (c *courier) deliver(s ledgertest.Segment) error {
	ctx, _ := delivery.WithBook(delivery.WithWake(c.t.Context(), func() {
		c.wakes.Add(1)
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}))
	began := time.Now()
	err := c.ConsumeLogs(ctx, objects(s).Logs())
	c.longest = max(c.longest, time.Since(began))
	return err
}

// A store that comes back gets its backlog at its own pace, driven by its wakes
// alone, and no delivery but the first keeps the other stores waiting.
func TestBacklogDrainsInTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const call, window = 90 * time.Millisecond, 8
		sizes := make([]int, 60)
		for i := range sizes {
			sizes[i] = 2
		}
		b := newVersioned(t, nil)
		chain := ledgertest.Chain(t, b.signer, sizes...)
		c := newCourier(b)
		b.store.SetDown(true)
		for _, s := range chain {
			wantPending(t, c.deliver(s))
		}
		b.store.Heal()
		b.store.SetDelay(call)
		b.rest()
		c.longest = 0
		began := time.Now()
		for left := chain; len(left) > 0; {
			for _, s := range left[:min(window, len(left))] {
				if err := c.deliver(s); err != nil {
					wantPending(t, err)
				}
			}
			for len(left) > 0 && b.memory.isStored(idOf(left[0].Seal.Bytes())) {
				left = left[1:]
			}
			if len(left) > 0 {
				select {
				case <-c.wake:
				case <-time.After(time.Minute):
					t.Fatalf("not woken, %d are left", len(left))
				}
			}
		}
		b.holds(chain...)
		// The seal's write and its listing follow each other; the rest is beside it.
		if took, pace := time.Since(began), time.Duration(len(chain))*2*call; took > pace*3/2 {
			t.Errorf("%d segments took %v, the store's pace is %v", len(chain), took, pace)
		}
		if c.longest > DefaultTimeout/2 {
			t.Errorf("a delivery took %v", c.longest)
		}
	})
}

// What fails wakes nobody, and who cannot be woken waits for the answer.
func TestWakesOnSuccessAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		chain := ledgertest.Chain(t, b.signer, 3, 2, 4)
		c := newCourier(b)
		b.store.SetDelay(DefaultTimeout * 2)
		b.store.SetDown(true)
		wantPending(t, c.deliver(chain[0]))
		time.Sleep(time.Minute)
		if n := c.wakes.Load(); n != 0 {
			t.Errorf("a store that is away woke %d times", n)
		}
		b.store.Heal()
		b.rest()
		b.store.SetDelay(DefaultTimeout * 2)
		wantPending(t, c.deliver(chain[0]))
		time.Sleep(time.Minute)
		if n := c.wakes.Load(); n != 1 {
			t.Errorf("woken %d times for one segment", n)
		}
		// Over OTLP several at once are no backlog.
		b.store.SetDelay(2 * hurry)
		answers := make(chan error)
		for _, s := range chain[1:] {
			go func() { answers <- b.ConsumeLogs(context.Background(), objects(s).Logs()) }()
		}
		for range chain[1:] {
			if err := <-answers; err != nil {
				t.Errorf("got %v", err)
			}
		}
	})
}

// closing notes that it was closed.
type closing struct {
	store.Store
	closed atomic.Bool
}

func (c *closing) Close() error { c.closed.Store(true); return errors.New("half closed") }

// A store that does not end even when told is closed all the same.
func TestShutdownClosesAStoreThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		e, err := New(b.set)
		if err != nil {
			t.Fatal(err)
		}
		c := &closing{Store: b.mem}
		e.store = c
		release := make(chan struct{})
		err = e.ask(t.Context(), &job{id: sealID{1}, do: func(context.Context, store.Store) error { <-release; return nil }})
		wantPending(t, err)
		if err := e.Shutdown(t.Context()); err == nil || !c.closed.Load() {
			t.Errorf("closed %v, error %v", c.closed.Load(), err)
		}
		close(release)
	})
}
