package recovery

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/internal/sealer"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tree"
	"github.com/otelcol-custody/custody/store"
)

// resealed are the records that earlier recoveries of this history sealed again.
// A losing branch stays in its store for ever, and every later recovery meets it.
type resealed struct {
	runs  map[stood][]segment.RecoveryRange
	lines map[uint64]tree.Hash // digests of the lines of all runs, by position
	taken map[uint64]tree.Hash // which former record stands at a position now

	open   []segment.RecoveryRange // whose lines are still to come
	last   sealer.Former           // that was asked for
	active []segment.RecoveryRange // that it may belong to
}

// stood is where a run of records stood: a link tells the history before it.
type stood struct {
	former   uint64
	previous tree.Hash
}

// earlier reads the recovery records of the course and of the journals that
// continue it, and what was sealed again behind them. The spec (§7.1) has their
// segments closed as recovered.
func (r *run) earlier(ctx context.Context) (*resealed, error) {
	if r.before != nil {
		return r.before, nil
	}
	s := &resealed{runs: map[stood][]segment.RecoveryRange{}, lines: map[uint64]tree.Hash{}, taken: map[uint64]tree.Hash{}}
	marks, err := r.course.recovered()
	if err != nil {
		return nil, err
	}
	for _, m := range marks {
		lines, err := r.linesAt(ctx, m)
		if err != nil {
			return nil, err
		}
		for i, line := range lines {
			s.take(m.first+uint64(i), line)
		}
	}
	if err := r.plan.KeptLines(s.take); err != nil {
		return nil, err
	}
	r.before = s
	return s, nil
}

// take takes the lines of the history in their order.
func (s *resealed) take(at uint64, line []byte) {
	for len(s.open) > 0 && s.open[0].First+s.open[0].Count <= at {
		s.open = s.open[1:]
	}
	if len(s.open) > 0 && s.open[0].First <= at {
		s.lines[at] = tree.Digest(line)
	}
	if !segment.IsRecovery(line) {
		return
	}
	rec, err := segment.ParseRecovery(line)
	if err != nil {
		return // Of a later version: rather is a record sealed twice than lost.
	}
	for _, run := range rec.Resealed {
		if run.FormerKnown && run.Previous != (tree.Hash{}) {
			k := stood{run.Former, run.Previous}
			s.runs[k] = append(s.runs[k], run)
			s.open = append(s.open, run)
		}
	}
}

// has says whether a record was sealed again. Records are asked for in their
// order. Of several branches that parted at one place the lines tell which one a
// run is of, and each of its places counts for one record.
func (s *resealed) has(f *sealer.Former) bool {
	if !f.Known || f.Previous == (tree.Hash{}) {
		return false
	}
	if f.Position != s.last.Position+1 || f.Previous != tree.Link(s.last.Previous, s.last.Commitment) {
		s.active = nil
	}
	s.last = *f
	s.active = append(s.active, s.runs[stood{f.Position, f.Previous}]...)
	digest, held := tree.Digest(f.Line), false
	s.active = slices.DeleteFunc(s.active, func(run segment.RecoveryRange) bool {
		k := f.Position - run.Former
		at := run.First + k
		if k >= run.Count || s.lines[at] != digest {
			return true
		}
		if by, ok := s.taken[at]; ok && by != f.Commitment {
			return true
		}
		if !held {
			s.taken[at], held = f.Commitment, true
		}
		return false
	})
	return held
}

// recovered are the course's segments that were closed as recovered, in order.
func (c *course) recovered() (out []mark, err error) {
	if c.from != nil {
		out = slices.Clone(c.from.recovered)
	}
	for _, l := range c.local {
		v, err := l.Open()
		if err != nil {
			return nil, err
		}
		if m := markOf(l); isRecovered(v) && !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	return out, nil
}

func isRecovered(v *seal.Verified) bool {
	c := v.Closed()
	return c != nil && c.Reason == segment.Recovered
}

// linesAt are the lines of a segment of the course, from wherever it can be read;
// none if it is nowhere any more: then what it says counts for nothing.
func (r *run) linesAt(ctx context.Context, m mark) ([][]byte, error) {
	v, err := r.course.open(ctx, m)
	if err != nil {
		return nil, err
	}
	for _, l := range r.course.local {
		if !l.Whole || markOf(l) != m {
			continue
		}
		object, err := l.Segment()
		if err != nil {
			return nil, err
		}
		_, lines, err := inflate(object)
		return lines, err
	}
	var failed error
	for _, h := range r.stores {
		if !h.has(m) {
			continue
		}
		object, _, err := h.reader.Segment(ctx, v)
		if err == nil {
			_, lines, err := inflate(object)
			return lines, err
		}
		if !definite(err) {
			failed = errors.Join(failed, fmt.Errorf("read the segment at record %d, which an earlier recovery sealed, from store %s: %w. Nothing was changed: run recover again once it can be read", m.first, h.id, err))
		}
	}
	return nil, failed
}

// definite says whether an error of a store is its last word on an object. Another
// one may pass.
func definite(err error) bool {
	altered := (*logstore.AlteredError)(nil)
	return errors.Is(err, store.ErrNotFound) || errors.As(err, &altered)
}
