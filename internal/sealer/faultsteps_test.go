package sealer

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/durable/durabletest"
)

// faultSteps names the steps of the write path in their order, and says which
// calls make each: a call as step tells it, where "N" is a position and "temp" in
// front of a name the file that is renamed to it. Every one of them has to be hit
// by every kind of fault that can hit it.
var faultSteps = []struct{ name, calls string }{
	{"genesis: identity", `(open|write|sync) temp /identity|rename -> /identity`},
	{"probe", `probe`},
	{"journal append", `write /journal/N.journal`},
	{"journal fdatasync", `sync /journal/N.journal`},
	{"watermark", `(open|write) /journal/N.journal.mark`},
	{"checkpoint: write", `(open|write) temp /checkpoint`},
	{"checkpoint: fsync", `sync temp /checkpoint`},
	{"checkpoint: rename", `rename -> /checkpoint`},
	{"checkpoint: folder fsync", `syncdir / after /checkpoint`},
	{"checkpoint: show", `show`},
	{"next journal: write", `(open|write) temp /journal/N.journal`},
	{"next journal: fsync", `sync temp /journal/N.journal`},
	{"next journal: rename", `rename -> /journal/N.journal`},
	{"next journal: folder fsync", `syncdir /journal after rename`},
	{"spool segment: write", `(open|write) temp /spool/N.segment`},
	{"spool segment: fsync", `sync temp /spool/N.segment`},
	{"spool segment: rename", `rename -> /spool/N.segment`},
	{"spool segment: folder fsync", `syncdir /spool after /spool/N.segment`},
	{"spool seal: write", `(open|write) temp /spool/N.seal`},
	{"spool seal: fsync", `sync temp /spool/N.seal`},
	{"spool seal: rename", `rename -> /spool/N.seal`},
	{"spool seal: folder fsync", `syncdir /spool after /spool/N.seal`},
	{"cut the journal: remove", `remove /journal/N.journal(.mark)?`},
	{"cut the journal: folder fsync", `syncdir /journal after remove`},
	{"deliver: read the spool", `(open|read|stat) /spool/N.(seal|segment|tiles)`},
	{"deliver", `deliver`},
	{"remove from spool: rename", `rename -> /spool/N.delivered`},
	{"remove from spool: folder fsync", `syncdir /spool after /spool/N.delivered`},
	{"remove from spool: remove", `remove /spool/N.(segment|tiles)`},
	{"forget a seal: folder fsync", `syncdir /spool after remove`},
	{"forget a seal: remove", `remove /spool/N.delivered`},
	{"start: folders", `(mkdir|syncdir|readdir|stat|lock).*`},
	{"start: open the journal", `(open|seek) /journal/N.journal`},
	{"read back", `(open|read|stat) .*`},
	{"close a file", `close .*`},
}

// stepName is the name of the step that a call belongs to.
func stepName(call string) string {
	for _, s := range faultSteps {
		if ok, _ := regexp.MatchString("^(?:"+s.calls+")$", call); ok {
			return s.name
		}
	}
	return "? " + call
}

// stepOf tells the n-th of these calls, what a temporary file is for, and what a
// folder is synced after.
func stepOf(calls []durabletest.Call, n int) string {
	c := calls[n-1]
	before := calls[:n-1]
	switch {
	case durable.IsTemp(filepath.Base(c.Name)) && c.To == "":
		return fmt.Sprintf("%s temp %s", c.Op, becomes(before, filepath.Dir(c.Name)))
	case c.Op == durabletest.OpSyncDir:
		return step(c) + lastChange(before, c.Name)
	}
	return step(c)
}

// becomes says what a temporary file in this folder is for: nothing went wrong
// before the call, so the write path was in order.
func becomes(before []durabletest.Call, dir string) string {
	last := "" // what the press or the owner renamed last
	for _, c := range before {
		if c.Op == durabletest.OpRename && filepath.Dir(c.To) == dir && filepath.Ext(c.To) != deliveredExt {
			last = step(c)
		}
	}
	switch filepath.Base(dir) {
	case spoolDir:
		if strings.HasSuffix(last, segmentExt) {
			return "/spool/N.seal"
		}
		return "/spool/N.segment"
	case journalDir:
		return "/journal/N.journal"
	}
	if last == "" {
		return "/identity"
	}
	return "/checkpoint"
}

// lastChange is the newest change of a folder's names that is not durable.
func lastChange(before []durabletest.Call, dir string) string {
	for _, c := range slices.Backward(before) {
		switch {
		case c.Op == durabletest.OpRename && filepath.Dir(c.To) == dir && filepath.Base(dir) == journalDir:
			return " after rename"
		case c.Op == durabletest.OpRename && filepath.Dir(c.To) == dir:
			return strings.Replace(step(c), "rename ->", " after", 1)
		case c.Op == durabletest.OpRemove && filepath.Dir(c.Name) == dir:
			return " after remove"
		}
	}
	return ""
}

var varying = regexp.MustCompile(`[0-9a-f]{16,20}`)

// step tells a call without what differs from run to run.
func step(c durabletest.Call) string {
	name := func(path string) string {
		if durable.IsTemp(filepath.Base(path)) {
			path = filepath.Join(filepath.Dir(path), "temp")
		}
		path = strings.TrimPrefix(path, "/state")
		return varying.ReplaceAllString("/"+strings.TrimPrefix(path, "/"), "N")
	}
	if c.To != "" {
		return fmt.Sprintf("%s -> %s", c.Op, name(c.To))
	}
	return fmt.Sprintf("%s %s", c.Op, name(c.Name))
}

// table counts verdicts by step and kind.
type table map[string]map[string][2]int

func (tab table) add(step, kind string, ok bool) {
	if tab[step] == nil {
		tab[step] = map[string][2]int{}
	}
	c := tab[step][kind]
	if ok {
		c[0]++
	} else {
		c[1]++
	}
	tab[step][kind] = c
}

// String lists the steps in their order, and then what is none of them.
func (tab table) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-34s", "step")
	kinds := []string{"hangs", "hangs/applied"}
	for _, k := range slices.Backward(faultKinds) {
		kinds = slices.Insert(kinds, 0, k.name)
	}
	for _, k := range kinds {
		fmt.Fprintf(&b, "%14s", k)
	}
	rows := []string{}
	for _, s := range faultSteps {
		rows = append(rows, s.name)
	}
	for step := range tab {
		if !slices.Contains(rows, step) {
			rows = append(rows, step)
		}
	}
	for _, step := range rows {
		fmt.Fprintf(&b, "\n%-34s", step)
		for _, k := range kinds {
			switch c := tab[step][k]; {
			case c[1] > 0:
				fmt.Fprintf(&b, "%14s", fmt.Sprintf("FAIL %d/%d", c[1], c[0]+c[1]))
			case c[0] > 0:
				fmt.Fprintf(&b, "%14s", fmt.Sprintf("%d ok", c[0]))
			default:
				fmt.Fprintf(&b, "%14s", "-")
			}
		}
	}
	return b.String()
}

// lacks says whether a kind of fault has not hit the step yet.
func (tab table) lacks(step string) bool {
	return slices.ContainsFunc(tab.missed(), func(m string) bool { return strings.HasPrefix(m, step+": ") })
}

// missed are the steps that were not hit, each with the kind of fault.
func (tab table) missed() (out []string) {
	for _, s := range faultSteps {
		for _, kind := range []string{"error", "applied", "error+", "applied+"} {
			closes := strings.HasPrefix(s.calls, "close") // Nothing depends on it.
			if tab[s.name][kind] == [2]int{} && !(closes && strings.HasPrefix(kind, "applied")) {
				out = append(out, s.name+": "+kind)
			}
		}
	}
	for step := range tab {
		if strings.HasPrefix(step, "? ") {
			out = append(out, step+", which has no name")
		}
	}
	return out
}
