package recovery

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/sealer"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

// The state directory is an old backup: the store is ahead. What the backup
// remembers vouches for the store.
func TestOldBackup(t *testing.T) {
	t.Run("whole", func(t *testing.T) { oldBackup(t, func(map[string][]byte) {}) })
	t.Run("without checkpoint", func(t *testing.T) {
		oldBackup(t, func(backup map[string][]byte) { delete(backup, "/state/checkpoint") })
	})
	t.Run("damaged journal", func(t *testing.T) {
		oldBackup(t, func(backup map[string][]byte) {
			b := backup["/state/journal/00000000000000000010.journal"]
			b[frames.FindAllIndex(b, -1)[1][0]+50] ^= 1
		})
	})
	t.Run("headless journal", func(t *testing.T) {
		oldBackup(t, func(backup map[string][]byte) { backup["/state/journal/00000000000000000010.journal"][40] ^= 1 })
	})
}

func oldBackup(t *testing.T, harm func(map[string][]byte)) {
	in(t, 1, func(w *world) {
		var backup map[string][]byte
		w.session(true, func(s *sealer.Sealer) {
			w.send(s, 0, 9)
			w.send(s, 9, 1)
			w.send(s, 10, 1)
			w.send(s, 11, 1)
			backup = w.snapshot()
			w.send(s, 12, 9)
			w.send(s, 21, 9)
		})
		harm(backup)
		w.restore(backup)
		r := w.must(none)
		if r.Resealed != 0 {
			t.Errorf("the report says %+v", r)
		}
		w.resume(30)
		only(t, w.audit(w.stores[0], nil, w.notes...))
	})
}

// A backup was started while the store was away: records were acknowledged on a
// losing branch, some sealed, some journalled. They are sealed again.
func TestLosingBranch(t *testing.T) {
	in(t, 1, func(w *world) {
		var backup map[string][]byte
		w.session(true, func(s *sealer.Sealer) {
			w.send(s, 0, 9)
			w.send(s, 9, 3)
			backup = w.snapshot()
			w.send(s, 12, 9)
			w.send(s, 21, 9)
		})
		right := w.sealedHead(w.stores[0])
		truth := w.notes
		w.restore(backup)
		w.stores[0].setDown(errors.New("away"))
		w.session(false, func(s *sealer.Sealer) {
			w.send(s, 30, 9) // Behind events 9 to 11, which are in the journal of both.
			w.send(s, 39, 9)
			w.send(s, 48, 2)
		})
		w.stores[0].setDown(nil)
		w.refused(none, "two histories", "--accept-loss")
		r := w.must(acceptLoss)
		if r.Resealed != 20 || r.Size != right.End() {
			t.Errorf("%d records are sealed again behind %d, want 20 behind %d", r.Resealed, r.Size, right.End())
		}
		w.resume(50)
		rec := only(t, w.audit(w.stores[0], nil, truth...))
		if n := len(rec.Resealed); n < 3 {
			t.Errorf("%d runs of records, want those of two segments and a journal: %+v", n, rec.Resealed)
		}
		_, lines := w.copy(w.stores[0])
		for _, g := range rec.Resealed {
			if !g.FormerKnown || g.Former < 13 || string(lines[g.First]) == "" {
				t.Errorf("a run is described as %+v", g)
			}
		}
	})
}

// One of two stores is behind: nobody else is held up, and the report says what
// brings it back.
func TestStoreBehind(t *testing.T) {
	in(t, 2, func(w *world) {
		w.session(true, func(s *sealer.Sealer) {
			w.send(s, 0, 9)
			w.stores[1].setDown(errors.New("away"))
			w.send(s, 9, 9)
			w.send(s, 18, 9)
		})
		w.stores[1].setDown(nil)
		note := w.sealedHead(w.stores[0]).After().Note()
		w.lose()
		r := w.must(with(note))
		if r.Stores[1].Missing != 2 || !slices.ContainsFunc(r.Advice, func(a string) bool {
			return strings.Contains(a, "memory://b is 2 segments behind") && strings.Contains(a, "replicate") && strings.Contains(a, "memory://a")
		}) {
			t.Errorf("the report says %+v", r)
		}
		w.stores = w.stores[:1]
		w.resume(27)
		only(t, w.audit(w.stores[0], nil, note))
	})
}

// A segment that one store has and the other not is in the spool again.
func TestPendingStays(t *testing.T) {
	in(t, 2, func(w *world) {
		w.session(true, func(s *sealer.Sealer) {
			w.send(s, 0, 9)
			w.stores[1].setDown(errors.New("away"))
			w.send(s, 9, 9)
			w.send(s, 18, 2)
		})
		w.stores[1].setDown(nil)
		w.overwrite(w.dir+"/identity", []byte("x"))
		r := w.must(none)
		if r.Stores[1].Missing != 1 || r.Kept != 2 {
			t.Errorf("the report says %+v", r)
		}
		w.resume(20)
		for _, o := range w.stores {
			only(t, w.audit(o, nil, w.notes...))
		}
	})
}

func TestUnreadableStore(t *testing.T) {
	in(t, 2, func(w *world) {
		s := w.start(true)
		w.send(s, 0, 9)
		w.stop(s)
		note := w.sealedHead(w.stores[0]).After().Note()
		w.lose()
		faulty := storetest.NewFaultyVersioned(t, w.stores[1].Memory)
		faulty.SetDown(true)
		closed := func(o *Options) { o.Stores[1] = Store{ID: "memory://b", Err: store.ErrDenied} }
		away := func(o *Options) { o.Stores[1].Store = faulty }
		w.refused(both(with(note), closed), "memory://b could not be read", "access denied", "--accept-loss")
		w.refused(both(with(note), away), "memory://b could not be read", "unavailable", "--accept-loss")
		o := w.options()
		closed(&o)
		if _, err := Recover(context.Background(), o); !errors.Is(err, store.ErrDenied) {
			t.Errorf("the store's error is not there: %v", err)
		}
		o.Stores = o.Stores[1:]
		if _, err := Recover(context.Background(), o); !errors.Is(err, store.ErrDenied) || errors.As(err, new(*RefusedError)) {
			t.Errorf("nothing was read: %v, want the store's error", err)
		}
		r := w.must(both(with(note), both(away, acceptLoss)))
		if !r.AcceptedLoss || r.Stores[1].Error == "" {
			t.Errorf("the report says %+v", r)
		}
		w.resume(9)
		for _, o := range w.stores {
			rec := only(t, w.audit(o, nil, note))
			if !rec.AcceptedLoss || rec.Stores[1].Error == "" {
				t.Errorf("the record says %+v", rec)
			}
		}
	})
}

// fork writes so many segments into each store behind what both have.
func fork(w *world, segments ...int) {
	w.session(true, func(s *sealer.Sealer) { w.send(s, 0, 9) })
	backup := w.snapshot()
	for i, n := range segments {
		w.restore(backup)
		w.stores[1-i].setDown(errors.New("away"))
		w.session(false, func(s *sealer.Sealer) {
			for k := range n {
				w.send(s, 100*(i+1)+9*k, 9)
			}
		})
		w.stores[1-i].setDown(nil)
	}
}

// Two stores hold two histories. What was acknowledged on the losing one is sealed
// again, once, also if the state directory has it, too.
func TestStoresParted(t *testing.T) {
	t.Run("state lost", func(t *testing.T) { parted(t, (*world).lose) })
	t.Run("state there", func(t *testing.T) { parted(t, func(*world) {}) })
}

func parted(t *testing.T, lose func(*world)) {
	in(t, 2, func(w *world) {
		fork(w, 3, 1)
		lose(w)
		note := w.sealedHead(w.stores[0]).After().Note()
		w.refused(with(note), "memory://b leaves the history of memory://a at record 10", "--accept-loss")
		r := w.must(both(with(note), acceptLoss))
		if r.Resealed != 9 || !slices.ContainsFunc(r.Advice, func(a string) bool {
			return strings.Contains(a, "memory://b") && strings.Contains(a, "new prefix")
		}) {
			t.Errorf("the report says %+v", r)
		}
		w.stores = w.stores[:1]
		w.resume(300)
		rec := only(t, w.audit(w.stores[0], nil, note))
		if g := only(t, rec.Resealed); g.Former != 10 || g.Count != 9 {
			t.Errorf("sealed again: %+v", g)
		}
	})
}

// Of two histories of one size none is the longer.
func TestStoresPartedAtOneSize(t *testing.T) {
	in(t, 2, func(w *world) {
		fork(w, 2, 2)
		w.lose()
		w.refused(none, "memory://a and memory://b", "same size", "out of the configuration")
		w.refused(acceptLoss, "memory://a and memory://b", "same size", "out of the configuration")
		w.stores = w.stores[:1]
		w.must(acceptLoss)
	})
}

// A store holds two histories inside itself, both signed.
func TestForkInside(t *testing.T) {
	in(t, 2, func(w *world) {
		fork(w, 2, 1)
		w.lose()
		other := w.sealedHead(w.stores[1])
		text, _, err := w.reader(w.stores[1]).Segment(context.Background(), other)
		if err != nil {
			t.Fatal(err)
		}
		// It lies above the first store's own at its place.
		w.put(w.stores[0], other.SegmentName(), text)
		w.stores[0].Shadow("web/"+other.Name(), other.Bytes())
		one := func(o *Options) { o.Stores = o.Stores[:1] }
		w.refused(one, "forked", "Nothing tells")
		w.refused(both(one, acceptLoss), "forked", "Nothing tells")
	})
}

// Another store tells which of a store's two histories is the log.
func TestForkInsideIsTold(t *testing.T) {
	in(t, 2, func(w *world) {
		w.session(true, func(s *sealer.Sealer) { w.send(s, 0, 9) })
		backup := w.snapshot()
		w.session(false, func(s *sealer.Sealer) { w.send(s, 100, 9); w.send(s, 109, 9) })
		w.restore(backup)
		away := w.stores
		w.stores = []*outlet{{Memory: storetest.NewMemory("c")}}
		for info, err := range away[0].List(context.Background(), "web/", "") {
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(info.Name, "/00000000000000000000") {
				b, err := away[0].GetRange(context.Background(), info.Name, 0, info.Size)
				if err != nil {
					t.Fatal(err)
				}
				w.put(w.stores[0], strings.TrimPrefix(info.Name, "web/"), b)
			}
		}
		w.session(false, func(s *sealer.Sealer) { w.send(s, 200, 9) })
		other := w.sealedHead(w.stores[0])
		text, _, err := w.reader(w.stores[0]).Segment(context.Background(), other)
		if err != nil {
			t.Fatal(err)
		}
		w.stores = away
		w.put(w.stores[1], other.SegmentName(), text)
		w.stores[1].Shadow("web/"+other.Name(), other.Bytes())
		note := w.sealedHead(w.stores[0]).After().Note()
		w.lose()
		w.refused(with(note), "forked", "is taken to be the log", "--accept-loss")
		if r := w.must(both(with(note), acceptLoss)); r.Resealed != 9 {
			t.Errorf("%d records are sealed again, want 9", r.Resealed)
		}
		w.stores = w.stores[:1]
		w.resume(300)
		only(t, w.audit(w.stores[0], nil, note))
	})
}

// A store lacks a seal in the middle: what lies behind proves that the log was
// longer, unless another store has all of it.
func TestGap(t *testing.T) {
	in(t, 2, func(w *world) {
		s := w.start(true)
		w.send(s, 0, 9)
		first := w.sealedHead(w.stores[0])
		w.send(s, 9, 9)
		middle := w.sealedHead(w.stores[0])
		w.send(s, 18, 9)
		w.stop(s)
		w.stores[1].Erase("web/" + middle.Name())
		w.lose()
		alone := func(o *Options) { o.Stores = o.Stores[1:] }
		w.refused(both(with(first.After().Note()), alone), "memory://b", "remembers a log of", "--accept-loss")
		r := w.must(with(first.After().Note()))
		if len(r.Reasons) > 0 || r.Stores[1].Missing == 0 {
			t.Errorf("the report says %+v", r)
		}
	})
}

// Delete markers and shadows hide nothing.
func TestHidden(t *testing.T) {
	in(t, 1, func(w *world) {
		s := w.start(true)
		w.send(s, 0, 9)
		w.send(s, 9, 9)
		w.stop(s)
		head := w.sealedHead(w.stores[0])
		w.stores[0].Hide("web/" + head.Name())
		w.stores[0].Shadow("web/seals/00000000000000000000.seal", []byte(strings.Repeat("x", 1000)))
		w.lose()
		if r := w.must(with(head.After().Note())); r.Size != head.End() || r.Stores[0].Notices == 0 {
			t.Errorf("the report says %+v", r)
		}
	})
}

func TestNothingToDo(t *testing.T) {
	for name, moment := range moments {
		t.Run(name, func(t *testing.T) {
			in(t, 1, func(w *world) {
				moment(w)
				before := w.files()
				for _, change := range []func(*Options){none, acceptLoss, func(o *Options) { o.Stores[0] = Store{ID: "a", Err: store.ErrUnavailable} }} {
					o := w.options()
					change(&o)
					if _, err := Recover(context.Background(), o); !errors.Is(err, ErrNothingToDo) {
						t.Errorf("recover: %v, want ErrNothingToDo", err)
					}
				}
				if after := w.files(); fmt.Sprint(after) != fmt.Sprint(before) {
					t.Errorf("it changed the state directory: %v, before %v", after, before)
				}
			})
		})
	}
}

// A whole state directory may be ahead of a store that was truncated; a kept
// checkpoint may be ahead of both.
func TestWholeStateAhead(t *testing.T) {
	in(t, 1, func(w *world) {
		s := w.start(true)
		w.send(s, 0, 9)
		w.send(s, 9, 9)
		w.stop(s)
		backup := w.snapshot()
		s = w.start(false)
		w.send(s, 18, 9)
		w.stop(s)
		newest := w.sealedHead(w.stores[0])
		w.truncate(w.stores[0], 10)
		w.restore(backup)
		if _, err := Recover(context.Background(), w.options()); !errors.Is(err, ErrNothingToDo) {
			t.Errorf("the state is ahead of the store: %v, want ErrNothingToDo", err)
		}
		w.refused(with(newest.After().Note()), "kept.checkpoint remembers a log of")
	})
}

// A journal is damaged and the state's checkpoint is gone: the seal that is left
// vouches for the stores, and nobody for what was journalled behind it.
func TestDisplaced(t *testing.T) {
	in(t, 1, func(w *world) {
		moments["delivered, open journal"](w)
		kept := w.notes[len(w.notes)-1]
		for _, name := range w.names() {
			if path.Base(name) == "checkpoint" {
				w.damage(name, "removed")
			}
			if strings.HasSuffix(name, ".journal") {
				b := w.read(name)
				b[frames.FindAllIndex(b, -1)[1][0]+50] ^= 1
				w.overwrite(name, b)
			}
		}
		w.refused(none, "journals are damaged or missing", "--checkpoint", "--accept-loss")
		w.refused(with(kept), "remembers a log of", "--accept-loss")
		for e := 9; e < 11; e++ {
			delete(w.acked, e) // in the damaged frame
		}
		if r := w.must(acceptLoss); r.Resealed != 2 {
			t.Errorf("%d records are sealed again, want the two behind the damage", r.Resealed)
		}
		w.resume(100)
		only(t, w.audit(w.stores[0], nil))
	})
}

func TestEnded(t *testing.T) {
	in(t, 1, func(w *world) {
		s := w.start(true)
		w.send(s, 0, 9)
		if err := s.End(context.Background()); err != nil {
			t.Fatal(err)
		}
		w.stop(s)
		if c := w.sealedHead(w.stores[0]).Closed(); c.Reason != segment.Ended {
			t.Fatalf("the log did not end: %s", c.Reason)
		}
		for _, lost := range []bool{false, true} {
			if lost {
				w.lose()
			}
			o := w.options()
			o.AcceptLoss = true
			if _, err := Recover(context.Background(), o); !errors.Is(err, ErrEnded) {
				t.Errorf("state lost: %t: %v, want ErrEnded", lost, err)
			}
		}
	})
}

func TestWrongInput(t *testing.T) {
	in(t, 1, func(w *world) {
		if _, err := Recover(context.Background(), w.options()); !errors.Is(err, ErrNoSeal) {
			t.Errorf("nothing anywhere: %v, want ErrNoSeal", err)
		}
		s := w.start(true)
		o := w.options()
		if _, err := Recover(context.Background(), o); !errors.Is(err, durable.ErrLocked) {
			t.Errorf("while a collector runs: %v, want ErrLocked", err)
		}
		w.send(s, 0, 9)
		w.stop(s)
		w.fs = w.fs.Restart()
		o = w.options()
		o.Signer = ledgertest.ImpostorOf(t, w.signer.Name(), "x")
		if _, err := Recover(context.Background(), o); !errors.Is(err, sealer.ErrOtherLog) {
			t.Errorf("another key: %v, want ErrOtherLog", err)
		}
		w.lose()
		o.FS = w.fs
		if _, err := Recover(context.Background(), o); !errors.Is(err, ErrNoSeal) {
			t.Errorf("another key, without a state: %v, want ErrNoSeal", err)
		}
		o = w.options()
		other, err := checkpoint.Sign(checkpoint.Checkpoint{Origin: w.signer.Name(), Size: 3}, ledgertest.ImpostorOf(t, w.signer.Name(), "x"))
		if err != nil {
			t.Fatal(err)
		}
		for _, note := range [][]byte{[]byte("junk"), other} {
			with(note)(&o)
			if _, err := Recover(context.Background(), o); !errors.Is(err, ErrCheckpoint) || !strings.Contains(err.Error(), "kept.checkpoint") {
				t.Errorf("given %q: %v, want ErrCheckpoint with its source", note, err)
			}
			o.Checkpoints = nil
		}
	})
}
