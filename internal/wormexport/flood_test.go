package wormexport

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store/storetest"
)

// junk is no seal, and has the size of one.
func junk(n int) []byte { return fmt.Append(make([]byte, 1000), n) }

// patient waits for the answer on the slowest machine.
func patient(s *Settings) { s.Timeout = time.Minute }

func wantObstructed(t *testing.T, err error, name string) {
	t.Helper()
	wantPending(t, err)
	var o *ObstructedError
	if !errors.As(err, &o) || o.Name != name || !strings.Contains(err.Error(), "flooded: 1025 versions") {
		t.Fatalf("got %v, want it obstructed at %s", err, name)
	}
}

// Up to the limit of what is read junk costs time, and not much; beyond it the
// seal waits. Neither is a fork, and a fork among it is one.
func TestJunkAtTheNextSeal(t *testing.T) {
	f := newFork(t)
	next := "test/" + f.c.Seal.Name()
	synctest.Test(t, func(t *testing.T) {
		b := newVersioned(t, nil, patient)
		b.must(f.a, f.b)
		for i := range logstore.MaxVersions - 1 {
			b.mem.Shadow(next, junk(i))
		}
		b.store.SetDelay(10 * time.Millisecond)
		began := time.Now()
		b.must(f.c)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("stored after %v", took)
		}
		wantFork(t, newVersioned(t, b.mem, patient).deliver(f.x))
	})
	for _, warm := range []bool{true, false} {
		b := newVersioned(t, nil, patient)
		b.must(f.a, f.b)
		for i := range logstore.MaxVersions + 1 {
			b.mem.Shadow(next, junk(i))
		}
		if !warm {
			b = newVersioned(t, b.mem, patient)
		}
		wantObstructed(t, b.deliver(f.c), next)
		wantObstructed(t, b.probe(f.b), next)
		b.mem.Erase(next)
		b.rest()
		b.must(f.c)
	}
}

func squat(t *testing.T, m *storetest.Memory, from, count int) {
	t.Helper()
	for i := range count {
		plant(t, m, fmt.Sprintf("test/seals/%020d.seal", from+i), junk(i))
	}
}

// Squatters behind the head cost a probe a bounded number of requests, and a fork
// among and behind them is found.
func TestProbeAmongSquatters(t *testing.T) {
	l := ledgertest.NewLog("test", ledgertest.Signer(t, origin))
	a := l.Add(t, 3)
	other := l.Branch("other")
	near, late := other.Add(t, 4), other.Add(t, 6000, 1)
	b := l.Add(t, 2)
	const most = maxStrange + 1200
	for name, c := range map[string]struct {
		from, count int
		fork        *ledgertest.Segment
	}{
		"none":                 {5, 3000, nil},
		"far":                  {1 << 40, 3000, nil},
		"behind":               {8, 3000, &late},
		"behind few":           {8, maxStrange - 1, &late},
		"before the squatters": {8, 3000, &near},
	} {
		t.Run(name, func(t *testing.T) {
			e := newVersioned(t, nil, patient)
			e.must(a, b)
			squat(t, e.mem, c.from, c.count)
			if c.fork != nil {
				e.mem.Erase("test/" + c.fork.Seal.Name())
				plant(t, e.mem, "test/"+c.fork.Seal.Name(), c.fork.Seal.Bytes())
			}
			e = newVersioned(t, e.mem, patient)
			err := e.probe(b)
			if n := len(e.store.Calls()); n > most {
				t.Errorf("%d requests", n)
			}
			if c.fork == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if fork := wantFork(t, err); fork.Theirs != string(c.fork.Seal.After().Note()) {
				t.Errorf("found %+v", fork)
			}
			e.mem.Erase("test/" + a.Seal.Name())
			if c.fork != &near { // Which has its name.
				e.mem.Erase("test/" + b.Seal.Name())
			}
			wantFork(t, newVersioned(t, e.mem, patient).probeGenesis("test"))
		})
	}
}

// What continues the head is found by its position, behind any number of
// squatters beside it, also when it was written before them.
func TestProbeFindsWhatContinues(t *testing.T) {
	f := newFork(t)
	for _, s := range []ledgertest.Segment{f.c, f.x} {
		b := newVersioned(t, nil, patient)
		b.must(f.a, f.b, s)
		squat(t, b.mem, 10, 1000)
		wantFork(t, newVersioned(t, b.mem, patient).probe(f.b))
		wantFork(t, newVersioned(t, b.mem, patient).probeGenesis("test"))
	}
	l := ledgertest.NewLog("test", ledgertest.Signer(t, origin))
	a, b, c := l.Add(t, 300), l.Add(t, 300), l.Add(t, 300)
	e := newVersioned(t, nil, patient)
	e.must(a, b, c)
	squat(t, e.mem, 1, 299) // Between the head's place and its end.
	wantFork(t, newVersioned(t, e.mem, patient).probe(a))
	squat(t, e.mem, 901, 1000)
	if err := newVersioned(t, e.mem, patient).probe(c); err != nil {
		t.Error(err)
	}
}
