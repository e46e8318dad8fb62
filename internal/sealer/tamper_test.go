package sealer

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-custody/custody/internal/durable/durabletest"
)

// tamper is what becomes of some files of a state directory; nil removes one.
type tamper struct {
	what  string
	files map[string][]byte
}

// put makes a file what it is to be.
func (w *world) put(name string, b []byte) {
	if b != nil {
		overwrite(w.t, w.fs, name, b)
	} else if err := w.fs.Remove(name); err != nil {
		w.t.Fatal(err)
	}
}

// tampered starts on a state directory that was tampered with, and says whether
// it was taken. If not, the error is one of those of damage, it names a file, and
// with the files put back all is well. Either way nothing is lost.
func (w *world) tampered(x tamper) (taken bool) {
	w.t.Helper()
	before := map[string][]byte{}
	there := files(w.t, w.fs, "/state")
	for name, b := range x.files {
		if before[name] = nil; slices.Contains(there, name) {
			before[name] = mustRead(w.t, w.fs, name)
		}
		w.put(name, b)
	}
	what := fmt.Sprintf("%s %q", x.what, slices.Sorted(maps.Keys(x.files)))
	c := w.c
	c.FS, c.Genesis = w.fs, true // the setting of an operator who does not think
	s, err := Open(c, w.store, &quiet{})
	if taken = err == nil; !taken {
		w.refusal(what, x, err)
		for name, b := range before {
			if b != nil || slices.Contains(files(w.t, w.fs, "/state"), name) {
				w.put(name, b)
			}
		}
		if s, err = Open(c, w.store, &quiet{}); err != nil {
			w.t.Errorf("%s: put back: %v", what, err)
			return taken
		}
	}
	closeIt(w.t, s)
	if err := s.Fatal(); err != nil {
		w.t.Errorf("%s: %v", what, err)
	}
	if lines := w.store.verify(w.notes()...); len(lines) != len(w.acked) {
		w.t.Errorf("%s: the log has %d records, want the %d that were acknowledged", what, len(lines), len(w.acked))
	}
	w.judge()
	return taken
}

// refusal judges the error of a start.
func (w *world) refusal(what string, x tamper, err error) {
	w.t.Helper()
	if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNoHead) && !errors.Is(err, ErrOtherLog) {
		w.t.Errorf("%s: refused with %v", what, err)
	}
	if !strings.Contains(err.Error(), "otelcol-custody recover") && !strings.Contains(err.Error(), "a state_dir") {
		w.t.Errorf("%s: the error names no way out: %v", what, err)
	}
	if strings.Contains(err.Error(), "journal and spool hold") {
		return // The checkpoint is the witness that more was there; of which file it cannot say.
	}
	for name, b := range x.files {
		if b == nil || strings.Contains(err.Error(), path.Base(name)) {
			return
		}
	}
	w.t.Errorf("%s: the error does not name the file: %v", what, err)
}

// eachTamper makes a world for each thing that can be done to it.
func eachTamper(t *testing.T, moment func(*world), tampers func(*world) []tamper) (repaired, refused int) {
	count := 1
	for i := 0; i < count; i++ {
		r := &recorder{TB: t}
		synctest.Test(t, func(t *testing.T) {
			r.TB = t
			w := newWorld(r, 0)
			moment(w)
			all := tampers(w)
			if i == 0 {
				count = len(all)
			}
			if i >= len(all) {
				return // This run had fewer files.
			}
			if w.tampered(all[i]) {
				repaired++
			} else {
				refused++
			}
		})
		for _, fault := range r.faults {
			t.Error(fault)
		}
	}
	return repaired, refused
}

// Two files are damaged at a time. A journal and its own watermark are left out:
// who damages the last frame and its only witness is not found out (the design's
// limitations), unless a checkpoint was signed behind it.
func TestTwoDamagedFiles(t *testing.T) {
	pairs := 60
	if testing.Short() {
		pairs = 10
	}
	repaired, refused := 0, 0
	for name, moment := range moments {
		rng := rand.New(rand.NewPCG(3, uint64(len(name))))
		for range pairs {
			a, b, kindA, kindB := rng.Int(), rng.Int(), rng.Int(), rng.Int()
			some, none := eachTamper(t, moment, func(w *world) []tamper {
				all := files(w.t, w.fs, "/state")
				one, two := all[a%len(all)], all[b%len(all)]
				if one == two || markPath(one) == two || markPath(two) == one {
					return nil
				}
				return []tamper{{name, map[string][]byte{one: w.damage(one, kindA), two: w.damage(two, kindB)}}}
			})
			repaired, refused = repaired+some, refused+none
		}
	}
	t.Logf("repaired %d, refused %d", repaired, refused)
	if refused == 0 || repaired == 0 {
		t.Error("they are not tried in earnest")
	}
}

// damage is one of the damages to a file.
func (w *world) damage(name string, kind int) []byte {
	d := damages(mustRead(w.t, w.fs, name))
	kinds := slices.Sorted(maps.Keys(d))
	return d[kinds[kind%len(kinds)]]
}

// A file is that of the same name of another log, of another key, or of the same
// log's other genesis.
func TestFilesOfOthers(t *testing.T) {
	others := map[string]func(*Config, testing.TB){
		"another genesis": func(*Config, testing.TB) {},
		"another log":     func(c *Config, _ testing.TB) { c.Log = "other" },
		"another key":     func(c *Config, t testing.TB) { c.Signer = testSigner(t, "b") },
	}
	repaired, refused := 0, 0
	for moment, make := range moments {
		for what, change := range others {
			some, none := eachTamper(t, make, func(w *world) (out []tamper) {
				other := newWorld(&recorder{TB: w.t}, 0) // Its store is no judge of these names.
				change(&other.c, w.t)
				other.store = newMemStore(&recorder{TB: w.t}, other.c.Signer)
				other.down = other.store
				make(other)
				theirs := files(w.t, other.fs, "/state")
				for _, name := range files(w.t, w.fs, "/state") {
					if slices.Contains(theirs, name) && path.Base(name) != lockFile {
						out = append(out, tamper{moment + ": of " + what, map[string][]byte{name: mustRead(w.t, other.fs, name)}})
					}
				}
				return out
			})
			repaired, refused = repaired+some, refused+none
		}
	}
	t.Logf("repaired %d, refused %d", repaired, refused)
	if refused == 0 {
		t.Error("nothing was ever refused")
	}
}

// A file is what it was before, or is there again.
func TestOlderFiles(t *testing.T) {
	var past map[string][][]byte
	keep := func(w *world) {
		for _, name := range files(w.t, w.fs, "/state") {
			b := mustRead(w.t, w.fs, name)
			if !slices.ContainsFunc(past[name], func(old []byte) bool { return bytes.Equal(old, b) }) {
				past[name] = append(past[name], b)
			}
		}
	}
	story := func(w *world) {
		past = map[string][][]byte{}
		w.killed(func(s *Sealer) {
			for i := range 4 {
				w.send(s, i*5, 5)
				keep(w)
			}
		})
		w.store.setDown(errors.New("away"))
		w.killed(func(s *Sealer) {
			for i := range 4 {
				w.send(s, 20+i*5, 5)
				keep(w)
			}
			w.send(s, 40, 1)
			keep(w)
			w.fs.Inject(durabletest.Fault{Op: durabletest.OpSync, Path: "/journal"})
			_ = s.Append(w.t.Context(), batchOf(900, 1)) // A fault makes a new file of the journal.
			w.sent[900]++
			time.Sleep(2 * time.Second)
			keep(w)
			w.send(s, 41, 1)
			keep(w)
		})
		w.store.setDown(nil)
	}
	repaired, refused := eachTamper(t, story, func(w *world) (out []tamper) {
		for _, name := range slices.Sorted(maps.Keys(past)) {
			for n, b := range past[name] {
				if !slices.Contains(files(w.t, w.fs, "/state"), name) || !bytes.Equal(b, mustRead(w.t, w.fs, name)) {
					out = append(out, tamper{fmt.Sprintf("version %d of", n), map[string][]byte{name: b}})
				}
			}
		}
		return out
	})
	t.Logf("repaired %d, refused %d", repaired, refused)
	if refused == 0 || repaired == 0 {
		t.Error("they are not tried in earnest")
	}
}
