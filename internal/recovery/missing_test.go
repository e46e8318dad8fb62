package recovery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/internal/sealer"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
)

// journals are the names of the state directory's journal files.
func (w *world) journals() (out []string) {
	for _, name := range w.names() {
		if path.Ext(name) == ".journal" {
			out = append(out, name)
		}
	}
	return out
}

// drop removes files, with their watermarks.
func (w *world) drop(names ...string) {
	w.t.Helper()
	for _, name := range names {
		if err := w.fs.Remove(name); err != nil {
			w.t.Fatal(err)
		}
		_ = w.fs.Remove(name + ".mark")
	}
}

// Without the checkpoint, what is left of the state directory does not tell that
// journals are missing or were longer, and nor does a seal: a checkpoint that was
// shown of them would contradict what goes on.
func TestJournalsMissing(t *testing.T) {
	open, closed := "delivered, open journal", "spool, closed and open journals"
	for name, c := range map[string]struct {
		moment string
		harm   func(w *world)
	}{
		"removed": {open, func(w *world) { w.drop(w.journals()...) }},
		"empty": {open, func(w *world) {
			for _, name := range w.journals() {
				w.overwrite(name, nil)
			}
		}},
		"cut between frames": {open, func(w *world) {
			for _, name := range w.journals() {
				b := w.read(name)
				at := frames.FindAllIndex(b, -1)
				w.overwrite(name, b[:at[len(at)-1][0]])
			}
		}},
		"last one":  {closed, func(w *world) { all := w.journals(); w.drop(all[len(all)-1]) }},
		"first one": {closed, func(w *world) { w.drop(w.journals()[0]) }},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, 1, func(w *world) {
				moments[c.moment](w)
				kept := w.notes[len(w.notes)-1]
				w.drop(w.dir + "/checkpoint")
				c.harm(w)
				w.refused(none, "journals are damaged or missing", "--checkpoint", "--accept-loss")
				w.refused(with(kept), "--accept-loss")
				w.must(acceptLoss)
			})
		})
	}
}

// A closed journal is missing, and the open one behind it holds nothing yet.
func TestClosedJournalMissing(t *testing.T) {
	in(t, 1, func(w *world) {
		w.stores[0].setDown(errors.New("away"))
		w.session(true, func(s *sealer.Sealer) {
			w.send(s, 0, 9)
			w.fs.Inject(spoolFails)
			w.send(s, 9, 9)
		})
		w.stores[0].setDown(nil)
		all := w.journals()
		w.drop(all[len(all)-2])
		_ = w.fs.Remove(w.dir + "/checkpoint") // If one was signed.
		w.refused(none, "journals are damaged or missing", "--accept-loss")
	})
}

// Somebody cut the store and the spool short: the seal that is left vouches for
// no more than itself.
func TestSpoolCutShort(t *testing.T) {
	in(t, 2, func(w *world) {
		w.stores[1].setDown(errors.New("away"))
		w.session(true, func(s *sealer.Sealer) {
			for i := range 4 {
				w.send(s, 9*i, 9)
			}
		})
		w.stores[1].setDown(nil)
		kept := w.sealedHead(w.stores[0]).After().Note()
		w.truncate(w.stores[0], 10)
		for _, name := range w.names() {
			b := path.Base(name)
			if b == "checkpoint" || strings.Contains(name, "/journal/") || strings.Contains(name, "/spool/") && !strings.HasPrefix(b, "00000000000000000000") {
				_ = w.fs.Remove(name)
			}
		}
		w.refused(none, "journals are damaged or missing", "--accept-loss")
		w.refused(with(kept), "remembers a log of")
		w.must(acceptLoss)
		w.resume(100)
		w.contradicted(kept)
	})
}

// The state's own checkpoint is there and older than the newest seal: it knows
// what was shown of the damaged journal, nothing.
func TestOldCheckpoint(t *testing.T) {
	in(t, 1, func(w *world) {
		w.session(true, func(s *sealer.Sealer) {
			w.send(s, 0, 2)
			w.send(s, 2, 9)
			b := &sealer.Batch{}
			b.Add(event(11), "otlp", false)
			if err := s.Append(context.Background(), b); err != nil {
				t.Fatal(err)
			}
		})
		c, err := checkpoint.Open(w.read(w.dir+"/checkpoint"), w.keys)
		if err != nil || c.Size >= w.sealedHead(w.stores[0]).End() {
			t.Fatalf("the checkpoint of %d records is not older than the seal of %d: %v", c.Size, w.sealedHead(w.stores[0]).End(), err)
		}
		excused := map[int]bool{}
		for _, name := range w.journals() {
			whole := w.read(name)
			b := append([]byte{}, whole...)
			at := frames.FindAllIndex(b, -1)
			b[at[len(at)-1][0]+60] ^= 1
			w.overwrite(name, b)
			maps.Copy(excused, gone(t, name, whole, b))
		}
		w.refused(none, "has lost acknowledged writes", "1 at least", "--accept-loss")
		if r := w.must(acceptLoss); r.Unreadable == 0 || len(r.Reasons) != 1 {
			t.Errorf("the report says %+v", r)
		}
		w.resume(100)
		only(t, w.audit(w.stores[0], excused, w.notes...))
	})
}

// A journal that is cut between frames looks whole; its watermark tells that it
// is not, and the checkpoint here is older.
func TestCutBetweenFrames(t *testing.T) {
	for _, frame := range []int{1, 2, 3} {
		in(t, 1, func(w *world) {
			s := w.start(true)
			for i := range 4 { // At once, before a checkpoint is signed.
				b := &sealer.Batch{}
				b.Add(event(i), "otlp", false)
				if err := s.Append(context.Background(), b); err != nil {
					t.Fatal(err)
				}
				w.acked[i] = true
			}
			w.kill(s)
			name := w.journals()[0]
			whole := w.read(name)
			cut := whole[:frames.FindAllIndex(whole, -1)[frame][0]]
			w.overwrite(name, cut)
			w.refused(none, "has lost acknowledged writes", fmt.Sprint(5-frame, " at least"))
			if r := w.must(acceptLoss); !r.AcceptedLoss {
				t.Errorf("the report says %+v", r)
			}
			w.resume(100)
			only(t, w.audit(w.stores[0], gone(t, name, whole, cut)))
		})
	}
}

// A write that a power cut tore was never answered: nothing is lost by it, even
// where another damage calls for a recovery.
func TestTornWrite(t *testing.T) {
	in(t, 1, func(w *world) {
		moments["open journal"](w)
		name := w.journals()[0]
		whole := w.read(name)
		w.overwrite(name, append(whole, whole[frames.FindAllIndex(whole, -1)[1][0]:][:70]...))
		w.overwrite(w.dir+"/identity", []byte("zeroed"))
		if r := w.must(acceptLoss); slices.ContainsFunc(r.Reasons, func(s string) bool { return strings.Contains(s, "has lost acknowledged") }) {
			t.Errorf("reasons %q", r.Reasons)
		}
		w.resume(100)
		only(t, w.audit(w.stores[0], nil))
	})
}
