package recovery

import (
	"context"
	"errors"
	"io/fs"
	"testing"
	"testing/synctest"

	"github.com/otelcol-custody/custody/internal/sealer"
	"github.com/otelcol-custody/custody/ledger/seal"
)

// in runs a test in fake time.
func in(t *testing.T, stores int, what func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { what(newWorld(t, stores)) })
}

func none(*Options) {}

func acceptLoss(o *Options) { o.AcceptLoss = true }

// with gives a kept checkpoint.
func with(note []byte) func(*Options) {
	return func(o *Options) { o.Checkpoints = append(o.Checkpoints, Checkpoint{"kept.checkpoint", note}) }
}

func both(a, b func(*Options)) func(*Options) { return func(o *Options) { a(o); b(o) } }

// sealedHead is the checkpoint of a store's newest seal.
func (w *world) sealedHead(s *outlet) *seal.Verified {
	w.t.Helper()
	head, err := w.head(context.Background(), s)
	if err != nil || head == nil {
		w.t.Fatalf("no head: %v", err)
	}
	return head
}

func only[T any](t testing.TB, all []T) T {
	t.Helper()
	if len(all) != 1 {
		t.Fatalf("%d of them, want one: %v", len(all), all)
	}
	return all[0]
}

// The disk is lost. Without anybody's memory a truncated store would go unnoticed.
func TestLostDisk(t *testing.T) {
	in(t, 2, func(w *world) {
		s := w.start(true)
		w.send(s, 0, 9)
		w.send(s, 9, 9)
		w.stop(s)
		head := w.sealedHead(w.stores[0])
		note := head.After().Note()
		w.lose()
		w.refused(none, "vouches", "--checkpoint")
		if _, err := w.fs.Stat(w.dir + "/identity"); !errors.Is(err, fs.ErrNotExist) {
			t.Error("a refusal made a state")
		}
		r := w.must(both(with(note), func(o *Options) { o.DryRun = true }))
		if _, err := sealer.Open(w.config(), w, silent{}); !errors.Is(err, sealer.ErrNoHead) {
			t.Errorf("after a dry run: %v, want ErrNoHead", err)
		}
		if !r.DryRun || r.Size != head.End() {
			t.Errorf("a dry run says %+v", r)
		}
		r = w.must(with(note))
		if c := only(t, r.Checkpoints); c.Verdict != Agrees || r.AcceptedLoss || len(r.Reasons) > 0 {
			t.Errorf("the report says %+v", r)
		}
		w.resume(18)
		for _, o := range w.stores {
			rec := only(t, w.audit(o, nil, note))
			if rec.Size != head.End() || rec.Root != head.After().Root || !rec.LastClosed.Equal(head.Closed().At) || !rec.NextBy.Equal(head.Closed().NextBy) {
				t.Errorf("the record says %+v", rec)
			}
			if c := only(t, rec.Checkpoints); c.Source != "kept.checkpoint" || c.Verdict != Agrees || c.Size != head.End() {
				t.Errorf("who vouched: %+v", c)
			}
			if len(rec.Stores) != 2 || rec.Stores[1].Size != head.End() {
				t.Errorf("stores: %+v", rec.Stores)
			}
		}
	})
}

// A store that an attacker truncated is a valid, shorter log.
func TestTruncatedStore(t *testing.T) {
	in(t, 1, func(w *world) {
		s := w.start(true)
		w.send(s, 0, 9)
		short := w.sealedHead(w.stores[0])
		w.send(s, 9, 9)
		w.stop(s)
		note := w.sealedHead(w.stores[0]).After().Note()
		w.truncate(w.stores[0], short.End())
		w.lose()
		w.refused(with(note), "kept.checkpoint remembers a log of", "--accept-loss")
		w.refused(none, "truncated", "--accept-loss")
		r := w.must(both(with(note), acceptLoss))
		if !r.AcceptedLoss || len(r.Reasons) != 2 {
			t.Errorf("the report says %+v", r)
		}
		w.resume(18)
		for e := range 9 {
			delete(w.acked, 9+e) // Taken away by the attacker, and gone.
		}
		rec := only(t, w.audit(w.stores[0], nil, short.After().Note()))
		if c := only(t, rec.Checkpoints); c.Verdict != Ahead || c.Note != string(note) {
			t.Errorf("the kept checkpoint is sealed as %+v", c)
		}
		if !rec.AcceptedLoss || len(rec.Reasons) != 2 || !rec.LastClosed.Equal(short.Closed().At) || !rec.NextBy.Equal(short.Closed().NextBy) {
			t.Errorf("the record says %+v", rec)
		}
		w.contradicted(note)
	})
}

// truncate takes a store's seals and segments from a size on away.
func (w *world) truncate(s *outlet, size uint64) {
	w.t.Helper()
	var all []*seal.Verified
	for h, err := range w.reader(s).Seals(context.Background(), nil) {
		if err != nil {
			w.t.Fatal(err)
		}
		if h.Seal.First >= size {
			all = append(all, h.Seal)
		}
	}
	for _, v := range all {
		s.Erase("web/" + v.Name())
		s.Erase("web/" + v.SegmentName())
	}
}
