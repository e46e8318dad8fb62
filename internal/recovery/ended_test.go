package recovery

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/durable/durabletest"
	"github.com/otelcol-custody/custody/internal/sealer"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/segment"
)

var spoolFails = durabletest.Fault{Path: "/spool", UntilRestart: true}

// endAway ends a log of which the store has the first segment only: one waits in
// the spool, and what follows in journals.
func endAway(w *world) {
	s := w.start(true)
	w.send(s, 0, 9)
	w.stores[0].setDown(errors.New("away"))
	w.send(s, 9, 9)
	w.fs.Inject(spoolFails)
	w.send(s, 18, 9)
	w.send(s, 27, 2)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := s.End(ctx); err == nil {
		w.t.Fatal("the log was drained without its store")
	}
	w.kill(s)
	w.stores[0].setDown(nil)
}

// drain delivers a log that has ended.
func (w *world) drain() {
	w.t.Helper()
	c := w.config()
	c.Drain = true
	s, err := sealer.Open(c, w, silent{})
	if err != nil {
		w.t.Fatalf("drain: %v", err)
	}
	if err := s.End(context.Background()); err != nil {
		w.t.Errorf("drain: %v", err)
	}
	w.stop(s)
}

// What waits of a log that has ended reaches its stores although the state
// directory was damaged. Nothing is added behind the end.
func TestEndedWaits(t *testing.T) {
	for name, harm := range map[string]func(w *world){
		"identity":     func(w *world) { w.overwrite(w.dir+"/identity", []byte("x")) },
		"checkpoint":   func(w *world) { w.overwrite(w.dir+"/checkpoint", nil) },
		"seal":         func(w *world) { w.drop(w.dir + "/spool/00000000000000000010.seal") },
		"open journal": func(w *world) { all := w.journals(); w.drop(all[len(all)-1]) },
		"all of them": func(w *world) {
			all := w.journals()
			w.drop(all[len(all)-1], w.dir+"/checkpoint", w.dir+"/identity", w.dir+"/spool/00000000000000000010.seal")
		},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, 1, func(w *world) {
				endAway(w)
				harm(w)
				r := w.must(func(o *Options) { o.DryRun = true })
				if !r.Ended || !slices.ContainsFunc(r.Advice, func(a string) bool { return strings.Contains(a, "run otelcol-custody drain now") }) {
					t.Errorf("the report says %+v", r)
				}
				if r = w.must(none); !r.Ended || r.Resealed != 0 || r.AcceptedLoss {
					t.Errorf("the report says %+v", r)
				}
				if _, err := sealer.Open(w.config(), w, silent{}); !errors.Is(err, sealer.ErrEnded) {
					t.Errorf("the collector starts: %v", err)
				}
				w.drain()
				if n := len(w.audit(w.stores[0], nil, w.notes...)); n > 0 {
					t.Errorf("%d recovery records follow the end", n)
				}
				if c := w.sealedHead(w.stores[0]).Closed(); c.Reason != segment.Ended {
					t.Errorf("the last word is %s", c.Reason)
				}
			})
		})
	}
}

// A log that has ended takes no loss: what has no place before the end gets none.
func TestEndedMisfits(t *testing.T) {
	in(t, 1, func(w *world) {
		w.stores[0].setDown(errors.New("away"))
		w.session(true, func(s *sealer.Sealer) { w.send(s, 100, 2) })
		other := w.read(w.journals()[0])
		w.lose()
		w.stores[0].setDown(nil)
		endAway(w)
		if err := durable.WriteFile(w.fs, w.dir+"/journal/other", other, 0o600); err != nil {
			t.Fatal(err)
		}
		w.overwrite(w.dir+"/identity", []byte("x"))
		w.wantEnded("2 records here have no place in it")
	})
	in(t, 1, func(w *world) {
		s := w.start(true)
		w.send(s, 0, 9)
		w.send(s, 9, 9)
		w.stop(s)
		other := w.sealedHead(w.stores[0]).After().Note()
		longer, err := checkpoint.Sign(checkpoint.Checkpoint{Origin: w.signer.Name(), Size: 1000}, w.signer)
		if err != nil {
			t.Fatal(err)
		}
		w.lose()
		w.truncate(w.stores[0], 0)
		endAway(w)
		w.overwrite(w.dir+"/identity", []byte("x"))
		w.wantEnded("kept.checkpoint remembers something else", with(other))
		w.wantEnded("kept.checkpoint remembers something else", with(longer))
	})
}

// wantEnded demands that nothing is done, and words that say why.
func (w *world) wantEnded(words string, changes ...func(*Options)) {
	w.t.Helper()
	before := w.files()
	o := w.options()
	o.AcceptLoss = true
	for _, change := range changes {
		change(&o)
	}
	_, err := Recover(context.Background(), o)
	if !errors.Is(err, ErrEnded) || !strings.Contains(err.Error(), words) {
		w.t.Errorf("recover: %v, want ErrEnded that says %q", err, words)
	}
	if !slices.Equal(w.files(), before) {
		w.t.Error("the state directory was changed")
	}
}

// A fork that was remembered is forgotten for a log that has ended, too: else
// drain would refuse for ever.
func TestEndedForkIsForgotten(t *testing.T) {
	in(t, 1, func(w *world) {
		endAway(w)
		if err := durable.WriteFile(w.fs, w.dir+"/forked", []byte("log web is forked\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		o := w.options()
		if _, err := Recover(context.Background(), o); !errors.Is(err, ErrEnded) || !strings.Contains(err.Error(), "otelcol-custody drain delivers") {
			t.Errorf("recover: %v, want ErrEnded", err)
		}
		w.drain()
		w.audit(w.stores[0], nil)
	})
}
