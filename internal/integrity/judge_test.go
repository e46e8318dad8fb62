package integrity

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/record"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

func lines(t *testing.T, n int) [][]byte {
	t.Helper()
	var all [][]byte
	for i := range n {
		line, err := record.AppendLine(nil, ledgertest.Record("", uint64(i)))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, line)
	}
	return all
}

// What the log itself says.
func TestClosedRecords(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*segment.Closed)
		want string
	}{
		"losses":     {func(c *segment.Closed) { c.Counts = map[string]segment.Counts{"x": {"lost": 2}} }, "losses a  3-6 record 5"},
		"no losses":  {func(c *segment.Closed) { c.Counts = map[string]segment.Counts{"x": {"lost": 0}} }, ""},
		"clock back": {func(c *segment.Closed) { c.At = ledgertest.Began }, "clock-back a  3-6 record 5"},
		"ended":      {func(c *segment.Closed) { c.Reason, c.NextBy = segment.Ended, time.Time{} }, "after-end a test/seals/00000000000000000006.seal 6-8"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := ledgertest.NewLog("test", ledgertest.Signer(t, origin))
				l.Add(t, 3)
				l.Extend(t, lines(t, 2), c.edit)
				l.Add(t, 2)
				w := newBench(t, afterChain(3), memory(t, "a", l.Segments...)).start()
				for range 2 {
					w.wait(2 * time.Hour)
					if c.want == "" {
						w.want()
					} else {
						w.want(c.want)
					}
				}
				w.stop()
			})
		})
	}
}

func TestSealedLineThatIsNotCanonical(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ledgertest.NewLog("test", ledgertest.Signer(t, origin))
		l.Extend(t, [][]byte{[]byte(`{"body":"a"}`), []byte(`{"body": "b"}`)}, nil)
		w := newBench(t, afterChain(1), memory(t, "a", l.Segments...)).start()
		w.wait(time.Second)
		w.want("record-malformed a " + segmentOf(l.Segments[0]) + " 0-3 record 1")
		w.stop()
	})
}

// Silence is said once next_by has passed, and not of a log that has ended.
func TestHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ledgertest.NewLog("test", ledgertest.Signer(t, origin))
		l.Add(t, 3)
		a := memory(t, "a", l.Segments...)
		w := newBench(t, afterChain(1), a).start() // a minute behind the closed record, a minute before next_by
		late := func() []string {
			return slices.DeleteFunc(w.book.standing(), func(s string) bool { return !strings.HasPrefix(s, "late") })
		}
		w.wait(2 * time.Minute)
		if got := late(); len(got) != 0 {
			t.Errorf("%v", got)
		}
		w.wait(time.Minute)
		if got := late(); !slices.Equal(got, []string{"late a  0-3 record 2"}) {
			t.Errorf("%v", got)
		}
		at := afterChain(1).Add(3 * time.Minute)
		fill(t, a, l.Extend(t, nil, func(c *segment.Closed) { c.At, c.NextBy = at, at.Add(2*time.Minute) }))
		w.wait(6 * time.Second)
		if got := late(); len(got) != 0 {
			t.Errorf("%v", got)
		}
		fill(t, a, l.Extend(t, nil, func(c *segment.Closed) { c.At, c.NextBy, c.Reason = at, time.Time{}, segment.Ended }))
		w.wait(6 * time.Hour)
		w.want()
		if got := late(); len(got) != 0 || !w.guard.Status()[0].Ended {
			t.Errorf("%v, %+v", got, w.guard.Status())
		}
		w.stop()
	})
}

func TestUnfenced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ledgertest.NewLog("test", ledgertest.Signer(t, origin))
		l.Extend(t, nil, func(c *segment.Closed) { c.Unfenced = true })
		a := memory(t, "a", l.Segments...)
		w := newBench(t, afterChain(1), a).start()
		w.wait(time.Second)
		w.want("unfenced a  0-1 record 0")
		fill(t, a, l.Add(t, 2))
		w.wait(6 * time.Second)
		w.want()
		w.stop()
	})
}

// lenient is a store whose owner changes locks.
type lenient struct {
	*storetest.Memory
	mu   sync.Mutex
	now  map[string]store.Retention
	all  store.Retention
	def  store.Default
	lock error
}

func (l *lenient) Stat(ctx context.Context, name string) (store.Info, error) {
	info, err := l.Memory.Stat(ctx, name)
	l.mu.Lock()
	defer l.mu.Unlock()
	info.Retention = l.all
	if r, ok := l.now[name]; ok {
		info.Retention = r
	}
	return info, err
}

func (l *lenient) CheckLock(context.Context, store.Mode) (store.Default, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.def, l.lock
}

func (l *lenient) set(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

func TestRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := chain(t, 3, 5)
		year := store.Retention{Mode: store.ModeCompliance, Until: ledgertest.Began.AddDate(1, 0, 0), LegalHold: true}
		s := &lenient{Memory: memory(t, "a", l...), all: year, now: map[string]store.Retention{}}
		w := newBench(t, afterChain(2), s)
		w.set.Sources[0].Retention = &Retention{Mode: store.ModeCompliance, For: 24 * time.Hour, LegalHold: true}
		w.start()
		w.wait(2 * time.Hour)
		w.want()
		for _, c := range []struct {
			kind incident.Kind
			name string
			r    store.Retention
		}{
			{incident.RetentionMissing, segmentOf(l[0]), store.Retention{}},
			{incident.RetentionMode, sealOf(l[0]), store.Retention{Mode: store.ModeGovernance, Until: year.Until, LegalHold: true}},
			{incident.RetentionShort, segmentOf(l[0]), store.Retention{Mode: store.ModeCompliance, Until: ledgertest.Began.Add(time.Hour), LegalHold: true}},
			{incident.LegalHoldMissing, sealOf(l[0]), store.Retention{Mode: store.ModeCompliance, Until: year.Until}},
		} {
			s.set(func() { s.now = map[string]store.Retention{c.name: c.r} })
			w.wait(2 * time.Hour)
			w.want(string(c.kind) + " a " + c.name + "@1 0-3")
		}
		s.set(func() { s.now = nil })
		w.wait(2 * time.Hour)
		w.want()
		// What is over is not demanded, but for the hold.
		w.wait(12 * time.Hour)
		s.set(func() { s.all = store.Retention{LegalHold: true} })
		w.wait(3 * time.Hour)
		w.want()
		w.stop()
	})
}

func TestLockOfTheBucket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		day := 24 * time.Hour
		s := &lenient{Memory: memory(t, "a", chain(t, 3)...), def: store.Default{Mode: store.ModeGovernance, For: 30 * day}}
		w := newBench(t, afterChain(1), s).start()
		w.wait(time.Minute)
		s.set(func() { s.def.For = 60 * day })
		w.wait(2 * time.Hour)
		w.want()
		s.set(func() { s.def.For = 59 * day })
		w.wait(2 * time.Hour)
		w.want("lock-config a  0-0")
		w.stop()
		w.start()
		w.wait(time.Minute)
		w.want("lock-config a  0-0")
		s.set(func() { s.def = store.Default{Mode: store.ModeCompliance, For: 60 * day} })
		w.wait(2 * time.Hour)
		w.want()
		w.stop()
		s.set(func() { s.lock = store.ErrRetention })
		w.set.Sources[0].Retention = &Retention{Mode: store.ModeCompliance}
		w.start()
		w.wait(time.Minute)
		w.want("lock-config a  0-0")
		s.set(func() { s.lock = store.ErrUnavailable })
		w.wait(time.Hour)
		s.set(func() { s.lock = nil })
		w.wait(time.Hour)
		w.want()
		w.stop()
	})
}

// A lock that was taken off is told, though nobody demands one; and a file that was
// damaged.
func TestLockTakenOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &lenient{Memory: memory(t, "a", chain(t, 3)...), def: store.Default{Mode: store.ModeGovernance, For: 30 * 24 * time.Hour}}
		w := newBench(t, afterChain(1), s).start()
		w.wait(time.Minute)
		s.set(func() { s.def, s.lock = store.Default{}, store.ErrRetention })
		w.wait(2 * time.Hour)
		w.want("lock-config a  0-0")
		w.stop()
		path := filepath.Join(w.set.Dir, lockName("memory://a"))
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, flipped(b, 3), 0o600); err != nil {
			t.Fatal(err)
		}
		w.start()
		w.wait(time.Minute)
		w.want("state-damaged a lock configuration 0-0")
		w.wait(2 * time.Hour)
		w.want()
		w.stop()
	})
}

// A log, or a stranger's folder, may have any name that a log can have.
func TestLogCalledLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &lenient{Memory: memory(t, "a", chain(t, 3)...), def: store.Default{Mode: store.ModeGovernance, For: 30 * 24 * time.Hour}}
		l := ledgertest.NewLog("lock", ledgertest.Signer(t, origin))
		fill(t, s, l.Add(t, 5))
		w := newBench(t, afterChain(1), s).start()
		w.wait(2 * time.Hour)
		w.stop()
		w.start()
		w.wait(time.Minute)
		w.want()
		s.set(func() { s.def.For -= time.Hour })
		w.wait(2 * time.Hour)
		w.want("lock-config a  0-0")
		w.stop()
	})
}

func TestStoreBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ledgertest.NewLog("test", ledgertest.Signer(t, origin))
		l.Add(t, 3)
		a, b := memory(t, "a", l.Segments...), memory(t, "b", l.Segments...)
		w := newBench(t, afterChain(1), a, b).start()
		w.wait(time.Minute)
		fill(t, a, l.Add(t, 4))
		w.wait(14 * time.Minute)
		w.want()
		w.wait(2 * time.Minute)
		w.want("store-behind b  3-7")
		fill(t, b, l.Segments[1])
		w.wait(time.Minute)
		w.want()
		w.stop()
	})
}

// One behind by less than the time that is allowed, however long, is no finding.
func TestStoreSlightlyBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ledgertest.NewLog("test", ledgertest.Signer(t, origin))
		l.Add(t, 3)
		a, b := memory(t, "a", l.Segments...), memory(t, "b", l.Segments...)
		w := newBench(t, afterChain(1), a, b).start()
		for range 30 {
			s := l.Add(t, 2)
			fill(t, a, s)
			w.wait(10 * time.Minute)
			fill(t, b, s)
			w.wait(time.Second)
		}
		if n := w.book.kinds()[incident.StoreBehind]; n > 0 {
			t.Errorf("%d times", n)
		}
		w.stop()
	})
}

func TestStoresThatDiffer(t *testing.T) {
	l := ledgertest.NewLog("test", ledgertest.Signer(t, origin))
	l.Add(t, 3, 4)
	other := l.Branch("other")
	l.Add(t, 2, 5)
	for name, counts := range map[string][]int{"same size": {2, 5}, "shorter": {2}, "shorter, other places": {3}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				branch := other.Branch("")
				branch.Add(t, counts...)
				w := newBench(t, afterChain(4), memory(t, "a", l.Segments...), memory(t, "b", branch.Segments...)).start()
				w.wait(time.Minute)
				got := w.book.standing(incident.Late)
				if len(got) != 1 || !strings.HasPrefix(got[0], "stores-differ ") {
					t.Fatalf("%v", got)
				}
				for _, f := range w.book.ever {
					if f.Kind == incident.StoresDiffer && (len(f.Evidence) != 2 || string(f.Evidence[0].Bytes) == string(f.Evidence[1].Bytes)) {
						t.Errorf("evidence %q", f.Evidence)
					}
				}
				w.stop()
			})
		})
	}
}

// A segment whose time is over may be deleted, and marked first.
func TestExpiredSegments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ledgertest.NewLog("test", ledgertest.Signer(t, origin))
		for _, until := range []time.Duration{0, 0, 100 * time.Hour} {
			l.Extend(t, lines(t, 2), func(c *segment.Closed) { c.RetainUntil = ledgertest.Began.Add(until) })
		}
		a := memory(t, "a", l.Segments...)
		a.Erase(segmentOf(l.Segments[0]))
		a.Hide(segmentOf(l.Segments[1]))
		w := newBench(t, afterChain(3), a).start()
		w.wait(2 * time.Hour)
		w.want()
		a.Erase(segmentOf(l.Segments[2]))
		w.wait(2 * time.Hour)
		w.want("segment-missing a " + segmentOf(l.Segments[2]) + " 6-9")
		w.stop()
	})
}

func TestTiles(t *testing.T) {
	l := chain(t, 3, 65600, 4)
	tile := "test/" + ledger.TileName(1, 0)
	var genuine []byte
	for _, x := range l[1].Tiles {
		if x.Level == 1 {
			genuine = x.Bytes()
		}
	}
	for _, c := range []struct {
		name string
		do   func(m *storetest.Memory)
		want []string
	}{
		{"clean", func(*storetest.Memory) {}, nil},
		{"erased", func(m *storetest.Memory) { m.Erase(tile) }, []string{"tile-missing a " + tile + " 0-0"}},
		{"flipped", func(m *storetest.Memory) { replace(m, tile, flipped(genuine, 100)) }, []string{"tile-altered a " + tile + " 0-0"}},
		{"too long", func(m *storetest.Memory) { replace(m, tile, append(slices.Clone(genuine), 0)) }, []string{"tile-altered a " + tile + " 0-0"}},
		{"shadowed", func(m *storetest.Memory) { m.Shadow(tile, flipped(genuine, 100)) }, []string{"shadow a " + tile + "@2 0-0"}},
		{"hidden", func(m *storetest.Memory) { m.Hide(tile) }, []string{"delete-marker a " + tile + "@2 0-0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := memory(t, "a", l...)
				c.do(a)
				w := newBench(t, afterChain(3), a).start()
				w.wait(2 * time.Hour)
				w.want(c.want...)
				w.stop()
			})
		})
	}
}
