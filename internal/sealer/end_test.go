package sealer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/durable/durabletest"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// drain opens the world's log to end it, and gives End so long.
func (w *world) drain(patience time.Duration) (opened bool, err error) {
	c := w.c
	c.FS, c.Drain = w.fs, true
	s, err := Open(c, w.store, &quiet{})
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err = s.End(ctx)
	return true, errors.Join(err, s.Close(context.Background(), 0))
}

// wantEnded judges the store: complete, and ended once, by its last record.
func (w *world) wantEnded() {
	w.t.Helper()
	w.judge()
	if w.store.head == nil {
		w.t.Errorf("nothing is stored")
		return
	}
	last := w.store.head.Closed()
	if last.Reason != segment.Ended || !last.NextBy.IsZero() {
		w.t.Errorf("the last closed record says %+v", last)
	}
	if n := w.store.endings(); n != 1 {
		w.t.Errorf("%d records say that the log has ended", n)
	}
}

// endings counts the closed records that say that the log has ended.
func (m *memStore) endings() (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, f := range m.objects {
		if !strings.HasSuffix(name, ".seal") {
			continue
		}
		v, err := seal.Open(f.Data, m.keys)
		if err != nil {
			m.t.Fatal(err)
		}
		if v.Closed().Reason == segment.Ended {
			n++
		}
	}
	return n
}

// wantRefused demands that an ended log is not continued.
func (w *world) wantRefused(words ...string) {
	w.t.Helper()
	c := w.c
	c.FS, c.Genesis = w.fs, true
	s, err := Open(c, w.store, &quiet{})
	if !errors.Is(err, ErrEnded) {
		w.t.Errorf("opening an ended log: %v", err)
		if err == nil {
			_ = s.Close(context.Background(), 0)
		}
		return
	}
	for _, word := range append(words, "log web was ended", "new name, key and state_dir") {
		if !strings.Contains(err.Error(), word) {
			w.t.Errorf("%q does not say %q", err, word)
		}
	}
}

func TestEnd(t *testing.T) {
	for name, moment := range moments {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 0)
				w.c.EmitRecords, w.c.RecordsLimit = true, 1<<20
				moment(w)
				if _, err := w.drain(time.Minute); err != nil {
					t.Fatal(err)
				}
				w.wantEnded()
				w.wantRefused()
				size := w.store.head.End()
				if _, err := w.drain(time.Minute); err != nil || w.store.head.End() != size {
					t.Errorf("drained again: %v, size %d and then %d", err, size, w.store.head.End())
				}
				w.wantRefused()
				if n := len(w.store.records); n != int(size) {
					t.Errorf("%d of %d records were passed on", n, size)
				}
			})
		})
	}
}

func TestEndTakesNoMoreRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		s := w.open()
		defer closeIt(t, s)
		w.send(s, 0, 2)
		if err := s.End(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.Append(t.Context(), batchOf(2, 1)); !errors.Is(err, ErrStopped) {
			t.Errorf("a record after the end: %v", err)
		}
		head, err := s.Head()
		if err != nil || head.End() != 3 || head.Closed().Reason != segment.Ended {
			t.Errorf("head is %v, %v", head, err)
		}
		w.wantEnded()
	})
}

// While a store is away, End says what waits and why, and goes on when it is
// asked again: in this process, in the next one, and after a crash.
func TestEndWhileStoreIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		w.store.setDown(errors.New("store is away"))
		s := w.open()
		w.send(s, 0, 9)
		w.send(s, 9, 2)
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			err := s.End(ctx)
			cancel()
			for _, word := range []string{"2 segments wait", "the oldest for", "store is away"} {
				if err == nil || !strings.Contains(err.Error(), word) {
					t.Errorf("End: %v, want %q", err, word)
				}
			}
		}
		w.bury(s, w.fs)
		w.wantRefused("2 segments still wait", "otelcol-custody drain")
		if opened, err := w.drain(time.Second); !opened || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("drained into a store that is away: %v", err)
		}
		w.store.setDown(nil)
		if _, err := w.drain(time.Minute); err != nil {
			t.Error(err)
		}
		w.wantEnded()
	})
}

// hoarder takes segments and no records.
type hoarder struct{ *memStore }

func (hoarder) Records(context.Context, *seal.Verified, *tree.Seed, []byte) error {
	return errors.New("nobody takes records")
}

func TestEndWaitsForRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		w.c.EmitRecords, w.c.RecordsLimit = true, 1<<20
		c := w.c
		c.FS = w.fs
		s := open(t, c, hoarder{w.store})
		w.send(s, 0, 9)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		err := s.End(ctx)
		for _, word := range []string{"0 segments wait", "records of 2 are still to be passed on", "nobody takes records"} {
			if err == nil || !strings.Contains(err.Error(), word) {
				t.Errorf("End: %v, want %q", err, word)
			}
		}
		w.bury(s, w.fs)
		if _, err := w.drain(time.Minute); err != nil {
			t.Error(err)
		}
		w.wantEnded()
		if n := len(w.store.records); n != 11 {
			t.Errorf("%d records were passed on, want 11", n)
		}
	})
}

// A disk that takes nothing keeps the log from ending; once it does, it ends.
func TestEndOnFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		s := w.open()
		w.send(s, 0, 2)
		w.fs.Inject(durabletest.Fault{Path: "/journal", UntilRestart: true, Err: errors.New("no space")})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		ended := make(chan error, 1)
		go func() { ended <- s.End(ctx) }()
		time.Sleep(20 * time.Second)
		if waiting := s.Waiting(); waiting.Ended || waiting.Why == nil || !strings.Contains(waiting.String(), "not ended") {
			t.Errorf("waiting: %v, %v", waiting, waiting.Why)
		}
		w.fs.Heal()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		closeIt(t, s)
		w.wantEnded()
	})
}

// A log that was never begun, or whose state is lost, is not begun to be ended.
func TestDrainNeverBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		if opened, err := w.drain(time.Minute); opened || !errors.Is(err, ErrNoHead) {
			t.Errorf("draining nothing: %v", err)
		}
	})
}

// sleeper is slow to say what it holds.
type sleeper struct{ *memStore }

func (s sleeper) Probe(ctx context.Context, p *delivery.Probe) (int, int, error) {
	time.Sleep(time.Second)
	return s.memStore.Probe(ctx, p)
}

// On a fork nothing is ended: not a record more is written.
func TestEndOfForkedLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		w.killed(func(s *Sealer) { w.send(s, 0, 2) })
		found := w.fs
		old := found.Crash()
		w.fs = found.Crash()
		w.killed(func(s *Sealer) { w.send(s, 2, 9) })
		w.fs = old
		c := w.c
		c.FS, c.Drain = w.fs, true
		s, err := Open(c, sleeper{w.store}, &quiet{})
		if err != nil {
			t.Fatal(err)
		}
		err = s.End(t.Context())
		closeIt(t, s)
		if fork := (*delivery.ForkError)(nil); !errors.As(err, &fork) {
			t.Errorf("an old copy of the state was drained: %v", err)
		}
		w.fs = w.fs.Restart()
		c.FS = w.fs
		if _, err := Open(c, w.store, &quiet{}); !errors.Is(err, ErrForked) {
			t.Errorf("drained again: %v, want ErrForked", err)
		}
		if err := ForgetFork(c); err != nil {
			t.Fatal(err)
		}
		s = w.open() // It may be the right one yet.
		if s == nil {
			t.Fatal("the copy's log has ended")
		}
		w.bury(s, w.fs)
	})
}

// Records behind the one that ended the log cannot be: somebody put them there.
func TestRecordsBehindTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		w.killed(func(s *Sealer) { w.send(s, 0, 2) })
		if _, err := w.drain(time.Minute); err != nil {
			t.Fatal(err)
		}
		head := w.store.head
		j, err := createJournal(w.fs, "/state", newHeader(head.Origin, head.End(), head.Place().Link), []group{groupOf("{}\n")}, false)
		if err != nil {
			t.Fatal(err)
		}
		if err := j.close(); err != nil {
			t.Fatal(err)
		}
		if _, err := w.drain(time.Minute); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "behind the one that ended") {
			t.Errorf("got %v", err)
		}
	})
}

// Every call to the file system that ending makes, failing in every way: the next
// try ends the log, once, and nothing is lost.
func TestEndFaults(t *testing.T) {
	away := func(w *world) {
		w.store.setDown(errors.New("store is away"))
		s := w.open()
		w.send(s, 0, 9)
		w.send(s, 9, 2)
		w.bury(s, w.fs)
		w.store.setDown(nil)
		w.fs = w.fs.Restart()
	}
	var calls []durabletest.Call
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		away(w)
		if _, err := w.drain(time.Minute); err != nil {
			t.Fatal(err)
		}
		w.wantEnded()
		calls = w.fs.Calls()
	})
	stride, cases := 1, 0
	if testing.Short() {
		stride = 7
	}
	for n := 1; n <= len(calls); n += stride {
		for _, kind := range faultKinds {
			op := calls[n-1].Op
			if kind.fault.Torn && op != durabletest.OpWrite || kind.fault.Applied && !op.Changing() {
				continue // Nothing here can be torn, or it leaves the disk as it was.
			}
			i := cases % len(endEnds)
			r := &recorder{TB: t}
			synctest.Test(t, func(t *testing.T) {
				r.TB = t
				w := newWorld(r, uint64(n))
				away(w)
				f := kind.fault
				f.N = n
				w.endFault(f, endEnds[i])
			})
			if cases++; len(r.faults) > 0 {
				t.Errorf("call %d, %s, %s, end %d:\n  %s", n, step(calls[n-1]), kind.name, i, strings.Join(slices.Compact(r.faults), "\n  "))
			}
		}
	}
	t.Logf("%d calls, %d cases", len(calls), cases)
}

var endEnds = []func(*world) *durabletest.FS{
	func(w *world) *durabletest.FS { return w.fs.Crash() },
	func(w *world) *durabletest.FS { return w.fs.CrashRandom(w.rng) },
	func(w *world) *durabletest.FS { return w.fs.Restart() },
}

// endFault drains with a fault, stops in a way, and drains again.
func (w *world) endFault(f durabletest.Fault, stop func(*world) *durabletest.FS) {
	w.fs.Inject(f)
	opened, err := w.drain(20 * time.Second)
	if err == nil && !w.dead() {
		w.wantEnded()
	}
	if opened && errors.Is(err, ErrDamaged) {
		w.t.Errorf("drain: %v", err)
	}
	w.fs.Heal()
	w.fs = stop(w)
	if _, err := w.drain(time.Minute); err != nil {
		w.t.Errorf("drained again: %v", err)
	}
	w.wantEnded()
	w.wantRefused()
}

func TestWaitingSaysWhatWaits(t *testing.T) {
	for want, w := range map[string]delivery.Waiting{
		"0 segments wait": {Ended: true},
		"1 segment waits, the oldest for 12s; records of 3 are still to be passed on; the log has not ended yet": {Segments: 1, Oldest: 12 * time.Second, Records: 3},
	} {
		if got := fmt.Sprint(w); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
