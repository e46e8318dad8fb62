package outage

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/internal/sealer"
	"github.com/otelcol-custody/custody/store/storetest"
)

// With ack: stored every caller has its answer within ack_timeout, and a record
// is sealed again only for a wait that ended unanswered: what is refused because
// the stores are behind was never journalled.
func TestAckStored(t *testing.T) {
	const callers, rounds, outage = 8, 6, 4 * time.Minute
	for name, c := range map[string]struct {
		bad   func(*chance) mood
		waits int // that may end unanswered for one event, at most
	}{
		// In one outage a caller waits in vain once. Then the oldest segment is as
		// old as callers are patient, and all are refused before they are sealed.
		"away":                         {func(*chance) mood { return down }, 1},
		"hangs":                        {func(*chance) mood { return func(storetest.Method, string) answer { return answer{hang: true} } }, 1},
		"time-outs that had succeeded": {func(c *chance) mood { return misbehaviours(c)["time-outs that had succeeded"] }, 1},
		"flapping":                     {func(*chance) mood { return flapping(5*time.Second, 0) }, 1},
		"slow":                         {func(*chance) mood { return slow }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(w *world) {
				w.c.AckStored = true
				p := w.start()
				p.must(callers*rounds, 100)
				bad := c.bad(newChance(1))
				w.moods(nil, bad)
				time.AfterFunc(outage, func() { w.moods() })
				var wg sync.WaitGroup
				for k := range callers {
					wg.Go(func() { p.deliverAll(k*rounds, rounds, 500*time.Millisecond) })
				}
				wg.Wait()
				p.stop(time.Hour)
				w.judge()
				w.same()
				unanswered := 0
				for e, n := range w.unanswered {
					unanswered += n
					if n > c.waits {
						t.Errorf("event %d was left unanswered %d times", e, n)
					}
				}
				t.Logf("%d events, %d waits ended unanswered, %d were refused", callers*rounds, unanswered, w.refused)
			})
		})
	}
}

// deliverAll is a sender: it sends each event until it is taken.
func (p *process) deliverAll(first, n int, pause time.Duration) {
	for i := first; i < first+n; i++ {
		for {
			begin := time.Now()
			err := p.try(i, 100)
			if took := time.Since(begin); took > p.w.c.AckTimeout {
				p.w.t.Errorf("event %d was answered after %v", i, took)
			}
			if err == nil {
				break
			}
			if !errors.Is(err, sealer.ErrUnanswered) && !errors.Is(err, sealer.ErrBehind) {
				p.w.t.Errorf("event %d: %v", i, err)
			}
			if errors.Is(err, sealer.ErrBehind) {
				p.w.mu.Lock()
				p.w.refused++
				p.w.mu.Unlock()
			}
			time.Sleep(pause)
		}
		time.Sleep(pause)
	}
}
