package attacks

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"

	"go.uber.org/goleak"
)

var (
	write = flag.Bool("write", false, "print the table, and write it to docs/attacks/README.md")
	only  = flag.String("judge", "", "hold only the judge of this name; the table is not compared")
)

func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, "attacks:", err)
		code = 1
	}
	os.Exit(code)
}

func chosen() []judge {
	return slices.DeleteFunc(judges(), func(j judge) bool {
		_, slow := j.(readerJudge)
		return *only != "" && j.name() != *only || slow && testing.Short()
	})
}

// A row is a trial with what each judge said.
type row struct {
	trial
	cells []cell
}

// hold runs one judge on one trial.
func hold(t *testing.T, tr trial, j judge, attacked bool) cell {
	s := tr.family.set(t)
	c := cell{judge: j.name()}
	want, exact := j.due(tr)
	if says, ok := tr.says[j.name()]; ok {
		want = says
	}
	if !attacked {
		want = ""
	} else {
		tr.do(s)
	}
	if c.asked = j.takes(tr, s); !c.asked {
		return c
	}
	said, took := j.judge(t, tr, s)
	c.said, c.ms = distinct(said), max(1, took.Milliseconds())
	c.compare(want, exact)
	return c
}

// TestAttacks holds every judge against every attack, and the table in the
// documentation against what comes out.
func TestAttacks(t *testing.T) {
	all := trials()
	rows := make([]row, len(all))
	t.Run("trials", func(t *testing.T) {
		limit := make(chan struct{}, runtime.GOMAXPROCS(0))
		for i, tr := range all {
			t.Run(tr.id, func(t *testing.T) {
				t.Parallel()
				limit <- struct{}{}
				defer func() { <-limit }()
				rows[i] = row{trial: tr}
				for _, j := range chosen() {
					c := hold(t, tr, j, true)
					rows[i].cells = append(rows[i].cells, c)
					if c.wrong != "" {
						t.Error(c.wrong)
					}
				}
				for _, r := range rivals() {
					if *only == "" {
						rows[i].cells = append(rows[i].cells, r.verdict(t, tr))
					}
				}
			})
		}
	})
	if t.Failed() || *only != "" || testing.Short() {
		return
	}
	attended(t, rows)
	report(t, rows)
}

// attended demands that each attack is found by someone, or says who will.
func attended(t *testing.T, rows []row) {
	t.Helper()
	seen := map[string]bool{}
	for _, r := range rows {
		if seen[r.id] {
			t.Errorf("two trials are called %s", r.id)
		}
		seen[r.id] = true
		if r.memory && !r.kept {
			continue
		}
		found := slices.ContainsFunc(r.cells, func(c cell) bool { return c.found && c.right })
		if found == (r.later != "") {
			t.Errorf("%s: found: %t, yet later says %q", r.id, found, r.later)
		}
	}
}

// TestCleanView holds the rivals against what nobody attacked.
func TestCleanView(t *testing.T) {
	clean := trial{family: segmentAttacks(), attack: attack{view: (*view).flipEntry, journal: (*journal).flip}, id: "clean"}
	for _, r := range rivals() {
		if c := r.verdict(t, clean); c.found {
			t.Errorf("%s accuses %s that is clean", r.column(), r.reads())
		}
	}
}

// TestClean holds every judge against what nobody attacked.
func TestClean(t *testing.T) {
	for _, f := range []family{segmentAttacks(), tileAttacks(), versionAttacks(), watchAttacks(), stateAttacks(), fenceAttacks(), proofAttacks(), packAttacks()} {
		for _, kept := range []bool{false, true} {
			for _, j := range chosen() {
				tr := trial{family: f, id: fmt.Sprintf("%s/clean/%t", f.name, kept), kept: kept && f.name != "tiles"}
				if c := hold(t, tr, j, false); c.wrong != "" {
					t.Errorf("%s: %s", tr.id, c.wrong)
				}
			}
		}
	}
}
