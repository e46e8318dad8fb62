package logstore

import (
	"context"
	"fmt"
	"math/bits"
	"slices"

	"github.com/otelcol-custody/custody/ledger"
)

const (
	// maxBack is how many of the last places are looked at before the listing's
	// end counts as squatted.
	maxBack = 8
	// maxProbe is how many places are looked at, from a position on, for one
	// valid seal.
	maxProbe = 16
)

// Head finds the log's newest seal, or returns [ErrNoLog]. Its checkpoint and
// edge are the log's. It does not check what comes before: [Reader.Seals] does.
//
// The end of the listing is only where the search begins. The last listed name
// with a valid seal is taken, and from there it goes on by position until there
// is none. Where it ends at a flooded place, it is returned with the
// [FloodedError]: a newer one may lie there. Squatters at the end are passed over, so many that it costs a few
// requests; behind more of them, the search goes by valid seals alone.
//
// Up to a thousand seals that takes a listing, a read and two requests for what
// comes next. With n seals it takes about 2 × log2(n / 1000) listings more, each of
// a thousand names: about 20 for a million objects. A squatted listing costs up to
// 17 requests for each of at most 64 steps; where squatters crowd the log itself,
// two more for each seal that they hid.
func (r *Reader) Head(ctx context.Context) (*Held, error) {
	s := &search{r, ctx, map[uint64]*Held{}}
	head, err := s.last()
	if err != nil {
		return nil, err
	}
	if head == nil {
		return nil, fmt.Errorf("log %s in store %s: %w", r.log, r.store.ID(), ErrNoLog)
	}
	for {
		f, err := r.at(ctx, head.Seal.End())
		if err != nil {
			return nil, err
		}
		next, err := s.judge(f)
		if err != nil {
			return nil, err
		}
		if next == nil && f.flooded != nil {
			return head, f.flooded
		}
		if next == nil {
			return head, nil
		}
		if err := r.follow(head, next); err != nil {
			return nil, err
		}
		head = next
	}
}

// search looks for a valid seal near the end.
type search struct {
	*Reader
	ctx  context.Context
	seen map[uint64]*Held // places that were read; nil: without a valid seal
}

func (s *search) last() (*Held, error) {
	tail, err := s.tail()
	if err != nil || len(tail) == 0 {
		return nil, err
	}
	for i, p := range slices.Backward(tail) {
		if len(tail)-i > maxBack {
			break
		}
		if h, err := s.valid(p); h != nil || err != nil {
			return h, err
		}
	}
	return s.lastValid()
}

// valid reads a place once. Notices are told then.
func (s *search) valid(p Place) (*Held, error) {
	if h, ok := s.seen[p.First]; ok {
		return h, nil
	}
	f, err := s.place(s.ctx, p)
	if err != nil {
		return nil, err
	}
	return s.judge(f)
}

func (s *search) judge(f Found) (*Held, error) {
	if h, ok := s.seen[f.First]; !ok || h == nil && len(f.Seals) > 0 {
		for _, n := range f.Notices {
			s.tell(n)
		}
	}
	h, err := s.one(f)
	if err == nil {
		s.seen[f.First] = h
	}
	return h, err
}

// tail lists the last places of all, up to a page of them: it doubles the
// position until nothing lies behind, then halves what is left. A page that is
// not full ends the search.
func (s *search) tail() ([]Place, error) {
	tail, full, err := s.page(0, page-1)
	if err != nil || !full {
		return tail, err
	}
	low, high := tail[len(tail)-1].First, uint64(ledger.MaxSize)
	grow, next := true, true
	for low+1 < high {
		at := middle(low, high)
		switch {
		case grow:
			at = min(double(low), at)
		case next && high-low <= low-tail[0].First:
			at, next = low+1, false // The next page probably is the last: else halving would look past it.
		}
		places, full, err := s.page(at, page-1)
		switch {
		case err != nil:
			return nil, err
		case len(places) == 0:
			high, grow = at, false
		case !full:
			return places, nil
		default:
			tail, low, next = places, places[len(places)-1].First, at != low+1
		}
	}
	return tail, nil
}

// lastValid does the same by valid seals alone: what is not one does not exist.
func (s *search) lastValid() (*Held, error) {
	low, err := s.validFrom(0)
	if low == nil || err != nil {
		return nil, err
	}
	high, grow := uint64(ledger.MaxSize), true
	for low.Seal.End() < high {
		at := middle(low.Seal.First, high)
		if grow {
			at = min(double(low.Seal.First), at)
		}
		h, err := s.validFrom(max(at, low.Seal.End()))
		switch {
		case err != nil:
			return nil, err
		case h == nil:
			high, grow = max(at, low.Seal.End()), false
		default:
			low = h
		}
	}
	return low, nil
}

// validFrom finds a valid seal among the next places from a position on.
func (s *search) validFrom(from uint64) (*Held, error) {
	places, _, err := s.page(from, maxProbe)
	if err != nil {
		return nil, err
	}
	for _, p := range places {
		if h, err := s.valid(p); h != nil || err != nil {
			return h, err
		}
	}
	return nil, nil
}

// page lists the places from one on, about limit names of them, and whether there
// may be more.
func (s *search) page(from uint64, limit int) (places []Place, full bool, err error) {
	listed := 0
	for p, err := range s.Places(s.ctx, from) {
		if err != nil {
			return nil, false, err
		}
		places = append(places, p)
		if listed += p.count; listed >= limit {
			return places, true, nil
		}
	}
	return places, false, nil
}

func middle(low, high uint64) uint64 { return low + (high-low+1)/2 }

func double(n uint64) uint64 {
	if bits.LeadingZeros64(n) < 2 {
		return ledger.MaxSize
	}
	return max(2*n, 1)
}
