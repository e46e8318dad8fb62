package outage

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/internal/sealer"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

// chance is a source of moods that many goroutines ask.
type chance struct {
	mu  sync.Mutex
	rng *rand.Rand
}

func newChance(seed uint64) *chance { return &chance{rng: rand.New(rand.NewPCG(seed, 11))} }

func (c *chance) n(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rng.IntN(n)
}

// sometimes has an answer for one in n calls of a method, "" is any.
func (c *chance) sometimes(n int, of storetest.Method, a answer) mood {
	return func(m storetest.Method, _ string) answer {
		if of != "" && m != of || c.n(n) > 0 {
			return answer{}
		}
		return a
	}
}

// flapping is up and down in turn, each for so long, beginning after phase.
func flapping(half, phase time.Duration) mood {
	begin := time.Now()
	return func(storetest.Method, string) answer {
		if (time.Since(begin)+phase)/half%2 == 1 {
			return answer{err: errDown}
		}
		return answer{}
	}
}

func slow(storetest.Method, string) answer { return answer{delay: 3 * time.Second} }

var (
	errTimeOut = fmt.Errorf("%w: time-out", store.ErrUnavailable)
	errTwice   = fmt.Errorf("%w: 409 or 412 for the very same bytes", store.ErrExists)
)

// misbehaviours are what a store may do for minutes without harm.
func misbehaviours(c *chance) map[string]mood {
	return map[string]mood{
		"time-outs that had succeeded": c.sometimes(2, storetest.Put, answer{err: errTimeOut, applied: true}),
		"time-outs that succeed later": c.sometimes(2, storetest.Put, answer{err: errTimeOut, later: 20 * time.Second}),
		"conflicts with itself":        c.sometimes(2, storetest.Put, answer{err: errTwice, applied: true}),
		"slow":                         slow,
		"hangs":                        c.sometimes(20, "", answer{hang: true}),
		"hangs for a minute":           c.sometimes(20, "", answer{delay: time.Minute, err: errTimeOut}), // as the stores of the clouds do at most
		"reads show old state":         c.sometimes(2, "", answer{stale: 30 * time.Second}),
		"answers rubbish":              c.sometimes(4, "", answer{garbage: true}),
		"half of all calls fail":       c.sometimes(2, "", answer{err: errDown}),
		"full at times":                c.sometimes(3, storetest.Put, answer{err: store.ErrFull}),
		"flapping":                     flapping(5*time.Second, 0),
		"flapping out of phase":        flapping(5*time.Second, 5*time.Second),
	}
}

// Whatever one store does, or all of them, callers are answered, no fork is seen
// where there is none, and once all is well the stores hold the same log.
func TestMisbehaviours(t *testing.T) {
	for name := range misbehaviours(newChance(1)) {
		for _, all := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, all %t", name, all), func(t *testing.T) {
				bubble(t, func(w *world) {
					m := misbehaviours(newChance(1))[name]
					p := w.start()
					p.must(0, 100)
					if all {
						w.moods(m, m, m)
					} else {
						w.moods(nil, nil, m)
					}
					const n = 500
					for i := 1; i < n; i++ {
						time.Sleep(500 * time.Millisecond)
						p.must(i, 100)
						if i == n/2 { // Probe, and find out what is there, in this mood.
							p.stop(5 * time.Second)
							p = w.start()
						}
					}
					if bad := w.stores[nStores-1].bad.Load(); bad == 0 {
						t.Error("no call met the misbehaviour")
					}
					w.moods()
					p.stop(time.Hour)
					if err := p.broken(); err != nil {
						t.Errorf("given up: %v", err)
					}
					if got := len(w.judge()); got != n {
						t.Errorf("%d of %d events are stored", got, n)
					}
					w.same()
				})
			})
		}
	}
}

// A store that comes back from no call costs its own segments, and neither the
// other stores nor a stop.
func TestDeafStore(t *testing.T) {
	bubble(t, func(w *world) {
		p := w.start()
		p.must(0, 100)
		time.Sleep(5 * time.Second)
		w.moods(nil, func(storetest.Method, string) answer { return answer{deaf: true} })
		const n = 120
		for i := 1; i < n; i++ {
			p.must(i, 100)
			time.Sleep(time.Second)
		}
		for _, i := range []int{0, 2} {
			if got := len(linesOf(t, w.objects(i))); got < n-5 {
				t.Errorf("store %d, which is well, has %d of %d events", i, got, n)
			}
		}
		begin := time.Now()
		p.stop(10 * time.Second)
		if took := time.Since(begin); took > 25*time.Second {
			t.Errorf("the stop took %v", took)
		}
		w.moods()
		w.start().stop(time.Hour)
		if got := len(w.judge()); got != n {
			t.Errorf("%d of %d events are stored", got, n)
		}
		w.same()
	})
}

// All stores are away for an hour: callers are refused once the spool is full,
// and all goes on by itself afterwards.
func TestAllAwayForAnHour(t *testing.T) {
	bubble(t, func(w *world) {
		w.c.SpoolLimit = 2 << 20
		p := w.start()
		p.must(0, 4000)
		time.Sleep(5 * time.Second)
		w.moods(down, down, down)
		full, taken := 0, 1
		for i := 1; i <= 3600; i++ {
			switch err := p.try(i, 4000); {
			case err == nil:
				taken++
			case errors.Is(err, sealer.ErrFull):
				full++
			default:
				t.Fatalf("event %d: %v", i, err)
			}
			time.Sleep(time.Second)
		}
		if full == 0 || taken < 200 {
			t.Errorf("%d events were taken, %d refused", taken, full)
		}
		w.moods()
		time.Sleep(time.Minute)
		for i := 3601; i <= 3610; i++ { // The limit has lifted by itself.
			p.must(i, 4000)
		}
		p.stop(time.Minute)
		if got := len(w.judge()); got != taken+10 {
			t.Errorf("%d events are stored, %d were taken", got, taken+10)
		}
		w.same()
		t.Logf("%d events taken, %d refused", taken, full)
	})
}
