package recovery

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/internal/sealer"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tree"
	"github.com/otelcol-custody/custody/store"
)

// What an earlier recovery sealed again is not sealed a third time, whether that
// recovery waits in the journal or is sealed, and whatever else the branch has now.
func TestResealedOnce(t *testing.T) {
	t.Run("at once", func(t *testing.T) { twice(t, func(*world) {}, 0) })
	t.Run("state lost again", func(t *testing.T) {
		twice(t, func(w *world) {
			all := w.stores
			w.stores = all[:1]
			w.resume(300)
			w.lose()
			w.stores = all
		}, 0)
	})
	t.Run("the loser went on", func(t *testing.T) {
		twice(t, func(w *world) {
			after := w.snapshot()
			w.restore(w.loser)
			w.stores[0].setDown(errors.New("away"))
			w.session(false, func(s *sealer.Sealer) { w.send(s, 500, 9) })
			w.stores[0].setDown(nil)
			w.restore(after)
		}, 9)
	})
}

// twice recovers from two stores that parted, and recovers again after what
// happened between. So many records more are sealed again then.
func twice(t *testing.T, between func(*world), more int64) {
	in(t, 2, func(w *world) {
		fork(w, 4, 2)
		w.loser = w.snapshot()
		w.lose()
		note := w.sealedHead(w.stores[0]).After().Note()
		if r := w.must(both(with(note), acceptLoss)); r.Resealed != 18 {
			t.Errorf("%d records are sealed again, want 18", r.Resealed)
		}
		between(w)
		note = w.sealedHead(w.stores[0]).After().Note()
		if r := w.must(both(with(note), acceptLoss)); r.Resealed != more {
			t.Errorf("the second recovery seals %d records again, want %d", r.Resealed, more)
		}
		w.stores = w.stores[:1]
		w.resume(400)
		if n := len(w.audit(w.stores[0], nil, note)); n != 2 {
			t.Errorf("%d recovery records, want 2", n)
		}
	})
}

// former are the records of a branch, in its order.
func former(salt byte, at uint64, previous tree.Hash, lines ...string) (out []sealer.Former) {
	for i, line := range lines {
		f := sealer.Former{Line: []byte(line), Position: at + uint64(i), Known: true, Previous: previous}
		f.Commitment = tree.Commitment([16]byte{salt}, tree.Digest(f.Line))
		previous = tree.Link(previous, f.Commitment)
		out = append(out, f)
	}
	return out
}

// Places and lines tell what was sealed again: of a run that covers a part, that
// part; of branches that parted at one place, each its own.
func TestResealedRuns(t *testing.T) {
	before := tree.Digest([]byte("before"))
	one := former(1, 10, before, "a", "b", "c", "d")
	other := former(2, 10, before, "a", "x", "y")
	third := former(3, 10, before, "a", "b")
	for name, c := range map[string]struct {
		ranges []segment.RecoveryRange
		sealed []string // the lines from position 51 on
		asked  [][]sealer.Former
		want   string
	}{
		"all":            {[]segment.RecoveryRange{{First: 51, Count: 4, Former: 10}}, []string{"a", "b", "c", "d"}, [][]sealer.Former{one}, "++++"},
		"asked twice":    {[]segment.RecoveryRange{{First: 51, Count: 4, Former: 10}}, []string{"a", "b", "c", "d"}, [][]sealer.Former{one, one}, "++++++++"},
		"the beginning":  {[]segment.RecoveryRange{{First: 51, Count: 2, Former: 10}}, []string{"a", "b"}, [][]sealer.Former{one}, "++--"},
		"the end":        {[]segment.RecoveryRange{{First: 51, Count: 2, Former: 12, Previous: one[2].Previous}}, []string{"c", "d"}, [][]sealer.Former{one}, "--++"},
		"another branch": {[]segment.RecoveryRange{{First: 51, Count: 3, Former: 10}}, []string{"a", "x", "y"}, [][]sealer.Former{other, one}, "+++----"},
		"two branches":   {[]segment.RecoveryRange{{First: 51, Count: 3, Former: 10}, {First: 54, Count: 4, Former: 10}}, []string{"a", "x", "y", "a", "b", "c", "d"}, [][]sealer.Former{other, one}, "+++++++"},
		"equal lines":    {[]segment.RecoveryRange{{First: 51, Count: 2, Former: 10}}, []string{"a", "b"}, [][]sealer.Former{third, one}, "++----"},
		"elsewhere":      {[]segment.RecoveryRange{{First: 51, Count: 4, Former: 10, Previous: tree.Digest([]byte("z"))}}, []string{"a", "b", "c", "d"}, [][]sealer.Former{one}, "----"},
		"taken away":     {[]segment.RecoveryRange{{First: 51, Count: 4, Former: 10}}, nil, [][]sealer.Former{one}, "----"},
	} {
		s := &resealed{runs: map[stood][]segment.RecoveryRange{}, lines: map[uint64]tree.Hash{}, taken: map[uint64]tree.Hash{}}
		for i := range c.ranges {
			g := &c.ranges[i]
			if g.FormerKnown = true; g.Previous == (tree.Hash{}) {
				g.Previous = before
			}
		}
		rec := segment.Recovery{At: segment.Nearest(time.Unix(1, 0)), Resealed: c.ranges}
		line, err := rec.Line()
		if err != nil {
			t.Fatal(err)
		}
		s.take(50, line)
		for i, text := range c.sealed {
			s.take(51+uint64(i), []byte(text))
		}
		got := ""
		for _, records := range c.asked {
			for i := range records {
				got += map[bool]string{true: "+", false: "-"}[s.has(&records[i])]
			}
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// unsteady is a store that fails for some names.
type unsteady struct {
	store.Store
	part string
	err  error
}

func (u *unsteady) Get(ctx context.Context, name string) (io.ReadCloser, store.Info, error) {
	if strings.Contains(name, u.part) {
		return nil, store.Info{}, u.err
	}
	return u.Store.Get(ctx, name)
}

// A passing error of the losing store does not decide for ever. What is gone does.
func TestLosingStoreFails(t *testing.T) {
	in(t, 2, func(w *world) {
		fork(w, 3, 1)
		w.lose()
		note := w.sealedHead(w.stores[0]).After().Note()
		fails := func(err error) func(*Options) {
			return both(both(with(note), acceptLoss), func(o *Options) {
				o.Stores[1].Store = &unsteady{o.Stores[1].Store, "/segments/", err}
			})
		}
		for _, err := range []error{store.ErrUnavailable, store.ErrDenied, errors.New("503 slow down")} {
			o := w.options()
			fails(err)(&o)
			before := w.files()
			_, got := Recover(context.Background(), o)
			if !errors.Is(got, err) || errors.As(got, new(*RefusedError)) || !strings.Contains(got.Error(), "run recover again once store memory://b can be read") {
				t.Errorf("%v: %v, want the store's error and what to do", err, got)
			}
			if after := w.files(); !slices.Equal(after, before) {
				t.Errorf("%v: the state directory changed: %v, before %v", err, after, before)
			}
		}
		r := w.must(fails(store.ErrNotFound))
		if r.Resealed != 0 || !r.AcceptedLoss || !slices.ContainsFunc(r.Reasons, func(s string) bool { return strings.Contains(s, "its 9 records are not sealed again") }) {
			t.Errorf("the report says %+v", r)
		}
		if r = w.must(both(with(note), acceptLoss)); r.Resealed != 9 { // Somebody found them.
			t.Errorf("the second recovery seals %d records again, want 9", r.Resealed)
		}
		w.stores = w.stores[:1]
		w.resume(300)
		w.audit(w.stores[0], nil, note)
	})
}

// Each run of many says where it stood: there is room for more than of the rest.
func TestManyRuns(t *testing.T) {
	var l limits
	l.items, l.ranges, l.source = 256, 2000, 512
	places := make([]sealer.Placed, 2100)
	for i := range places {
		places[i] = sealer.Placed{First: uint64(i), Count: 1}
	}
	if got := describeRanges(places[:1000], l); len(got) != 1000 {
		t.Errorf("%d runs of 1000 are described", len(got))
	}
	if got := describeRanges(places, l); len(got) != 2001 || got[2000].Count != 100 || got[2000].Source != "and 100 more runs" {
		t.Errorf("%d runs of 2100 are described, the last as %+v", len(got), got[len(got)-1])
	}
}

// Whoever floods the place behind a losing branch keeps nothing of it from being
// sealed again.
func TestLosingBranchFlooded(t *testing.T) {
	in(t, 2, func(w *world) {
		fork(w, 3, 1)
		w.lose()
		note := w.sealedHead(w.stores[0]).After().Note()
		next := "web/" + ledger.SealName(w.sealedHead(w.stores[1]).End())
		for range logstore.MaxVersions + 1 {
			w.stores[1].Shadow(next, make([]byte, 1000))
		}
		if r := w.must(both(with(note), acceptLoss)); r.Resealed != 9 || !strings.Contains(r.Stores[1].Error, "flooded") {
			t.Errorf("the report says %+v", r)
		}
	})
}

// What is found out while records are collected counts like all else.
func TestLateReasons(t *testing.T) {
	r := &run{Options: &Options{}, report: &Report{}, reasons: []string{"early"}}
	g := &gathering{run: r}
	v := &seal.Verified{}
	v.Count = 4
	g.lost("store b", v, store.ErrNotFound)
	var refused *RefusedError
	if err := r.accept(t.Context()); !errors.As(err, &refused) || len(refused.Reasons) != 2 || r.report.AcceptedLoss {
		t.Errorf("without --accept-loss: %v, want a refusal with both reasons", err)
	}
	r.AcceptLoss = true
	if err := r.accept(t.Context()); err != nil || !r.report.AcceptedLoss || len(r.report.Reasons) != 2 {
		t.Errorf("with --accept-loss: %v, %+v", err, r.report)
	}
}
