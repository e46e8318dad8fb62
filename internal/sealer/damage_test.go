package sealer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/durable/durabletest"
)

// moments leave a state directory behind, as kill -9 does.
var moments = map[string]func(w *world){
	"fresh": func(w *world) { w.killed(func(*Sealer) {}) },
	"open journal": func(w *world) {
		w.killed(func(s *Sealer) { w.send(s, 0, 2); w.send(s, 2, 2) })
	},
	"spool, closed and open journal": func(w *world) {
		w.store.setDown(errors.New("store is away"))
		w.killed(func(s *Sealer) {
			w.send(s, 0, 9)
			w.send(s, 9, 9)
			w.fs.Inject(durabletest.Fault{Path: "/spool", UntilRestart: true})
			w.send(s, 18, 9)
			w.send(s, 27, 2)
		})
		w.store.setDown(nil)
	},
	"delivered": func(w *world) {
		s := w.open()
		w.send(s, 0, 9)
		w.send(s, 9, 9)
		closeIt(w.t, s)
		w.fs = w.fs.Restart()
	},
	"delivered, others wait": waiting,
	"delivered, open journal": func(w *world) {
		w.killed(func(s *Sealer) { w.send(s, 0, 9); w.send(s, 9, 2) })
	},
}

// killed runs a process and kills it.
func (w *world) killed(what func(*Sealer)) {
	s := w.open()
	what(s)
	time.Sleep(50 * time.Millisecond) // checkpoints
	synctest.Wait()
	w.bury(s, w.fs)
	w.fs.Heal()
}

func (w *world) send(s *Sealer, from, n int) {
	w.t.Helper()
	if err := s.Append(context.Background(), batchOf(from, n)); err != nil {
		w.t.Fatal(err)
	}
	for e := from; e < from+n; e++ {
		w.sent[e]++
		w.acked[e]++
	}
	time.Sleep(20 * time.Millisecond)
	synctest.Wait()
}

// damages return what becomes of a file's content; nil removes it.
func damages(b []byte) map[string][]byte {
	out := map[string][]byte{"removed": nil, "empty": {}, "zeroed": make([]byte, len(b))}
	if len(b) == 0 {
		return map[string][]byte{"removed": nil}
	}
	out["cut in half"] = b[:len(b)/2]
	out["cut by one"] = b[:len(b)-1]
	out["a byte longer"] = append(bytes.Clone(b), 0)
	steps := 16
	if testing.Short() {
		steps = 4
	}
	for i := range steps + 1 {
		at := (len(b) - 1) * i / steps
		flipped := bytes.Clone(b)
		flipped[at] ^= 1 << (i % 8)
		out[fmt.Sprintf("byte %d of %d flipped", at, len(b))] = flipped
	}
	return out
}

// files lists all files of the state directory.
func files(t testing.TB, fsys durable.FS, dir string) (out []string) {
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if name := path.Join(dir, e.Name()); e.IsDir() {
			out = append(out, files(t, fsys, name)...)
		} else {
			out = append(out, name)
		}
	}
	return out
}

// Each file of the state directory, damaged in every way, is refused by its name,
// and nothing is lost once it is put back; or it is repaired, and nothing is lost.
func TestDamagedState(t *testing.T) {
	repaired, refused := map[string]int{}, map[string]int{}
	for name, moment := range moments {
		count := 1
		for i := 0; i < count; i++ {
			var whats []string
			kind := ""
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 0)
				moment(w)
				all := files(t, w.fs, "/state")
				count = len(all)
				whats = slices.Sorted(maps.Keys(damages(mustRead(t, w.fs, all[i]))))
				if kind = path.Ext(all[i]); kind == "" {
					kind = path.Base(all[i])
				}
			})
			for _, what := range whats {
				r := &recorder{TB: t}
				synctest.Test(t, func(t *testing.T) {
					r.TB = t
					if damageCase(r, moment, i, what) {
						repaired[kind]++
					} else {
						refused[kind]++
					}
				})
				for _, fault := range r.faults {
					t.Errorf("%s: %s", name, fault)
				}
			}
		}
	}
	t.Logf("repaired %v, refused %v", repaired, refused)
	for _, kind := range []string{"identity", ".journal", ".segment", ".seal", ".delivered", "checkpoint"} {
		if refused[kind] == 0 {
			t.Errorf("no damage to %s was ever refused", kind)
		}
	}
}

// damageCase says whether the damaged state was taken.
func damageCase(t testing.TB, make func(*world), i int, what string) bool {
	w := newWorld(t, 0)
	make(w)
	name := files(t, w.fs, "/state")[i]
	b, ok := damages(mustRead(t, w.fs, name))[what]
	if !ok {
		return true // This run's file has another length.
	}
	return w.tampered(tamper{what, map[string][]byte{name: b}})
}

// A state directory that was restored from a backup meets a store that is ahead.
func TestOldBackup(t *testing.T) {
	for _, away := range []bool{false, true} {
		c := testConfig(t)
		store := newMemStore(t, c.Signer)
		s := open(t, c, store)
		appendTo(t, s, 0, 3)
		closeIt(t, s)
		backup := c
		backup.Dir = t.TempDir() + "/backup"
		if err := os.CopyFS(backup.Dir, os.DirFS(c.Dir)); err != nil {
			t.Fatal(err)
		}
		s = open(t, c, store)
		appendTo(t, s, 3, 3)
		closeIt(t, s)
		if away {
			store.setDown(errors.New("store is away"))
		}
		s = open(t, backup, store)
		err := s.Append(t.Context(), batchOf(6, 3))
		if away {
			if err != nil {
				t.Fatal(err)
			}
			store.setDown(nil)
			deadline := time.Now().Add(10 * time.Second)
			for s.Fatal() == nil && time.Now().Before(deadline) {
				time.Sleep(10 * time.Millisecond)
			}
			err = s.Append(t.Context(), batchOf(9, 3))
		}
		if fork := (*delivery.ForkError)(nil); !errors.As(err, &fork) || !errors.Is(err, ErrStopped) {
			t.Errorf("store away at first: %t: %v, want a fork", away, err)
		}
		closeIt(t, s)
		each(t, store.verify(), 6)
	}
}

func appendTo(t testing.TB, s *Sealer, from, n int) {
	t.Helper()
	if err := s.Append(context.Background(), batchOf(from, n)); err != nil {
		t.Fatal(err)
	}
}

// Two hosts have copies of one state, and one store: the loser stops for good.
func TestTwoWriters(t *testing.T) {
	c := testConfig(t)
	c.MaxBytes = 100
	store := newMemStore(t, c.Signer)
	s := open(t, c, store)
	appendTo(t, s, 0, 3)
	closeIt(t, s)
	other := c
	other.Dir = t.TempDir() + "/other"
	if err := os.CopyFS(other.Dir, os.DirFS(c.Dir)); err != nil {
		t.Fatal(err)
	}
	writers := []*Sealer{open(t, c, store), open(t, other, store)}
	var acked [2][]int
	deadline := time.Now().Add(10 * time.Second)
	for i := 3; writers[0].Fatal() == nil && writers[1].Fatal() == nil; i += 10 {
		for w, s := range writers {
			if s.Append(t.Context(), batchOf(i+5*w, 5)) == nil {
				acked[w] = append(acked[w], i+5*w)
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("both go on")
		}
	}
	survivor := 0
	if writers[0].Fatal() != nil {
		survivor = 1
	}
	if err := writers[survivor].Fatal(); err != nil {
		t.Errorf("both stopped: %v", err)
	}
	err := writers[1-survivor].Append(t.Context(), batchOf(1000, 1))
	if fork := (*delivery.ForkError)(nil); !errors.As(err, &fork) {
		t.Errorf("the loser says %v, want a fork", err)
	}
	closeIt(t, writers[0])
	closeIt(t, writers[1])
	have := map[string]int{}
	for _, line := range store.verify() {
		have[line]++
	}
	for _, first := range acked[survivor] {
		for e := first; e < first+5; e++ {
			if line := fmt.Sprintf(`{"body":"event %d"}`, e); have[line] != 1 {
				t.Errorf("event %d of the survivor is in the log %d times", e, have[line])
			}
		}
	}
}

// What changes under a running sealer is named, too.
func TestDamageUnderway(t *testing.T) {
	flip := func(t *testing.T, fsys durable.FS, name string) {
		b := mustRead(t, fsys, name)
		b[len(b)/2] ^= 1
		overwrite(t, fsys, name, b)
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		w.store.setDown(errors.New("store is away"))
		obs := &troubles{}
		w.c.FS = w.fs
		s, err := Open(w.c, w.store, obs)
		if err != nil {
			t.Fatal(err)
		}
		w.send(s, 0, 9)
		flip(t, w.fs, spoolPath("/state", 0, segmentExt))
		w.store.setDown(nil)
		time.Sleep(time.Minute)
		if err := obs.why(Delivery); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), spoolPath("/state", 0, segmentExt)) {
			t.Errorf("a spooled segment changed: %v, want ErrDamaged with its name", err)
		}
		closeIt(t, s)
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		s := w.open()
		w.fs.Inject(durabletest.Fault{Path: "/spool", UntilRestart: true})
		w.send(s, 0, 9)
		flip(t, w.fs, journalPath("/state", 0))
		w.fs.Heal()
		time.Sleep(time.Minute)
		if err := s.Append(t.Context(), batchOf(9, 1)); !errors.Is(err, ErrStopped) || !errors.Is(err, ErrDamaged) {
			t.Errorf("behind a damaged journal: %v, want ErrStopped and ErrDamaged", err)
		}
		closeIt(t, s)
	})
}
