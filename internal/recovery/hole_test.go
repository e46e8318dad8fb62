package recovery

import (
	"errors"
	"path"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/internal/sealer"
	"github.com/otelcol-custody/custody/store"
)

// spools lists the spool's files with this extension, by place.
func (w *world) spools(ext string) (out []string) {
	for _, name := range w.names() {
		if strings.HasPrefix(name, w.dir+"/spool/") && path.Ext(name) == ext {
			out = append(out, name)
		}
	}
	return out
}

// waiting leaves a segment that all stores have, and three that the last store
// has not. A checkpoint of what is journalled behind them was shown.
func waiting(w *world) {
	last := w.stores[len(w.stores)-1]
	w.session(true, func(s *sealer.Sealer) {
		w.send(s, 0, 9)
		last.setDown(errors.New("away"))
		w.send(s, 9, 9)
		w.send(s, 18, 9)
		w.send(s, 27, 9)
		w.send(s, 36, 2)
	})
	last.setDown(nil)
	if done, pending := w.spools(".delivered"), w.spools(".seal"); len(done) != 1 || len(pending) != 3 {
		w.t.Fatalf("delivered %v, waiting %v", done, pending)
	}
}

// take takes a segment out of the spool, with its seal.
func (w *world) take(seal string) {
	w.drop(seal, strings.TrimSuffix(seal, ".seal")+".segment")
}

// damaged demands that the collector does not start.
func (w *world) damaged(word string) {
	w.t.Helper()
	if _, err := sealer.Open(w.config(), w, silent{}); !errors.Is(err, sealer.ErrDamaged) || !strings.Contains(err.Error(), word) {
		w.t.Fatalf("open: %v, want damage that names %s", err, word)
	}
}

// The oldest segment was taken out of the spool: what stood behind it is sealed
// again, and that there was more is in the record for ever.
func TestHoleInSpool(t *testing.T) {
	for name, all := range map[string]bool{"with its seal": false, "with its seal and what was delivered": true} {
		t.Run(name, func(t *testing.T) {
			in(t, 1, func(w *world) {
				waiting(w)
				kept := w.notes[len(w.notes)-1]
				oldest := w.spools(".seal")[0]
				word := path.Base(oldest)
				if all {
					word = path.Base(w.spools(".seal")[1])
					w.drop(w.spools(".delivered")...)
				}
				w.take(oldest)
				w.damaged(word)
				w.refused(none, "remembers a log of", "--accept-loss")
				w.must(acceptLoss)
				w.resume(100)
				gone := map[int]bool{}
				for e := 9; e < 18; e++ {
					gone[e] = true
				}
				rec := only(t, w.audit(w.stores[0], gone))
				if !rec.AcceptedLoss || len(rec.Resealed) == 0 {
					t.Errorf("the record says %+v", rec)
				}
				w.contradicted(kept)
			})
		})
	}
}

// Another store has what was taken out of the spool: nothing is lost.
func TestHoleInSpoolStored(t *testing.T) {
	in(t, 2, func(w *world) {
		waiting(w)
		oldest := w.spools(".seal")[0]
		w.take(oldest)
		w.damaged(path.Base(oldest))
		r := w.must(none)
		if r.AcceptedLoss || r.Stores[1].Missing != 3 {
			t.Errorf("the report says %+v", r)
		}
		if done := w.spools(".delivered"); len(done) != 1 || path.Base(done[0]) != strings.TrimSuffix(path.Base(oldest), ".seal")+".delivered" {
			t.Errorf("the spool that was rebuilt has %v before %v", done, w.spools(".seal"))
		}
		w.stores = w.stores[:1] // The other one needs replicate.
		w.resume(100)
		only(t, w.audit(w.stores[0], nil, w.notes...))
	})
}

// Only the delivered seal is gone. A store has it, and nothing is lost; without
// any store nobody knows what stood there.
func TestDeliveredSealGone(t *testing.T) {
	in(t, 2, func(w *world) {
		waiting(w)
		done, oldest := w.spools(".delivered"), w.spools(".seal")[0]
		w.drop(done...)
		w.damaged(path.Base(oldest))
		before := w.snapshot()
		if r := w.must(none); r.AcceptedLoss {
			t.Errorf("the report says %+v", r)
		}
		if again := w.spools(".delivered"); only(t, again) != done[0] {
			t.Errorf("the spool that was rebuilt has %v, want %v", again, done)
		}
		w.take(w.spools(".seal")[0])
		w.damaged(path.Base(oldest))

		w.restore(before)
		away := func(o *Options) {
			for i := range o.Stores {
				o.Stores[i] = Store{ID: o.Stores[i].ID, Err: store.ErrDenied}
			}
		}
		w.refused(away, "could not be read", "--accept-loss")
		w.must(both(away, acceptLoss))
		if again := w.spools(".delivered"); len(again) != 0 {
			t.Errorf("the spool that was rebuilt has %v, and nobody knows that", again)
		}
		w.resume(100)
		for _, o := range w.stores {
			only(t, w.audit(o, nil, w.notes...))
		}
	})
}
