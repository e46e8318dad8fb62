package sealer

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/otelcol-custody/custody/internal/durable/durabletest"
)

// waiting leaves behind a segment that is delivered and three that are not.
func waiting(w *world) {
	w.killed(func(s *Sealer) { w.send(s, 0, 9) })
	w.store.setDown(errors.New("store is away"))
	w.killed(func(s *Sealer) {
		w.send(s, 9, 9)
		w.send(s, 18, 9)
		w.send(s, 27, 9)
	})
	w.store.setDown(nil)
}

// spools lists the names in the spool with this extension, by place.
func (w *world) spools(ext string) (out []string) {
	for _, name := range files(w.t, w.fs, "/state/"+spoolDir) {
		if path.Ext(name) == ext {
			out = append(out, name)
		}
	}
	return out
}

// without takes segments out of the spool together with their seals, and more.
func (w *world) without(segments []int, more ...string) map[string][]byte {
	out, all := map[string][]byte{}, w.spools(sealExt)
	for _, i := range segments {
		out[all[i]], out[strings.TrimSuffix(all[i], sealExt)+segmentExt] = nil, nil
	}
	for _, name := range more {
		out[name] = nil
	}
	return out
}

// Whoever takes segments out of the spool together with their seals is noticed at
// the start, wherever they stood, and if he takes the delivered seal, too.
func TestHoleInSpool(t *testing.T) {
	for name, c := range map[string]struct {
		segments  []int
		delivered bool
		names     int // the seal that the error names
	}{
		"the oldest":                                {[]int{0}, false, 0},
		"the two oldest":                            {[]int{0, 1}, false, 0},
		"the oldest and what was delivered":         {[]int{0}, true, 1},
		"the two oldest and what was delivered":     {[]int{0, 1}, true, 2},
		"what was delivered":                        {nil, true, 0},
		"one in the middle":                         {[]int{1}, false, 1},
		"one in the middle and what was delivered":  {[]int{1}, true, 0},
		"the oldest and the third":                  {[]int{0, 2}, false, 0},
		"the oldest, the third, what was delivered": {[]int{0, 2}, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 0)
				waiting(w)
				if n := len(w.spools(deliveredExt)); n != 1 || len(w.spools(sealExt)) != 3 {
					t.Fatalf("the spool holds %v", files(t, w.fs, "/state/"+spoolDir))
				}
				var more []string
				if c.delivered {
					more = w.spools(deliveredExt)
				}
				want := w.spools(sealExt)[c.names]
				taken := tamper{"taken away:", w.without(c.segments, more...)}
				kept := map[string][]byte{}
				for name := range taken.files {
					kept[name] = mustRead(t, w.fs, name)
					w.put(name, nil)
				}
				s, err := Open(*w.config(), w.store, &quiet{})
				if err == nil {
					closeIt(t, s)
					t.Fatal("it was taken")
				}
				if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "missing") {
					t.Errorf("the start says %v, want that %s is damaged", err, want)
				}
				for name, b := range kept {
					w.put(name, b)
				}
				if w.tampered(taken) {
					t.Error("it was taken")
				}
			})
		})
	}
}

// The seal before what waits stays while stores are away, across stops and kills,
// and there is one of them only.
func TestDeliveredSealStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		one := func(when string) {
			t.Helper()
			done, pending := w.spools(deliveredExt), w.spools(sealExt)
			if len(done) != 1 || len(pending) > 0 && done[0] >= pending[0] {
				t.Errorf("%s: delivered %v, waiting %v", when, done, pending)
			}
		}
		for i := range 3 {
			w.killed(func(s *Sealer) { w.send(s, 27*i, 9) })
			one("all is delivered")
			w.store.setDown(errors.New("store is away"))
			w.killed(func(s *Sealer) { w.send(s, 27*i+9, 9) })
			one("a segment waits")
			s := w.open()
			w.send(s, 27*i+18, 9)
			if err := s.Close(context.Background(), 0); err != nil {
				t.Fatal(err)
			}
			w.fs = w.fs.Restart()
			one("after a stop")
			w.store.setDown(nil)
		}
		closeIt(t, w.open())
		w.judge()
	})
}

// older makes the state directory one of version 1, which forgot the delivered
// seal as soon as there was a newer seal.
func (w *world) older() {
	w.t.Helper()
	for _, name := range w.spools(deliveredExt) {
		w.put(name, nil)
	}
	w.put("/state/"+identityFile, []byte(w.identity().first().text()))
	for _, dir := range []string{"/state", "/state/" + spoolDir} {
		if err := w.fs.SyncDir(dir); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) identity() *identity {
	w.t.Helper()
	id, err := parseIdentity(string(mustRead(w.t, w.fs, "/state/"+identityFile)))
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// first is the identity as version 1 wrote it.
func (id *identity) first() *identity {
	v1 := *id
	v1.whole, v1.old = 0, true
	return &v1
}

// A state directory of version 1 is taken once without its delivered seal, and
// from then on the spool has no hole unnoticed.
func TestOlderState(t *testing.T) {
	for name, leave := range moments {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, 0)
			leave(w)
			w.put("/state/"+identityFile, []byte(w.identity().first().text()))
			if len(w.spools(sealExt)) > 0 {
				w.older()
			}
			oldest := uint64(0)
			if pending, err := firsts(w.fs, "/state/"+spoolDir, sealExt); err == nil && len(pending) > 0 {
				oldest = pending[0]
			}
			w.store.setDown(errors.New("store is away"))
			w.killed(func(s *Sealer) { w.send(s, 50, 9) })
			w.store.setDown(nil)
			if id := w.identity(); id.old || id.whole != oldest {
				t.Errorf("%s: the identity says %+v, want one of version 2, whole from %d on", name, id, oldest)
			}
			if oldest > 0 {
				if w.tampered(tamper{"older, taken away:", w.without([]int{0})}) {
					t.Errorf("%s: it was taken", name)
				}
				return
			}
			closeIt(t, w.open())
			w.judge()
		})
	}
}

// Every call of the start that takes over a state directory of version 1 fails in
// every way, and the next start finishes it.
func TestOlderStateFaults(t *testing.T) {
	start := func(t testing.TB) (w *world, from int) {
		w = newWorld(t, 0)
		waiting(w)
		w.older()
		w.opened = true
		w.fs = w.fs.Restart()
		return w, len(w.fs.Calls())
	}
	var calls []durabletest.Call
	synctest.Test(t, func(t *testing.T) {
		w, from := start(t)
		st, err := openState(w.config())
		if err != nil {
			t.Fatal(err)
		}
		calls = w.fs.Calls()[from:]
		w.letGo(st)
	})
	hit := map[string]int{}
	for n := range calls {
		for _, kind := range faultKinds {
			changing := calls[n].Op.Changing()
			if kind.fault.Torn && calls[n].Op != durabletest.OpWrite || kind.fault.Op != "" || !changing && kind.name != "error" {
				continue // Nothing here can be torn; or it leaves the disk as it was.
			}
			for _, power := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) {
					r := &recorder{TB: t}
					w, _ := start(r)
					f := kind.fault
					f.N = n + 1
					w.fs.Inject(f)
					if st, err := openState(w.config()); err == nil {
						w.letGo(st)
					} else if errors.Is(err, ErrDamaged) || errors.Is(err, ErrNoHead) {
						r.Errorf("the start says %v", err)
					}
					w.fs.Heal()
					if w.fs = w.fs.Restart(); power {
						w.fs = w.fs.Crash()
					}
					oldest, _ := firsts(w.fs, "/state/"+spoolDir, sealExt)
					w.killed(func(*Sealer) {})
					if id := w.identity(); id.old || id.whole != oldest[0] {
						r.Errorf("the identity says %+v, want whole from %d on", id, oldest[0])
					}
					closeIt(r, w.open())
					w.judge()
					hit[step(calls[n])]++
					for _, fault := range slices.Compact(r.faults) {
						t.Errorf("call %d, %s: %s, power %t: %s", n+1, step(calls[n]), kind.name, power, fault)
					}
				})
			}
		}
	}
	for _, want := range []string{"rename -> /identity", "syncdir /", "sync /temp", "write /temp"} {
		if hit[want] == 0 {
			t.Errorf("no fault hit %s: %v", want, hit)
		}
	}
}

func (w *world) config() *Config {
	c := w.c
	c.FS, c.Genesis = w.fs, false
	return &c
}

// letGo ends the start of a process that does nothing more.
func (w *world) letGo(st *state) {
	_ = st.open.close()
	_ = st.lock.Close()
}

// What a rebuilt spool cannot know it does not demand; what comes behind it is.
func TestRebuiltWhole(t *testing.T) {
	for _, known := range []bool{true, false} {
		t.Run(fmt.Sprintf("seal before known %t", known), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 0)
				waiting(w)
				found, err := Salvaging(*w.config())
				if err != nil || found.Trouble != nil || len(found.Seals) != 4 {
					t.Fatalf("salvaged %+v, %v", found, err)
				}
				seals := found.Seals
				before, err := seals[0].Open()
				if err != nil {
					t.Fatal(err)
				}
				head, err := seals[3].Open()
				if err != nil {
					t.Fatal(err)
				}
				r := NewRebuild(*w.config(), head.Place())
				r.Head, r.Note, r.Checkpoint = head, []byte("{}"), found.Checkpoint
				for i := range seals[1:] {
					r.Pending = append(r.Pending, Pending{SalvagedSeal: &seals[1+i]})
				}
				if known {
					r.Before = before
				}
				if err := r.Write("before-recover-x", []byte(`{"body":"event 100"}`)); err != nil {
					t.Fatal(err)
				}
				w.sent[100], w.acked[100] = 1, 1
				if n := len(w.spools(deliveredExt)); known != (n == 1) {
					t.Errorf("%d delivered seals", n)
				}
				want := uint64(0)
				if !known {
					want = seals[1].Head.First
				}
				if id := w.identity(); id.whole != want {
					t.Errorf("the spool is whole from %d on, want %d", id.whole, want)
				}
				if w.tampered(tamper{"taken away:", w.without([]int{0})}) {
					t.Error("a hole was taken")
				}
			})
		})
	}
}
