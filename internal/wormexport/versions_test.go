package wormexport

import (
	"maps"
	"testing"
	"testing/synctest"

	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

// The fault table again, on a store with versions that retains: in the end every
// object is there once and retained as it should be.
func TestFaultsWithVersions(t *testing.T) {
	chain := ledgertest.Chain(t, ledgertest.Signer(t, origin), 3, 5, 2)
	hit := 0
	for n := range 16 {
		for _, fault := range []storetest.Fault{{}, {Applied: true}, {UntilHeal: true}, {Applied: true, UntilHeal: true}} {
			fault.N = n + 1
			for _, warm := range []bool{true, false} {
				synctest.Test(t, func(t *testing.T) {
					b := newVersioned(t, nil, keepYears(7))
					b.must(chain[0])
					if !warm {
						b = newVersioned(t, b.mem, keepYears(7))
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
					b.retained(policyOf(7), chain...)
				})
			}
		}
	}
	if hit < 64 {
		t.Errorf("only %d faults showed", hit)
	}
}

// What anybody can lay over a seal or segment changes nothing, in a process that
// knows the log and in the next one.
func TestHiddenObjects(t *testing.T) {
	f := newFork(t)
	hide := map[string]func(m *storetest.Memory, name string){
		"shadow": func(m *storetest.Memory, name string) { m.Shadow(name, []byte("x")) },
		"marker": func(m *storetest.Memory, name string) { m.Hide(name) },
		"both":   func(m *storetest.Memory, name string) { m.Shadow(name, []byte("x")); m.Hide(name) },
		"copy":   func(m *storetest.Memory, name string) { m.Shadow(name, cosigned(f.b.Seal.Bytes())) },
	}
	for name, do := range hide {
		for _, warm := range []bool{true, false} {
			for _, what := range []string{f.b.Seal.Name(), f.b.Seal.SegmentName()} {
				b := newVersioned(t, nil, keepYears(7))
				b.must(f.a, f.b)
				do(b.mem, "test/"+what)
				if !warm {
					b = newVersioned(t, b.mem, keepYears(7))
				}
				if err := b.probe(f.b); err != nil {
					t.Errorf("%s over %s: probe: %v", name, what, err)
				}
				wantFork(t, b.probeGenesis("test"))
				b.must(f.b, f.a, f.c)
				if fork := wantFork(t, newVersioned(t, b.mem).deliver(f.x)); fork.Theirs != string(f.c.Seal.After().Note()) {
					t.Errorf("%s over %s: found %+v", name, what, fork)
				}
				if n := b.puts("seals/00000000000000000003"); !warm && n != 0 {
					t.Errorf("%s over %s: the seal was written %d times more", name, what, n)
				}
			}
		}
	}
}

// The only seal is hidden: genesis is fenced all the same.
func TestHiddenSealFencesGenesis(t *testing.T) {
	f := newFork(t)
	b := newVersioned(t, nil)
	b.must(f.a)
	b.mem.Hide("test/" + f.a.Seal.Name())
	cold := newVersioned(t, b.mem)
	wantFork(t, cold.probeGenesis("test"))
	wantFork(t, cold.deliver(ledgertest.Chain(t, b.signer, 9)[0]))
	if got := cold.sums("worm_notices", "reason")[string(logstore.Marker)]; got == 0 {
		t.Error("nobody was told of the marker")
	}
	// Without versions there is nothing to be seen, and nothing to be done.
	if err := newBench(t, b.mem).probeGenesis("test"); err != nil {
		t.Error(err)
	}
}

// A marker removed between two looks leaves a second seal at one place.
func TestSealWrittenOverAMarker(t *testing.T) {
	f := newFork(t)
	b := newVersioned(t, nil)
	b.must(f.a, f.b)
	plant(t, b.mem, "test/"+f.x.Seal.Name(), f.x.Seal.Bytes())
	b.mem.Hide("test/" + f.x.Seal.Name())
	// The head is known, so the first request for the place is the write.
	fork := wantFork(t, b.deliver(f.c))
	if fork.Theirs != string(f.x.Seal.After().Note()) {
		t.Errorf("found %+v", fork)
	}
}

// What a segment and a start cost, in requests.
func TestRequests(t *testing.T) {
	const (
		put   = storetest.Put
		get   = storetest.Get
		list  = storetest.List
		vs    = storetest.Versions
		lv    = storetest.ListVersions
		gv    = storetest.GetVersion
		check = storetest.CheckLock
	)
	type cost = map[storetest.Method]int
	chain := ledgertest.Chain(t, ledgertest.Signer(t, origin), 3, 2, 2, 2)
	for name, c := range map[string]struct {
		open                        func(*testing.T, *storetest.Memory, ...func(*Settings)) *bench
		change                      []func(*Settings)
		start, probe, first, steady cost
	}{
		"without versions": {newBench, nil, cost{}, cost{list: 1, get: 1}, cost{get: 2, put: 2}, cost{put: 2}},
		"with versions":    {newVersioned, nil, cost{}, cost{lv: 1, gv: 1}, cost{lv: 1, put: 2, vs: 1}, cost{put: 2, vs: 1}},
		"with retention": {newVersioned, []func(*Settings){keepYears(7)}, cost{check: 1}, cost{lv: 1, gv: 1},
			cost{lv: 1, put: 2, vs: 1}, cost{put: 2, vs: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			b := c.open(t, nil, c.change...)
			b.must(chain[0])
			b = c.open(t, b.mem, c.change...)
			costs := func(what string, want cost, do func() error) {
				t.Helper()
				since := len(b.store.Calls())
				if err := do(); err != nil {
					t.Fatal(err)
				}
				if got := b.requests(since); !maps.Equal(got, want) {
					t.Errorf("%s took %v, want %v", what, got, want)
				}
			}
			if got := b.requests(0); !maps.Equal(got, c.start) {
				t.Errorf("the start took %v, want %v", got, c.start)
			}
			costs("the probe", c.probe, func() error { return b.probe(chain[0]) })
			costs("the first segment", c.first, func() error { return b.deliver(chain[1]) })
			costs("the second", c.steady, func() error { return b.deliver(chain[2]) })
			costs("the third", c.steady, func() error { return b.deliver(chain[3]) })
			costs("a redelivery", cost{}, func() error { return b.deliver(chain[3]) })
		})
	}
}

var _ store.Versioned = (*storetest.FaultyVersioned)(nil)
