package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// writeSources prints what the log says of its sources.
func (l *logView) writeSources(b *strings.Builder, store string) {
	b.WriteString("\n  sources\n")
	for _, s := range l.Sources {
		fmt.Fprintf(b, "    %s\n", s.title())
		s.writeChains(b)
		s.writeFindings(b)
		s.writeWaiting(b)
		s.writeKeys(b)
		s.writeExcluded(b)
	}
	for _, remark := range l.SourceRemarks {
		sourceRow(b, "remark", remark)
	}
	if len(l.Sources) == 0 {
		b.WriteString("    none: no record says anything of proofs, gaps or files that wait for a proof\n")
		return
	}
	fmt.Fprintf(b, `
    Digests and files: verified. Waiting: taken up, and without a verdict yet. Proven: up to the end of the newest
    verified digest, apart from what is listed. These are words of the collector, as it sealed them.
    One of them as evidence: custody prove %s --log %s --index RECORD --out FILE
`, oneLine(store), l.Log)
}

func (s *sourceView) title() string {
	title := strings.TrimSpace(s.Provider + " " + s.Product)
	if title == "" {
		title = "source not stated"
	}
	if s.Receiver != "" {
		title += ", receiver " + s.Receiver
	}
	return oneLine(title)
}

func sourceRow(b *strings.Builder, name, text string, more ...string) {
	fmt.Fprintf(b, "      %-8s %s\n", name, oneLine(text))
	for _, line := range more {
		fmt.Fprintf(b, "               %s\n", oneLine(line))
	}
}

func (s *sourceView) writeChains(b *strings.Builder) {
	if len(s.Chains) == 0 {
		return
	}
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "      \tdigests\tfiles\tfailed\tgaps\tunread\twaiting\tproven")
	for _, c := range s.Chains {
		fmt.Fprintf(w, "      %s", oneLine(c.Chain))
		for _, n := range []int{c.Digests, c.Files, c.Failed, c.Gaps, c.Unread, c.Waiting} {
			fmt.Fprintf(w, "\t%s", number(n))
		}
		fmt.Fprintf(w, "\t%s\n", c.proven())
	}
	_ = w.Flush() // A strings.Builder takes everything.
}

func (c *chainView) proven() string {
	switch {
	case c.Until == nil || c.Backfill: // Backfill digests add files to times of other digests.
		return "-"
	case c.From == nil:
		return "to " + stamp(*c.Until)
	}
	return stamp(*c.From) + " to " + stamp(*c.Until)
}

// maxAlike findings of one reason are printed, and as many files that wait; --json has
// all of them.
const maxAlike = 20

func (s *sourceView) writeFindings(b *strings.Builder) {
	printed, more := map[string]int{}, 0
	for _, f := range s.Findings {
		if printed[f.Kind+f.Reason] == maxAlike {
			more++
			continue
		}
		printed[f.Kind+f.Reason]++
		f.write(b)
	}
	if more > 0 {
		sourceRow(b, "", fmt.Sprintf("and %s like these, see --json", number(more)))
	}
}

func (f *sourceFinding) write(b *strings.Builder) {
	text := fmt.Sprintf("record %d: ", f.Record)
	if f.Kind != kindUnread { // Its sentence begins with the reason.
		text += f.Reason + ": "
	}
	var more []string
	if f.Object != "" {
		more = append(more, f.Object)
	} else {
		more = append(more, f.Chain)
	}
	if f.Digest != "" {
		more = append(more, "digest "+f.Digest)
	}
	if f.Want != "" && f.Got != "" && f.Want != f.Got {
		more = append(more, "want "+f.Want, "got  "+f.Got)
	}
	sourceRow(b, f.Kind, text+f.Sentence, more...)
}

func (s *sourceView) writeWaiting(b *strings.Builder) {
	for i, f := range s.Waiting {
		if i == maxAlike {
			sourceRow(b, "", fmt.Sprintf("and %s more, see --json", number(len(s.Waiting)-maxAlike)))
			break
		}
		sourceRow(b, "waiting", fmt.Sprintf("record %d: %s", f.Record, f.Object))
	}
}

func (s *sourceView) writeKeys(b *strings.Builder) {
	if len(s.Keys) == 0 {
		return
	}
	var list []string
	for _, k := range s.Keys {
		text := k.Fingerprint
		if k.Region != "" {
			text += " of " + k.Region
		}
		list = append(list, fmt.Sprintf("%s (record %d)", text, k.Record))
	}
	sourceRow(b, "keys", several(len(list), "public key")+" archived: "+joinSome(list))
}

func (s *sourceView) writeExcluded(b *strings.Builder) {
	if s.Excluded.Files == 0 {
		return
	}
	var list []string
	for _, p := range s.Excluded.Principals {
		list = append(list, fmt.Sprintf("%s (%s)", p.ARN, number(p.Events)))
	}
	sourceRow(b, "left out", fmt.Sprintf("%s of %s, on request: %s", several(s.Excluded.Events, "event"), several(s.Excluded.Files, "file"), joinSome(list)))
}
