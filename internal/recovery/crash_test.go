package recovery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/durable/durabletest"
	"github.com/otelcol-custody/custody/internal/sealer"
)

// crashKinds say what becomes of a call.
var crashKinds = []struct {
	name  string
	fault durabletest.Fault
}{
	{"error", durabletest.Fault{}},
	{"applied", durabletest.Fault{Applied: true}},
	{"torn", durabletest.Fault{Torn: true}},
	{"error+", durabletest.Fault{UntilRestart: true}},
	{"dead", durabletest.Fault{Crash: true}},
	{"dead/applied", durabletest.Fault{Crash: true, Applied: true}},
	{"dead/torn", durabletest.Fault{Crash: true, Torn: true}},
}

// crashEnds say what is found after.
var crashEnds = []struct {
	name string
	end  func(*durabletest.FS, *rand.Rand) *durabletest.FS
}{
	{"kill -9", func(f *durabletest.FS, _ *rand.Rand) *durabletest.FS { return f.Restart() }},
	{"power off", func(f *durabletest.FS, _ *rand.Rand) *durabletest.FS { return f.Crash() }},
	{"power off at random", func(f *durabletest.FS, rng *rand.Rand) *durabletest.FS { return f.CrashRandom(rng) }},
}

// broken is a state with everything that a recovery has to do with: segments that
// the store lacks, closed journals that stay, a damaged one, records behind the
// damage, and no identity. It returns what nobody can read any more.
func broken(w *world) map[int]bool {
	moments["spool, closed and open journals"](w)
	if err := durable.WriteFile(w.fs, w.dir+"/identity", []byte("gone"), 0o600); err != nil {
		w.t.Fatal(err)
	}
	s := w.names()
	i := slices.IndexFunc(s, func(n string) bool { return strings.HasSuffix(n, "31.journal") })
	if i < 0 {
		w.t.Fatalf("no journal to damage: %v", s)
	}
	whole := w.read(s[i])
	damaged := append([]byte{}, whole...)
	at := frames.FindAllIndex(whole, -1)[1][0]
	damaged[at+60] ^= 1
	if err := durable.WriteFile(w.fs, s[i], damaged, 0o600); err != nil {
		w.t.Fatal(err)
	}
	return gone(w.t, s[i], whole, damaged)
}

// Whatever call of a recovery fails, however it ends: the collector does not
// start on half of it, and recovering again gives a state with everything in it.
func TestCrash(t *testing.T) {
	var calls []durabletest.Call
	begin := 0
	in(t, 1, func(w *world) {
		broken(w)
		begin = len(w.fs.Calls())
		w.must(acceptLoss)
		calls = w.fs.Calls()[begin:]
	})
	stride, cases := 3, map[string]int{}
	switch {
	case os.Getenv("CUSTODY_TORTURE") != "":
		stride = 1
	case testing.Short():
		stride = 9
	}
	for n := 0; n < len(calls); n += stride {
		for _, kind := range crashKinds {
			for e := range crashEnds {
				op := calls[n].Op
				if kind.fault.Torn && op != durabletest.OpWrite || !op.Changing() && (kind.fault.Applied || kind.fault.Crash || e > 0) {
					continue
				}
				t.Run(fmt.Sprintf("%d %s/%s/%s", n, calls[n], kind.name, crashEnds[e].name), func(t *testing.T) {
					in(t, 1, func(w *world) { cases[crashCase(w, n+1, kind.fault, e)]++ })
				})
			}
		}
	}
	t.Logf("%d calls, every %d. of them; %v", len(calls), stride, cases)
	for _, how := range []string{"started", "finished", "again"} {
		if cases[how] == 0 {
			t.Errorf("no crash ended so: %s", how)
		}
	}
}

func crashCase(w *world, n int, f durabletest.Fault, e int) string {
	excused := broken(w)
	f.N = n
	w.fs.Inject(f)
	o := w.options()
	o.AcceptLoss = true
	_, first := Recover(context.Background(), o)
	w.fs.Heal()
	w.fs = crashEnds[e].end(w.fs, rand.New(rand.NewPCG(uint64(n), uint64(e))))
	how := "started"
	c := w.config()
	c.Genesis = true
	s, err := sealer.Open(c, w, silent{})
	switch {
	case err == nil:
		w.stop(s)
	case first == nil:
		w.t.Fatalf("recovered without an error, and the collector does not start: %v", err)
	default:
		o.FS = w.fs
		how = "again"
		if sealer.Interrupted(w.config()) != nil {
			how = "finished"
		}
		if _, err := Recover(context.Background(), o); err != nil {
			w.t.Fatalf("recover again: %v", err)
		}
	}
	w.resume(100)
	only(w.t, w.audit(w.stores[0], excused))
	w.asideIsWhole()
	return how
}

// asideIsWhole demands that what was there before is set aside, all of it.
func (w *world) asideIsWhole() {
	w.t.Helper()
	found := 0
	for _, name := range w.names() {
		if strings.HasPrefix(name, w.dir+"/before-recover-") && strings.Contains(name, ".journal") && !strings.HasSuffix(name, ".mark") {
			found++
		}
		if strings.HasPrefix(name, w.dir+"/rebuilt") || strings.HasSuffix(name, "/recovering") {
			w.t.Errorf("left behind: %s", name)
		}
	}
	if found != 3 {
		w.t.Errorf("%d journals were set aside: %v", found, w.names())
	}
}

// A killed process left a journal's end in the kernel alone. A recovery does not
// build on what the next power loss takes.
func TestUnsyncedJournal(t *testing.T) {
	in(t, 1, func(w *world) {
		w.stores[0].setDown(errors.New("away"))
		s := w.start(true)
		w.fs.Inject(durabletest.Fault{Op: durabletest.OpSync, Path: "0.journal", N: 2, Crash: true})
		w.send(s, 0, 9) // Answered, and then the segment is full.
		w.kill(s)
		w.stores[0].setDown(nil)
		if err := durable.WriteFile(w.fs, w.dir+"/checkpoint", []byte("damaged"), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := w.must(acceptLoss); r.Kept != 10 || r.Resealed != 0 {
			t.Errorf("the report says %+v", r)
		}
		w.fs = w.fs.Crash()
		w.resume(9)
		only(t, w.audit(w.stores[0], nil))
	})
}

// A recovery's own journal is damaged before it was sealed, and recovered: nothing
// is lost or there twice, and the log's own words are not sealed again.
func TestRecoveredTwice(t *testing.T) {
	for what, at := range map[string]int{"header": 40, "in the middle": -200} {
		t.Run(what, func(t *testing.T) {
			in(t, 1, func(w *world) {
				excused := broken(w)
				w.must(acceptLoss)
				journals := w.names()
				name := journals[slices.IndexFunc(journals, func(n string) bool {
					return strings.HasPrefix(n, w.dir+"/journal/") && strings.HasSuffix(n, "31.journal")
				})]
				whole := w.read(name)
				damaged := append([]byte{}, whole...)
				if at < 0 {
					at += len(damaged)
				}
				damaged[at] ^= 1
				w.overwrite(name, damaged)
				maps.Copy(excused, gone(t, name, whole, damaged))
				w.must(acceptLoss)
				w.resume(100)
				only(t, w.audit(w.stores[0], excused))
			})
		})
	}
}
