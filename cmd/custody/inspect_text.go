package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// text is the inspection for people.
func (d *inspection) text(now time.Time, segments bool) string {
	var b strings.Builder
	switch {
	case d.Verified && d.sources:
		b.WriteString("The seals' signatures were checked, and each segment against its seal; whether anything is missing, custody verify says.\n")
	case d.Verified:
		b.WriteString("The seals' signatures were checked, the records were not: run custody verify.\n")
	default:
		b.WriteString("NOT VERIFIED: this is what the store says of itself. Run custody verify with the log's key.\n")
	}
	for _, l := range d.Logs {
		l.write(&b, now)
		if segments {
			l.writeSegments(&b)
		}
		if d.sources {
			l.writeSources(&b, d.Store)
		}
	}
	return b.String()
}

func (l *logView) write(b *strings.Builder, now time.Time) {
	fmt.Fprintf(b, "\nlog %s\n", l.Log)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(b, "  %-10s %s\n", name, oneLine(fmt.Sprintf(format, args...)))
	}
	if l.Head != nil {
		row("origin", "%s", l.Origin)
		row("sealed by", "%s", strings.Join(l.SealedBy, ", "))
		row("records", "%s, %s of them the log's own", number(l.Records), number(l.Segments+len(l.Recoveries)+l.Older))
		row("segments", "%s, %s here", number(l.Segments), number(l.Present))
		row("size", "%s of records, %s stored%s; seals %s", size(l.Raw), size(l.Stored), l.ratio(), size(l.Seals))
		row("time", "%s to %s (closed records)", stamp(l.First), stamp(l.Last))
		row("next", "%s", l.next(now))
		row("head", "size %d, root %s", l.Head.Size, l.Head.Root)
		row("closed by", "%s", l.reasons())
		row("retention", "%s", l.retention())
		row("software", "%s", l.Software)
		if l.Unfenced > 0 {
			row("unfenced", "%s sealed before any store had confirmed the log's place", several(l.Unfenced, "segment"))
		}
	}
	l.writeReceivers(b)
	for _, g := range l.Gaps {
		what := map[string]string{"stop": "planned stop", "late": "late", "recovered": "recovered", "ended": "the log had ended"}[g.Kind]
		row("gap", "%s: nothing closed from %s to %s (%s), before record %d", what, stamp(g.From), stamp(g.To), span(g.To.Sub(g.From)), g.Record)
	}
	for _, r := range l.Recoveries {
		fmt.Fprintf(b, "  recovered  %s\n", r.text("\n             "))
	}
	if l.Older > 0 {
		row("recovered", "%s before, not listed", several(l.Older, "time"))
	}
	for _, p := range l.Problems {
		row("problem", "%s", p)
	}
}

func (l *logView) ratio() string {
	if l.Stored == 0 {
		return ""
	}
	return fmt.Sprintf(" (%.1f : 1)", float64(l.Raw)/float64(l.Stored))
}

func (l *logView) next(now time.Time) string {
	switch {
	case l.Ended:
		return "none: the log has ended"
	case l.NextBy == nil:
		return "not stated in the log"
	case l.NextBy.Before(now):
		return fmt.Sprintf("closed record was due by %s: overdue for %s", stamp(*l.NextBy), span(now.Sub(*l.NextBy)))
	}
	return "closed record due by " + stamp(*l.NextBy)
}

func (l *logView) reasons() string {
	var parts []string
	for _, r := range slices.Sorted(maps.Keys(l.Reasons)) {
		parts = append(parts, fmt.Sprintf("%s %s", r, number(l.Reasons[r])))
	}
	return strings.Join(parts, ", ")
}

func (l *logView) retention() string {
	if l.RetainUntil == nil {
		return "not stated in the log"
	}
	s := "until " + stamp(*l.RetainUntil)
	if !l.RetainFrom.Equal(*l.RetainUntil) {
		s = fmt.Sprintf("until %s (first segment to expire) to %s (last)", stamp(*l.RetainFrom), stamp(*l.RetainUntil))
	}
	if l.Unretained > 0 {
		s += fmt.Sprintf("; not stated in the log for %s", several(l.Unretained, "segment"))
	}
	return s
}

func (l *logView) writeSegments(b *strings.Builder) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	b.WriteString("\n  segments\n")
	fmt.Fprintln(w, "    first\trecords\tclosed\treason\tstored\traw")
	for _, s := range l.List {
		raw := "gone"
		if s.Present {
			raw = size(s.Raw)
		}
		fmt.Fprintf(w, "    %d\t%d\t%s\t%s\t%s\t%s\n", s.First, s.Count, stamp(s.Closed), printable(string(s.Reason)), size(s.Stored), raw)
	}
	_ = w.Flush()
}
