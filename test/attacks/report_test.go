package attacks

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

const readme = top + "/docs/attacks/README.md"

// Between these lines stands what a run writes.
const (
	opens  = "<!-- written by make attacks -->\n"
	closes = "<!-- to here -->\n"
)

// times differ from run to run and from machine to machine.
var times = regexp.MustCompile(`\d+(\.\d)? (ms|s|min)\b`)

// report writes the table into the documentation, or holds it against it.
func report(t *testing.T, rows []row) {
	t.Helper()
	b, err := os.ReadFile(filepath.FromSlash(readme))
	must(t, err)
	head, rest, ok1 := strings.Cut(string(b), opens)
	old, tail, ok2 := strings.Cut(rest, closes)
	if !ok1 || !ok2 {
		t.Fatalf("%s has no place for the table", readme)
	}
	made := document(rows)
	if *write {
		must(t, os.WriteFile(readme, []byte(head+opens+made+closes+tail), 0o644))
		return
	}
	masked := func(text string) []string { return strings.Split(times.ReplaceAllString(text, "T"), "\n") }
	have, want := masked(old), masked(made)
	for i, line := range want {
		if i >= len(have) || have[i] != line {
			t.Errorf("%s is not what a run writes: make attacks. The first line that differs:\n%s", readme, line)
			return
		}
	}
	if len(have) != len(want) {
		t.Errorf("%s has more than a run writes: make attacks", readme)
	}
}

// A paper is the document as it is written.
type paper struct {
	strings.Builder
	reasons []string
}

func (p *paper) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

func document(rows []row) string {
	p := &paper{}
	attacks := 0
	for _, f := range families() {
		attacks += len(f.all)
	}
	p.line("%d attacks in %d families, %d trials: what leaves a valid log is done with a kept checkpoint and without.\n", attacks, len(families()), len(rows))
	p.people()
	p.summary(rows)
	p.missing(rows)
	for _, f := range families() {
		p.family(f, slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r.family.name != f.name }))
	}
	p.line("## Notes\n")
	for i, reason := range p.reasons {
		p.line("%s. %s", letter(i), reason)
	}
	return p.String()
}

func letter(i int) string { return string(rune('a' + i)) }

// columns are the judges and rivals that were asked in these rows, in order.
func columns(rows []row) (names []string) {
	for _, r := range rows {
		for _, c := range r.cells {
			if c.asked && !slices.Contains(names, c.judge) {
				names = append(names, c.judge)
			}
		}
	}
	order := []string{verifier, shellReader, pythonReader, storeReader, fetcher, guardian, starter, proofChecker, shellPack, pythonPack}
	for _, r := range rivals() {
		order = append(order, r.column())
	}
	slices.SortFunc(names, func(a, b string) int { return slices.Index(order, a) - slices.Index(order, b) })
	return names
}

// rivalOf is the rival of this column, nil if it is a judge's.
func rivalOf(column string) rival {
	for _, r := range rivals() {
		if r.column() == column {
			return r
		}
	}
	return nil
}

// summary counts for each judge.
func (p *paper) summary(rows []row) {
	p.line("| judge | trials | its task | found | named rightly | placed rightly | median time | a clean log accused |")
	p.line("|---|---|---|---|---|---|---|---|")
	for _, name := range columns(rows) {
		var asked, due, found, named, right int
		var took []int64
		for _, r := range rows {
			for _, c := range r.cells {
				if c.judge != name || !c.asked {
					continue
				}
				asked++
				if !c.due {
					continue
				}
				due++
				if c.found {
					found++
					took = append(took, c.ms)
				}
				named += count(c.found && c.named)
				right += count(c.found && c.right)
			}
		}
		if r := rivalOf(name); r != nil {
			p.line("| %s (on %s) | %d | not ours to say | %d | | | %s | no |", name, r.reads(), asked, found, median(took))
			continue
		}
		p.line("| %s | %d | %d | %d | %d | %d | %s | no |", name, asked, due, found, named, right, median(took))
	}
	p.line("")
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func median(all []int64) string {
	if len(all) == 0 {
		return ""
	}
	slices.Sort(all)
	return span(all[len(all)/2])
}

// span words a duration in milliseconds.
func span(ms int64) string {
	switch d := time.Duration(ms) * time.Millisecond; {
	case d < time.Second:
		return fmt.Sprintf("%d ms", ms)
	case d < 2*time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	default:
		return fmt.Sprintf("%.1f min", d.Minutes())
	}
}

// people are those who can do it.
func (p *paper) people() {
	p.line("| who | |\n|---|---|")
	for _, w := range []who{writer, locked, admin, provider, keeper, root, hander, hanger} {
		p.line("| %s | %s |", w.short, w.long)
	}
	p.line("")
}

// missing lists what nobody finds.
func (p *paper) missing(rows []row) {
	p.line("## Not found today\n")
	for _, r := range rows {
		if r.later != "" {
			p.line("- %s: %s (%s). Who will: %s", r.family.title, r.name, r.who.short, r.later)
		}
	}
	p.line("")
}

func (p *paper) family(f family, rows []row) {
	names := columns(rows)
	p.line("## %s\n\n%s\n", f.title, f.about)
	p.line("| attack | who | to be found | %s |", strings.Join(names, " | "))
	p.line("|---|---|---|%s", strings.Repeat("---|", len(names)))
	for _, r := range rows {
		p.line("| %s | %s | %s | %s |", r.title(), r.who.short, r.expected(), strings.Join(p.cells(r, names), " | "))
	}
	p.line("")
}

func (r row) title() string {
	switch {
	case !r.memory:
		return r.name
	case r.kept:
		return "… with a kept checkpoint"
	}
	return r.name
}

func (r row) expected() string {
	switch {
	case r.want != "":
		return code(r.want)
	case r.memory && !r.kept:
		return "nothing: what is left is a valid log"
	}
	return "nothing today"
}

func code(text string) string { return "`" + strings.ReplaceAll(text, ", ", "`, `") + "`" }

func (p *paper) cells(r row, names []string) (out []string) {
	for _, name := range names {
		i := slices.IndexFunc(r.cells, func(c cell) bool { return c.judge == name && c.asked })
		if i < 0 {
			out = append(out, "·")
			continue
		}
		out = append(out, p.cell(r, r.cells[i]))
	}
	return out
}

func (p *paper) cell(r row, c cell) string {
	switch {
	case c.why != "":
		return "– " + p.footnote(c.why)
	case !c.found:
		return "no"
	case rivalOf(c.judge) != nil && len(c.said) > 0:
		return formatFindings(c.said)
	case rivalOf(c.judge) != nil:
		return "found, " + span(c.ms)
	case slices.Equal(sorted(c.said), sorted(parseFindings(r.want))):
		return "yes, " + span(c.ms)
	}
	return "yes: " + code(formatFindings(sorted(c.said))) + ", " + span(c.ms)
}

func (p *paper) footnote(reason string) string {
	i := slices.Index(p.reasons, reason)
	if i < 0 {
		i = len(p.reasons)
		p.reasons = append(p.reasons, reason)
	}
	return "(" + letter(i) + ")"
}
