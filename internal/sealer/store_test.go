package sealer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/durable/durabletest"
)

// moodStore is a store whose answers a test decides on.
type moodStore struct {
	*memStore
	mood func(n int, take func() error) (given, asked int, err error)

	mu sync.Mutex
	n  int
}

func (m *moodStore) Deliver(_ context.Context, o *delivery.Objects) (int, int, error) {
	m.mu.Lock()
	m.n++
	n := m.n
	m.mu.Unlock()
	return m.mood(n, func() error {
		m.memStore.mu.Lock()
		defer m.memStore.mu.Unlock()
		return m.take(o)
	})
}

// bubble runs a test in fake time on a file system in memory.
func bubble(t *testing.T, what func(t *testing.T, c Config, store *memStore)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		w.c.FS = w.fs
		what(t, w.c, w.store)
	})
}

func answer(err error) (given, asked int, _ error) {
	if err != nil {
		return 0, 1, err
	}
	return 1, 1, nil
}

func TestMoodyStores(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for name, mood := range map[string]func(n int, take func() error) (int, int, error){
		"time-outs that had succeeded": func(_ int, take func() error) (int, int, error) {
			if err := take(); err != nil || rng.IntN(3) > 0 {
				return answer(errors.Join(err, context.DeadlineExceeded))
			}
			return 1, 1, nil
		},
		"pending for a while": func(_ int, take func() error) (int, int, error) {
			if rng.IntN(5) > 0 {
				return 0, 1, delivery.ErrPending
			}
			return answer(take())
		},
		"flapping": func(n int, take func() error) (int, int, error) {
			if n/7%2 == 1 {
				return 0, 1, errors.New("connection refused")
			}
			return answer(take())
		},
		"receipt beside another component's error": func(_ int, take func() error) (int, int, error) {
			if err := take(); err != nil {
				return answer(err)
			}
			return 1, 1, errors.New("the SIEM is away")
		},
		"nil without a receipt": func(n int, take func() error) (int, int, error) {
			if n < 20 {
				return 0, 1, nil
			}
			return answer(take())
		},
		"nobody asked": func(n int, take func() error) (int, int, error) {
			if n < 20 {
				return 0, 0, nil // A debug exporter answers so.
			}
			return answer(take())
		},
		"refuses what was altered": func(n int, take func() error) (int, int, error) {
			if n < 20 {
				return 0, 1, &delivery.AlteredError{Reason: errors.New("the digest differs")}
			}
			return answer(take())
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, c Config, store *memStore) {
				s := open(t, c, &moodStore{memStore: store, mood: mood})
				for i := range 15 {
					appendTo(t, s, i*10, 10)
				}
				if err := s.Close(context.Background(), time.Hour); err != nil {
					t.Fatal(err)
				}
				if err := s.Fatal(); err != nil {
					t.Error(err)
				}
				each(t, store.verify(), 150)
				if used := s.used.Load(); used > 500 {
					t.Errorf("%d bytes are in use, though journal and spool are empty", used)
				}
			})
		})
	}
}

// pair is a fan-out to two WORM exporters.
type pair struct {
	*memStore
	other *memStore
}

func (p *pair) Deliver(ctx context.Context, o *delivery.Objects) (int, int, error) {
	ctx, book := delivery.WithBook(ctx)
	var errs []error
	for name, s := range map[string]*memStore{"a": p.memStore, "b": p.other} {
		delivery.Asked(ctx, name)
		_, _, err := s.Deliver(ctx, o)
		if err == nil {
			delivery.Receipt(ctx, name)
		}
		errs = append(errs, err)
	}
	given, asked := book.Count()
	return given, asked, errors.Join(errs...)
}

// One store is away for long: the other stays current, no segment leaves the
// spool, and all drains when it is back.
func TestOneOfTwoStoresAway(t *testing.T) {
	for name, away := range map[string]error{
		"pending": fmt.Errorf("%w: the store is away", delivery.ErrPending),
		"error":   errors.New("connection refused"),
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, c Config, store *memStore) {
				p := &pair{store, newMemStore(t, c.Signer)}
				p.other.setDown(away)
				s := open(t, c, p)
				n := 0
				for range 20 {
					appendTo(t, s, n, 10)
					n += 10
					time.Sleep(time.Minute)
					synctest.Wait()
					if got := len(store.verify()); got != n {
						t.Fatalf("the store that is well has %d of %d records", got, n)
					}
				}
				if asked := p.other.asked; asked > 20*60*2*window {
					t.Errorf("the store that is away was asked %d times in 20 minutes", asked)
				}
				p.other.setDown(nil)
				appendTo(t, s, n, 10) // The newest is tried beside the oldest.
				n += 10
				time.Sleep(time.Minute)
				synctest.Wait()
				each(t, p.other.verify(), n)
				if len(s.courier.queue) != 0 {
					t.Errorf("%d segments are still in the spool", len(s.courier.queue))
				}
				closeIt(t, s)
			})
		})
	}
}

// An upload that goes on in the background is no trouble; a store that never
// gets done with it is.
func TestPendingIsNoTroubleAtFirst(t *testing.T) {
	bubble(t, func(t *testing.T, c Config, store *memStore) {
		obs := &troubles{}
		c.MaxAge, c.Heartbeat = time.Second, time.Hour
		s, err := Open(c, store, obs)
		if err != nil {
			t.Fatal(err)
		}
		for n, away := range []time.Duration{pendingGrace / 2, 3 * pendingGrace} {
			store.setDown(fmt.Errorf("%w: still being stored", delivery.ErrPending))
			appendTo(t, s, 10*n, 10)
			time.Sleep(c.MaxAge + away)
			synctest.Wait()
			if err := obs.why(Delivery); (err != nil) != (away > pendingGrace) {
				t.Errorf("after %v of pending answers the trouble is %v", away, err)
			}
			store.setDown(nil)
			time.Sleep(time.Minute)
			synctest.Wait()
			if err := obs.why(Delivery); err != nil {
				t.Errorf("all is delivered, and the trouble is still %v", err)
			}
		}
		closeIt(t, s)
	})
}

// A store that works in the background says when it is done, and need not be
// asked again and again.
func TestPendingStoreWakes(t *testing.T) {
	bubble(t, func(t *testing.T, c Config, store *memStore) {
		c.MaxAge, c.Heartbeat = time.Second, time.Hour
		p := &background{memStore: store, took: 7700 * time.Millisecond}
		s := open(t, c, p)
		appendTo(t, s, 0, 10)
		time.Sleep(p.took + 10*time.Millisecond)
		synctest.Wait()
		if n := len(s.courier.queue); n != 0 {
			t.Errorf("%d segments wait although the store has told that it is done", n)
		}
		closeIt(t, s)
	})
}

// background is a store that takes its time, and answers that it does.
type background struct {
	*memStore
	took  time.Duration
	begun bool
}

func (p *background) Deliver(ctx context.Context, o *delivery.Objects) (int, int, error) {
	if !p.begun {
		p.begun = true
		p.setDown(fmt.Errorf("%w: still being stored", delivery.ErrPending))
		time.AfterFunc(p.took, func() { p.setDown(nil); delivery.Waker(ctx)() })
	}
	return p.memStore.Deliver(ctx, o)
}

// First one store is away and then the other: whichever is well gets everything.
func TestStoresAwayInTurn(t *testing.T) {
	bubble(t, func(t *testing.T, c Config, store *memStore) {
		p := &pair{store, newMemStore(t, c.Signer)}
		away := fmt.Errorf("%w: the store is away", delivery.ErrPending)
		s := open(t, c, p)
		n := 0
		for turn := range 4 {
			here, there := store, p.other
			if turn%2 == 1 {
				here, there = there, here
			}
			here.setDown(nil)
			there.setDown(away)
			for range 3 * window {
				appendTo(t, s, n, 10)
				n += 10
				time.Sleep(time.Second)
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			if got := len(here.verify()); got != n {
				t.Errorf("turn %d: the store that is well has %d of %d records", turn, got, n)
			}
		}
		store.setDown(nil)
		p.other.setDown(nil)
		closeIt(t, s)
		each(t, store.verify(), n)
		each(t, p.other.verify(), n)
	})
}

func TestAckStoredWithDeadStore(t *testing.T) {
	bubble(t, func(t *testing.T, c Config, store *memStore) {
		c.AckStored, c.AckTimeout, c.MaxBytes = true, 20*time.Second, 1<<20
		s := open(t, c, store)
		appendTo(t, s, 0, 5)
		store.setDown(errors.New("store is away"))
		begin := time.Now()
		if err := s.Append(t.Context(), batchOf(5, 5)); !errors.Is(err, ErrUnanswered) || time.Since(begin) != c.AckTimeout {
			t.Errorf("after %v: %v, want ErrUnanswered after %v", time.Since(begin), err, c.AckTimeout)
		}
		time.Sleep(time.Second)
		used := s.used.Load()
		for range 10 { // redelivery
			if err := s.Append(t.Context(), batchOf(5, 5)); !errors.Is(err, ErrBehind) {
				t.Errorf("redelivered: %v, want ErrBehind", err)
			}
			time.Sleep(time.Second)
		}
		if now := s.used.Load(); now > used {
			t.Errorf("refused records took %d bytes", now-used)
		}
		store.setDown(nil)
		time.Sleep(time.Minute)
		appendTo(t, s, 10, 5)
		closeIt(t, s)
		each(t, store.verify(), 15)
	})
}

func TestCloseWhileCallersWait(t *testing.T) {
	for _, dead := range []bool{false, true} {
		bubble(t, func(t *testing.T, c Config, store *memStore) {
			c.AckStored, c.AckTimeout, c.MaxBytes = true, time.Hour, 1<<20
			if dead {
				store.setDown(errors.New("store is away"))
			}
			s := open(t, c, store)
			answers := make(chan error, 5)
			for i := range cap(answers) {
				go func() { answers <- s.Append(context.Background(), batchOf(i*2, 2)) }()
			}
			time.Sleep(100 * time.Millisecond)
			begin := time.Now()
			if err := s.Close(context.Background(), 3*time.Second); err != nil {
				t.Error(err)
			}
			if took := time.Since(begin); took > 4*time.Second {
				t.Errorf("close took %v", took)
			}
			for range cap(answers) {
				if err := <-answers; dead != errors.Is(err, ErrUnanswered) || !dead && err != nil {
					t.Errorf("store dead %t: a caller was answered %v", dead, err)
				}
			}
			store.setDown(nil)
			s = open(t, c, store)
			closeIt(t, s)
			each(t, store.verify(), 10)
		})
	}
}

// A fork that shows before the first answer stops the log, and later ones too.
func TestForkStops(t *testing.T) {
	for name, late := range map[string]bool{"at the first probe": false, "at a later probe, without traffic": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, c Config, store *memStore) {
				other := c
				other.Dir = "/other"
				s := open(t, other, store)
				appendTo(t, s, 0, 3)
				closeIt(t, s)
				if late {
					store.setDown(errors.New("store is away"))
				}
				s = open(t, c, store)
				if late {
					time.Sleep(time.Minute)
					store.setDown(nil)
					time.Sleep(time.Minute)
				}
				begin := time.Now()
				err := s.Append(context.Background(), batchOf(3, 3))
				if fork := (*delivery.ForkError)(nil); !errors.As(err, &fork) || time.Since(begin) > time.Second {
					t.Errorf("after %v: %v, want a fork at once", time.Since(begin), err)
				}
				asked := store.asked
				time.Sleep(time.Minute)
				if store.asked != asked {
					t.Error("it went on delivering after a fork")
				}
				closeIt(t, s)
				each(t, store.verify(), 3)
			})
		})
	}
}

// A fork answers those who wait for a receipt.
func TestForkAnswersWaitingCallers(t *testing.T) {
	bubble(t, func(t *testing.T, c Config, store *memStore) {
		c.AckStored, c.AckTimeout = true, time.Hour
		s := open(t, c, &moodStore{memStore: store, mood: func(int, func() error) (int, int, error) {
			return 0, 1, &delivery.ForkError{Store: "mem", Log: "web"}
		}})
		begin := time.Now()
		err := s.Append(context.Background(), batchOf(0, 3))
		if !errors.Is(err, ErrStopped) || time.Since(begin) > 5*time.Second {
			t.Errorf("after %v: %v, want ErrStopped", time.Since(begin), err)
		}
		closeIt(t, s)
	})
}

// hung is a store that answers nothing until its context ends.
type hung struct{ *memStore }

func (hung) Probe(ctx context.Context, _ *delivery.Probe) (int, int, error) {
	<-ctx.Done()
	return 0, 1, ctx.Err()
}

// asked is a store that keeps what it was asked last.
type asked struct {
	*memStore
	last *delivery.Probe
}

func (a asked) Probe(ctx context.Context, p *delivery.Probe) (int, int, error) {
	*a.last = *p
	return a.memStore.Probe(ctx, p)
}

// A probe says what the stores had confirmed, so that an empty one is no witness.
func TestProbeSaysWhatIsStored(t *testing.T) {
	bubble(t, func(t *testing.T, c Config, store *memStore) {
		probe := delivery.Probe{}
		session := func(from, n int, down error) {
			s := open(t, c, asked{store, &probe})
			store.setDown(down)
			if err := s.Append(t.Context(), batchOf(from, n)); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(context.Background(), 3*time.Second); err != nil {
				t.Fatal(err)
			}
			store.setDown(nil)
		}
		session(0, 3, nil)
		if probe.Stored != 0 {
			t.Errorf("at genesis: %+v", probe)
		}
		session(3, 3, errors.New("away"))
		if probe.Stored != 4 { // A closed record is behind the three.
			t.Errorf("all was delivered, and the probe says %d", probe.Stored)
		}
		session(6, 3, nil)
		if probe.Stored != 4 {
			t.Errorf("a segment waits, and the probe says %d", probe.Stored)
		}
	})
}

func TestHungProbe(t *testing.T) {
	bubble(t, func(t *testing.T, c Config, store *memStore) {
		s := open(t, c, hung{store})
		if err := s.Append(t.Context(), batchOf(0, 3)); !errors.Is(err, ErrUnanswered) {
			t.Errorf("before the probe's answer: %v, want ErrUnanswered", err)
		}
		begin := time.Now()
		if err := s.Close(context.Background(), 3*time.Second); err != nil || time.Since(begin) > 4*time.Second {
			t.Errorf("close: %v after %v", err, time.Since(begin))
		}
	})
}

// A disk that takes nothing any more: callers are refused, a stop ends, and what
// was acknowledged is there when the disk is back.
func TestDeadDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		s := w.open()
		w.send(s, 0, 3)
		w.fs.Inject(durabletest.Fault{UntilRestart: true, Path: "/state"})
		if err := s.Append(t.Context(), batchOf(3, 3)); err == nil {
			t.Error("a dead disk took records")
		}
		begin := time.Now()
		if err := s.Close(context.Background(), 3*time.Second); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took > maxFinish+5*time.Second {
			t.Errorf("close took %v", took)
		}
		w.fs = w.fs.Crash()
		s = w.open()
		closeIt(t, s)
		each(t, w.store.verify(), 3)
	})
}

// A full disk that gets space again: the sealer goes on by itself.
func TestDiskHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		obs := &troubles{}
		w.c.FS = w.fs
		s, err := Open(w.c, w.store, obs)
		if err != nil {
			t.Fatal(err)
		}
		w.send(s, 0, 9)
		for i := range 5 {
			w.fs.Inject(durabletest.Fault{Op: durabletest.OpWrite, UntilRestart: true, Torn: true})
			for range 10 {
				if s.Append(t.Context(), batchOf(100+i, 3)) == nil {
					t.Error("a full disk took records")
				}
				time.Sleep(time.Second)
			}
			if obs.why(Journal) == nil {
				t.Error("nobody was told that the disk is full")
			}
			w.fs.Heal()
			time.Sleep(2 * time.Second)
			if obs.why(Journal) != nil {
				t.Error("nobody was told that the disk has space again")
			}
			w.send(s, 9+9*i, 9)
		}
		closeIt(t, s)
		each(t, w.store.verify(), 54)
	})
}

// troubles keeps what is in trouble, and why.
type troubles struct {
	quiet
	errs map[string]error
}

func (o *troubles) Trouble(what string, err error) { o.set(what, err) }
func (o *troubles) Better(what string)             { o.set(what, nil) }

func (o *troubles) set(what string, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.errs == nil {
		o.errs = map[string]error{}
	}
	o.errs[what] = err
}

func (o *troubles) why(what string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.errs[what]
}

// A press that was stuck for long leaves more journals than it may run behind;
// the next start takes them all the same.
func TestManyClosedJournals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		w.c.MaxBytes, w.c.Checkpoint = 1, time.Hour
		s := w.open()
		w.fs.Inject(durabletest.Fault{Path: "/spool", UntilRestart: true})
		n := 0
		for ; n < maxClosedJournals+20; n++ {
			if err := s.Append(t.Context(), batchOf(n, 1)); err != nil {
				if !errors.Is(err, ErrFull) {
					t.Fatal(err)
				}
				break
			}
		}
		w.store.setDown(errors.New("away"))
		w.bury(s, w.fs)
		w.store.setDown(nil)
		w.fs.Heal()
		s = w.open()
		if s == nil {
			t.Fatal("it does not start")
		}
		if err := s.Close(context.Background(), time.Hour); err != nil {
			t.Fatal(err)
		}
		each(t, w.store.verify(), n)
	})
}

// Taking a delivered segment out of the spool is tried again after a fault, in
// the same run: whatever it had got to, the segment is not read again.
func TestLeavingIsTriedAgain(t *testing.T) {
	for name, f := range map[string]durabletest.Fault{
		"the seal's rename":     {Op: durabletest.OpRename, Path: deliveredExt, Applied: true},
		"the folder's sync":     {Op: durabletest.OpSyncDir, Path: "/spool", N: 3},
		"the segment's removal": {Op: durabletest.OpRemove, Path: segmentExt, Applied: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 0)
				obs := &troubles{}
				w.c.FS = w.fs
				s, err := Open(w.c, w.store, obs)
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				w.fs.Inject(f)
				w.send(s, 0, 9)
				w.send(s, 9, 9)
				time.Sleep(time.Minute)
				synctest.Wait()
				if n := len(s.courier.queue); n != 0 {
					t.Errorf("%d delivered segments wait in the spool", n)
				}
				if err := obs.why(Spool); err != nil {
					t.Errorf("the spool is well again, and the trouble is still %v", err)
				}
				if left := files(t, w.fs, "/state/"+spoolDir); len(left) != 1 {
					t.Errorf("the spool holds %q, want the head alone", left)
				}
				closeIt(t, s)
				w.judge()
			})
		})
	}
}
