package logstore

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

func TestNoLog(t *testing.T) {
	for name, s := range stores(t) {
		other := ledgertest.NewLog("tes", signer(t))
		fill(t, s, other.Add(t, 3))
		for _, junk := range []string{"", "x"} {
			if junk != "" {
				plant(t, s, sealAt(0, 0), []byte(junk))
			}
			b := newBench(t, s)
			if h, err := b.Head(t.Context()); h != nil || !errors.Is(err, ErrNoLog) {
				t.Errorf("%s: %v, %v", name, h, err)
			}
			if junk != "" && len(b.told) != 1 {
				t.Errorf("%s: told %v", name, b.told)
			}
			if got, err := b.walk(nil); err != nil || len(got) != 0 {
				t.Errorf("%s: %d seals, %v", name, len(got), err)
			}
		}
	}
}

// squatted is a store whose listing has more names than seals.
func squatted(t *testing.T, chain []ledgertest.Segment, names func(yield func(uint64))) *storetest.Faulty {
	m := memory(t, chain...)
	names(func(first uint64) {
		if name := sealAt(first, 0); !strings.HasSuffix(name, "/"+chain[len(chain)-1].Seal.Name()) {
			m.Shadow(name, junk(first))
		}
	})
	s := storetest.NewFaulty(t, m)
	s.AllowConflicts()
	return s
}

func (b *bench) headCost(s *storetest.Faulty, want ledgertest.Segment) (lists, gets int) {
	b.t.Helper()
	h, err := b.Head(b.t.Context())
	if err != nil || !h.Seal.Same(want.Seal) {
		b.t.Fatalf("head: %v, %v", h, err)
	}
	for _, c := range s.Calls() {
		switch c.Method {
		case storetest.List:
			lists++
		case storetest.Get:
			gets++
		}
	}
	return lists, gets
}

func TestHeadOfASmallLog(t *testing.T) {
	chain := ledgertest.Chain(t, signer(t), 3, 2, 4)
	s := storetest.NewFaulty(t, memory(t, chain...))
	if lists, gets := newBench(t, s).headCost(s, chain[2]); lists != 1 || gets != 3 {
		t.Errorf("%d listings and %d reads", lists, gets)
	}
}

// With as many seals as records, 100,000, it takes two and 2 × log2(100) listings.
func TestHeadOfALargeLog(t *testing.T) {
	chain := ledgertest.Chain(t, signer(t), 100_000, 3)
	s := squatted(t, chain, func(yield func(uint64)) {
		for first := range uint64(100_000) {
			if first > 0 {
				yield(first)
			}
		}
	})
	if lists, gets := newBench(t, s).headCost(s, chain[1]); lists > 16 || gets != 3 {
		t.Errorf("%d listings and %d reads", lists, gets)
	}
}

// Squatters ahead, few or many, near or far, neither fool nor stall it.
func TestHeadBeforeSquatters(t *testing.T) {
	chain := ledgertest.Chain(t, signer(t), 3, 2, 4, 1, 1)
	for name, c := range map[string]struct {
		from, step uint64
		count      int
		most       int
	}{
		"one far ahead":     {1 << 62, 1, 1, 8},
		"few":               {100, 1 << 40, 7, 20},
		"many near":         {12, 1, 3000, 400},
		"many far":          {1 << 40, 1 << 30, 3000, 900},
		"at the very end":   {11, 1, 1, 8},
		"the largest names": {1<<63 - 101, 1, 100, 900},
	} {
		t.Run(name, func(t *testing.T) {
			s := squatted(t, chain, func(yield func(uint64)) {
				for i := range c.count {
					yield(c.from + uint64(i)*c.step)
				}
			})
			lists, gets := newBench(t, s).headCost(s, chain[4])
			if lists+gets > c.most {
				t.Errorf("%d listings and %d reads, want at most %d", lists, gets, c.most)
			}
		})
	}
}

func TestHeadOfManySeals(t *testing.T) {
	counts := make([]int, 2500)
	for i := range counts {
		counts[i] = 1
	}
	chain := ledgertest.Chain(t, signer(t), counts...)
	for _, n := range []int{998, 999, 1000, 1001, 1999, 2000, 2500} {
		s := storetest.NewFaulty(t, memory(t, chain[:n]...))
		newBench(t, s).headCost(s, chain[n-1])
	}
	s := storetest.NewFaulty(t, memory(t, chain...))
	for i := range uint64(40) { // More than are looked at, and a lone one.
		plant(t, s, sealAt(5000+i, 0), []byte("x"))
	}
	plant(t, s, sealAt(1<<60, 0), []byte("x"))
	newBench(t, s).headCost(s, chain[2499])
	got, err := newBench(t, memory(t, chain...)).walk(nil)
	if err != nil {
		t.Fatal(err)
	}
	is(t, got, chain...)
}

func TestFaultsOfHead(t *testing.T) {
	chain := ledgertest.Chain(t, signer(t), 3, 2, 4)
	mem := memory(t, chain...)
	mem.Shadow(sealAt(77, 0), []byte("x"))
	for n := 1; ; n++ {
		s := storetest.NewFaulty(t, mem)
		s.Inject(storetest.Fault{N: n})
		h, err := newBench(t, s).Head(t.Context())
		if err == nil {
			if !h.Seal.Same(chain[2].Seal) || n < 4 {
				t.Errorf("after %d calls: %v", n, h)
			}
			return
		}
		if !errors.Is(err, store.ErrUnavailable) || errors.Is(err, ErrNoLog) {
			t.Fatalf("call %d: %v", n, err)
		}
	}
}

func TestLogs(t *testing.T) {
	for name, s := range stores(t) {
		t.Run(name, func(t *testing.T) {
			for _, log := range []string{"b", "a", "a-b", "a.c", "c"} {
				fill(t, s, ledgertest.NewLog(log, signer(t)).Add(t, 2))
			}
			for i := range 2500 {
				plant(t, s, fmt.Sprintf("b/seals/%020d.seal", 10+i), fmt.Append(nil, i))
			}
			plant(t, s, "a0", []byte("x"))
			plant(t, s, "README", []byte("y"))
			plant(t, s, "UPPER/seals/x", []byte("z"))
			logs, err := Logs(t.Context(), s)
			if got := strings.Join(logs, " "); err != nil || got != "a a-b a.c b c" {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	m := memory(t, ledgertest.Chain(t, signer(t), 2)...)
	m.Hide(sealAt(0, 0))
	m.Erase("test/" + ledgertest.Chain(t, signer(t), 2)[0].Seal.SegmentName())
	if logs, err := Logs(t.Context(), m); err != nil || len(logs) != 1 {
		t.Errorf("a delete marker hides a log: %v, %v", logs, err)
	}
	s := storetest.NewFaulty(t, m)
	s.SetDown(true)
	if _, err := Logs(t.Context(), s); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}
