package integrity

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

func junk(s *storetest.Memory, name string, n int) {
	for i := range n {
		s.Shadow(name, bytes.Repeat([]byte{byte(i)}, 600))
	}
}

// said says whether something of this kind was ever found.
func (b *bench) said(kinds ...incident.Kind) bool {
	ever := b.book.kinds()
	for _, k := range kinds {
		if ever[k] > 0 {
			return true
		}
	}
	return false
}

// Who holds the key stores another history. What vouches for the old one, and
// junk in front of that, hide it from nobody.
func TestForkBehindStrays(t *testing.T) {
	a := ledgertest.NewLog("test", ledgertest.Signer(t, origin))
	a.Add(t, 3)
	b := a.Branch("other")
	a.Add(t, 200) // 3 to 203, which the judge remembers
	next := a.Branch("a").Add(t, 4)
	b.Add(t, 600)
	within := b.Branch("b").Add(t, 4)
	for name, c := range map[string]struct {
		do   func(*storetest.Memory)
		want incident.Kind
	}{
		"plain":          {func(*storetest.Memory) {}, incident.Fork},
		"stray":          {func(s *storetest.Memory) { s.Shadow(sealOf(next), next.Seal.Bytes()) }, incident.Fork},
		"stray and junk": {func(s *storetest.Memory) { s.Shadow(sealOf(next), next.Seal.Bytes()); fence(s, 4, 70) }, incident.Fork},
		"gap":            {func(s *storetest.Memory) { s.Erase(sealOf(b.Segments[1])) }, incident.SealMissing},
		"gap and stray": {func(s *storetest.Memory) {
			s.Erase(sealOf(b.Segments[1]))
			s.Shadow(sealOf(next), next.Seal.Bytes())
		}, incident.SealMissing},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newBench(t, afterChain(2), memory(t, "a", a.Segments...)).start()
				w.wait(time.Second)
				w.want()
				w.stop()
				s := memory(t, "a", b.Segments...)
				fill(t, s, within)
				c.do(s)
				w.set.Sources[0].Open = func(context.Context) (store.Store, error) { return s, nil }
				w.start()
				w.wait(2 * time.Hour)
				if !w.said(c.want) {
					t.Errorf("ever said: %v, now %v", w.book.kinds(), w.book.standing())
				}
				w.stop()
			})
		})
	}
}

// fence puts junk at the names of n seals.
func fence(s *storetest.Memory, from uint64, n int) {
	for i := range n {
		junk(s, logstore.SealName("test", from+uint64(i), 0), 1)
	}
}

func TestTrail(t *testing.T) {
	at := func(n uint64) position { return position{First: n - 1, End: n, Root: [32]byte{byte(n)}} }
	tr := trail(nil).on(position{}, []position{at(1), at(2)}).on(at(2), []position{at(3)})
	if root, ok := tr.root(at(3), 2); !ok || root != at(2).Root {
		t.Error("what was walked is not known")
	}
	other := at(3)
	other.Root[0]++
	if _, ok := tr.root(other, 2); ok {
		t.Error("it speaks of another history")
	}
	if _, ok := tr.on(other, []position{at(4)}).root(at(4), 2); ok {
		t.Error("it goes on from elsewhere")
	}
	if root, ok := tr.with(at(3), 77, [32]byte{7}).root(at(3), 77); !ok || root != [32]byte{7} {
		t.Error("what was proven is not known")
	}
	for n := uint64(4); n < 2000; n++ {
		tr = tr.on(at(n-1), []position{at(n)})
	}
	if len(tr) != maxTrail {
		t.Errorf("%d are kept", len(tr))
	}
}

// A deleted seal is found, and what lies behind it is read again, however much junk
// lies behind it.
func TestGapBehindJunk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ledgertest.NewLog("test", ledgertest.Signer(t, origin))
		l.Add(t, 3)
		gone := l.Add(t, 200)
		l.Add(t, 4)
		last := l.Add(t, 4)
		a := memory(t, "a", l.Segments...)
		w := newBench(t, afterChain(4), a).start()
		w.wait(time.Second)
		w.want()
		a.Erase(sealOf(gone))
		fence(a, gone.Seal.First+1, 70)
		replace(a, segmentOf(last), flipped(last.Object, len(last.Object)-9))
		w.wait(3 * time.Hour)
		got := strings.Join(w.book.standing(), "\n")
		for _, want := range []string{"seal-missing a " + sealOf(gone), "segment-altered a " + segmentOf(last)} {
			if !strings.Contains(got, want) {
				t.Errorf("not found: %s", want)
			}
		}
		w.stop()
	})
}

// The head is deleted, and its place flooded: that is no trouble of reading.
func TestHeadBehindFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := chain(t, 3, 5, 4)
		a := memory(t, "a", l...)
		w := newBench(t, afterChain(3), a)
		w.set.FullPassEvery = 12 * time.Hour
		w.start()
		w.wait(time.Second)
		a.Erase(sealOf(l[2]))
		junk(a, sealOf(l[2]), logstore.MaxVersions+1)
		w.wait(10 * time.Minute)
		if got := strings.Join(w.book.standing(), "\n"); !strings.Contains(got, "rollback a  8-12") || !strings.Contains(got, "squatter a "+sealOf(l[2])) || !strings.Contains(got, "unread a ") {
			t.Errorf("the end was deleted, and the book has %q", got)
		}
		w.stop()
	})
}

// A flood at the end keeps nobody from reading again what lies before it.
func TestFloodAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := chain(t, 3, 5, 4)
		a := memory(t, "a", l...)
		junk(a, logstore.SealName("test", 12, 0), logstore.MaxVersions+1)
		w := newBench(t, afterChain(3), a)
		w.start()
		w.wait(3 * time.Hour) // so that a pass has come to the end
		replace(a, segmentOf(l[0]), flipped(l[0].Object, len(l[0].Object)-5))
		w.wait(2 * time.Hour)
		got := strings.Join(w.book.standing(), "\n")
		for _, want := range []string{"segment-altered a " + segmentOf(l[0]), "squatter a ", "unread a "} {
			if !strings.Contains(got, want) {
				t.Errorf("no %s in %q", want, got)
			}
		}
		w.stop()
	})
}

// curtained is a store that hides the end of a listing, and only that.
type curtained struct {
	*storetest.Memory
	from atomic.Value // the first name that is hidden
}

func (c *curtained) ListVersions(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		from, _ := c.from.Load().(string)
		for info, err := range c.Memory.ListVersions(ctx, prefix, after) {
			if from != "" && strings.HasSuffix(prefix, "/") && info.Name >= from && strings.Contains(info.Name, "/seals/") || !yield(info, err) {
				return
			}
		}
	}
}

// What lasts is said: the head can be read, and what leads to it not any more.
func TestPassThatStandsStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := chain(t, 3, 5, 4)
		c := &curtained{Memory: memory(t, "a", l...)}
		w := newBench(t, afterChain(3), c).start()
		w.wait(time.Minute)
		w.want()
		c.Erase(sealOf(l[1]))
		c.from.Store(sealOf(l[2]))
		w.wait(3 * time.Hour)
		if got := strings.Join(w.book.standing(), "\n"); !strings.Contains(got, "unread a ") {
			t.Errorf("half of the log is not read any more, and the book has %q", got)
		}
		w.stop()
	})
}

// Junk at one place hides nothing at another.
func TestJunkElsewhere(t *testing.T) {
	for name, c := range map[string]struct {
		junk, do func(*storetest.Memory, []ledgertest.Segment)
		want     string
	}{
		"a later seal": {
			func(m *storetest.Memory, l []ledgertest.Segment) { junk(m, sealOf(l[0]), 300) },
			func(m *storetest.Memory, l []ledgertest.Segment) { m.Shadow(sealOf(l[2]), make([]byte, 600)) }, "shadow a %s@2",
		},
		"a later marker": {
			func(m *storetest.Memory, l []ledgertest.Segment) {
				for range 300 {
					m.Hide(sealOf(l[0]))
				}
			},
			func(m *storetest.Memory, l []ledgertest.Segment) { m.Hide(sealOf(l[2])) }, "delete-marker a %s@2",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := chain(t, 3, 5, 4, 6)
				a := memory(t, "a", l...)
				c.junk(a, l)
				w := newBench(t, afterChain(4), a).start()
				w.wait(2 * time.Hour)
				c.do(a, l)
				w.wait(2 * time.Hour)
				if got, want := strings.Join(w.book.standing(), "\n"), fmt.Sprintf(c.want, sealOf(l[2])); !strings.Contains(got, want) {
					t.Errorf("no %s in %s", want, got)
				}
				w.stop()
			})
		})
	}
}
