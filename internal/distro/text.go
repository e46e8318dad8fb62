package distro

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/otelcol-custody/custody/internal/transfer"
)

// text prints a document for people.
type text struct {
	out, notes io.Writer
	quiet      bool
	err        error // the first of writing to out
}

func (t *text) say(format string, args ...any) {
	if _, err := io.WriteString(t.out, printable(fmt.Sprintf(format, args...))+"\n"); t.err == nil {
		t.err = err
	}
}

func (t *text) warn(format string, args ...any) {
	fmt.Fprintln(t.notes, printable(fmt.Sprintf(format, args...)))
}

func (t *text) note(format string, args ...any) {
	if !t.quiet {
		t.warn("note: "+format, args...)
	}
}

func (t *text) log(d *document, r *transfer.Report) {
	for _, n := range r.Notices {
		name := n.Object
		if n.Version != "" {
			name += " (version " + n.Version + ")"
		}
		if name == "" {
			name = r.Log + ": " + string(n.Code)
		}
		t.note("%s: %s", name, n.Message)
	}
	for _, f := range r.Failures {
		t.warn("failed: %s: %s", f.Object, f.Message)
	}
	for _, f := range r.Findings {
		where := "log " + f.Log
		if f.First != nil {
			where += fmt.Sprintf(", segment %d", *f.First)
		}
		t.say("%s: %s: %s: %s", f.Code, where, f.Object, f.Message)
	}
	if !t.quiet {
		t.say("%s: %s", r.Log, d.counts(r))
	}
}

// counts says what became of a log's objects.
func (d *document) counts(r *transfer.Report) string {
	done, was := "copied", "already there"
	switch {
	case d.DryRun:
		done, was = "would be extended", "retained so already"
	case d.Retention != nil:
		done, was = "extended", "retained so already"
	}
	parts := []string{fmt.Sprintf("%s %s (%s)", several(r.Objects, "object"), done, size(r.Bytes))}
	for _, more := range []struct {
		n    uint64
		what string
	}{{r.Skipped, was}, {r.Expired, "gone after their time"}, {r.Foreign, "not of the log and left out"}, {r.Failed, "FAILED"}} {
		if more.n > 0 {
			parts = append(parts, number(more.n)+" "+more.what)
		}
	}
	return strings.Join(parts, ", ")
}

func (t *text) verdict(d *document) {
	switch d.Verdict {
	case "tampered":
		t.say("TAMPERING FOUND")
	case "incomplete":
		t.warn("NOT FINISHED; once what is named above is mended, the same command goes on where this one stopped")
	default:
		if !t.quiet {
			t.say("done")
		}
	}
}

// printable escapes every character that a terminal acts upon or that changes
// the order in which text is read: names come from whoever wrote the store.
func printable(s string) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		switch {
		case r == '\n' || !unicode.IsControl(r) && !unicode.Is(unicode.Cf, r) && r != '\u2028' && r != '\u2029':
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return b.String()
}

// number groups a count's digits.
func number(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func several(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(n) + " " + noun + "s"
}

// size is a length in bytes for people.
func size(n uint64) string {
	f, i := float64(n), 0
	for ; f >= 1024 && i < 6; i++ {
		f /= 1024
	}
	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %ciB", f, " KMGTPE"[i])
}

// span is a duration, to the unit that matters.
func span(d time.Duration) string {
	if d >= time.Minute {
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	}
	return d.Round(time.Second).String()
}
