package recovery

import (
	"context"
	"fmt"
	"slices"
)

// against refuses, with everything that speaks against going on.
func (r *run) against() error {
	return &RefusedError{Report: r.report, Reasons: r.report.Reasons, Final: len(r.final) > 0, causes: r.causes}
}

// accept closes the list of what speaks against going on, to which reading the
// losing branches may have added.
func (r *run) accept(context.Context) error {
	r.report.Reasons = slices.Concat([]string{}, r.final, r.reasons)
	if len(r.reasons) > 0 && !r.AcceptLoss {
		return r.against()
	}
	r.report.AcceptedLoss = len(r.reasons) > 0
	return nil
}

// adviseWhole says what is the matter with stores although the state directory is
// whole.
func (r *run) adviseWhole() {
	add := func(format string, args ...any) {
		r.report.Advice = append(r.report.Advice, fmt.Sprintf(format, args...))
	}
	until := r.course.delivered()
	for _, h := range r.stores {
		switch {
		case h.err != nil:
			add("store %s was not read (%v), and nobody here knows whether it has more: make it readable, and run recover again", h.id, h.err)
		case h.end() < until:
			add("store %s holds %d of %d records that were delivered: if it was not added later, somebody removed segments that it had confirmed. otelcol-custody replicate brings them there from %s, with the settings of its exporter (docs/operations.md, \"A new or repaired store\"); until then what follows waits for it", h.id, h.end(), until, r.holder(until))
		}
	}
	if len(r.report.Advice) > 0 && !r.plan.Ended() {
		add("start the collector")
	}
}

// holder is where so many records can be copied from.
func (r *run) holder(size uint64) string {
	for _, h := range r.stores {
		if h.err == nil && h.end() >= size {
			return "store " + h.id
		}
	}
	return "a copy of the log"
}

// delivered is where the segments begin that wait for stores in the state
// directory: what lies before, all of them had.
func (c *course) delivered() uint64 {
	until := c.end()
	for _, l := range slices.Backward(c.local) {
		if !l.Whole {
			break
		}
		until = l.Head.First
	}
	return until
}
