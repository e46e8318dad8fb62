package wormexport

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

// Every call of the store fails once or until it heals, applied or not, warm or
// after a restart: the answer is pending, and redelivery ends with the very
// segments.
func TestFaults(t *testing.T) {
	chain := ledgertest.Chain(t, ledgertest.Signer(t, origin), 3, 5, 2)
	var table []storetest.Fault
	for n := range 14 {
		for _, f := range []storetest.Fault{{}, {Applied: true}, {UntilHeal: true}, {Applied: true, UntilHeal: true}} {
			f.N = n + 1
			table = append(table, f)
		}
	}
	hit := 0
	for _, fault := range table {
		for _, warm := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, nil)
				b.must(chain[0])
				if !warm {
					b = newBench(t, b.mem)
				}
				b.store.Inject(fault)
				for _, s := range chain[1:] {
					if err := b.deliver(s); err != nil {
						hit++
						wantPending(t, err)
					}
				}
				b.store.Heal()
				b.rest()
				b.must(chain...)
				b.holds(chain...)
			})
		}
	}
	if hit < len(table) {
		t.Errorf("only %d faults showed", hit)
	}
}

func TestErrorsAreTold(t *testing.T) {
	chain := ledgertest.Chain(t, ledgertest.Signer(t, origin), 2, 2)
	for _, c := range []struct {
		err    error
		reason string
	}{
		{fmt.Errorf("%w: no space", store.ErrFull), "full"},
		{fmt.Errorf("%w: no route", store.ErrUnavailable), "unavailable"},
		{fmt.Errorf("open: %w", fs.ErrPermission), "permission"},
		{fmt.Errorf("%w: too short", store.ErrRetention), "retention"},
		{errors.New("odd"), "other"},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, nil)
			b.store.Inject(storetest.Fault{Method: storetest.Put, UntilHeal: true, Err: c.err})
			err := b.deliver(chain[0])
			wantPending(t, err)
			if !errors.Is(err, c.err) || !strings.HasPrefix(err.Error(), "store memory://test: not stored yet: ") {
				t.Errorf("got %v", err)
			}
			if got := failure(err); got != c.reason {
				t.Errorf("counted as %q, want %q", got, c.reason)
			}
			// Known to be away: answered without asking it.
			calls := len(b.store.Calls())
			if err := b.deliver(chain[0]); !errors.Is(err, c.err) || len(b.store.Calls()) != calls {
				t.Errorf("got %v after %d calls more", err, len(b.store.Calls())-calls)
			}
			b.store.Heal()
			b.rest()
			b.must(chain...)
			want := []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK}
			if got := b.host.statuses(); !slices.Equal(got, want) {
				t.Errorf("reported %v, want %v", got, want)
			}
		})
	}
}

func TestRestGrowsToItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		s := ledgertest.Chain(t, b.signer, 2)[0]
		b.store.SetDown(true)
		for end := time.Now().Add(10 * time.Minute); time.Now().Before(end); time.Sleep(shortestRest / 10) {
			wantPending(t, b.deliver(s))
		}
		if n := len(b.store.Calls()); n < 60 || n > 80 {
			t.Errorf("a store that was away for 10 minutes was asked %d times", n)
		}
	})
}

// A store that hangs: the caller gets its answer in time, later ones nearly at
// once until it works again, and the worker goes on.
func TestSlowStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		chain := ledgertest.Chain(t, b.signer, 3, 2, 4)
		b.store.Hang(true)
		for _, want := range []time.Duration{DefaultTimeout, hurry, hurry} {
			began := time.Now()
			wantPending(t, b.deliver(chain[0]))
			if took := time.Since(began); took != want {
				t.Errorf("answered after %v, want %v", took, want)
			}
		}
		wantPending(t, b.deliver(chain[1]))
		wantPending(t, b.deliver(chain[2]))
		b.store.Hang(false)
		synctest.Wait()
		b.holds(chain...) // All by the workers, in order.
		before := len(b.store.Calls())
		b.must(chain...)
		if n := len(b.store.Calls()) - before; n != 0 {
			t.Errorf("%d calls for what was stored", n)
		}
		b.store.SetDelay(DefaultTimeout / 5)
		b.must(ledgertest.NewLog("other", b.signer).Add(t, 1)) // Waited for again.
	})
}

// The caller's own deadline comes first.
func TestCallersDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.store.Hang(true)
		ctx, cancel := context.WithTimeout(t.Context(), DefaultTimeout/2)
		defer cancel()
		began := time.Now()
		err := b.ConsumeLogs(ctx, objects(ledgertest.Chain(t, b.signer, 2)[0]).Logs())
		wantPending(t, err)
		if took := time.Since(began); took != DefaultTimeout/2 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("answered after %v: %v", took, err)
		}
	})
}

func TestWorkersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil, func(s *Settings) { s.Workers = 2 })
		chain := ledgertest.Chain(t, b.signer, 1, 1, 1, 1)
		b.store.Hang(true)
		wantPending(t, b.deliver(chain[0]))
		wantPending(t, b.deliver(chain[1]))
		began := time.Now()
		if err := b.deliver(chain[2]); !errors.Is(err, errBusy) || !errors.Is(err, delivery.ErrPending) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("answered after %v", took)
		}
		b.store.Hang(false)
		synctest.Wait()
		b.must(chain...)
		b.holds(chain...)
	})
}

// A probe that takes longer than the timeout is answered when it is asked again,
// and asked anew when nobody came.
func TestSlowProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.must(ledgertest.Chain(t, b.signer, 2)...)
		b.store.Hang(true)
		wantPending(t, b.probeGenesis("test"))
		b.store.Hang(false)
		synctest.Wait()
		calls := len(b.store.Calls())
		wantFork(t, b.probeGenesis("test"))
		if n := len(b.store.Calls()) - calls; n != 0 {
			t.Errorf("the answer was there and %d calls were made", n)
		}
		wantFork(t, b.probeGenesis("test"))
		if len(b.store.Calls()) == calls {
			t.Error("an answer was given twice")
		}
		b.store.Hang(true)
		wantPending(t, b.probeGenesis("other"))
		b.store.Hang(false)
		time.Sleep(2 * unclaimedFor)
		calls = len(b.store.Calls())
		if err := b.probeGenesis("other"); err != nil || len(b.store.Calls()) == calls {
			t.Errorf("got %v, %d calls", err, len(b.store.Calls())-calls)
		}
	})
}

// A writer that goes on while its probe is slow does not accuse itself; one that
// delivered more before it asked does.
func TestWriterGoesOnDuringItsProbe(t *testing.T) {
	for _, genesis := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, nil)
			chain := ledgertest.Chain(t, b.signer, 3, 2, 4)
			ask, next := func() error { return b.probeGenesis("test") }, chain
			if !genesis {
				b.must(chain[0])
				ask, next = func() error { return b.probe(chain[0]) }, chain[1:]
			}
			b.store.Inject(storetest.Fault{Method: storetest.List, UntilHeal: true, Err: store.ErrUnavailable})
			wantPending(t, ask())
			b.store.Heal()
			b.rest()
			b.store.SetDelay(5 * time.Second)
			wantPending(t, ask())
			b.store.SetDelay(0)
			b.must(next...)
			time.Sleep(10 * time.Second)
			if err := ask(); err != nil {
				t.Errorf("genesis %v: %v", genesis, err)
			}
			wantFork(t, ask())
		})
	}
}

func TestRecentForgetsTheOldest(t *testing.T) {
	r := newRecent[int](3)
	for i := range 5 {
		r.add(i)
		r.add(i)
	}
	for i, want := range []bool{false, false, true, true, true} {
		if r.has(i) != want {
			t.Errorf("has(%d) is %v", i, !want)
		}
	}
}

func TestHeadsAreBounded(t *testing.T) {
	b := newBench(t, nil)
	var first *ledgertest.Log
	for i := range rememberedHeads + 1 {
		l := ledgertest.NewLog(fmt.Sprintf("log-%d", i), b.signer)
		b.must(l.Add(t, 2))
		if i == 0 {
			first = l
		}
	}
	if n := len(b.memory.heads); n != rememberedHeads {
		t.Errorf("%d heads are remembered", n)
	}
	b.must(first.Add(t, 2)) // Read again from the store.
}

func TestProbeOfAStoreThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		s := ledgertest.Chain(t, b.signer, 2)[0]
		b.store.SetDown(true)
		wantPending(t, b.probe(s))
		wantPending(t, b.probeGenesis("test"))
		b.store.Heal()
		b.rest()
		if err := b.probe(s); err != nil {
			t.Error(err)
		}
	})
}

func TestShutdownWaitsForWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		s := ledgertest.Chain(t, b.signer, 2)[0]
		b.store.SetDelay(shutdownGrace / 5)
		b.set.Timeout = time.Millisecond
		wantPending(t, b.deliver(s))
		began := time.Now()
		if err := b.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > shutdownGrace {
			t.Errorf("shutdown took %v", took)
		}
		b.holds(s)
		if err := b.deliver(ledgertest.Chain(t, b.signer, 2, 2)[1]); !errors.Is(err, errStopped) || !errors.Is(err, delivery.ErrPending) {
			t.Errorf("after shutdown: %v", err)
		}
		if err := b.deliver(s); err != nil {
			t.Errorf("what is stored stays so: %v", err)
		}
	})
}

func TestShutdownEndsWhatHangs(t *testing.T) {
	for _, limit := range []time.Duration{time.Second, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, nil)
			b.store.Hang(true)
			wantPending(t, b.deliver(ledgertest.Chain(t, b.signer, 2)[0]))
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			began := time.Now()
			if err := b.Shutdown(ctx); err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took != min(limit, shutdownGrace) {
				t.Errorf("shutdown took %v with a limit of %v", took, limit)
			}
		})
	}
}

// A store that is away at start is opened later; one that does not do refuses.
func TestOpening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := true
		mem := storetest.NewMemory("test")
		b := newBench(t, mem, func(s *Settings) {
			s.Open = func(context.Context) (store.Store, error) {
				if away {
					return nil, fmt.Errorf("%w: disk not mounted", store.ErrUnavailable)
				}
				return mem, nil
			}
		})
		s := ledgertest.Chain(t, b.signer, 2)[0]
		if err := b.deliver(s); !errors.Is(err, store.ErrUnavailable) || !errors.Is(err, delivery.ErrPending) {
			t.Fatalf("got %v", err)
		}
		away = false
		b.rest()
		b.must(s)
	})
	e, err := New(Settings{
		Telemetry: componenttest.NewNopTelemetrySettings(), ID: "x", Keys: ledgertest.Keys(t, ledgertest.Signer(t, origin)),
		Open: func(context.Context) (store.Store, error) { return nil, store.ErrUnfit },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context(), &statusHost{}); !errors.Is(err, store.ErrUnfit) {
		t.Errorf("got %v", err)
	}
	if err := e.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestShutdownWithoutStart(t *testing.T) {
	b := newBench(t, nil)
	e, err := New(b.set)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}
