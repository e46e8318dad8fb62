package integrity

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/integrity/incident"
	mem "github.com/otelcol-custody/custody/internal/integrity/memory"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store"
)

// emptyHeads is a memory of heads that somebody began anew.
func (b *bench) emptyHeads() *mem.Memory {
	heads, err := mem.Open(durable.OS, filepath.Join(b.t.TempDir(), "heads"), b.set.Keys)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = heads.Close() })
	b.set.Heads = heads
	return heads
}

// Who removes the memory of heads, or puts an older one in its place, and rolls
// the store back, is found out.
func TestHeadsRemoved(t *testing.T) {
	l := chain(t, 3, 5, 4)
	forked, _, _ := others(t)
	for name, c := range map[string]struct {
		now  []ledgertest.Segment
		want []string
	}{
		"only":     {l, nil},
		"older":    {l[:2], []string{"rollback a  8-12"}},
		"rollback": {l[:2], []string{"rollback a  8-12"}},
		"emptied":  {nil, []string{"rollback a  0-12", "unread a  0-0"}},
		"fork":     {append(l[:1:1], forked...), []string{"fork a  0-12"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newBench(t, afterChain(3), memory(t, "a", l...)).start()
				w.wait(time.Second)
				w.stop()
				heads := w.emptyHeads()
				if name == "older" {
					after := l[0].Seal.After()
					if _, err := heads.Judge(t.Context(), "memory://a", "test", &after, nil); err != nil {
						t.Fatal(err)
					}
				}
				s := memory(t, "a", c.now...)
				w.set.Sources[0].Open = func(context.Context) (store.Store, error) { return s, nil }
				w.start()
				w.wait(5 * time.Minute)
				w.want(append(c.want, "state-damaged a  0-0")...)
				w.wait(3 * time.Hour)
				if name == "only" {
					w.want()
				}
				w.stop()
			})
		})
	}
}

// What an operator had forgotten is not put back.
func TestForgottenHeads(t *testing.T) {
	l := chain(t, 3, 5, 4)
	for name, c := range map[string]struct {
		gone []ledgertest.Segment
		want []string
	}{
		"shorter": {l[2:], []string{"state-damaged a  0-0"}},
		"emptied": {l, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := memory(t, "a", l...)
				w := newBench(t, afterChain(3), s).start()
				w.wait(time.Second)
				w.stop()
				if err := w.set.Heads.(*mem.Memory).Forget("memory://a", "test", "me", "emptied"); err != nil {
					t.Fatal(err)
				}
				for _, g := range c.gone {
					s.Erase(sealOf(g))
				}
				w.start()
				w.wait(5 * time.Minute)
				w.want()
				w.stop()
				w.emptyHeads()
				w.start()
				w.wait(5 * time.Minute)
				w.want(c.want...)
				w.stop()
			})
		})
	}
}

// A log that is read from its beginning again has no foreign tiles.
func TestTilesWhileReadAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ledgertest.NewLog("test", ledgertest.Signer(t, origin))
		for range 8 {
			l.Add(t, 10000)
		}
		last := l.Add(t, 3)
		a := memory(t, "a", l.Segments...)
		w := newBench(t, afterChain(9), a)
		w.set.FullPassEvery = 30 * 24 * time.Hour
		w.set.BytesPerSecond = 500
		w.start()
		w.wait(48 * time.Hour)
		a.Erase(sealOf(last)) // until it is accused, and read anew
		w.wait(3 * time.Minute)
		plant(t, a, sealOf(last), last.Seal.Bytes())
		w.wait(70 * time.Minute)
		if st := w.guard.Status(); st[0].Verified > 60000 {
			t.Errorf("it is read already: %d", st[0].Verified)
		}
		if got := strings.Join(w.book.standing(incident.Late, incident.PassLate), "\n"); strings.Contains(got, "/tiles/") {
			t.Errorf("genuine tiles are accused: %s", got)
		}
		w.stop()
	})
}
