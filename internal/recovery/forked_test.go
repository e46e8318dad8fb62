package recovery

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/sealer"
	"github.com/otelcol-custody/custody/store"
)

// A fork is remembered: a supervisor that starts the loser again, now with the
// store away, gets no second chance to acknowledge. Only a recovery forgets it.
func TestForkIsRemembered(t *testing.T) {
	in(t, 1, func(w *world) {
		var backup map[string][]byte
		w.session(true, func(s *sealer.Sealer) {
			w.send(s, 0, 9)
			backup = w.snapshot()
			w.send(s, 9, 9)
		})
		w.restore(backup)
		s := w.start(false) // The store is ahead.
		w.settle()
		w.stop(s)
		w.stores[0].setDown(errors.New("away"))
		w.wantForked()
		w.stores[0].setDown(nil)
		w.must(acceptLoss)
		w.resume(18)
	})
}

func (w *world) wantForked() {
	w.t.Helper()
	_, err := sealer.Open(w.config(), w, silent{})
	if !errors.Is(err, sealer.ErrForked) {
		w.t.Fatalf("started: %v, want ErrForked", err)
	}
	for _, words := range []string{"log web is forked", "otelcol-custody recover --config FILE --log web"} {
		if !strings.Contains(err.Error(), words) {
			w.t.Errorf("%q does not say %q", err, words)
		}
	}
}

// Where the state is whole and no store knows of another history, as when the
// exporter of a store that was not meant is taken out again, it is forgotten.
func TestForkIsForgotten(t *testing.T) {
	in(t, 2, func(w *world) {
		w.session(true, func(s *sealer.Sealer) { w.send(s, 0, 9) })
		if err := durable.WriteFile(w.fs, "/state/forked", []byte("log web is forked: \x1b[2J\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		w.refused(func(o *Options) { o.Stores[1] = Store{ID: "b", Err: store.ErrUnavailable} }, "take the one that was not meant out of the configuration")
		o := w.options()
		for _, o.DryRun = range []bool{true, false} {
			w.wantForked()
			if _, err := Recover(context.Background(), o); !errors.Is(err, ErrNothingToDo) {
				t.Errorf("recover: %v, want ErrNothingToDo", err)
			}
		}
		w.resume(9)
	})
}
