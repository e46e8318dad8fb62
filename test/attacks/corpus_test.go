package attacks

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A who is somebody who can do it, as docs/threat-model.md has them.
type who struct{ short, long string }

var (
	writer   = who{"store writer", "may write and delete in a store that does not lock; has no key"}
	locked   = who{"locked writer", "has the writer's credentials of a store that locks; has no key"}
	admin    = who{"cloud admin", "has every right in the account, also to weaken what is not in compliance mode; has no key"}
	provider = who{"provider", "runs the store; has no key"}
	keeper   = who{"key holder", "has the log's signing key, and may write to the store"}
	root     = who{"host root", "is root on the collector's host, or on the guard's"}
	hander   = who{"bearer", "hands an evidence file or pack over; has no key"}
	hanger   = who{"memory writer", "may write to where the auditor keeps checkpoints; has no key"}
)

// An attack is one thing that somebody can do.
type attack struct {
	name string
	who  who
	do   func(*scene)

	// want is what must be found: "code place, code place". A place is a
	// segment's first record, with "/record" where one can be told, or a file's
	// name. Empty: the attack changes nothing that anybody has to find.
	want string
	// says is what single judges find instead. One that begins with "not: " is
	// why the judge finds nothing, which is not its task.
	says map[string]string
	// memory: what is left contradicts nothing, so that it is done twice:
	// without a kept checkpoint nobody can find it.
	memory bool
	// bare is what is found without a kept checkpoint, if anything.
	bare     string
	bareSays map[string]string
	// keptStale: the kept checkpoint itself is touched, or is not the newest; the
	// judges have it in any case.
	keptStale bool
	// view does the same to the tlog-tiles view of the log, and journal to a
	// journal of systemd, for rivals.
	view    func(*view)
	journal func(*journal)
	// later is who will find what nobody finds today.
	later string
}

// A family is a table of attacks on one kind of thing.
type family struct {
	name  string
	title string
	about string
	set   func(testing.TB) *scene // what is attacked
	all   []attack
}

// families is the corpus.
func families() []family {
	return []family{
		segmentAttacks(), sealAttacks(), sizeAttacks(), historyAttacks(), checkpointAttacks(),
		lieAttacks(), tileAttacks(), versionAttacks(), watchAttacks(), stateAttacks(), fenceAttacks(), proofAttacks(), packAttacks(),
	}
}

// A finding is what a judge said, in the words of the specification where it has
// some.
type finding struct{ code, place string }

func (f finding) String() string { return strings.TrimSpace(f.code + " " + f.place) }

func parseFindings(text string) (all []finding) {
	for one := range strings.SplitSeq(text, ", ") {
		if code, place, _ := strings.Cut(one, " "); code != "" {
			all = append(all, finding{code, place})
		}
	}
	return all
}

func formatFindings(all []finding) string {
	texts := make([]string, len(all))
	for i, f := range all {
		texts[i] = f.String()
	}
	return strings.Join(texts, ", ")
}

// sorted puts findings in the order of code and place.
func sorted(all []finding) []finding {
	return slices.SortedFunc(slices.Values(all), func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.code, b.code), cmp.Compare(len(a.place), len(b.place)), cmp.Compare(a.place, b.place))
	})
}

// notItsTask begins what an attack says of a judge that does not claim it.
const notItsTask = "not: "

// A trial is one attack as it is run: attacks that need memory are two trials.
type trial struct {
	family family
	attack
	id   string // of its scenes: unique
	kept bool   // the judges have the checkpoint that was kept before
}

func trials() (all []trial) {
	for _, f := range families() {
		for _, a := range f.all {
			t := trial{family: f, attack: a, id: f.name + "/" + strings.ReplaceAll(a.name, " ", "-")}
			if a.memory {
				without := t
				without.id += "/without-memory"
				without.want, without.says = t.bare, t.bareSays
				all = append(all, without)
				t.kept = true
				t.id += "/with-memory"
			}
			t.kept = t.kept || a.keptStale
			all = append(all, t)
		}
	}
	return all
}

// A cell says how one judge did in one trial.
type cell struct {
	judge               string
	asked               bool   // its kind of thing was attacked
	due                 bool   // it has something to find
	why                 string // it does not claim the attack: the reason
	found, named, right bool
	said                []finding
	wrong               string // the test fails, and why
	ms                  int64
}

// compare holds what a judge said against what it has to say. A judge that ends
// at its first finding has to say a part of it.
func (c *cell) compare(want string, exact bool) {
	if reason, not := strings.CutPrefix(want, notItsTask); not {
		c.why, want = reason, ""
	}
	expected := parseFindings(want)
	c.due = len(expected) > 0
	c.found = len(c.said) > 0
	codes, places := map[string]bool{}, map[finding]bool{}
	for _, f := range expected {
		codes[f.code], places[f] = true, true
	}
	c.named, c.right = c.found, c.found
	for _, f := range c.said {
		c.named = c.named && codes[f.code]
		c.right = c.right && places[f]
	}
	got, all := sorted(c.said), sorted(expected)
	switch {
	case len(expected) == 0 && c.found:
		c.wrong = "accuses falsely"
	case len(expected) > 0 && !c.found:
		c.wrong = "finds nothing"
	case !c.named && c.found:
		c.wrong = "names it wrongly"
	case !c.right && c.found:
		c.wrong = "places it wrongly"
	case exact && !slices.Equal(slices.Compact(got), slices.Compact(all)):
		c.wrong = "does not find all of it"
	}
	if c.wrong != "" {
		c.wrong = fmt.Sprintf("%s %s: it said %q, it has to say %q", c.judge, c.wrong, formatFindings(c.said), want)
	}
}
