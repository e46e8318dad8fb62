package integrity

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/segment"
)

// A clock that jumps for some minutes accuses nobody; one that was set is believed
// after a while.
func TestClockJumps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var off atomic.Int64
		l := ledgertest.NewLog("test", ledgertest.Signer(t, origin))
		heartbeat := func() ledgertest.Segment {
			at := ledgertest.Began.Add(time.Duration(len(l.Segments)+1) * time.Minute)
			return l.Extend(t, nil, func(c *segment.Closed) {
				c.At, c.NextBy, c.RetainUntil = at, at.Add(2*time.Minute), at.Add(30*24*time.Hour)
			})
		}
		heartbeat()
		a := memory(t, "a", l.Segments...)
		w := newBench(t, afterChain(1), a)
		now := w.set.Now
		w.set.Now = func() time.Time { return now().Add(time.Duration(off.Load())) }
		w.start()
		for i := range 240 {
			switch i % 40 {
			case 10:
				off.Store(int64(2 * 365 * 24 * time.Hour))
			case 20:
				off.Store(-int64(50 * time.Hour))
			case 15, 25:
				off.Store(0)
			}
			w.wait(time.Minute)
			fill(t, a, heartbeat())
		}
		w.want()
		if kinds := w.book.kinds(); len(kinds) != 0 {
			t.Errorf("%v", kinds)
		}
		if w.counts.passes < 3 {
			t.Errorf("%d passes", w.counts.passes)
		}
		off.Store(int64(24 * time.Hour))
		w.wait(15 * time.Minute)
		if w.book.kinds()["late"] != 1 {
			t.Errorf("%v", w.book.kinds())
		}
		w.stop()
	})
}

// Whose collector was stopped as planned is late, too, and the message says so.
func TestLateAfterAStop(t *testing.T) {
	for reason, want := range map[segment.Reason]string{segment.Heartbeat: "the collector does not run", segment.Shutdown: "was stopped as planned"} {
		synctest.Test(t, func(t *testing.T) {
			l := ledgertest.NewLog("test", ledgertest.Signer(t, origin))
			l.Extend(t, nil, func(c *segment.Closed) {
				c.At, c.NextBy, c.Reason = ledgertest.Began, ledgertest.Began.Add(2*time.Minute), reason
			})
			w := newBench(t, afterChain(1), memory(t, "a", l.Segments...))
			w.start()
			w.wait(15 * time.Minute)
			w.stop()
			for _, f := range w.book.open {
				if f.Kind != incident.Late || !strings.Contains(f.Message, want) {
					t.Errorf("%s: got %s: %s", reason, f.Kind, f.Message)
				}
			}
			if len(w.book.open) != 1 {
				t.Errorf("%v", w.book.standing())
			}
		})
	}
}
