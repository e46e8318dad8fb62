package recovery

import (
	"bytes"
	"context"
	"fmt"

	"github.com/otelcol-custody/custody/internal/sealer"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// loss is where a store's history leaves the course: at a seal, or at marks[n].
type loss struct {
	h    *history
	from *seal.Verified
	n    int
}

// judgeStores says of each store whether it was read, and whether its history is
// that of the others.
func (r *run) judgeStores() {
	for _, h := range r.stores {
		if h.err != nil {
			r.causes, r.theirs = append(r.causes, fmt.Errorf("store %s: %w", h.id, h.err)), append(r.theirs, h.err)
			r.reasons = append(r.reasons, fmt.Sprintf("store %s could not be read (%v): it may remember more. Make it readable, or give --accept-loss", h.id, h.err))
		}
		if h.fork != nil {
			r.judgeFork(h)
		}
		n := common(h.marks, r.course.marks)
		if n == len(h.marks) || h == r.course.from {
			continue
		}
		r.losing = append(r.losing, loss{h: h, n: n})
		r.reasons = append(r.reasons, fmt.Sprintf("store %s leaves the history of %s at record %d: the log was forked. Find out which one is true (docs/operations.md, \"A fork\"); --accept-loss goes on from the longer one, at %d, and seals the records of the other again", h.id, r.course.name(), h.marks[n].first, r.course.end()))
	}
}

// judgeFork asks whether the course tells which of a store's two histories is
// the one that goes on.
func (r *run) judgeFork(h *history) {
	one, other := h.fork.One.Seal, h.fork.Other.Seal
	switch has, hasOther := r.course.has(markOfSeal(one)), r.course.has(markOfSeal(other)); {
	case has && r.course.end() >= other.End() || hasOther:
		if hasOther {
			one, other = other, one
		}
		r.losing = append(r.losing, loss{h: h, from: other})
		r.reasons = append(r.reasons, fmt.Sprintf("%v. Store %s has the one with root %v, so that is taken to be the log; --accept-loss goes on from it and seals the records of the other again", h.fork, r.course.name(), one.After().Root))
	default:
		r.final = append(r.final, fmt.Sprintf("%v. Nothing tells which one is the log: take this store out of the configuration, keep a copy of it, and run recover again; without another store that has the log, begin a new one", h.fork))
	}
}

func (c *course) name() string {
	if c.from == nil {
		return "the state directory"
	}
	return c.from.id
}

// collect finds the records that were acknowledged and have no place in what is
// kept.
func (r *run) collect(ctx context.Context) error {
	g := r.gather(ctx)
	// In the order in which they were first kept somewhere: sealed, then journalled.
	for i := range r.found.Seals {
		if s := &r.found.Seals[i]; s.Whole && !r.course.has(markOf(s)) {
			if err := g.local(s); err != nil {
				return err
			}
		}
	}
	for _, l := range r.losing {
		if err := g.branch(l); err != nil {
			return err
		}
	}
	if err := g.add(r.rest); err != nil {
		return err
	}
	r.report.Resealed = int64(len(g.out))
	r.plan.Again(g.out)
	return nil
}

// gathering collects records, each once.
type gathering struct {
	*run
	ctx  context.Context
	have map[tree.Hash]bool // commitments
	out  []sealer.Former
}

// gather begins with what keeps its place.
func (r *run) gather(ctx context.Context) *gathering {
	g := &gathering{run: r, ctx: ctx, have: map[tree.Hash]bool{}}
	r.plan.KeptCommitments(func(c tree.Hash) { g.have[c] = true })
	return g
}

// add adds records that are neither in the course nor gathered yet.
func (g *gathering) add(records []sealer.Former) error {
	for _, f := range records {
		if segment.IsRecovery(f.Line) {
			continue // It spoke of its former place (spec §7.1).
		}
		if f.Commitment == (tree.Hash{}) {
			g.out = append(g.out, f)
			continue
		}
		if g.have[f.Commitment] {
			continue
		}
		if f.Known && f.Position < g.course.end() {
			v, err := g.course.at(g.ctx, f.Position)
			if err != nil {
				return err
			}
			if v != nil && v.Commitment(int(f.Position-v.First)) == f.Commitment {
				continue
			}
		}
		again, err := g.sealedBefore(&f)
		if err != nil {
			return err
		}
		g.have[f.Commitment] = true
		if !again {
			g.out = append(g.out, f)
		}
	}
	return nil
}

func (g *gathering) sealedBefore(f *sealer.Former) (bool, error) {
	s, err := g.earlier(g.ctx)
	if err != nil {
		return false, err
	}
	return s.has(f), nil
}

// local adds the records of a spooled segment that lost its place.
func (g *gathering) local(s *sealer.SalvagedSeal) error {
	v, err := s.Open()
	if err != nil {
		return err
	}
	object, err := s.Segment()
	if err != nil {
		return err
	}
	records, err := recordsOf(s.Name(), v, object)
	if err != nil {
		g.lost(s.Name(), v, err)
		return nil
	}
	return g.add(records)
}

// branch adds the records of a store's losing branch, seal by seal. Only what is
// gone for good is left out: whatever else a store says may pass, and then its
// records would be lost for nothing.
func (g *gathering) branch(l loss) error {
	passing := func(err error) error {
		return fmt.Errorf("%w. Nothing was changed: run recover again once store %s can be read, or take it out of the configuration, and keep a copy of it", err, l.h.id)
	}
	for v, err := l.first(g.ctx); v != nil || err != nil; v, err = l.next(g.ctx, v) {
		if err != nil {
			return passing(err)
		}
		object, info, err := l.h.reader.Segment(g.ctx, v)
		if err != nil && !definite(err) {
			return passing(fmt.Errorf("read the segment at record %d of the losing history from store %s: %w", v.First, l.h.id, err))
		}
		var records []sealer.Former
		if err == nil {
			records, err = recordsOf(fmt.Sprintf("store %s, %s", l.h.id, info.Name), v, object)
		} else {
			g.theirs = append(g.theirs, err)
		}
		if err != nil {
			g.lost("store "+l.h.id, v, err)
			continue
		}
		if err := g.add(records); err != nil {
			return err
		}
	}
	return nil
}

func (l *loss) first(ctx context.Context) (*seal.Verified, error) {
	if l.from != nil {
		return l.from, nil
	}
	return l.h.open(ctx, l.h.marks[l.n])
}

// next finds the seal that follows v, nil if there is none.
func (l *loss) next(ctx context.Context, v *seal.Verified) (*seal.Verified, error) {
	seals, err := l.h.at(ctx, v.End())
	if err != nil {
		return nil, err
	}
	for _, held := range seals {
		if _, err := held.Seal.Follows(v); err == nil {
			return held.Seal, nil
		}
	}
	return nil, nil
}

// lost says that records of a losing branch cannot be sealed again.
func (g *gathering) lost(where string, v *seal.Verified, err error) {
	g.reasons = append(g.reasons, fmt.Sprintf("the segment at record %d of the losing history in %s cannot be read, so its %d records are not sealed again: %v. Look for them (another store, a copy), or give --accept-loss", v.First, where, v.Count-1, err))
}

// recordsOf are the records of a sealed segment, without the log's own words.
func recordsOf(source string, v *seal.Verified, object []byte) ([]sealer.Former, error) {
	s, lines, err := inflate(object)
	if err != nil {
		return nil, err
	}
	var out []sealer.Former
	link := v.Previous
	for i, line := range lines {
		if i >= v.Count {
			return nil, fmt.Errorf("it has more than its seal's %d lines", v.Count)
		}
		at := v.First + uint64(i)
		commitment := tree.Commitment(s.Seed.Salt(at), tree.Digest(line))
		if commitment != v.Commitment(i) {
			return nil, &seal.RecordError{Index: at, Want: v.Commitment(i), Got: commitment}
		}
		if !segment.IsClosed(line) && !segment.IsRecovery(line) {
			out = append(out, sealer.Former{Source: source, Line: line, Position: at, Known: true, Previous: link, Commitment: commitment})
		}
		link = v.Link(i)
	}
	return out, nil
}

func inflate(object []byte) (*segment.Segment, [][]byte, error) {
	s, err := segment.Parse(object)
	if err != nil {
		return nil, nil, err
	}
	dec := segment.NewDecoder()
	defer dec.Close()
	text, err := dec.Inflate(s)
	if err != nil {
		return nil, nil, err
	}
	var lines [][]byte
	for _, line := range segment.Lines(bytes.Clone(text)) { // The decoder's buffer is its own.
		lines = append(lines, line)
	}
	return s, lines, nil
}
