package integrity

import (
	"context"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

// trickle is a store that gives some objects, once it is on, just fast enough that
// it is never silent: a byte each time, or all of them late.
type trickle struct {
	*storetest.Memory
	of    string // in their names
	whole bool
	on    atomic.Bool
}

type drops struct {
	io.ReadCloser
	ctx context.Context
}

const nearlySilent = maxSilence - time.Second

func (d drops) Read(to []byte) (int, error) {
	if err := sleep(d.ctx, nearlySilent); err != nil {
		return 0, err
	}
	return d.ReadCloser.Read(to[:1])
}

func (s *trickle) Get(ctx context.Context, name string) (io.ReadCloser, store.Info, error) {
	body, info, err := s.Memory.Get(ctx, name)
	return s.give(ctx, name, body), info, err
}

func (s *trickle) GetVersion(ctx context.Context, name, version string) (io.ReadCloser, store.Info, error) {
	body, info, err := s.Memory.GetVersion(ctx, name, version)
	return s.give(ctx, name, body), info, err
}

func (s *trickle) give(ctx context.Context, name string, body io.ReadCloser) io.ReadCloser {
	switch {
	case body == nil || !s.on.Load() || !strings.Contains(name, s.of):
		return body
	case s.whole:
		_ = sleep(ctx, nearlySilent)
		return body
	}
	return drops{body, ctx}
}

// A store that is never silent, and gives next to nothing, is told within minutes.
func TestTrickle(t *testing.T) {
	for _, c := range []struct {
		name string
		s    *trickle
	}{
		{"seals", &trickle{of: "/seals/"}},
		{"one segment", &trickle{of: "/segments/00000000000000000003"}},
		{"a place", &trickle{of: "/seals/00000000000000000007", whole: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := ledgertest.NewLog("test", ledgertest.Signer(t, origin))
				l.Add(t, 3)
				c.s.Memory = memory(t, "a", l.Segments...)
				w := newBench(t, afterChain(1), c.s)
				w.set.FullPassEvery = 30 * 24 * time.Hour
				w.start()
				w.wait(10 * time.Second)
				w.want()
				c.s.on.Store(true)
				fill(t, c.s.Memory, l.Add(t, 4))
				if c.s.whole {
					junk(c.s.Memory, "test/seals/00000000000000000007.seal", 250)
				}
				w.wait(30 * time.Second)
				if st := w.guard.Status(); c.name == "one segment" && st[0].Lag < 20*time.Second {
					t.Errorf("a segment waits, and the lag is %v", st[0].Lag)
				}
				w.wait(20 * time.Minute)
				if got := strings.Join(w.book.standing(), "\n"); !strings.Contains(got, "unread a") {
					t.Errorf("nothing can be read, and nothing is said but %q", got)
				}
				if st := w.guard.Status(); c.name == "one segment" && st[0].Lag < 20*time.Minute {
					t.Errorf("it was passed over, and the lag is %v", st[0].Lag)
				}
				c.s.on.Store(false)
				w.wait(20 * time.Minute)
				if got := strings.Join(w.book.standing(), "\n"); strings.Contains(got, "unread a") || w.guard.Status()[0].Lag != 0 {
					t.Errorf("all can be read again: %q", got)
				}
				w.stop()
			})
		})
	}
}

// A store of which one log trickles keeps nobody from comparing the others.
func TestTrickleBesideOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, y := ledgertest.NewLog("aa", ledgertest.Signer(t, origin)), ledgertest.NewLog("zz", ledgertest.Signer(t, origin))
		x.Add(t, 400)
		y.Add(t, 5)
		a, b, c := &trickle{Memory: storetest.NewMemory("a"), of: "/seals/"}, storetest.NewMemory("b"), storetest.NewMemory("c")
		fill(t, b, append(x.Segments, y.Segments...)...)
		fill(t, c, append(x.Segments, y.Segments...)...)
		fill(t, a.Memory, x.Segments...)
		fill(t, a.Memory, x.Add(t, 200))
		w := newBench(t, afterChain(1), a, b, c)
		w.set.Behind = time.Minute
		w.start()
		w.wait(2 * time.Second)
		a.on.Store(true)
		w.wait(20 * time.Second)
		fill(t, c, y.Add(t, 9))
		w.wait(3 * time.Minute)
		if got := strings.Join(w.book.standing(), "\n"); !strings.Contains(got, "store-behind b  5-14") {
			t.Errorf("nobody compares stores b and c: %s", got)
		}
		w.stop()
	})
}
