package sealer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/otelcol-custody/custody/internal/delivery"
)

// faultyStore fails the n-th request of one kind, and perhaps all later ones.
type faultyStore struct {
	*memStore
	step  string
	n     int
	fault storeFault
	seen  int // guarded by memStore.mu
}

type storeFault struct {
	applied, untilRestart bool
	hangs                 bool // until its context ends
}

// storeKinds are the kinds of faultKinds that a store has, and a request that
// hangs.
var storeKinds = []struct {
	name  string
	fault storeFault
}{
	{"error", storeFault{}},
	{"applied", storeFault{applied: true}},
	{"error+", storeFault{untilRestart: true}},
	{"applied+", storeFault{applied: true, untilRestart: true}},
	{"hangs", storeFault{hangs: true}},
	{"hangs/applied", storeFault{hangs: true, applied: true}},
}

var errStore = errors.New("the store failed")

// ask makes a request, or what the fault makes of it.
func (f *faultyStore) ask(ctx context.Context, step string, do func() (int, int, error)) (int, int, error) {
	f.mu.Lock()
	if step == f.step {
		f.seen++
	}
	hit := step == f.step && (f.seen == f.n || f.fault.untilRestart && f.seen > f.n)
	f.mu.Unlock()
	if !hit || f.fault.applied {
		given, asked, err := do()
		if !hit || err != nil {
			return given, asked, err
		}
	}
	if f.fault.hangs {
		<-ctx.Done()
		return 0, 1, ctx.Err()
	}
	return 0, 1, errStore
}

func (f *faultyStore) hit() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen >= f.n
}

func (f *faultyStore) Deliver(ctx context.Context, o *delivery.Objects) (int, int, error) {
	return f.ask(ctx, "deliver", func() (int, int, error) { return f.memStore.Deliver(ctx, o) })
}

func (f *faultyStore) Probe(ctx context.Context, p *delivery.Probe) (int, int, error) {
	return f.ask(ctx, "probe", func() (int, int, error) { return f.memStore.Probe(ctx, p) })
}

func (f *faultyStore) Checkpoint(ctx context.Context, note []byte) error {
	_, _, err := f.ask(ctx, "show", func() (int, int, error) { return 1, 1, f.memStore.Checkpoint(ctx, note) })
	return err
}

// faultsOfStore lets every request to the store fail.
func faultsOfStore(t *testing.T, tab table) (faults []string) {
	for _, step := range []string{"probe", "deliver", "show"} {
		n := 0
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, 0)
			f := &faultyStore{memStore: w.store, step: step, n: 1 << 30}
			w.down = f
			w.run(0)
			n = f.seen
		})
		if testing.Short() {
			n = min(n, 1)
		}
		for n := range n {
			for _, kind := range storeKinds {
				for i := range ends {
					synctest.Test(t, func(t *testing.T) {
						if bad := storeCase(t, tab, step, n+1, i, kind.name, kind.fault); bad != "" {
							faults = append(faults, bad)
						}
					})
				}
			}
		}
	}
	return faults
}

func storeCase(t *testing.T, tab table, step string, n, i int, kind string, fault storeFault) string {
	r := &recorder{TB: t}
	w := newWorld(r, uint64(n*100+i))
	f := &faultyStore{memStore: w.store, step: step, n: n, fault: fault}
	w.down = f
	if ends[i].killed {
		w.until = f.hit
	}
	w.run(0)
	if !ends[i].killed && !fault.untilRestart && !fault.hangs {
		w.delivered()
	}
	if !f.hit() {
		return "" // Goroutines took turns otherwise.
	}
	w.until, w.down = nil, w.store
	w.fs = ends[i].end(w)
	w.finish()
	tab.add(stepName(step), kind, len(r.faults) == 0)
	if len(r.faults) == 0 {
		return ""
	}
	return fmt.Sprintf("%s, request %d: %s; %s:\n  %s", step, n, kind, ends[i].name, strings.Join(slices.Compact(r.faults), "\n  "))
}
