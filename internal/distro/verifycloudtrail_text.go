package distro

import (
	"io"
	"slices"
	"strings"
	"time"

	"github.com/otelcol-custody/custody/audit/cloudtrail/digest"
	"github.com/otelcol-custody/custody/audit/cloudtrail/digest/digestdir"
)

// A cloudTrailVerdict is what verify-cloudtrail came to.
type cloudTrailVerdict struct {
	*digestdir.Report
	dir      string
	opt      digestdir.Options
	checked  time.Time
	software string
	errors   []string // why it could not finish, beside what could not be read
}

func (v *cloudTrailVerdict) code() int {
	switch {
	case len(v.Findings) > 0:
		return exitTampered
	case len(v.errors) > 0 || !v.Complete():
		return exitUnfinished
	}
	return exitDone
}

// name is the verdict in the JSON document.
func (v *cloudTrailVerdict) name() string {
	switch {
	case v.Tampered():
		return "tampered"
	case len(v.Findings) > 0:
		return "gaps"
	case v.code() == exitUnfinished:
		return "incomplete"
	}
	return "verified"
}

func (v *cloudTrailVerdict) print(out, notes io.Writer, f *verifyCloudTrailFlags) error {
	if f.json {
		return v.printJSON(out)
	}
	t := &text{out: out, notes: notes, quiet: f.quiet}
	v.findings(t)
	if !f.quiet {
		v.summary(t)
	}
	for _, unread := range v.Unread {
		t.warn("could not be checked: %s", unread)
	}
	for _, e := range v.errors {
		t.warn("could not finish: %s", e)
	}
	return t.err
}

func (v *cloudTrailVerdict) findings(t *text) {
	if len(v.Findings) == 0 {
		return
	}
	if !slices.ContainsFunc(v.Findings, func(o digest.Outcome) bool { return o.Reason != digest.KeyUnknown }) && v.Counts[digest.DigestVerified] == 0 {
		t.say("none of the given keys signed any digest. Were they asked for in the region of the digests, and for their time?\n")
	}
	head := "TAMPERING FOUND"
	if !v.Tampered() {
		head = "GAPS FOUND"
	}
	t.say("%s: %s\n", head, several(uint64(len(v.Findings)), "finding"))
	for _, o := range v.Findings {
		t.say("%s: %s: %s", o.Reason, oneLine(o.Chain.String()), oneLine(o.Sentence()))
		for _, line := range []struct{ name, value string }{
			{"object", place(o.Object)}, {"named by", place(o.Digest)}, {"signed", o.Want}, {"found", o.Got},
		} {
			if line.value != "" {
				t.say("  %-9s %s", line.name, oneLine(line.value))
			}
		}
		if o.Reason == digest.DigestMissing && o.From.IsZero() {
			t.say("  The copy has nothing older. If that expired, verify what follows: --from %s", rfc3339(o.To))
		}
		t.say("")
	}
}

// oneLine keeps a name from writing a line of its own.
func oneLine(s string) string { return strings.ReplaceAll(s, "\n", `\n`) }

func place(o digest.Object) string {
	if o == (digest.Object{}) {
		return ""
	}
	return o.String()
}

func (v *cloudTrailVerdict) summary(t *text) {
	if digests := v.Counts[digest.DigestVerified]; digests > 0 {
		word := map[int]string{exitDone: "verified", exitTampered: "checked and found intact", exitUnfinished: "NOT PROVEN in all; verified so far"}[v.code()]
		t.say("%s: %s and %s (%s) of %s", word, several(digests, "digest"), several(v.Counts[digest.LogVerified], "log file"), size(v.Bytes),
			several(uint64(len(v.Chains)), "chain"))
	} else {
		t.say("NOT PROVEN: nothing was verified")
	}
	for _, c := range v.Chains {
		t.say("\n%s\n  digests    %s, from %s to %s\n  log files  %s", oneLine(c.Chain.String()), number(c.Digests), rfc3339(c.From), rfc3339(c.To), number(c.Logs))
	}
	v.unproven(t)
	for _, n := range v.Notices {
		t.say("\nnote: %s", oneLine(n))
	}
	v.tail(t)
}

// unproven lists what nothing speaks for or against.
func (v *cloudTrailVerdict) unproven(t *text) {
	for _, reason := range v.Doubts() {
		t.say("\n%s: %s: %s", reason, several(v.Counts[reason], "file"), digest.Outcome{Reason: reason}.Sentence())
		if reason == digest.LogUncovered && len(v.Findings) == 0 {
			t.say("  If validation was turned on later, verify from then on with --from.")
		}
		n := uint64(0)
		for _, o := range v.Unproven {
			if o.Reason == reason {
				n++
				t.say("  %s", oneLine(o.Object.String()))
			}
		}
		if more := v.Counts[reason] - n; more > 0 {
			t.say("  and %s more", number(more))
		}
	}
}

// tail says what a copy alone cannot show.
func (v *cloudTrailVerdict) tail(t *text) {
	if v.code() != exitDone {
		return
	}
	if v.opt.Bucket == "" {
		t.say("\nbucket: %s, as the digests themselves say. --bucket NAME demands one.", oneLine(strings.Join(v.Buckets, ", ")))
	}
	if v.opt.To.IsZero() {
		t.say("\nnot checked: whether the newest digests were deleted together with their log files.\n--to TIME demands that they go on until then.")
	}
}

func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }
