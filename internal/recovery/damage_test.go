package recovery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/internal/durable/durabletest"
	"github.com/otelcol-custody/custody/internal/sealer"
	"github.com/otelcol-custody/custody/ledger/segment"
)

// moments leave a state directory behind, as kill -9 does.
var moments = map[string]func(w *world){
	"fresh": func(w *world) { w.session(true, func(*sealer.Sealer) {}) },
	"open journal": func(w *world) {
		w.session(true, func(s *sealer.Sealer) { w.send(s, 0, 2); w.send(s, 2, 2) })
	},
	"spool, closed and open journals": func(w *world) {
		w.stores[0].setDown(errors.New("away"))
		w.session(true, func(s *sealer.Sealer) {
			w.send(s, 0, 9)
			w.send(s, 9, 9)
			w.fs.Inject(durabletest.Fault{Path: "/spool", UntilRestart: true})
			w.send(s, 18, 4)
			w.send(s, 22, 6)
			w.send(s, 28, 2)
			w.send(s, 30, 3)
			w.send(s, 33, 4)
			w.send(s, 37, 2)
			w.send(s, 39, 2)
		})
		w.stores[0].setDown(nil)
	},
	"delivered": func(w *world) {
		s := w.start(true)
		w.send(s, 0, 9)
		w.send(s, 9, 9)
		w.stop(s)
		w.fs = w.fs.Restart()
	},
	"delivered, others wait": waiting,
	"delivered, open journal": func(w *world) {
		w.session(true, func(s *sealer.Sealer) { w.send(s, 0, 9); w.send(s, 9, 2); w.send(s, 11, 2) })
	},
}

// damages return what becomes of a file's content; nil removes it.
func damages(b []byte) map[string][]byte {
	if len(b) == 0 {
		return map[string][]byte{"removed": nil}
	}
	out := map[string][]byte{
		"removed": nil, "empty": {}, "zeroed": make([]byte, len(b)),
		"cut in half": b[:len(b)/2], "cut by one": b[:len(b)-1],
	}
	for i := range 8 {
		flipped := bytes.Clone(b)
		flipped[(len(b)-1)*i/7] ^= 0x10
		out[fmt.Sprintf("bit flipped at %d/7", i)] = flipped
	}
	return out
}

var (
	events = regexp.MustCompile(`event (\d+)"`)
	frames = regexp.MustCompile(`CJ1\n`)
)

// eventsIn are the events whose lines are in these bytes.
func eventsIn(b []byte) map[int]bool {
	out := map[int]bool{}
	for _, m := range events.FindAllSubmatch(b, -1) {
		n, _ := strconv.Atoi(string(m[1]))
		out[n] = true
	}
	return out
}

// gone are the events that nobody can read any more: those of a journal's frames
// that changed, and of a changed segment that no store has.
func gone(t testing.TB, name string, whole, now []byte) map[int]bool {
	out := map[int]bool{}
	switch path.Ext(name) {
	case ".journal":
		at := append(frames.FindAllIndex(whole, -1), []int{len(whole)})
		for i := range len(at) - 1 {
			begin, end := at[i][0], at[i+1][0]
			if len(now) < end || !bytes.Equal(now[begin:end], whole[begin:end]) {
				maps.Copy(out, eventsIn(whole[begin:end]))
			}
		}
	case ".segment":
		s, err := segment.Parse(whole)
		if err != nil {
			t.Fatal(err)
		}
		dec := segment.NewDecoder()
		defer dec.Close()
		text, err := dec.Inflate(s)
		if err != nil {
			t.Fatal(err)
		}
		return eventsIn(text)
	}
	return out
}

// Each file of the state directory, damaged in every way: the collector starts
// with it, or it is recovered, and every acknowledged record that can be read
// somewhere is in the log once.
func TestDamaged(t *testing.T) {
	taken, recovered, accepted := map[string]int{}, map[string]int{}, map[string]int{}
	for name, moment := range moments {
		var all, whats []string
		for i := 0; i == 0 || i < len(all); i++ {
			kind := ""
			in(t, 1, func(w *world) {
				moment(w)
				all = w.names()
				whats = slices.Sorted(maps.Keys(damages(w.read(all[i]))))
				if kind = path.Ext(all[i]); kind == "" {
					kind = path.Base(all[i])
				}
			})
			for _, what := range whats {
				t.Run(fmt.Sprintf("%s/%s/%s", name, path.Base(all[i]), what), func(t *testing.T) {
					in(t, 1, func(w *world) {
						moment(w)
						switch damagedCase(w, w.names()[i], what) {
						case "taken":
							taken[kind]++
						case "recovered":
							recovered[kind]++
						case "accepted":
							accepted[kind]++
						}
					})
				})
			}
		}
	}
	t.Logf("taken by the start %v, recovered %v, recovered with accepted loss %v", taken, recovered, accepted)
	if accepted[".seal"] > 0 {
		t.Error("a seal whose segment is there was not made again")
	}
	for _, kind := range []string{"identity", ".journal", ".segment", ".seal", ".delivered", "checkpoint"} {
		if recovered[kind]+accepted[kind] == 0 {
			t.Errorf("no damage to %s was ever recovered from", kind)
		}
	}
}

// names are the files of the state directory.
func (w *world) names() (out []string) {
	for _, f := range w.files() {
		name, _, _ := bytes.Cut([]byte(f), []byte(" "))
		out = append(out, string(name))
	}
	return out
}

func damagedCase(w *world, name, what string) string {
	excused, ok := w.damage(name, what)
	if !ok {
		return "" // This run's file has another length.
	}
	return w.mend(excused, w.notes)
}

// damage does to a file what damages names, and returns what is gone by it.
func (w *world) damage(name, what string) (map[int]bool, bool) {
	whole := w.read(name)
	now, ok := damages(whole)[what]
	if !ok {
		return nil, false
	}
	if now == nil {
		if err := w.fs.Remove(name); err != nil {
			w.t.Fatal(err)
		}
	} else {
		w.overwrite(name, now)
	}
	return gone(w.t, name, whole, now), true
}

// mend starts the collector, or recovers and then starts it, and audits the
// store, against what was shown unless a loss was accepted. It says which.
func (w *world) mend(excused map[int]bool, notes [][]byte) string {
	c := w.config()
	c.Genesis = true // the setting of an operator who does not think
	s, err := sealer.Open(c, w, silent{})
	if err == nil {
		w.stop(s)
		w.audit(w.stores[0], excused, notes...)
		return "taken"
	}
	verdict := "recovered"
	o := w.options()
	_, err = Recover(context.Background(), o)
	if refused := (*RefusedError)(nil); errors.As(err, &refused) {
		if refused.Final {
			w.t.Fatalf("refused for good: %v", err)
		}
		verdict, o.AcceptLoss = "accepted", true
		if _, err = Recover(context.Background(), o); err == nil {
			for _, c := range refused.Report.Checkpoints {
				if c.Verdict != Agrees {
					notes = nil // They contradict what was accepted.
				}
			}
		}
	}
	if errors.Is(err, ErrNoSeal) && len(excused) == len(w.acked) {
		return "lost" // Nothing is left.
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.resume(100)
	only(w.t, w.audit(w.stores[0], excused, notes...))
	return verdict
}

// Several files are damaged at once, at random.
func TestDamagedTogether(t *testing.T) {
	seeds := 400
	if testing.Short() {
		seeds = 50
	}
	names, ends := slices.Sorted(maps.Keys(moments)), map[string]int{}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			in(t, 1, func(w *world) {
				rng := rand.New(rand.NewPCG(uint64(seed), 5))
				moments[names[rng.IntN(len(names))]](w)
				excused, notes := map[int]bool{}, w.notes
				for _, name := range w.names() {
					if rng.IntN(3) > 0 || strings.HasSuffix(name, ".mark") {
						continue
					}
					whats := slices.Sorted(maps.Keys(damages(w.read(name))))
					more, _ := w.damage(name, whats[rng.IntN(len(whats))])
					maps.Copy(excused, more)
					if path.Base(name) == "checkpoint" {
						notes = nil // Nobody here remembers them any more.
					}
				}
				ends[w.mend(excused, notes)]++
			})
		})
	}
	t.Logf("%v", ends)
}

func (w *world) overwrite(name string, b []byte) {
	w.t.Helper()
	f, err := w.fs.OpenFile(name, os.O_WRONLY|os.O_TRUNC, 0)
	if err == nil {
		_, err = f.Write(b)
	}
	if err == nil {
		err = errors.Join(f.Sync(), f.Close())
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// The disk does not give a file's bytes any more.
func TestBadDisk(t *testing.T) {
	for name, moment := range moments {
		var all []string
		for i := 0; i == 0 || i < len(all); i++ {
			in(t, 1, func(w *world) {
				moment(w)
				all = w.names()
				whole := w.read(all[i])
				w.fs.Inject(durabletest.Fault{Op: durabletest.OpRead, Path: all[i], UntilRestart: true})
				o := w.options()
				o.AcceptLoss = true
				_, err := Recover(context.Background(), o)
				if errors.Is(err, ErrNoSeal) && len(w.acked) == 0 {
					return
				}
				if err != nil && !errors.Is(err, ErrNothingToDo) {
					t.Fatalf("%s: %s: %v", name, all[i], err)
				}
				w.fs.Heal() // The new files lie elsewhere.
				w.resume(100)
				w.audit(w.stores[0], gone(t, all[i], whole, nil))
			})
		}
	}
}

// A disk gives a file's bytes at the second try: nothing is lost for the first.
func TestPassingFault(t *testing.T) {
	var all []string
	for i := 0; i == 0 || i < len(all); i++ {
		in(t, 1, func(w *world) {
			excused := broken(w)
			all = w.names()
			w.fs.Inject(durabletest.Fault{Op: durabletest.OpRead, Path: all[i]})
			w.must(acceptLoss)
			w.resume(100)
			only(t, w.audit(w.stores[0], excused))
		})
	}
}
