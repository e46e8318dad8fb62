package sealer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/durable/durabletest"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/segment"
)

// The fault table: every call to the file system and to the stores that a small
// run makes, times every way in which it can fail, times every way in which that
// can end.

// faultKinds say what becomes of the call, and with a + of all later ones, too;
// where the disk is full, of all that write.
var faultKinds = []struct {
	name  string
	fault durabletest.Fault
}{
	{"error", durabletest.Fault{}},
	{"applied", durabletest.Fault{Applied: true}},
	{"torn", durabletest.Fault{Torn: true}},
	{"error+", durabletest.Fault{UntilRestart: true}},
	{"applied+", durabletest.Fault{Applied: true, UntilRestart: true}},
	{"torn+", durabletest.Fault{Torn: true, UntilRestart: true}},
	{"full+", durabletest.Fault{Op: durabletest.OpWrite, Torn: true, UntilRestart: true, Err: syscall.ENOSPC}},
	{"dead", durabletest.Fault{Crash: true}},
	{"dead/applied", durabletest.Fault{Crash: true, Applied: true}},
	{"dead/torn", durabletest.Fault{Crash: true, Torn: true}},
}

// ends say what happens once the run is over; they return what is found after.
var ends = []struct {
	name   string
	killed bool // as soon as the caller at work at the fault has its answer
	end    func(*world) *durabletest.FS
}{
	{"close, power off", false, func(w *world) *durabletest.FS { return w.fs.Crash() }},
	{"power off", true, func(w *world) *durabletest.FS { return w.fs.Crash() }},
	{"power off at random", true, func(w *world) *durabletest.FS { return w.fs.CrashRandom(w.rng) }},
	{"kill -9", true, func(w *world) *durabletest.FS { return w.fs.Restart() }},
	{"kill -9, power off in the next run", true, killThenPowerOff},
	{"kill -9, power off in the next run, again", true, killThenPowerOff},
	{"kill -9, power off in the next run, and again", true, killThenPowerOff},
}

// killThenPowerOff lets the next process build on what the killed one left in
// the kernel, until the power goes at any of its calls.
func killThenPowerOff(w *world) *durabletest.FS {
	w.fs = w.fs.Restart()
	w.fs.Inject(durabletest.Fault{N: 1 + w.rng.IntN(120), Crash: true, Applied: w.rng.IntN(2) == 0})
	w.run(0)
	return w.fs.Crash()
}

// world is one run with its store and its callers.
type world struct {
	t     testing.TB
	c     Config
	fs    *durabletest.FS
	store *memStore
	down  Downstream  // the store, or what stands in front of it
	until func() bool // when it says so the run is cut short; nil: never
	rng   *rand.Rand

	opened bool
	sent   map[int]int  // by event, how often a caller sent it
	acked  map[int]int  // by event, how often a caller was answered nil
	again  map[int]bool // by batch: its source sends it although it was answered
}

func newWorld(t testing.TB, seed uint64) *world {
	w := &world{t: t, fs: durabletest.New(), rng: rand.New(rand.NewPCG(seed, 7)), sent: map[int]int{}, acked: map[int]int{}, again: map[int]bool{}}
	w.c = Config{
		Log: "web", Signer: testSigner(t, "a"), Dir: "/state", Genesis: true, Software: "custody/test",
		MaxBytes: 150, MaxAge: time.Minute, Heartbeat: time.Hour, Checkpoint: 10 * time.Millisecond,
		AckTimeout: 5 * time.Second, SpoolLimit: 1 << 30, MinStores: 1,
	}
	w.store = newMemStore(t, w.c.Signer)
	w.down = w.store
	return w
}

const (
	faultBatches = 6
	faultBatch   = 3
)

// hit says whether the n-th call of the run has been made; 0 is never.
func (w *world) hit(n int) bool {
	return n > 0 && len(w.fs.Calls()) >= n || w.until != nil && w.until()
}

func (w *world) dead() bool {
	_, err := w.fs.Stat("/")
	return errors.Is(err, durabletest.ErrCrashed)
}

// open starts a sealer as a supervisor does, which tries again.
func (w *world) open() *Sealer {
	w.c.FS = w.fs
	w.c.Genesis = !w.opened // I6: what began is never begun again.
	for range 3 {
		s, err := Open(w.c, w.down, &quiet{})
		if err == nil {
			w.opened = true
			return s
		}
		if errors.Is(err, ErrDamaged) || errors.Is(err, ErrNoHead) {
			w.t.Errorf("open: %v", err)
		}
	}
	return nil
}

// run sends what is not acknowledged yet, and again what was refused. It stops
// short once call killAt has been made.
func (w *world) run(killAt int) {
	s := w.open()
	if s == nil {
		return
	}
	for i := range faultBatches {
		for try := 0; try < 3 && (w.acked[i*faultBatch] == 0 || w.again[i]) && !w.dead(); try++ {
			err := s.Append(context.Background(), batchOf(i*faultBatch, faultBatch))
			for e := i * faultBatch; e < (i+1)*faultBatch; e++ {
				w.sent[e]++
				if err == nil {
					w.acked[e]++
					delete(w.again, i)
				}
			}
		}
		time.Sleep(11 * time.Millisecond) // a checkpoint is due
		synctest.Wait()
		if w.hit(killAt) || w.dead() {
			defer w.bury(s, w.fs)
			return
		}
	}
	if err := s.Close(context.Background(), time.Minute); err != nil {
		w.t.Errorf("close: %v", err)
	}
	if f := s.Fatal(); f != nil && !w.dead() {
		w.t.Errorf("fatal: %v", f)
	}
}

// bury ends the goroutines of a process that is gone. Nothing that they do
// counts any more.
func (w *world) bury(s *Sealer, fs *durabletest.FS) {
	after := w.fs
	if fs == w.fs && !w.dead() {
		// Its last instant: what comes now is not seen by anybody.
		after = fs.Restart()
	}
	down := w.store.down
	w.store.setDown(errors.New("buried"))
	_ = s.Close(context.Background(), 0)
	w.store.setDown(down)
	w.fs = after
}

// finish opens what is left without any fault, sends what is not acknowledged,
// and judges.
func (w *world) finish() {
	w.run(0)
	for e := range faultBatches * faultBatch {
		if w.acked[e] == 0 {
			w.t.Errorf("event %d was not accepted even without a fault", e)
		}
	}
	w.judge()
}

func (w *world) judge() {
	w.t.Helper()
	have := map[int]int{}
	for _, line := range w.store.verify(w.notes()...) {
		var e int
		if _, err := fmt.Sscanf(line, `{"body":"event %d"}`, &e); err != nil {
			w.t.Errorf("invented record %s", line)
		}
		have[e]++
	}
	for e, n := range have {
		if n > w.sent[e] {
			w.t.Errorf("event %d is in the log %d times and was sent %d times", e, n, w.sent[e])
		}
	}
	for e, n := range w.acked {
		if have[e] < n {
			w.t.Errorf("event %d was acknowledged %d times and is in the log %d times", e, n, have[e])
		}
	}
}

// delivered demands that one fault held nothing up for good: no restart is needed
// to have everything in the store, and out of the spool.
func (w *world) delivered() {
	w.t.Helper()
	if !w.opened {
		return // It failed to let go of its lock, which a process that ends does.
	}
	w.judge()
	for _, name := range files(w.t, w.fs, "/state/"+spoolDir) {
		if filepath.Ext(name) != deliveredExt && !durable.IsTemp(filepath.Base(name)) { // The next start sweeps those.
			w.t.Errorf("%s was left behind", name)
		}
	}
}

// notes are all checkpoints that were ever shown; no size has two roots.
func (w *world) notes() (since []checkpoint.Signed) {
	roots := map[uint64]string{}
	for _, n := range w.store.notes {
		signed, err := checkpoint.Open(n, w.store.keys)
		if err != nil {
			w.t.Fatal(err)
		}
		if had, ok := roots[signed.Size]; ok && had != signed.Root.String() {
			w.t.Errorf("two roots were signed for size %d", signed.Size)
		}
		roots[signed.Size] = signed.Root.String()
		since = append(since, signed)
	}
	return since
}

// recorder collects a case's failures instead of failing the test at once.
type recorder struct {
	testing.TB
	faults []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}
func (r *recorder) Helper() {}

func TestFaultTable(t *testing.T) {
	tab := table{}
	faults := faultsOfDisk(t, tab)
	faults = append(faults, faultsOfStore(t, tab)...)
	for _, bad := range faults {
		t.Error(bad)
	}
	for _, step := range tab.missed() {
		t.Errorf("no fault hit %s", step)
	}
	t.Logf("\n%s", tab)
}

// faultsOfDisk lets every call to the file system fail; with -short every
// thirteenth call, and of each step the first that changes something and the first
// that does not, and more of them while goroutines took turns otherwise.
func faultsOfDisk(t *testing.T, tab table) (faults []string) {
	var calls []durabletest.Call
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		w.run(0)
		w.judge()
		calls = w.fs.Calls()
	})
	type first struct {
		step     string
		changing bool
	}
	seen := map[first]bool{}
	for n := 1; n <= len(calls); n++ {
		f := first{stepName(stepOf(calls, n)), calls[n-1].Op.Changing()}
		if testing.Short() && n%13 != 1 && seen[f] && !tab.lacks(f.step) {
			continue
		}
		seen[f] = true
		for _, kind := range faultKinds {
			for i, end := range ends {
				if kind.fault.Crash && !end.killed || kind.fault.Torn && calls[n-1].Op != durabletest.OpWrite {
					continue // It is dead already, or nothing here can be torn.
				}
				if !calls[n-1].Op.Changing() && (kind.fault.Applied || i > 1) {
					continue // It leaves the disk as it was.
				}
				synctest.Test(t, func(t *testing.T) {
					if bad := faultCase(t, tab, calls, n, i, kind.name, kind.fault); bad != "" {
						faults = append(faults, bad)
					}
				})
			}
		}
	}
	return faults
}

func faultCase(t *testing.T, tab table, usual []durabletest.Call, n, i int, kind string, f durabletest.Fault) string {
	r := &recorder{TB: t}
	w := newWorld(r, uint64(n*100+i))
	f.N = n
	if f.Op != "" { // It counts calls of its own kind.
		f.N = 0
		for _, c := range usual[:n] {
			if c.Op == f.Op {
				f.N++
			}
		}
	}
	w.fs.Inject(f)
	fs, end := w.fs, ends[i]
	switch {
	case end.killed:
		w.run(n)
	case f.UntilRestart:
		w.run(0)
	default:
		w.run(0)
		w.delivered()
	}
	calls := fs.Calls()
	if len(calls) < n || f.Torn && calls[n-1].Op != durabletest.OpWrite {
		return "" // Goroutines took turns otherwise, or nothing here can be torn.
	}
	w.fs.Heal()
	w.fs = end.end(w)
	w.finish()
	tab.add(stepName(stepOf(calls, n)), kind, len(r.faults) == 0)
	if len(r.faults) == 0 {
		return ""
	}
	return fmt.Sprintf("call %d, %s: %s; %s:\n  %s", n, step(calls[n-1]), kind, end.name, strings.Join(slices.Compact(r.faults), "\n  "))
}

// TestFaultsUponFaults lets several processes in a row fail in several places
// each, and end in any way.
func TestFaultsUponFaults(t *testing.T) {
	seeds := uint64(1500)
	if testing.Short() {
		seeds = 200
	}
	for seed := range seeds {
		r := &recorder{TB: t}
		var story []string
		synctest.Test(t, func(t *testing.T) {
			r.TB = t
			w := newWorld(r, seed)
			w.c.EmitRecords, w.c.RecordsLimit = seed%3 == 0, 1<<20
			for range 1 + w.rng.IntN(4) {
				for range 1 + w.rng.IntN(3) {
					f := faultKinds[w.rng.IntN(len(faultKinds))].fault
					f.N = 1 + w.rng.IntN(200)
					w.fs.Inject(f)
					story = append(story, fmt.Sprintf("%+v", f))
				}
				killAt := w.rng.IntN(250)
				w.run(killAt)
				w.fs.Heal()
				end := []func() *durabletest.FS{w.fs.Crash, w.fs.Restart, func() *durabletest.FS { return w.fs.CrashRandom(w.rng) }}
				i := w.rng.IntN(len(end))
				w.fs = end[i]()
				story = append(story, fmt.Sprintf("killed at %d, end %d", killAt, i))
				w.again[w.rng.IntN(faultBatches)] = true // The next process has work.
			}
			w.finish()
		})
		if len(r.faults) > 0 {
			t.Errorf("seed %d: %s\n  %s", seed, strings.Join(story, "; "), strings.Join(slices.Compact(r.faults), "\n  "))
		}
	}
}

// A process was killed after it wrote a closing frame and before it synced it.
// The next one must not build on what only the kernel has.
func TestUnsyncedClosingFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		s := w.open()
		w.fs.Inject(durabletest.Fault{Op: durabletest.OpSync, Path: "0.journal", N: 2, Crash: true})
		w.send(s, 0, 9) // Answered, and then the segment is full.
		if !w.dead() {
			t.Fatal("the closing frame's sync was not hit")
		}
		w.bury(s, w.fs)
		w.fs = w.fs.Restart()
		w.fs.Inject(durabletest.Fault{Op: durabletest.OpRename, Path: "/spool", UntilRestart: true}) // The press is late.
		s = w.open()
		w.send(s, 9, 3)
		fs := w.fs
		w.bury(s, fs)
		w.fs = w.fs.Crash()
		w.finish()
	})
}

// Records are passed on once, in order, whatever the stop and start between.
func TestEmittedAcrossRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		w.c.EmitRecords, w.c.RecordsLimit = true, 1<<20
		for i := range 4 {
			if i%2 == 0 {
				w.store.setDown(errors.New("away"))
			}
			w.killed(func(s *Sealer) { w.send(s, i*9, 9) })
			w.store.setDown(nil)
		}
		closeIt(t, w.open())
		w.judge()
		n := 0
		for _, line := range w.store.records {
			if !segment.IsClosed([]byte(line)) {
				if want := fmt.Sprintf(`{"body":"event %d"}`, n); line != want {
					t.Fatalf("passed on %s, want %s", line, want)
				}
				n++
			}
		}
		if n != 36 {
			t.Errorf("%d records were passed on, want 36", n)
		}
		for _, name := range files(t, w.fs, "/state/"+recordsDir) {
			if filepath.Base(name) != "next" {
				t.Errorf("left behind: %s", name)
			}
		}
	})
}
