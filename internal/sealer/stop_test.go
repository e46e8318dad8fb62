package sealer

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// stuckFS is a disk on which syncs below a path hang from some moment on, as on
// a mount whose server is gone, until the gate opens.
type stuckFS struct {
	durable.FS
	below string
	on    atomic.Bool
	gate  chan struct{}
}

func (f *stuckFS) pass(path string) {
	if f.on.Load() && strings.Contains(path, f.below) {
		<-f.gate
	}
}

func (f *stuckFS) SyncDir(name string) error {
	f.pass(name)
	return f.FS.SyncDir(name)
}

func (f *stuckFS) OpenFile(name string, flag int, perm fs.FileMode) (durable.File, error) {
	file, err := f.FS.OpenFile(name, flag, perm)
	return stuckFile{file, f, name}, err
}

type stuckFile struct {
	durable.File
	fs   *stuckFS
	name string
}

func (f stuckFile) Sync() error {
	f.fs.pass(f.name)
	return f.File.Sync()
}

// deaf is what follows hash_chain when it does not come back from calls, whatever
// their context says.
type deaf struct {
	*memStore
	deliveries, records atomic.Bool
	gate                chan struct{}
}

func (d *deaf) Deliver(ctx context.Context, o *delivery.Objects) (int, int, error) {
	if d.deliveries.Load() {
		<-d.gate
	}
	return d.memStore.Deliver(ctx, o)
}

func (d *deaf) Records(ctx context.Context, v *seal.Verified, seed *tree.Seed, lines []byte) error {
	if d.records.Load() {
		<-d.gate
	}
	return d.memStore.Records(ctx, v, seed, lines)
}

// Whatever hangs for ever, a stop ends soon after its grace, says what hangs, and
// keeps the state directory locked; what was acknowledged is there afterwards.
func TestStopEndsWhateverHangs(t *testing.T) {
	const grace = 10 * time.Second
	for name, c := range map[string]struct {
		hang func(*stuckFS, *deaf)
		says string
	}{
		"journal":       {func(f *stuckFS, _ *deaf) { f.below = "/journal/"; f.on.Store(true) }, "the journal does not"},
		"journal's dir": {func(f *stuckFS, _ *deaf) { f.below = "/journal"; f.on.Store(true) }, "the journal does not"},
		"spool":         {func(f *stuckFS, _ *deaf) { f.below = "/spool"; f.on.Store(true) }, "sealing does not"},
		"delivery":      {func(_ *stuckFS, d *deaf) { d.deliveries.Store(true) }, "delivery to the stores does not"},
		"records":       {func(_ *stuckFS, d *deaf) { d.records.Store(true) }, "passing records on does not"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 0)
				gate := make(chan struct{})
				disk, down := &stuckFS{FS: w.fs, gate: gate}, &deaf{memStore: w.store, gate: gate}
				cfg := w.c
				cfg.FS, cfg.EmitRecords, cfg.AckTimeout = disk, true, time.Hour
				s := open(t, cfg, down)
				w.opened = true
				w.send(s, 0, 5)
				c.hang(disk, down)
				answer := make(chan error, 1)
				go func() { answer <- s.Append(context.Background(), batchOf(5, 5)) }()
				time.Sleep(time.Second)
				begin := time.Now()
				err := s.Close(context.Background(), grace)
				if took := time.Since(begin); took > grace+hangs {
					t.Errorf("close took %v", took)
				}
				if !errors.Is(err, ErrHangs) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), cfg.Dir) {
					t.Errorf("close says: %v", err)
				}
				synctest.Wait()
				acknowledged := 5
				select {
				case err := <-answer:
					if err == nil {
						acknowledged += 5
					}
				default:
					t.Error("a caller waits on")
				}
				if _, err := Open(cfg, down, &quiet{}); !errors.Is(err, durable.ErrLocked) {
					t.Errorf("opened beside what hangs: %v", err)
				}
				w.fs = w.fs.Restart() // The process is ended now.
				close(gate)
				synctest.Wait()
				down.deliveries.Store(false)
				s = w.open()
				closeIt(t, s)
				if got := len(w.store.verify()); got < acknowledged || got > 10 {
					t.Errorf("%d records are stored, %d were acknowledged", got, acknowledged)
				}
			})
		})
	}
}

// Who waits for the stores is not kept waiting by a stop that is about to begin,
// and is not lied to.
func TestHurry(t *testing.T) {
	bubble(t, func(t *testing.T, c Config, store *memStore) {
		c.AckStored, c.AckTimeout, c.MaxBytes = true, time.Hour, 1<<20
		s := open(t, c, store)
		appendTo(t, s, 0, 2)
		store.setDown(errors.New("store is away"))
		answer := make(chan error, 1)
		begin := time.Now()
		go func() { answer <- s.Append(context.Background(), batchOf(2, 2)) }()
		time.Sleep(time.Second)
		const limit = 5 * time.Second
		s.Hurry(limit)
		s.Hurry(limit) // Once is enough.
		if err := <-answer; !errors.Is(err, ErrUnanswered) || time.Since(begin) != limit+time.Second {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
		if err := s.Append(context.Background(), batchOf(4, 2)); !errors.Is(err, ErrStopped) {
			t.Errorf("taken although it is about to stop: %v", err)
		}
		store.setDown(nil)
		closeIt(t, s)
		each(t, store.verify(), 4)
	})
}

// Callers who wait for the first probe are hurried, too.
func TestHurryBeforeTheProbe(t *testing.T) {
	bubble(t, func(t *testing.T, c Config, store *memStore) {
		c.AckTimeout = time.Hour
		s := open(t, c, hung{store})
		s.Hurry(time.Second)
		begin := time.Now()
		if err := s.Append(context.Background(), batchOf(0, 2)); !errors.Is(err, ErrStopped) || time.Since(begin) != time.Second {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
		if err := s.Close(context.Background(), time.Second); err != nil {
			t.Error(err)
		}
	})
}

// A stop does not seal what has piled up for long: the next start does.
func TestStopLeavesABacklogOfJournals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		disk := &stuckFS{FS: w.fs, below: "/spool", gate: make(chan struct{})}
		w.c.MaxBytes, w.c.Checkpoint = 1, time.Hour
		cfg := w.c
		cfg.FS = disk
		s := open(t, cfg, w.store)
		w.opened = true
		disk.on.Store(true)
		const n = 50
		for i := range n {
			appendTo(t, s, i, 1)
		}
		time.AfterFunc(2*time.Second, func() { close(disk.gate) })
		if err := s.Close(context.Background(), time.Second); err != nil {
			t.Fatal(err)
		}
		if left := len(s.closed); left < n-5 {
			t.Errorf("%d journals were sealed after the grace", n-left)
		}
		s = w.open()
		closeIt(t, s)
		each(t, w.store.verify(), n)
	})
}
