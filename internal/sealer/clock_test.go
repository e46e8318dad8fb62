package sealer

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
)

// A clock is what a machine says the time is, right or wrong.
type clock struct{ at atomic.Pointer[time.Time] }

func newClock(at time.Time) *clock {
	c := &clock{}
	c.at.Store(&at)
	return c
}

func (c *clock) now() time.Time { return *c.at.Load() }

// closings are the closed records of the store, in order.
func (m *memStore) closings() []*segment.Closed {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []*segment.Closed
	for at := uint64(0); m.head != nil && at < m.head.End(); {
		v, err := seal.Open(m.objects["web/"+(&seal.Head{First: at}).Name()].Data, m.keys)
		if err != nil {
			m.t.Fatal(err)
		}
		out, at = append(out, v.Closed()), v.End()
	}
	return out
}

var (
	noon     = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	earliest = time.Unix(0, 1)
	latest   = time.Unix(18446744073, 709551615) // 2554
)

// Whatever the clock does is written down as it is, or as the nearest time that a
// record can have. It never reorders, stops or forks the log.
func TestClock(t *testing.T) {
	for name, steps := range map[string][]struct{ says, sealed time.Time }{
		"hours back":        {{noon, noon}, {noon.Add(-5 * time.Hour), noon.Add(-5 * time.Hour)}, {noon, noon}},
		"years on and back": {{noon, noon}, {noon.AddDate(30, 0, 0), noon.AddDate(30, 0, 0)}, {noon, noon}},
		"behind 2262, the end of signed nanoseconds": {{noon.AddDate(300, 0, 0), noon.AddDate(300, 0, 0)}, {noon, noon}},
		"no battery":         {{time.Unix(0, 0), earliest}, {time.Unix(3, 0), time.Unix(3, 0)}, {noon, noon}},
		"before 1970":        {{time.Unix(-1, 0), earliest}, {time.Time{}, earliest}, {noon, noon}},
		"behind all records": {{latest.Add(1), latest}, {noon.AddDate(1000, 0, 0), latest}, {noon.AddDate(9000, 0, 0), latest}, {noon, noon}},
		"its end in sight":   {{latest.Add(-time.Second), latest.Add(-time.Second)}, {noon, noon}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, c Config, store *memStore) {
				wall := newClock(noon)
				c.Now, c.RetainFor = wall.now, 10*365*24*time.Hour
				s := open(t, c, store)
				for i, step := range steps {
					synctest.Wait()
					wall.at.Store(&step.says)
					appendTo(t, s, 10*i, 10)
					time.Sleep(time.Second)
				}
				if err := s.Fatal(); err != nil {
					t.Fatal(err)
				}
				if used := len(store.closings()); used != len(steps) {
					t.Fatalf("%d segments are stored, want %d", used, len(steps))
				}
				closeIt(t, s)
				closeIt(t, open(t, c, store)) // What was sealed is read again.
				each(t, store.verify(), 10*len(steps))
				for i, c := range store.closings()[:len(steps)] {
					if want := steps[i].sealed; !c.At.Equal(want) || c.NextBy.Before(c.At) || c.RetainUntil.Before(c.At) {
						t.Errorf("segment %d was closed at %v, want %v; the next by %v, retained until %v", i, c.At, want, c.NextBy, c.RetainUntil)
					}
				}
			})
		})
	}
}

// Segments get old, and an idle log speaks, by the time that passes.
func TestClockStandsStill(t *testing.T) {
	bubble(t, func(t *testing.T, c Config, store *memStore) {
		wall := newClock(noon)
		c.Now = wall.now
		s := open(t, c, store)
		synctest.Wait()
		for _, at := range []time.Time{noon, noon.AddDate(20, 0, 0), noon.AddDate(-20, 0, 0)} {
			wall.at.Store(&at)
			before := len(store.closings())
			time.Sleep(c.Heartbeat + time.Second)
			if n := len(store.closings()) - before; n != 1 {
				t.Errorf("clock at %v: %d closed records in a heartbeat's time, want 1", at, n)
			}
		}
		closeIt(t, s)
		store.verify()
	})
}
