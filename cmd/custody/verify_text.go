package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/otelcol-custody/custody/ledger/verify"
)

// print puts the verdict on stdout, and on stderr why it could not finish.
func (r *result) print(o verifyOptions, e env) error {
	if o.json {
		return r.printJSON(e.stdout)
	}
	var b strings.Builder
	r.writeFindings(&b)
	if !o.quiet {
		r.writeSummary(&b)
	}
	if err := e.print(b.String()); err != nil {
		return err
	}
	for _, l := range r.logs {
		for _, unread := range l.Unread {
			e.note("log %s: could not be checked: %s", l.Log, unread)
		}
	}
	for _, msg := range r.errors {
		e.note("could not finish: %s", msg)
	}
	return nil
}

func (r *result) findings() []verify.Finding {
	var all []verify.Finding
	for _, l := range r.logs {
		all = append(all, l.Findings...)
	}
	return append(all, r.gone...)
}

func (r *result) writeFindings(b *strings.Builder) {
	all := r.findings()
	if len(all) == 0 {
		return
	}
	for _, l := range r.logs {
		if other := r.otherKey(l); other != "" {
			fmt.Fprintf(b, "none of the given keys signed any seal of log %s; it is sealed by %s. Is it the right key file?\n\n", l.Log, other)
		}
	}
	fmt.Fprintf(b, "TAMPERING FOUND: %s\n\n", several(len(all), "finding"))
	for _, f := range all {
		if f.Log == "" {
			fmt.Fprintf(b, "%s: %s\n", f.Code, f.Message)
		} else {
			fmt.Fprintf(b, "%s\n", f)
		}
		if f.Object != "" {
			fmt.Fprintf(b, "  object   %s\n", oneLine(f.Object))
		}
		if f.Records > 0 {
			fmt.Fprintf(b, "  touched  %s\n", several(f.Records, "record"))
		}
		if f.Want != "" {
			fmt.Fprintf(b, "  sealed   %s\n", indent(f.Want, "           "))
		}
		if f.Got != "" {
			fmt.Fprintf(b, "  found    %s\n", indent(f.Got, "           "))
		}
		b.WriteByte('\n')
	}
}

func (r *result) writeSummary(b *strings.Builder) {
	if len(r.logs) == 0 {
		return
	}
	var sum verify.Report
	for _, l := range r.logs {
		sum.Intact += l.Intact
		sum.Checked += l.Checked
		sum.Bytes += l.Bytes
		sum.Stored += l.Stored
	}
	word := map[int]string{exitVerified: "verified", exitTampered: "checked and found intact", exitUnfinished: "NOT FINISHED; checked so far"}[r.code()]
	fmt.Fprintf(b, "%s: %s in %s of %s (%s, %s stored)\n", word, several(sum.Checked, "record"), several(sum.Intact, "segment"),
		several(len(r.logs), "log"), size(sum.Bytes), size(sum.Stored))
	for _, l := range r.logs {
		r.writeLog(b, l)
	}
	for _, n := range r.notices {
		fmt.Fprintf(b, "\nnote: %s\n", oneLine(n))
	}
	r.writeTail(b)
}

func (r *result) writeLog(b *strings.Builder, l *verify.Report) {
	fmt.Fprintf(b, "\nlog %s\n", l.Log)
	if l.Head == nil {
		b.WriteString("  head       none: no valid seal was found\n")
	} else {
		fmt.Fprintf(b, "  origin     %s\n", l.Origin)
		fmt.Fprintf(b, "  records    %s sealed in %s; content of %s checked\n", number(l.Records), several(l.Segments, "segment"), number(l.Checked))
		fmt.Fprintf(b, "  head       size %d, root %v\n", l.Head.Size, l.Head.Root)
		fmt.Fprintf(b, "  complete   %s\n", r.completeness(l))
	}
	if l.Expired > 0 {
		fmt.Fprintf(b, "  expired    %s, gone after their time; content not checked, their seals were\n", several(l.Expired, "segment"))
	}
	for _, c := range r.kept {
		if l.Head != nil && c.Origin == l.Origin && len(l.Findings) == 0 && len(l.Unread) == 0 {
			fmt.Fprintf(b, "  extends    the kept checkpoint at size %d\n", c.Size)
		}
	}
	for _, one := range l.Recoveries {
		fmt.Fprintf(b, "  recovered  %s\n", newRecoveryJSON(one).text("\n             "))
	}
	for _, n := range l.Notices {
		fmt.Fprintf(b, "  note       %s\n", oneLine(n))
	}
	if len(l.Unread) > 0 {
		fmt.Fprintf(b, "  unchecked  %s, see stderr\n", several(len(l.Unread), "object"))
	}
}

// completeness says up to when the log speaks, and what its silence is worth.
func (r *result) completeness(l *verify.Report) string {
	until := "until " + stamp(l.CompleteUntil)
	switch {
	case l.Ended:
		return until + ", when the log ended: nothing follows"
	case l.NextBy.IsZero():
		return until + "; when the next closed record is due is not stated: silence after that proves nothing"
	case l.NextBy.Before(r.now):
		return fmt.Sprintf("%s; the next closed record was due by %s and is overdue for %s:\n             silence after %s proves nothing",
			until, stamp(l.NextBy), span(r.now.Sub(l.NextBy)), stamp(l.CompleteUntil))
	}
	return fmt.Sprintf("%s; the next closed record is due by %s, in %s", until, stamp(l.NextBy), span(l.NextBy.Sub(r.now).Truncate(time.Second)))
}

// writeTail says what a verification of a copy alone cannot see.
func (r *result) writeTail(b *strings.Builder) {
	if r.code() != exitVerified {
		return
	}
	missing := 0
	for _, l := range r.logs {
		held := false
		for _, c := range r.kept {
			held = held || c.Origin == l.Origin
		}
		if !held {
			missing++
		}
	}
	if missing > 0 {
		b.WriteString("\nnot checked: whether the end of a log was cut off together with its seals.\nOnly a checkpoint that was kept earlier shows that (--since FILE).\n")
	}
	switch {
	case r.saved != "":
		fmt.Fprintf(b, "\nThe heads are kept in %s: verify against them the next time with --since %s\n", r.saved, r.saved)
	case missing > 0:
		b.WriteString("To keep one now, add --save-checkpoint kept.checkpoint, and keep the file elsewhere.\n")
	}
}
