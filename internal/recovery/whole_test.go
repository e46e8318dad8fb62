package recovery

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/internal/sealer"
	"github.com/otelcol-custody/custody/store"
)

// wantNothing wants nothing to do, with advice that has these words; none: no advice.
func (w *world) wantNothing(change func(*Options), words ...string) {
	w.t.Helper()
	o := w.options()
	change(&o)
	r, err := Recover(context.Background(), o)
	if !errors.Is(err, ErrNothingToDo) {
		w.t.Fatalf("recover: %v, want ErrNothingToDo", err)
	}
	advice := strings.Join(r.Advice, "\n")
	if len(words) == 0 && advice != "" {
		w.t.Errorf("all is well, and the advice is %q", advice)
	}
	for _, word := range words {
		if !strings.Contains(advice, word) {
			w.t.Errorf("the advice %q does not say %q", advice, word)
		}
	}
}

// The state directory is whole, and another store holds what a losing writer
// acknowledged: there is something to do.
func TestWholeParted(t *testing.T) {
	in(t, 2, func(w *world) {
		fork(w, 3, 1)
		w.lose()
		note := w.sealedHead(w.stores[0]).After().Note()
		w.must(both(with(note), func(o *Options) { o.Stores = o.Stores[:1] }))
		w.refused(none, "memory://b leaves the history of memory://a at record 10", "--accept-loss")
		if r := w.must(acceptLoss); r.Resealed != 9 || !r.AcceptedLoss {
			t.Errorf("the report says %+v", r)
		}
		w.stores = w.stores[:1]
		w.resume(300)
		w.audit(w.stores[0], nil, note)
	})
}

// The state directory is whole and stores are not: nothing to recover, and it is
// said what is the matter with them.
func TestWholeStoresAreNot(t *testing.T) {
	in(t, 2, func(w *world) {
		w.session(true, func(s *sealer.Sealer) {
			for i := range 4 {
				w.send(s, 9*i, 9)
			}
		})
		w.wantNothing(none)
		w.wantNothing(func(o *Options) { o.Stores[1] = Store{ID: "b", Err: store.ErrDenied} }, "store b was not read (access denied)", "start the collector")
		w.truncate(w.stores[1], 20)
		w.wantNothing(none, "store memory://b holds 20 of 40 records", "somebody removed", "replicate brings them there from store memory://a")
		w.truncate(w.stores[0], 0)
		w.truncate(w.stores[1], 0)
		w.wantNothing(none, "store memory://a holds 0 of 40 records", "store memory://b holds 0 of 40 records", "from a copy of the log")
		w.wantNothing(acceptLoss, "somebody removed")
	})
}

// What still waits in the spool is no store's lack.
func TestWholePending(t *testing.T) {
	in(t, 2, func(w *world) {
		w.session(true, func(s *sealer.Sealer) {
			w.send(s, 0, 9)
			w.stores[1].setDown(errors.New("away"))
			w.send(s, 9, 9)
			w.send(s, 18, 9)
		})
		w.stores[1].setDown(nil)
		w.wantNothing(none)
		w.truncate(w.stores[1], 0)
		w.wantNothing(none, "store memory://b holds 0 of 10 records")
	})
}
