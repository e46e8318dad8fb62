package e2e

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// Whatever call on a file fails, and at whatever call the collector is killed:
// nothing that was answered is lost, nothing is there too often, no position
// ever holds two histories, and the next start goes on by itself.
//
// With CUSTODY_STRACE=all every fault is put at every call of a short run, and
// every step of it must have been hit by every fault; otherwise at some of them.
// CUSTODY_STRACE="EIO openat 3 7" puts this one from the third call to the seventh;
// a fifth word is the file, within the home, whose calls count.
func TestStrace(t *testing.T) {
	t.Parallel()
	needStrace(t)
	c := newCampaign(t)
	c.learn(t)
	switch one := os.Getenv("CUSTODY_STRACE"); one {
	case "":
		missed := c.missed()
		c.rnd.Shuffle(len(missed), func(i, j int) { missed[i], missed[j] = missed[j], missed[i] })
		c.wave(t, "sample", c.aim(missed[:min(len(missed), sampleSize)]))
	case "all":
		c.wave(t, "sweep", c.sweep())
		c.complete(t)
	default:
		var i injection
		if _, err := fmt.Sscan(one, &i.fault, &i.call, &i.nth, &i.last); err != nil {
			t.Fatalf("CUSTODY_STRACE=%s: want all, or fault, call, first, last and perhaps a file: %v", one, err)
		}
		i.path = strings.Join(strings.Fields(one)[4:], " ")
		c.wave(t, "one", []*trial{c.trial(i)})
	}
	t.Logf("\n%s\n%s", c.table(), &c.total)
}

// sampleSize is how many trials there are unless all are asked for.
const sampleSize = 48

// complete aims at what no fault has hit by chance.
func (c *campaign) complete(t *testing.T) {
	for round := 1; round <= 40 && len(c.missed()) > 0; round++ {
		c.wave(t, fmt.Sprint("missed", round), c.aim(c.missed()))
	}
	for _, m := range c.missed() {
		t.Errorf("%s was never hit by %s, in %d tries", m.step, m.fault, c.tries[m])
	}
}

// A hit is a step that met a fault.
type hit struct {
	step
	fault string
}

// behind is the fault of a step that was done when the collector was killed.
const behind = "killed behind"

// A campaign is many trials, and what they hit.
type campaign struct {
	rnd   *rand.Rand
	base  *base
	asked []step               // the steps of every clean run
	steps map[step]map[int]int // how often a step was a thread's nth call of its kind
	leads map[step]map[int]int // the same, when no other thread had come that far: there a kill hits it
	early map[step]bool        // it was seen in a first life
	paths map[step]string      // a file that every life has for a step, if there is one
	most  map[string]int       // calls of a kind that one thread made in a clean run
	hits  map[hit]int
	tries map[hit]int
	total totals

	failed map[hit]bool // in a trial that was lost
}

type totals struct{ trials, lost, faults, kills, starts, sent, answered int }

func (n *totals) String() string {
	return fmt.Sprintf("%d logs, %d of them lost or damaged; %d starts, %d faults at steps, %d kills; %d records sent, %d answered",
		n.trials, n.lost, n.starts, n.faults, n.kills, n.sent, n.answered)
}

// wave runs trials beside each other.
func (c *campaign) wave(t *testing.T, name string, trials []*trial) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		for i, tr := range trials {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				tr.try(t)
			})
		}
	})
	for _, tr := range trials {
		c.count(tr)
	}
}

func (c *campaign) count(tr *trial) {
	c.total.trials++
	c.total.starts += len(tr.lives) + 1
	c.total.sent += len(tr.book.sent)
	c.total.answered += tr.book.answers()
	if tr.bad {
		c.total.lost++
	}
	for i, calls := range tr.calls {
		dead := tr.exits[i] < 0
		if dead {
			c.total.kills++
		}
		if i == 0 && tr.base == nil {
			for _, at := range calls {
				c.early[at.step] = true
			}
		}
		for _, h := range c.countLife(tr.lives[i], calls, dead) {
			c.hits[h]++
			c.failed[h] = c.failed[h] || tr.bad
		}
	}
}

// countLife learns the steps of a life and returns what was hit.
func (c *campaign) countLife(l life, calls []call, dead bool) (hits []hit) {
	var last step // that was done before the kill
	furthest := map[string]int{}
	for _, at := range calls {
		leads := at.nth > furthest[at.step.call]
		furthest[at.step.call] = max(furthest[at.step.call], at.nth)
		if l.fault == "" {
			c.most[at.step.call] = max(c.most[at.step.call], at.nth)
		}
		if at.role == elsewhere {
			continue
		}
		if l.path == "" {
			c.seen(at, leads)
		}
		if lasting(at.path) {
			c.paths[at.step] = at.path
		}
		if at.injected || l.fault == killed && dead && at.cut && at.step.call == l.call && at.nth == l.nth {
			hits = append(hits, hit{at.step, l.fault})
			c.total.faults++
		}
		if !at.cut {
			last = at.step
		}
	}
	if l.fault == killed && dead && last.call != "" {
		hits = append(hits, hit{last, behind})
	}
	return hits
}

func newCampaign(t *testing.T) *campaign {
	t.Helper()
	return &campaign{
		rnd: dice(t), base: newBase(t),
		steps: map[step]map[int]int{}, leads: map[step]map[int]int{}, early: map[step]bool{}, paths: map[step]string{}, most: map[string]int{},
		hits: map[hit]int{}, failed: map[hit]bool{}, tries: map[hit]int{},
	}
}

// learn runs lives without faults: a log begins, is killed, and goes on. Asked for
// are the steps of the way to the disk that all of them have, of those that fill a
// tile or of the others. Reading is hit as it comes.
func (c *campaign) learn(t *testing.T) {
	t.Helper()
	var trials []*trial
	for n := range 6 {
		tr := &trial{ack: "local", lives: []life{{end: syscall.SIGKILL}, {end: syscall.SIGTERM}}}
		if n < 2 {
			tr.base = c.base
		}
		trials = append(trials, tr)
	}
	c.wave(t, "clean", trials)
	runs := map[step][2]int{}
	for _, tr := range trials {
		kind := 0
		if tr.base != nil {
			kind = 1
		}
		for s := range tr.steps() {
			n := runs[s]
			n[kind]++
			runs[s] = n
		}
	}
	for s, n := range runs {
		every := n[0] == len(trials)-2 || n[1] == 2 && strings.Contains(s.role, "tile")
		if every && c.changes(s) {
			c.asked = append(c.asked, s)
		}
	}
	slices.SortFunc(c.asked, byRole)
}

// changes says whether a step changes a file or makes a change durable.
func (c *campaign) changes(s step) bool {
	if strings.Contains(s.role, "folder") {
		return true
	}
	written := func(call string) bool { return c.steps[step{call, s.role}] != nil }
	switch s.call {
	case "openat":
		return !strings.HasSuffix(s.role, ", to read")
	case "close": // Of a lock it is what a kill does.
		return (written("write") || written("pwrite64")) && !strings.HasSuffix(s.role, "lock")
	}
	return true
}

// steps are all that a trial's lives had.
func (tr *trial) steps() map[step]bool {
	seen := map[step]bool{}
	for _, at := range slices.Concat(tr.calls...) {
		if at.role != elsewhere {
			seen[at.step] = true
		}
	}
	return seen
}

// sweep puts every fault at every call that one thread makes, and errors that
// last at one call of each kind.
func (c *campaign) sweep() []*trial {
	var trials []*trial
	for _, name := range fileCalls {
		for _, fault := range diskFaults {
			for nth := 1; nth <= c.most[name]; nth++ {
				trials = append(trials, c.trial(injection{name, fault, nth, nth, ""}))
			}
			if fault != killed {
				trials = append(trials, c.trial(injection{name, fault, 1 + c.rnd.IntN(c.most[name]), forever, ""}))
			}
		}
	}
	return trials
}

// trial is one of two lives with this fault: the second begins with what the
// first one left.
func (c *campaign) trial(i injection) *trial {
	tr := &trial{ack: []string{"local", "local", "stored"}[c.rnd.IntN(3)]}
	for range 2 {
		end := []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL}[c.rnd.IntN(2)]
		tr.lives = append(tr.lives, life{i, c.rnd.IntN(4) == 0, end})
	}
	return tr
}

// missed are the steps that a fault has not hit yet.
func (c *campaign) missed() []hit {
	var missed []hit
	for _, s := range c.asked {
		for _, fault := range diskFaults {
			if h := (hit{s, fault}); c.hits[h] == 0 {
				missed = append(missed, h)
			}
		}
	}
	return missed
}

// seen remembers where a step came.
func (c *campaign) seen(at call, leads bool) {
	if c.steps[at.step] == nil {
		c.steps[at.step], c.leads[at.step] = map[int]int{}, map[int]int{}
	}
	c.steps[at.step][at.nth]++
	if leads {
		c.leads[at.step][at.nth]++
	}
}

// lasting says whether a file has the same name in every life: not by chance, and
// not by how many records came before it.
func lasting(path string) bool {
	for _, random := range []string{".durable-tmp", "custody-", ".zst"} {
		if strings.Contains(path, random) {
			return false
		}
	}
	first := filepath.Base(path)[:min(20, len(filepath.Base(path)))]
	return path != "" && (len(first) < 20 || strings.Trim(first, "0") == "")
}

// aim plans trials for these hits: at the file, where every life has it, and else,
// or if that was in vain, at calls that were such a step before.
func (c *campaign) aim(missed []hit) []*trial {
	var trials []*trial
	for _, m := range missed {
		c.tries[m]++
		nths := c.steps[m.step]
		if m.fault == killed && len(c.leads[m.step]) > 0 {
			nths = c.leads[m.step]
		}
		i := injection{m.call, m.fault, c.draw(nths), 0, ""}
		if path := c.paths[m.step]; path != "" && c.tries[m]%2 != 0 {
			i.nth, i.path = 1+c.rnd.IntN(4)/3, path
		}
		i.last = i.nth
		if m.fault != killed && c.rnd.IntN(4) == 0 {
			i.last += 3
		}
		tr := c.trial(i)
		switch {
		case strings.Contains(m.role, "tile"):
			tr.base = c.base
		case !c.early[m.step] || c.rnd.IntN(4) == 0:
			tr.lives[0].injection = injection{} // Some steps are only those of a log that has lived.
		}
		trials = append(trials, tr)
	}
	return trials
}

// draw takes one of the numbers, by how often each was seen.
func (c *campaign) draw(seen map[int]int) int {
	all := 0
	for _, often := range seen {
		all += often
	}
	at := c.rnd.IntN(all)
	for _, nth := range slices.Sorted(maps.Keys(seen)) {
		if at -= seen[nth]; at < 0 {
			return nth
		}
	}
	panic("unreachable")
}

func byRole(a, b step) int { return cmp.Or(cmp.Compare(a.role, b.role), cmp.Compare(a.call, b.call)) }

func (s step) String() string { return s.call + " of " + s.role }

// table shows how often each step met each fault, and whether a log was lost by it.
func (c *campaign) table() string {
	var b strings.Builder
	columns := append(slices.Clone(diskFaults), behind)
	fmt.Fprintf(&b, "%-50s", "step")
	for _, fault := range columns {
		fmt.Fprintf(&b, " %14s", fault)
	}
	for _, s := range slices.SortedFunc(maps.Keys(c.steps), byRole) {
		fmt.Fprintf(&b, "\n%-50s", s)
		for _, fault := range columns {
			fmt.Fprintf(&b, " %14s", c.cell(hit{s, fault}))
		}
	}
	return b.String()
}

func (c *campaign) cell(h hit) string {
	switch {
	case c.hits[h] == 0:
		return "-"
	case c.failed[h]:
		return fmt.Sprint(c.hits[h], " FAIL")
	}
	return fmt.Sprint(c.hits[h], " ok")
}
