package logproof

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"sync"

	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/tiles"
)

const (
	// pagePlaces is how many places the clouds list in one request: a place ends
	// where the next one of a thousand names begins.
	pagePlaces = 999
	// maxStrange is how many names without a valid seal are read for one record.
	maxStrange = 64
	// maxBounds is how many segments' places are remembered, 16 bytes each.
	maxBounds = 1 << 18
)

// Covering implements [tiles.Source]. Where it is known where the record's segment
// begins, its seal is asked for by name; else it is looked for in a listing.
func (r *reading) Covering(index uint64) (*seal.Verified, error) {
	if first, ok := r.bounds.covering(index); ok {
		if v, _ := r.Log.cache.get(sealKey{r.Log, first}).(*seal.Verified); v != nil && index < v.End() {
			return v, nil
		}
		f, err := r.reader.At(r.ctx, first)
		v, err := r.take(f, err)
		if err != nil || v != nil && index < v.End() {
			return v, err
		}
	}
	v, err := r.search(index)
	if err == nil && v == nil && r.listed.Swap(nil) != nil {
		v, err = r.search(index) // What was remembered of the listing may be old.
	}
	if err == nil && v == nil {
		err = fmt.Errorf("%w: store %s has no valid seal of log %s for record %d, yet its head has %d records; copy the log's objects from another store",
			tiles.ErrBroken, r.store.ID(), r.name, index, r.head.End())
	}
	return v, err
}

// take is the seal of a place, nil if there is none.
func (r *reading) take(f logstore.Found, err error) (*seal.Verified, error) {
	if flooded := (*logstore.FloodedError)(nil); err != nil && (!errors.As(err, &flooded) || len(f.Seals) == 0) {
		return nil, err
	}
	switch len(f.Seals) {
	case 0:
		return nil, nil
	case 1:
		r.keep(f.Seals[0].Seal)
		return f.Seals[0].Seal, nil
	}
	return nil, &logstore.ForkError{Store: r.store.ID(), Log: r.name, One: f.Seals[0], Other: f.Seals[1]}
}

// keep remembers a seal and its place.
func (l *Log) keep(v *seal.Verified) {
	l.bounds.add(v.First, v.End())
	// Links take as much as the seal itself.
	l.cache.put(sealKey{l, v.First}, v, 2*int64(len(v.Bytes())))
}

// search finds the seal that covers a record by listings, nil if there is none.
// What has a seal's name and is no valid seal is passed over.
func (r *reading) search(index uint64) (*seal.Verified, error) {
	low, high := index-min(index, ledger.MaxRecords-1), index
	for strange := 0; ; {
		p, err := r.find(low, high)
		if err != nil || p == nil {
			return nil, err
		}
		for _, place := range slices.Backward(p.before(high)) {
			f, err := r.reader.Read(r.ctx, place)
			v, err := r.take(f, err)
			if err != nil || v != nil && index < v.End() {
				return v, err
			}
			if v != nil {
				return nil, nil // It ends before the record: the next one is missing.
			}
			if strange++; strange > maxStrange {
				return nil, fmt.Errorf("store %s, log %s, record %d: more than %d names of seals without a valid one lie there; find out who writes there and take the right from them",
					r.store.ID(), r.name, index, maxStrange)
			}
		}
		if p.from <= low {
			return nil, nil
		}
		high = p.from - 1
	}
}

// find lists the last places that begin from low to high, nil if there are none.
// Stores list forward only. It begins so far before high as places of the last
// page suggest, at first so far that the longest segment is met, and corrects
// that by what it finds.
func (r *reading) find(low, high uint64) (*page, error) {
	if p := r.listed.Load(); p != nil && p.from <= high && high <= p.to && len(p.before(high)) > 0 {
		return p, nil
	}
	step := r.step.Load()
	if step == 0 {
		step = ledger.MaxRecords
	}
	for floor := low; ; {
		from := max(low, high-min(high, step))
		p, err := r.list(from)
		if err != nil {
			return nil, err
		}
		step = p.step(step)
		switch {
		case len(p.before(high)) > 0 && high <= p.to:
			r.step.Store(step)
			r.listed.Store(p)
			return p, nil
		case len(p.before(high)) > 0 && low == floor: // It may begin behind the page.
			low, step = p.to, min(step, (high-p.to)/2)
		case len(p.before(high)) > 0:
			low, step = p.to, (high-p.to)/2
		case from == floor:
			return nil, nil
		case low == floor: // It begins before the page.
			high, step = from-1, 8*step
		default:
			high, step = from-1, (from-1-low)/2
		}
	}
}

// A page is a listing of all places that begin from one record to another.
type page struct {
	from, to uint64
	places   []logstore.Place
}

// list is one page of places from one record on.
func (r *reading) list(from uint64) (*page, error) {
	p := &page{from: from, to: r.head.End()}
	for place, err := range r.reader.Places(r.ctx, from) {
		if err != nil {
			return nil, err
		}
		p.places = append(p.places, place)
		if len(p.places) == pagePlaces {
			p.to = place.First
			break
		}
	}
	return p, nil
}

// before are the places that begin at index or before.
func (p *page) before(index uint64) []logstore.Place {
	return p.places[:sort.Search(len(p.places), func(i int) bool { return p.places[i].First > index })]
}

// step is how far before a record half a page of places begins, by this page.
func (p *page) step(otherwise uint64) uint64 {
	n := len(p.places)
	if n < 2 {
		return otherwise
	}
	return min((p.places[n-1].First-p.places[0].First)/uint64(n-1)*(pagePlaces/2), ledger.MaxRecords)
}

// bounds remembers where verified segments begin and end.
type bounds struct {
	mu  sync.Mutex // guards all
	all []bound    // by first
}

type bound struct{ first, end uint64 }

func (b *bounds) add(first, end uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := b.after(first)
	if i > 0 && b.all[i-1].first == first {
		b.all[i-1].end = end
		return
	}
	if len(b.all) == maxBounds {
		b.all, i = nil, 0 // They come again.
	}
	b.all = slices.Insert(b.all, i, bound{first, end})
}

// after is the number of segments that begin at index or before. The caller
// holds mu.
func (b *bounds) after(index uint64) int {
	return sort.Search(len(b.all), func(i int) bool { return b.all[i].first > index })
}

// covering is where the segment begins that holds a record, if that is known.
func (b *bounds) covering(index uint64) (first uint64, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := b.after(index)
	if i == 0 || index >= b.all[i-1].end {
		return 0, false
	}
	return b.all[i-1].first, true
}
