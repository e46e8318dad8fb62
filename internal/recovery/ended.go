package recovery

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// end concludes for a log that has ended. Nothing may follow its last word, not
// even what a recovery says of itself. So either what waits is whole and fits, and
// gets a state directory again from which it can be drained, or nothing is done.
func (r *run) end(ctx context.Context) (err error) {
	if !r.plan.Ended() {
		return nil
	}
	if err = r.course.fillSpool(ctx, r.stores, r.plan); err != nil {
		return err
	}
	misfits := r.misfits()
	switch {
	case r.whole && len(misfits) == 0:
		if err := r.clear(); !errors.Is(err, ErrNothingToDo) {
			return err // of the memory of a fork
		}
		return fmt.Errorf("%w: log %s was ended by its operator, and nothing may follow. The state directory is whole: otelcol-custody drain delivers what still waits, if anything does", ErrEnded, r.Log)
	case len(misfits) > 0:
		return fmt.Errorf("%w: log %s was ended by its operator, and nothing may follow, yet %s. Keep the state directory, and tell those who verify", ErrEnded, r.Log, strings.Join(misfits, ", and "))
	case !r.plan.Drainable():
		return fmt.Errorf("%w: log %s was ended by its operator, and nothing may follow. Nothing of it waits here", ErrEnded, r.Log)
	}
	r.report.Ended = true
	if !r.found.Forked || len(r.causes) == 0 {
		// They speak against new words at places that may be taken. There are none.
		r.reasons = nil
	}
	return nil
}

// misfits are what the end of the log contradicts.
func (r *run) misfits() (out []string) {
	out = append(out, r.final...)
	if len(r.losing) > 0 || r.otherGenesis() {
		out = append(out, "there is another history of it")
	}
	lost := len(r.rest)
	for i := range r.found.Seals {
		if s := &r.found.Seals[i]; s.Whole && !r.course.has(markOf(s)) {
			lost += int(s.Head.Count)
		}
	}
	if lost > 0 {
		out = append(out, fmt.Sprintf("%d records here have no place in it", lost))
	}
	for _, c := range r.report.Checkpoints {
		if c.Verdict == Ahead || c.Verdict == Contradicts {
			out = append(out, fmt.Sprintf("%s remembers something else", c.Source))
		}
	}
	return out
}

// otherGenesis says whether the state directory remembers another beginning of the
// log than the stores hold.
func (r *run) otherGenesis() bool {
	n := r.found.Nonce
	return n != nil && r.course.head != nil && r.course.head.Nonce != *n
}
