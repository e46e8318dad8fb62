package integrity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/ledger/seal"
)

// sweptByPass are the kinds of which a pass that read everything can say that
// they are not there any more.
var sweptByPass = []incident.Kind{
	incident.SealMissing, incident.SealMalformed, incident.SealSignature, incident.SealInvalid, incident.SealChain,
	incident.SegmentMissing, incident.SegmentAltered, incident.SegmentMalformed, incident.RecordAltered, incident.RecordMalformed,
	incident.AfterEnd, incident.OrphanSegment, incident.ForeignObject, incident.Fork, incident.Shadow, incident.DeleteMarker,
	incident.Squatter, incident.Copy, incident.TileMissing, incident.TileAltered, incident.RetentionMissing, incident.RetentionShort,
	incident.RetentionMode, incident.LegalHoldMissing, incident.ClockBack, incident.Losses, incident.StateDamaged, incident.Unread,
}

// passTime is what a pass takes: less than what is promised, so that there is time
// for what goes wrong. Each pass goes the same way at the same pace, so in the end
// the time of one pass lies between two readings of a byte.
func (c *Config) passTime() time.Duration { return c.FullPassEvery / 10 * 9 }

// latest is how old what was read may get before it is read again, if it can be.
func (c *Config) latest() time.Duration { return (c.FullPassEvery + c.passTime()) / 2 }

// roll reads everything again and again, until ctx ends.
func (l *logWatch) roll(ctx context.Context) {
	select {
	case <-l.caught:
	case <-ctx.Done():
		return
	}
	var at *seal.Verified // of the pass's position; nil: not read yet
	for errs := 0; ctx.Err() == nil; {
		next, err := l.step(ctx, at)
		if at = next; ctx.Err() != nil {
			return
		}
		l.mu.Lock()
		l.passes = err
		l.mu.Unlock()
		l.judgePass(ctx)
		if errs++; err == nil {
			errs = 0
		}
		l.tell(ctx, errs, err)
		if err == nil {
			continue
		}
		_ = sleep(ctx, backoff(l.set.Poll, errs))
	}
}

// step waits until the next stretch of the pass is due, and reads it.
func (l *logWatch) step(ctx context.Context, at *seal.Verified) (*seal.Verified, error) {
	p, st := l.begin(ctx)
	if p.Began.IsZero() {
		return nil, sleep(ctx, l.set.Poll) // The log is read from its beginning.
	}
	if positionOf(at) != p.At {
		var err error
		if at, err = l.resolve(ctx, l.patient, p.At); err != nil {
			return nil, l.again(ctx, err)
		}
		l.lostAt = time.Time{}
	}
	due := p.Began
	if p.At.End < st.Seen.End { // Else only what is behind the end is left.
		part := min(float64(p.Done)/float64(max(st.Stored, 1)), 1)
		due = due.Add(time.Duration(part * float64(l.set.passTime())))
		// What was read in one go, when it was all new, is due at once. A pass spreads
		// it by half of what it is shorter than the promise.
		if last := st.Read.from(p.At.End).oldest(); !last.IsZero() && due.Sub(last) > l.set.latest() {
			due = last.Add(l.set.latest())
		}
	}
	if err := l.wait(ctx, due); err != nil {
		return at, err
	}
	res, err := l.look(ctx, l.patient, at, true)
	if ctx.Err() != nil {
		return at, ctx.Err()
	}
	if (err == nil || flooded(err)) && res.n == 0 && p.At.End >= st.Seen.End {
		if err != nil {
			l.keepState(ctx, func(s *state) { s.Pass.Partial = true })
		}
		return nil, l.endPass(ctx, p)
	}
	if err == nil && res.n == 0 {
		// The log ends before what was seen: who follows it finds out why.
		return at, errShort
	}
	l.keepState(ctx, func(s *state) {
		if s.Pass.Began.Equal(p.Began) { // It was not given up meanwhile.
			s.Pass.At, s.Pass.Done, s.Pass.Partial = res.at, p.Done+res.size, p.Partial || res.part
			s.Read = res.read(s.Read)
		}
	})
	return res.seal, err
}

var errShort = errors.New("the log ends before what was read of it before")

// begin returns the pass that runs, begun if none does, unless the end of the log
// is not known. What was read when it was new is not due yet.
func (l *logWatch) begin(ctx context.Context) (pass, state) {
	l.mu.Lock()
	st, end := l.st.clone(), l.atEnd && l.st.Seen.End > 0
	l.mu.Unlock()
	began := l.clock.now()
	if !end || !st.Pass.Began.IsZero() && st.Pass.Began.Sub(began) <= l.set.FullPassEvery {
		return st.Pass, st
	}
	if due := st.Read.oldest().Add(l.set.passTime()); due.After(began) {
		began = due
	}
	l.keepState(ctx, func(s *state) {
		s.Pass = pass{Began: began, Since: l.set.Now(), Ended: s.Pass.Ended}
		st.Pass = s.Pass
	})
	return st.Pass, st
}

// again begins the pass anew if the seal of its position is lost, and does not come
// back in the time that a store is given before it is accused.
func (l *logWatch) again(ctx context.Context, err error) error {
	if !errors.Is(err, errLost) {
		return err
	}
	if l.lostAt.IsZero() {
		l.lostAt = time.Now()
	}
	if time.Since(l.lostAt) >= 2*thorough {
		l.lostAt = time.Time{}
		l.keepState(ctx, func(s *state) { s.Pass.At, s.Pass.Done, s.Pass.Partial = position{}, 0, true })
	}
	return err
}

// endPass is called when all of the log was read. It looks at all names, and waits
// until the next pass is due.
func (l *logWatch) endPass(ctx context.Context, p pass) error {
	if err := l.sweep(ctx); err != nil {
		return err
	}
	l.mu.Lock()
	partial, head := l.st.Pass.Partial || len(l.st.Later) > 0, l.head
	l.mu.Unlock()
	if head == nil {
		return errShort
	}
	// Else a fork from what the memory has would be swept: a pass can take less time
	// than lies between two polls.
	if err := l.judgeHead(ctx, head); err != nil {
		return err
	}
	if !partial && !l.doubted(head) && ctx.Err() == nil {
		l.swept(ctx, l.place(), p.Since, sweptByPass...)
	}
	l.set.Observer.Passed(l.src, l.name, l.clock.now().Sub(p.Began))
	if err := l.wait(ctx, p.Began.Add(l.set.passTime())); err != nil {
		return err
	}
	l.keepState(ctx, func(s *state) { s.Pass = pass{Ended: s.Pass.Ended + 1} })
	return nil
}

// wait waits, and looks at the names of the log meanwhile.
func (l *logWatch) wait(ctx context.Context, until time.Time) error {
	for {
		now := l.clock.now()
		if until.Sub(now) > l.set.FullPassEvery {
			return nil // A clock that was wrong said so.
		}
		if err := sleep(ctx, min(until.Sub(now), max(sweepEvery-now.Sub(l.listed), 0))); err != nil {
			return err
		}
		if l.clock.now().Sub(l.listed) >= sweepEvery {
			if err := l.sweep(ctx); err != nil {
				return err
			}
			l.judgePass(ctx)
		}
		if !l.clock.now().Before(until) {
			return nil
		}
	}
}

// judgePass holds what was read, and what can be, against what is promised.
func (l *logWatch) judgePass(ctx context.Context) {
	l.mu.Lock()
	oldest := l.st.Read.oldest()
	l.mu.Unlock()
	now := l.clock.now()
	var late *incident.Finding
	promise := l.set.FullPassEvery
	if needs, total := l.needs(); needs > promise {
		late = &incident.Finding{Want: promise.String(), Got: needs.Round(time.Second).String(),
			Message: fmt.Sprintf("at %d bytes a second it takes %v to read the %d bytes of all stores once, and %v is promised: allow more bytes a second, or promise less", l.set.BytesPerSecond, needs.Round(time.Second), total, promise)}
	} else if age := now.Sub(oldest); !oldest.IsZero() && age > promise {
		late = &incident.Finding{Want: promise.String(), Got: age.Round(time.Second).String(),
			Message: fmt.Sprintf("the part of the log that has waited longest was read %v ago, and %v is promised", age.Round(time.Second), promise)}
	}
	l.say(ctx, incident.PassLate, late, l.set.Now())
}

// needs is how long reading everything takes at the limit; 0 without one.
func (g *Guard) needs() (time.Duration, int64) {
	if g.set.BytesPerSecond <= 0 {
		return 0, 0
	}
	total := int64(0)
	for _, w := range g.watch {
		total += w.stored()
	}
	return time.Duration(float64(total) / float64(g.set.BytesPerSecond) * float64(time.Second)), total
}
