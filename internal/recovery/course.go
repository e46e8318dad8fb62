package recovery

import (
	"context"
	"math"
	"slices"
	"sort"

	"github.com/otelcol-custody/custody/internal/sealer"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// course is the history that the log goes on from: the longest of a store, and
// what the state directory has behind it.
type course struct {
	from  *history               // nil: no store has any
	marks []mark                 // from's, then those of local; there may be a gap between them
	head  *seal.Verified         // nil at genesis
	local []*sealer.SalvagedSeal // of the state directory that belong to it, by place

	last *seal.Verified // the one that was read last
}

// longest takes the longest history of a store. Others of the same length that
// differ are returned.
func longest(all []*history) (c *course, rivals []*history) {
	c = &course{}
	for _, h := range all {
		if h.end() > c.end() {
			c.from, c.head, c.marks = h, h.head, h.marks
		}
	}
	c.marks = slices.Clip(c.marks)
	for _, h := range all {
		if h.head != nil && h.end() == c.end() && common(h.marks, c.marks) < len(c.marks) {
			rivals = append(rivals, h)
		}
	}
	return c, rivals
}

func (c *course) end() uint64 {
	if c.head == nil {
		return 0
	}
	return c.head.End()
}

// has says whether a seal is one of the course.
func (c *course) has(m mark) bool {
	i := sort.Search(len(c.marks), func(i int) bool { return c.marks[i].first >= m.first })
	return i < len(c.marks) && c.marks[i] == m
}

// took says whether a file of the state directory is part of the course.
func (c *course) took(file string) bool {
	return slices.ContainsFunc(c.local, func(s *sealer.SalvagedSeal) bool { return s.File == file })
}

// extend takes over the state directory's seals that continue the course and
// whose segments are there. They have not reached every store, perhaps none. A
// seal that is damaged is made again from its segment. What does not continue the
// course is left alone.
func (c *course) extend(found *sealer.Salvage, genesis seal.Place) error {
	orphans := found.Orphans
	for i := range found.Seals {
		s := &found.Seals[i]
		orphans = c.resealed(orphans, s.Head.First, genesis)
		if c.has(markOf(s)) {
			c.local = append(c.local, s)
			continue
		}
		v, err := s.Open()
		if err != nil {
			return err
		}
		if _, err := v.Follows(c.head); err == nil && s.Whole {
			c.add(s, v)
		}
	}
	c.resealed(orphans, math.MaxUint64, genesis)
	return nil
}

// resealed takes over the orphans that continue the course before limit, and
// returns the others behind it.
func (c *course) resealed(orphans []sealer.Orphan, limit uint64, genesis seal.Place) []sealer.Orphan {
	for ; len(orphans) > 0 && orphans[0].Header.First < limit; orphans = orphans[1:] {
		at := genesis
		if c.head != nil {
			at = c.head.Place()
		}
		if at.Edge == nil || orphans[0].Header.First != at.Edge.Size() {
			continue
		}
		if s, err := orphans[0].Reseal(at); err == nil {
			v, _ := s.Open()
			c.add(s, v)
		}
	}
	return orphans
}

// adopt takes over all seals of a state directory that is whole: it may know more
// than stores do. It goes on from them even if stores lack seals before.
func (c *course) adopt(found []sealer.SalvagedSeal) error {
	return c.takeAll(found, func(*seal.Verified) bool { return true })
}

// resume goes on from the state directory alone: no store could be read.
func (c *course) resume(found []sealer.SalvagedSeal) error {
	return c.takeAll(found, func(v *seal.Verified) bool {
		_, err := v.Follows(c.head)
		return c.head == nil || err == nil
	})
}

func (c *course) takeAll(found []sealer.SalvagedSeal, fits func(*seal.Verified) bool) error {
	for i := range found {
		s := &found[i]
		if c.has(markOf(s)) {
			c.local = append(c.local, s)
			continue
		}
		v, err := s.Open()
		if err != nil {
			return err
		}
		if fits(v) {
			c.add(s, v)
		}
	}
	return nil
}

func (c *course) add(s *sealer.SalvagedSeal, v *seal.Verified) {
	c.marks, c.head = append(c.marks, markOf(s)), v
	c.local = append(c.local, s)
}

// at returns the seal of the course that covers a position, nil if none is known.
func (c *course) at(ctx context.Context, position uint64) (*seal.Verified, error) {
	i := sort.Search(len(c.marks), func(i int) bool { return c.marks[i].end > position })
	if i == len(c.marks) || c.marks[i].first > position {
		return nil, nil
	}
	if c.last != nil && markOfSeal(c.last) == c.marks[i] {
		return c.last, nil
	}
	v, err := c.open(ctx, c.marks[i])
	if err == nil {
		c.last = v
	}
	return v, err
}

func (c *course) open(ctx context.Context, m mark) (*seal.Verified, error) {
	for _, l := range c.local {
		if markOf(l) == m {
			return l.Open()
		}
	}
	return c.from.open(ctx, m)
}

// rootAt computes the root at a size of the course; known is false where seals
// are missing.
func (c *course) rootAt(ctx context.Context, size uint64) (root tree.Hash, known bool, err error) {
	edge := &tree.Edge{}
	if size == 0 {
		return edge.Root(), true, nil
	}
	v, err := c.at(ctx, size-1)
	if v == nil || err != nil {
		return root, false, err
	}
	if v.End() == size {
		return v.After().Root, true, nil
	}
	if v.First > 0 {
		before, err := c.at(ctx, v.First-1)
		if before == nil || err != nil {
			return root, false, err
		}
		edge = before.Edge().Clone()
	}
	for i := range int(size - v.First) {
		edge.Append(v.Link(i), nil)
	}
	return edge.Root(), true, nil
}

// fillSpool enters the last segments of the course that not all stores have: those
// that the state directory has, as far back as it has them. So the spool that is
// rebuilt has the seal before them, too, if anybody knows it.
func (c *course) fillSpool(ctx context.Context, all []*history, plan *sealer.Rebuild) (err error) {
	var out []sealer.Pending
	for i, l := range slices.Backward(c.local) {
		at := len(c.marks) - (len(c.local) - i)
		if !l.Whole || c.marks[at] != markOf(l) || everywhere(all, c.marks[at]) {
			break
		}
		tiles, err := c.tiles(ctx, l)
		if err != nil {
			return err
		}
		out = append(out, sealer.Pending{SalvagedSeal: l, Tiles: tiles})
	}
	slices.Reverse(out)
	plan.Pending, plan.Before = out, nil
	if len(out) > 0 && out[0].Head.First > 0 {
		plan.Before, err = c.at(ctx, out[0].Head.First-1)
	}
	return err
}

// tiles are those that a segment of the course completes.
func (c *course) tiles(ctx context.Context, s *sealer.SalvagedSeal) ([]tree.Tile, error) {
	v, err := s.Open()
	if err != nil {
		return nil, err
	}
	if _, err := v.CheckTiles(nil); err == nil {
		return nil, nil // None that a store keeps.
	}
	var before *seal.Verified
	if v.First > 0 {
		if before, err = c.at(ctx, v.First-1); err != nil {
			return nil, err
		}
	}
	return v.Follows(before)
}

// everywhere says whether every store has a seal, and there is one.
func everywhere(all []*history, m mark) bool {
	for _, h := range all {
		if !h.has(m) {
			return false
		}
	}
	return len(all) > 0
}
