package integrity

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Spans are held against a plain array of times.
func TestSpans(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		var s spans
		model := make([]int64, 60)
		end := uint64(0)
		for now := int64(1); now < 40; now++ {
			from := rng.Uint64N(50)
			to := from + 1 + rng.Uint64N(10)
			s = s.set(from, to, time.Unix(now, 0))
			for i := from; i < to; i++ {
				model[i] = now
			}
			end = max(end, to)
			begin, oldest := uint64(0), now
			for _, o := range s {
				for i := begin; i < o.End; i++ {
					if model[i] != o.At {
						t.Fatalf("%d was read at %d, not at %d", i, model[i], o.At)
					}
				}
				begin, oldest = o.End, min(oldest, o.At)
			}
			if begin != end {
				t.Fatalf("spans end at %d, not at %d", begin, end)
			}
			if got := s.oldest(); got.IsZero() != (oldest == 0) || oldest > 0 && got.Unix() != oldest {
				t.Fatalf("oldest is %v, not %d", got, oldest)
			}
		}
	}
}

// Few spans are kept, none of which claims a later reading than there was.
func TestSpansAreBounded(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	var s spans
	model := make([]int64, 10_000)
	for now := int64(1); now < 5000; now++ {
		from := rng.Uint64N(9990)
		s = s.set(from, from+10, time.Unix(now, 0))
		for i := from; i < from+10; i++ {
			model[i] = now
		}
	}
	begin := uint64(0)
	for _, o := range s {
		for i := begin; i < o.End; i++ {
			if o.At > model[i] {
				t.Fatalf("%d was read at %d, not at %d", i, model[i], o.At)
			}
		}
		begin = o.End
	}
	if len(s) > maxSpans {
		t.Errorf("%d spans", len(s))
	}
}

// The limit holds over time, and who is urgent is served first.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(1000)
		began := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		var slow, fast atomic.Int64
		for range 3 {
			go func() {
				for p.pay(ctx, 100, false) == nil {
					slow.Add(100)
				}
			}()
		}
		time.Sleep(100 * time.Second)
		synctest.Wait()
		if n := slow.Load(); n < 90_000 || n > 101_000 {
			t.Errorf("%d bytes in %v", n, time.Since(began))
		}
		before := slow.Load()
		for range 2 {
			go func() {
				for p.pay(ctx, 100, true) == nil {
					fast.Add(100)
				}
			}()
		}
		time.Sleep(100 * time.Second)
		synctest.Wait()
		if n, m := fast.Load(), slow.Load()-before; n < 60_000 || m > n/2 || n+m > 101_000 {
			t.Errorf("urgent %d, patient %d", n, m)
		}
		cancel()
		synctest.Wait()
	})
}
