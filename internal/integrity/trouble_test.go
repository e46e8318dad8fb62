package integrity

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

// Stores that come and go for hours while the log grows: trouble is said and ends,
// and nobody is accused.
func TestFlappingStores(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 2))
		l := ledgertest.NewLog("test", ledgertest.Signer(t, origin))
		l.Add(t, 3, 5)
		a, b := memory(t, "a", l.Segments...), memory(t, "b", l.Segments...)
		fa, fb := storetest.NewFaultyVersioned(t, a), storetest.NewFaulty(t, b)
		w := newBench(t, afterChain(2), fa, fb).start()
		for i := range 150 {
			for _, f := range []*storetest.Faulty{fa.Faulty, fb} {
				switch rng.IntN(5) {
				case 0:
					f.SetDown(true)
				case 1:
					f.Inject(storetest.Fault{N: 1 + rng.IntN(6), UntilHeal: rng.IntN(2) == 0})
				case 2:
					f.Hang(true)
				default:
					f.Heal()
				}
			}
			if i%3 == 0 {
				s := l.Add(t, 1+rng.IntN(9))
				fill(t, a, s)
				fill(t, b, s)
			}
			w.wait(time.Duration(rng.IntN(120)) * time.Second)
		}
		fa.Heal()
		fb.Heal()
		w.wait(2 * time.Hour)
		w.want()
		for kind, n := range w.book.kinds() {
			if kind != incident.Unread && kind != incident.StoreBehind && kind != incident.Late && kind != incident.PassLate {
				t.Errorf("%d findings %s", n, kind)
			}
		}
		if w.book.kinds()[incident.Unread] == 0 {
			t.Error("nothing was said of stores that were away")
		}
		for _, s := range w.guard.Status() {
			if s.Verified != l.Size() || s.Head.Size != l.Size() || s.Error != "" {
				t.Errorf("%+v", s)
			}
		}
		w.stop()
	})
}

// A store that hangs holds up no other one.
func TestHangingStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ledgertest.NewLog("test", ledgertest.Signer(t, origin))
		l.Add(t, 3)
		a, b := memory(t, "a", l.Segments...), memory(t, "b", l.Segments...)
		f := storetest.NewFaultyVersioned(t, a)
		w := newBench(t, afterChain(1), f, b)
		w.set.Workers = 1
		w.start()
		w.wait(time.Second)
		f.Hang(true)
		fill(t, b, l.Add(t, 4))
		w.wait(6 * time.Second)
		if st := w.guard.Status(); st[1].Verified != 7 {
			t.Errorf("%+v", st)
		}
		w.wait(5 * time.Minute)
		w.want("unread a  0-0")
		if st := w.guard.Status(); !strings.Contains(st[0].Error, "said nothing") || st[0].Since.IsZero() {
			t.Errorf("%+v", st[0])
		}
		f.Heal()
		fill(t, a, l.Segments...)
		w.wait(10 * time.Minute)
		w.want()
		w.stop()
	})
}

func TestStoreThatDoesNotOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := memory(t, "a", chain(t, 3)...)
		w := newBench(t, afterChain(1), a)
		var away atomic.Bool
		away.Store(true)
		w.set.Sources[0].Open = func(context.Context) (store.Store, error) {
			if away.Load() {
				return nil, store.ErrDenied
			}
			return a, nil
		}
		w.start()
		w.wait(time.Minute)
		w.want("unread a  0-0")
		if st := w.guard.Status(); len(st) != 1 || !strings.Contains(st[0].Error, "access denied") {
			t.Errorf("%+v", st)
		}
		away.Store(false)
		w.wait(10 * time.Minute)
		w.want()
		w.stop()
	})
}

// One segment that nobody may read neither stops the others nor is forgotten.
func TestUnreadableSegment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := chain(t, 3, 5, 4)
		f := storetest.NewFaultyVersioned(t, memory(t, "a", l...))
		f.Inject(storetest.Fault{Name: segmentOf(l[1]), UntilHeal: true, Err: store.ErrDenied})
		w := newBench(t, afterChain(3), f).start()
		w.wait(5 * time.Minute)
		w.want("unread a  3-8")
		if w.counts.fresh < 7 || w.guard.Status()[0].Verified != 12 {
			t.Errorf("%+v", w.counts)
		}
		w.wait(3 * time.Hour)
		w.want("unread a  3-8")
		f.Heal()
		w.wait(2 * time.Hour)
		w.want()
		w.stop()
	})
}

// What was found stays found while nobody can look again.
func TestUnreadableIsNotMended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := chain(t, 3, 5, 4)
		a := memory(t, "a", l...)
		replace(a, segmentOf(l[1]), flipped(l[1].Object, len(l[1].Object)-5))
		f := storetest.NewFaultyVersioned(t, a)
		w := newBench(t, afterChain(3), f).start()
		w.wait(time.Minute)
		f.Inject(storetest.Fault{Name: segmentOf(l[1]), UntilHeal: true, Err: store.ErrDenied})
		w.wait(4 * time.Hour)
		altered := "segment-altered a " + segmentOf(l[1]) + " 3-8 record 3"
		w.want(altered, "unread a  3-8", "pass-late a  0-0")
		f.Heal()
		replace(a, segmentOf(l[1]), l[1].Object)
		w.wait(4 * time.Hour)
		w.want()
		w.stop()
	})
}

// A store that lists and does not read is not read.
func TestStoreThatOnlyLists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := storetest.NewFaultyVersioned(t, memory(t, "a", chain(t, 3, 5, 4)...))
		f.Inject(storetest.Fault{Method: storetest.GetVersion, UntilHeal: true})
		w := newBench(t, afterChain(3), f).start()
		for range 10 {
			w.wait(time.Minute)
			w.want("unread a  0-0")
		}
		f.Heal()
		w.wait(10 * time.Minute)
		w.want()
		w.stop()
	})
}

// What was read before a restart is not read again for it, and a pass goes on.
func TestRestart(t *testing.T) {
	for _, early := range []bool{false, true} { // before the store is mounted
		t.Run(fmt.Sprintf("early=%t", early), func(t *testing.T) { restart(t, early) })
	}
}

func restart(t *testing.T, early bool) {
	synctest.Test(t, func(t *testing.T) {
		counts := make([]int, 200)
		for i := range counts {
			counts[i] = 2
		}
		l := chain(t, counts...)
		all, none := memory(t, "a", l...), memory(t, "a")
		a := mounted(all)
		w := newBench(t, afterChain(200), a).start()
		w.wait(56 * time.Minute)
		half := w.counts.again
		if w.counts.fresh != 400 || half == 0 || half > 350 {
			t.Fatalf("%+v", w.counts)
		}
		w.stop()
		if early {
			a.of.Store(none)
		}
		w.start()
		w.wait(50 * time.Second)
		a.of.Store(all)
		w.wait(4 * time.Minute)
		if w.counts.fresh != 400 {
			t.Errorf("read as new: %+v", w.counts)
		}
		w.wait(40 * time.Minute)
		if w.counts.again != 400 {
			t.Errorf("read again: %+v", w.counts)
		}
		w.want()
		w.stop()
	})
}

// While nobody watches, the store is rolled back, and grows again.
func TestRolledBackMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := chain(t, 3, 5, 4)
		w := newBench(t, afterChain(3), memory(t, "a", l...)).start()
		w.wait(time.Second)
		w.stop()
		old := memory(t, "a", l[:2]...)
		w.set.Sources[0].Open = func(context.Context) (store.Store, error) { return old, nil }
		w.start()
		w.wait(50 * time.Second)
		w.want()
		w.wait(20 * time.Second)
		w.want("rollback a  8-12")
		w.stop()
		w.start()
		for range 4 {
			w.wait(30 * time.Second)
			w.want("rollback a  8-12")
		}
		fill(t, old, l[2])
		w.wait(time.Minute)
		w.want()
		w.stop()
	})
}

// A store that shows an old state for less than a minute, or nothing at all as where
// a directory is not mounted, is not accused, and nothing is read again for it. One
// that stays so is.
func TestOldStateForAWhile(t *testing.T) {
	for _, kept := range []int{0, 40, 99} {
		synctest.Test(t, func(t *testing.T) {
			counts := make([]int, 100)
			for i := range counts {
				counts[i] = 2
			}
			l := chain(t, counts...)
			all, old := memory(t, "a", l...), memory(t, "a", l[:kept]...)
			a := mounted(all)
			w := newBench(t, afterChain(100), storetest.NewFaulty(t, a)).start()
			w.wait(70 * time.Minute)
			for range 20 {
				a.of.Store(old)
				w.wait(50 * time.Second)
				a.of.Store(all)
				w.wait(10 * time.Minute)
			}
			w.want()
			for kind, n := range w.book.kinds() {
				if kind != incident.Late {
					t.Errorf("%d segments are kept: said %s %d times", kept, kind, n)
				}
			}
			if w.counts.fresh != 200 || w.counts.again > 5*200 {
				t.Errorf("read again for that: %+v", w.counts)
			}
			a.of.Store(old)
			w.wait(5 * time.Minute)
			want := []string{fmt.Sprintf("rollback a  %d-200", 2*kept)}
			if kept == 0 {
				want = append(want, "unread a  0-0")
			}
			w.want(want...)
			w.stop()
		})
	}
}

// A fork from what the memory has is one incident, however many passes end.
func TestForkStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		forked, _, _ := others(t)
		a := mounted(memory(t, "a", chain(t, 3, 5, 4)...))
		w := newBench(t, afterChain(3), a)
		w.set.FullPassEvery, w.set.Poll = 10*time.Minute, 7*time.Second
		w.start()
		w.wait(time.Minute)
		a.of.Store(memory(t, "a", append(chain(t, 3), forked...)...))
		w.wait(3 * time.Hour)
		w.want("fork a  0-12")
		if n := w.book.kinds()[incident.Fork]; n != 1 || w.counts.passes < 10 {
			t.Errorf("%d times in %d passes", n, w.counts.passes)
		}
		w.stop()
	})
}

// A directory that is unmounted while it is read has lost no segment, and what was
// read of it counts.
func TestUnmountedWhileRead(t *testing.T) {
	for name, now := range map[string]func(Coverage) bool{
		"before a pass":   func(c Coverage) bool { return c.Done == 0 || c.Done == c.Total },
		"within the last": func(c Coverage) bool { return c.Done >= c.Total/2 && c.Done < c.Total },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { unmounted(t, now, name == "before a pass") })
		})
	}
}

func unmounted(t *testing.T, now func(Coverage) bool, all bool) {
	counts := make([]int, 200)
	for i := range counts {
		counts[i] = 2
	}
	full, none := memory(t, "a", chain(t, counts...)...), memory(t, "a")
	a := mounted(full)
	w := newBench(t, afterChain(200), a).start()
	pass := func() Coverage { return w.guard.Status()[0].Coverage }
	for w.wait(time.Minute); !now(pass()); {
		w.wait(time.Minute)
	}
	before, passes := w.counts.reread(), pass().Passes
	a.next.Store(none)
	for a.next.Load() != nil {
		w.wait(time.Second)
	}
	w.wait(30 * time.Second)
	a.of.Store(full)
	for pass().Passes == passes {
		w.wait(time.Minute)
	}
	if n := w.counts.reread() - before; n >= 400 && !all {
		t.Errorf("behind the half of a pass all was read again: %d records", n)
	}
	w.wait(3 * time.Hour)
	w.want()
	if said := w.book.kinds(); len(said) > 1 || said[incident.Late] != 1 {
		t.Errorf("said: %v %v", said, w.book.ever)
	}
	w.stop()
}

// A seal that vanishes a moment before all others do is no gap.
func TestSealsVanishOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := chain(t, 3, 5, 4, 2)
		full, none := memory(t, "a", l...), memory(t, "a")
		a := mounted(full)
		w := newBench(t, afterChain(4), a).start()
		w.wait(time.Minute)
		first := sealOf(l[1])
		a.first.Store(&first)
		a.next.Store(none)
		for a.next.Load() != nil {
			w.wait(time.Second)
		}
		w.wait(30 * time.Second)
		a.first.Store(nil)
		a.of.Store(full)
		w.wait(3 * time.Hour)
		w.want()
		if said := w.book.kinds(); len(said) > 1 || said[incident.Late] != 1 {
			t.Errorf("said: %v", said)
		}
		w.stop()
	})
}

// mount shows one store or another, and nothing in between.
type mount struct {
	of   atomic.Pointer[storetest.Memory]
	next atomic.Pointer[storetest.Memory] // shown from the next read of a segment on, unless it is nil
	// first is a seal that is gone, and half a second later next is shown.
	first atomic.Pointer[string]
}

func mounted(m *storetest.Memory) *mount {
	n := &mount{}
	n.of.Store(m)
	return n
}

func (m *mount) ID() string   { return m.of.Load().ID() }
func (m *mount) Close() error { return nil }

func (m *mount) PutOnce(ctx context.Context, name string, data []byte, opt store.PutOptions) (store.Info, error) {
	return m.of.Load().PutOnce(ctx, name, data, opt)
}

func (m *mount) Get(ctx context.Context, name string) (io.ReadCloser, store.Info, error) {
	if m.first.Load() == nil && strings.Contains(name, "/segments/") {
		if next := m.next.Swap(nil); next != nil {
			m.of.Store(next)
		}
	}
	return m.of.Load().Get(ctx, name)
}

func (m *mount) GetRange(ctx context.Context, name string, off, n int64) ([]byte, error) {
	return m.of.Load().GetRange(ctx, name, off, n)
}

func (m *mount) GetVersion(ctx context.Context, name, version string) (io.ReadCloser, store.Info, error) {
	if first := m.first.Load(); first != nil && *first == name {
		time.AfterFunc(time.Second/2, func() {
			if next := m.next.Swap(nil); next != nil {
				m.of.Store(next)
			}
		})
		return nil, store.Info{}, store.ErrNotFound
	}
	return m.of.Load().GetVersion(ctx, name, version)
}

func (m *mount) Stat(ctx context.Context, name string) (store.Info, error) {
	return m.of.Load().Stat(ctx, name)
}

func (m *mount) Versions(ctx context.Context, name string) ([]store.Info, error) {
	return m.of.Load().Versions(ctx, name)
}

func (m *mount) List(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return m.of.Load().List(ctx, prefix, after)
}

func (m *mount) ListVersions(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return m.of.Load().ListVersions(ctx, prefix, after)
}

func TestDamagedState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := chain(t, 3, 5, 4)
		w := newBench(t, afterChain(3), memory(t, "a", l...)).start()
		w.wait(time.Second)
		w.stop()
		path := filepath.Join(w.set.Dir, stateName("memory://a", "test"))
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, flipped(b, 30), 0o600); err != nil {
			t.Fatal(err)
		}
		w.set.Sources[0].Open = func(context.Context) (store.Store, error) { return memory(t, "a", l[:2]...), nil }
		w.start()
		w.wait(2 * time.Minute)
		w.want("rollback a  8-12", "state-damaged a  0-0")
		w.wait(3 * time.Hour)
		w.want("rollback a  8-12")
		w.stop()
	})
}

// What cannot be written does not stop the judge, and is done again.
func TestBookThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := chain(t, 3, 5)
		a := memory(t, "a", l...)
		a.Erase(segmentOf(l[0]))
		w := newBench(t, afterChain(2), a)
		w.set.Book = full{w.book}
		w.start()
		w.wait(time.Minute)
		w.want("segment-missing a " + segmentOf(l[0]) + " 0-3")
		if err := w.guard.Err(); !errors.Is(err, errFull) {
			t.Errorf("%v", err)
		}
		w.cancel()
		if err := <-w.done; !errors.Is(err, errFull) {
			t.Errorf("%v", err)
		}
		if files, _ := os.ReadDir(w.set.Dir); len(files) != 0 {
			t.Errorf("progress is kept, what was found is not: %v", files)
		}
	})
}

var errFull = errors.New("disk full")

type full struct{ *notebook }

func (f full) Report(in incident.Finding) error { return errors.Join(f.notebook.Report(in), errFull) }

// When the limit makes the promise impossible, both numbers are said.
func TestPromiseBeyondTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := chain(t, 200, 200, 200)
		size := 0
		for _, s := range l {
			size += len(s.Object) + len(s.Seal.Bytes())
		}
		w := newBench(t, afterChain(3), memory(t, "a", l...))
		w.set.BytesPerSecond = int64(size / 7200) // Twice the time that is promised.
		w.start()
		w.wait(6 * time.Hour)
		w.want("pass-late a  0-0")
		f := w.book.ever[len(w.book.ever)-1]
		for _, f = range w.book.ever {
			if f.Kind == incident.PassLate {
				break
			}
		}
		if !strings.Contains(f.Message, fmt.Sprint(w.set.BytesPerSecond)) || !strings.Contains(f.Message, "1h0m0s is promised") {
			t.Errorf("%+v", f)
		}
		w.stop()
	})
}

func (f full) Swept(incident.Place, time.Time, ...incident.Kind) error { return errFull }
