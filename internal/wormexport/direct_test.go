package wormexport

import (
	"bytes"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

func TestStoreDirectly(t *testing.T) {
	chain := ledgertest.Chain(t, ledgertest.Signer(t, origin), 3, 65600, 2)
	b := newVersioned(t, nil, keepYears(7))
	for _, s := range chain {
		if err := b.Store(t.Context(), objects(s)); err != nil {
			t.Fatal(err)
		}
	}
	b.holds(chain...)
	b.retained(policyOf(7), chain...)
	since := len(b.store.Calls())
	for _, s := range chain {
		if err := b.Store(t.Context(), objects(s)); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(b.store.Calls()) - since; n != 0 {
		t.Errorf("%d requests for what is known", n)
	}
}

// Many at once, in an order of their own, also slower than any timeout.
func TestStoreConcurrently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newVersioned(t, nil)
		b.store.SetDelay(time.Minute)
		chain := ledgertest.Chain(t, b.signer, 3, 2, 4, 1, 5, 6, 7, 8)
		var all sync.WaitGroup
		for i, s := range chain {
			for range 2 {
				all.Go(func() {
					time.Sleep(time.Duration(len(chain)-i) * time.Second)
					if i > 0 && i%3 == 0 {
						time.Sleep(30 * time.Second)
					}
					if err := b.Store(t.Context(), objects(s)); err != nil {
						t.Errorf("segment %d: %v", i, err)
					}
				})
			}
		}
		all.Wait()
		b.holds(chain...)
		if n := b.puts("segments/"); n != len(chain) {
			t.Errorf("%d uploads of %d segments", n, len(chain))
		}
	})
}

// Whoever waits for one that is under way waits on for those between.
func TestStoreWaitsForEarlierOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newVersioned(t, nil)
		b.store.SetDelay(time.Minute)
		chain := ledgertest.Chain(t, b.signer, 3, 2, 4)
		var all sync.WaitGroup
		for i, after := range []time.Duration{2 * time.Minute, 5 * time.Minute, 0} {
			all.Go(func() {
				time.Sleep(after + time.Second)
				if err := b.Store(t.Context(), objects(chain[i])); err != nil {
					t.Errorf("segment %d: %v", i, err)
				}
			})
		}
		all.Wait()
		b.holds(chain...)
		if b.sums("worm_objects", "kind")["segment"] != 3 {
			t.Error("a segment was uploaded again")
		}
	})
}

func TestStoreIsAsStrict(t *testing.T) {
	f := newFork(t)
	b := newBench(t, nil)
	var lags *PredecessorError
	if err := b.Store(t.Context(), objects(f.b)); !errors.As(err, &lags) || errors.Is(err, delivery.ErrPending) {
		t.Errorf("without the one before: %v", err)
	}
	for _, s := range []ledgertest.Segment{f.a, f.b, f.c} {
		if err := b.Store(t.Context(), objects(s)); err != nil {
			t.Fatal(err)
		}
	}
	wantFork(t, b.Store(t.Context(), objects(f.x)))
	o := objects(f.x)
	o.Segment = append(bytes.Clone(o.Segment), 0)
	wantAltered(t, b.Store(t.Context(), o))
	o.Segment = nil
	wantAltered(t, b.Store(t.Context(), o))
	o.Seal = o.Seal[1:]
	wantAltered(t, b.StoreExpired(t.Context(), o))
	if err := b.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.Store(t.Context(), objects(f.x)); !errors.Is(err, errStopped) {
		t.Errorf("after shutdown: %v", err)
	}
}

// Only who says so stores a seal without its segment.
func TestStoreExpired(t *testing.T) {
	b := newBench(t, nil)
	chain := ledgertest.Chain(t, b.signer, 65536, 2)
	o := objects(chain[0])
	o.Segment = nil
	wantAltered(t, b.send(o.Logs()))
	if err := b.StoreExpired(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if err := b.Store(t.Context(), objects(chain[1])); err != nil {
		t.Fatal(err)
	}
	want := slices.DeleteFunc(objectsOf(chain...), func(name string) bool { return name == "test/"+chain[0].Seal.SegmentName() })
	if got := b.names(); !slices.Equal(got, want) {
		t.Errorf("the store holds %q, want %q", got, want)
	}
}

// What was lost from a store comes back, where its seal stayed.
func TestStoreRepairs(t *testing.T) {
	b := newVersioned(t, nil)
	chain := ledgertest.Chain(t, b.signer, 65536, 2)
	b.must(chain...)
	b.mem.Erase("test/" + chain[0].Seal.SegmentName())
	b.mem.Erase("test/tiles/1/00000000000000000000.tile")
	b = newVersioned(t, b.mem)
	for _, s := range chain {
		if err := b.Store(t.Context(), objects(s)); err != nil {
			t.Fatal(err)
		}
	}
	b.holds(chain...)
	if n := b.puts(""); n != 2 {
		t.Errorf("%d uploads for two lost objects", n)
	}
}

func TestFaultsOfStore(t *testing.T) {
	chain := ledgertest.Chain(t, ledgertest.Signer(t, origin), 3, 5)
	for n := range 12 {
		for _, applied := range []bool{false, true} {
			b := newVersioned(t, nil, keepYears(7))
			b.store.Inject(storetest.Fault{N: n + 1, Applied: applied})
			for _, s := range chain {
				err := b.Store(t.Context(), objects(s))
				if err != nil && (!errors.Is(err, store.ErrUnavailable) || errors.Is(err, delivery.ErrPending)) {
					t.Fatalf("call %d: %v", n+1, err)
				}
				if err != nil {
					err = b.Store(t.Context(), objects(s))
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			b.holds(chain...)
			b.retained(policyOf(7), chain...)
		}
	}
}
