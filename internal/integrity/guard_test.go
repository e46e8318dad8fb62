package integrity

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store/dirstore"
	"github.com/otelcol-custody/custody/store/storetest"
)

func TestCleanLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := chain(t, 3, 5, 300)
		a, b := memory(t, "a", l...), memory(t, "b", l...)
		w := newBench(t, afterChain(3), a, b).start()
		w.wait(time.Second)
		w.want()
		if w.counts.fresh != 2*308 || w.counts.again != 0 {
			t.Errorf("%+v", w.counts)
		}
		st := w.guard.Status()
		if len(st) != 2 || st[0].Store != "memory://a" || st[0].Log != "test" || st[0].Origin != origin || st[0].Head.Size != 308 || st[0].Verified != 308 || st[0].Lag != 0 || st[0].Error != "" {
			t.Errorf("%+v", st)
		}
		w.stop()
	})
}

// New segments are checked within a poll, and everything again within the time
// that is promised.
func TestFollowsAndReadsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ledgertest.NewLog("test", ledgertest.Signer(t, origin))
		l.Add(t, 3, 5)
		a := memory(t, "a", l.Segments...)
		w := newBench(t, afterChain(2), a)
		w.start()
		w.wait(time.Second)
		fill(t, a, l.Add(t, 7))
		w.wait(5 * time.Second)
		if w.counts.fresh != 15 || w.guard.Status()[0].Verified != 15 {
			t.Errorf("%+v, %+v", w.counts, w.guard.Status())
		}
		w.wait(time.Hour)
		if w.counts.again < 15 || w.counts.passes < 1 {
			t.Errorf("%+v", w.counts)
		}
		for range 100 {
			w.wait(5 * time.Minute)
			c := w.guard.Status()[0].Coverage
			if age := w.set.Now().Sub(c.Oldest); age > time.Hour || c.Oldest.IsZero() {
				t.Fatalf("read %v ago: %+v", age, c)
			}
		}
		w.want()
		w.stop()
	})
}

// A log that was read in one go keeps the promise, too, and is read more and more
// evenly.
func TestPromiseBehindABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		counts := make([]int, 200)
		for i := range counts {
			counts[i] = 2
		}
		w := newBench(t, afterChain(200), memory(t, "a", chain(t, counts...)...)).start()
		w.wait(time.Minute)
		for range 20 * 60 {
			w.wait(time.Minute)
			c := w.guard.Status()[0].Coverage
			if age := w.set.Now().Sub(c.Oldest); age > time.Hour || c.Oldest.IsZero() {
				t.Fatalf("read %v ago: %+v", age, c)
			}
		}
		before := w.counts.again
		w.wait(27 * time.Minute) // half a pass
		if n := w.counts.again - before; n < 100 || n > 300 {
			t.Errorf("of 400 records %d were read in half a pass", n)
		}
		if n := w.book.kinds()[incident.PassLate]; n > 0 {
			t.Error("the promise was broken")
		}
		w.stop()
	})
}

// Each of what an attacker can do is found, and placed.
func TestAttacks(t *testing.T) {
	l := chain(t, 3, 5, 4)
	for _, c := range attacks(t, l) {
		t.Run(c.name, func(t *testing.T) {
			for _, when := range []string{"before", "after"} {
				synctest.Test(t, func(t *testing.T) {
					a := memory(t, "a", l...)
					w := newBench(t, afterChain(3), a)
					w.set.FullPassEvery = 10 * time.Minute
					if when == "before" {
						c.do(a)
						w.start()
					} else {
						w.start()
						w.wait(time.Minute)
						w.want()
						c.do(a)
					}
					w.wait(25 * time.Minute)
					want := slices.Clone(c.want)
					if when == "after" {
						want = append(want, c.later...)
					}
					w.want(want...)
					w.stop()
				})
			}
		})
	}
}

// On a store without versions nothing can be hidden; everything else is found there,
// too.
func TestAttacksWithoutVersions(t *testing.T) {
	l := chain(t, 3, 5, 4)
	for _, c := range attacks(t, l) {
		for _, line := range c.want {
			if strings.Contains(line, "@2") || strings.HasPrefix(line, "squatter a "+sealOf(l[1])) {
				c.do = nil
			}
		}
		if c.do == nil || c.name == "copy of a segment" || c.name == "junk below a segment" {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := memory(t, "a", l...)
				w := newBench(t, afterChain(3), storetest.NewFaulty(t, a))
				w.set.FullPassEvery = 10 * time.Minute
				w.start()
				w.wait(time.Minute)
				c.do(a)
				w.wait(25 * time.Minute)
				var want []string
				for _, line := range slices.Concat(c.want, c.later) {
					want = append(want, strings.ReplaceAll(line, "@1", ""))
				}
				got := w.book.standing(incident.Late)
				for i := range got {
					got[i] = strings.ReplaceAll(got[i], "@1", "")
				}
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
				w.stop()
			})
		})
	}
}

func TestDirectory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := chain(t, 3, 5, 4)
		root := t.TempDir()
		dir, err := dirstore.Open(root, dirstore.Options{Immutable: dirstore.ImmutableOff})
		if err != nil {
			t.Fatal(err)
		}
		fill(t, dir, l...)
		w := newBench(t, afterChain(3), dir).start()
		w.wait(2 * time.Hour)
		w.want()
		path := filepath.Join(root, segmentOf(l[1]))
		if err := errors.Join(os.Remove(path), os.WriteFile(path, flipped(l[1].Object, len(l[1].Object)-5), 0o600)); err != nil {
			t.Fatal(err)
		}
		w.wait(2 * time.Hour)
		w.want("segment-altered " + dir.ID() + " " + segmentOf(l[1]) + " 3-8 record 3")
		w.stop()
	})
}

// With the book that keeps incidents: what is there no more is absent, and only
// tampering waits for a person.
func TestBookOfIncidents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := chain(t, 3, 5, 4)
		f := storetest.NewFaultyVersioned(t, memory(t, "a", l...))
		inner := memory(t, "b", l...)
		w := newBench(t, afterChain(3), f, inner)
		w.set.Now = time.Now // 26 years before the log: nothing is late.
		book, err := incident.Open(incident.Settings{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		w.set.Book = book
		w.start()
		w.wait(time.Minute)
		list := func() (out []string) {
			for _, i := range book.Incidents(incident.Filter{}) {
				out = append(out, fmt.Sprintf("%s %s open=%v absent=%v", i.Kind, i.Place.Store, i.Open(), !i.Absent.IsZero()))
			}
			slices.Sort(out)
			return out
		}
		want := func(lines ...string) {
			t.Helper()
			if got := list(); !slices.Equal(got, lines) {
				t.Errorf("got %q, want %q", got, lines)
			}
		}
		want()
		f.SetDown(true)
		inner.Shadow("test/readme", nil)
		inner.Shadow(segmentOf(l[0]), []byte("x"))
		w.wait(59 * time.Minute)
		want("foreign-object memory://b open=true absent=false", "shadow memory://b open=true absent=false", "unread memory://a open=true absent=false")
		f.Heal()
		inner.Erase("test/readme")
		replace(inner, segmentOf(l[0]), l[0].Object)
		w.wait(3 * time.Hour)
		want("foreign-object memory://b open=true absent=true", "pass-late memory://a open=false absent=true", "shadow memory://b open=true absent=true", "unread memory://a open=false absent=true")
		w.stop()
		if err := book.Close(); err != nil {
			t.Error(err)
		}
	})
}
