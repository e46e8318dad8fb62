package recovery

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"

	"github.com/otelcol-custody/custody/internal/sealer"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// rebuild writes the new state directory, with the recovery record in it.
func (r *run) rebuild(ctx context.Context) error {
	err := r.course.fillSpool(ctx, r.stores, r.plan)
	if err != nil {
		return err
	}
	now := r.Now()
	if r.report.SetAside, err = sealer.AsideName(r.config(), now.UTC().Format("20060102T150405Z")); err != nil {
		return err
	}
	r.advise(now)
	var record []byte
	if !r.report.Ended {
		if record, err = r.record(now); err != nil {
			return err
		}
	}
	if r.plan.Note, err = json.MarshalIndent(r.report, "", "  "); err != nil {
		return err
	}
	if r.vouched != nil {
		r.plan.Checkpoint = r.vouched.note
	}
	if err := ctx.Err(); err != nil || r.DryRun {
		return err
	}
	return r.plan.Write(r.report.SetAside, record)
}

// limits bound what a recovery record takes over from others, so that it fits.
type limits struct{ text, source, items, notes, ranges int }

// record makes the recovery record's line. What does not fit is left out from the
// lists' ends, which then say how much.
func (r *run) record(now time.Time) ([]byte, error) {
	l := limits{text: 2000, source: 512, items: 256, notes: 8, ranges: 2000}
	for {
		line, err := r.describe(now, l).Line()
		if err == nil || l.items < 2 {
			return line, err
		}
		l = limits{l.text / 2, l.source / 2, l.items / 2, l.notes / 2, l.ranges / 2}
	}
}

func (r *run) describe(now time.Time, l limits) *segment.Recovery {
	rec := &segment.Recovery{
		At: segment.Nearest(now), Software: r.Software, Size: r.report.Size, Root: r.root(), Kept: r.report.Kept, Unreadable: r.report.Unreadable,
		AcceptedLoss: r.report.AcceptedLoss, Found: cut(r.report.Found, l.text), LastClosed: r.report.LastClosed, NextBy: r.report.NextBy,
	}
	own := r.classed()
	for i, reason := range r.report.Reasons {
		if i == l.items {
			rec.Reasons = append(rec.Reasons, fmt.Sprintf("and %d more", len(r.report.Reasons)-i))
			break
		}
		rec.Reasons = append(rec.Reasons, cut(own.Replace(reason), l.text))
	}
	for i, h := range r.stores {
		if i == l.items {
			rec.Stores = append(rec.Stores, segment.RecoveryStore{Store: fmt.Sprintf("and %d more", len(r.stores)-i)})
			break
		}
		s := segment.RecoveryStore{Store: cut(h.id, l.source), Size: h.end(), Error: cut(own.Replace(r.report.Stores[i].Error), l.text)}
		if h.head != nil {
			s.Root = h.head.After().Root
		}
		rec.Stores = append(rec.Stores, s)
	}
	rec.Checkpoints = r.describeCheckpoints(l)
	rec.Resealed = describeRanges(r.plan.Places(), l)
	return rec
}

// describeCheckpoints has those that do not agree first: they are the evidence.
func (r *run) describeCheckpoints(l limits) (out []segment.RecoveryCheckpoint) {
	notes := 0
	for _, agrees := range []bool{false, true} {
		for i, c := range r.report.Checkpoints {
			if (c.Verdict == Agrees) != agrees {
				continue
			}
			if len(out) == l.items {
				return append(out, segment.RecoveryCheckpoint{Source: fmt.Sprintf("and %d more", len(r.report.Checkpoints)-l.items), Verdict: c.Verdict})
			}
			k := segment.RecoveryCheckpoint{Source: cut(c.Source, l.source), Size: c.Size, Root: r.roots[i], Verdict: c.Verdict}
			if c.Note != "" && notes < l.notes {
				k.Note = c.Note
				notes++
			}
			out = append(out, k)
		}
	}
	return out
}

func describeRanges(places []sealer.Placed, l limits) (out []segment.RecoveryRange) {
	for i, p := range places {
		if i == l.ranges {
			rest := segment.RecoveryRange{First: p.First, Source: fmt.Sprintf("and %d more runs", len(places)-i)}
			for _, p := range places[i:] {
				rest.Count += p.Count
			}
			return append(out, rest)
		}
		out = append(out, segment.RecoveryRange{
			First: p.First, Count: p.Count, Former: p.Position, FormerKnown: p.Known, Previous: p.Previous, Source: cut(p.Source, l.source),
		})
	}
	return out
}

// cut shortens a text and says so.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return fmt.Sprintf("%s … and %d bytes more", s[:n], len(s)-n)
}

func (r *run) root() tree.Hash {
	if r.course.head != nil {
		return r.course.head.After().Root
	}
	return (&tree.Edge{}).Root()
}

// advise says what an operator does next.
func (r *run) advise(now time.Time) {
	add := func(format string, args ...any) {
		r.report.Advice = append(r.report.Advice, fmt.Sprintf(format, args...))
	}
	pending := uint64(len(r.plan.Pending))
	for i, s := range r.report.Stores {
		h := r.stores[i]
		switch parted := common(h.marks, r.course.marks) < len(h.marks) || h.fork != nil; {
		case parted:
			add("store %s holds another history, and its exporter will report the fork for ever: keep it as evidence, give the exporter a new prefix or bucket, and fill that with otelcol-custody replicate before the start", s.Store)
		case h.err != nil:
			add("store %s was not read: once it is back, custody verify and otelcol-custody replicate say what it lacks", s.Store)
		case s.Missing > pending && r.course.from != nil && h != r.course.from:
			add("store %s is %d segments behind: otelcol-custody replicate brings them there from %s, with the settings of its exporter (docs/operations.md, \"A new or repaired store\"); until then what follows waits for them", s.Store, s.Missing-pending, r.course.from.id)
		}
	}
	if v := r.vouched; v != nil && v.size < r.plan.Size() {
		add("%s vouches for the first %d of %d records; whether the log was ever longer than that, nobody here knows. A newer checkpoint, if one was kept, would tell", v.source, v.size, r.plan.Size())
	}
	if !r.report.LastClosed.IsZero() && !r.report.Ended {
		add("nothing is known to have been sealed between %s and %s: a reader sees this gap", r.report.LastClosed.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	if _, err := r.FS.Stat(filepath.Join(r.StateDir, "records")); err == nil {
		add("records that still waited to be passed on (emit: records) are set aside, too: the copy downstream may have a gap, the log has none")
	}
	add("keep %s: it holds everything that was in the state directory before", r.setAside())
	if r.report.Ended {
		add("run otelcol-custody drain now: the log has ended, and segments of it wait here for their stores")
		return
	}
	add("start the collector; it seals the recovery and asks the stores before it answers anybody")
}
