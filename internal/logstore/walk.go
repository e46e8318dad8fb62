package logstore

import (
	"context"
	"crypto/sha256"
	"errors"
	"iter"

	"golang.org/x/sync/errgroup"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/tree"
)

const (
	// aheadSeals and aheadBytes bound the seals that are read and held at a time.
	aheadSeals = 16
	aheadBytes = 64 << 20
	// maxStrange is how many places without a valid seal are told of, behind the
	// last one with one; and after so many the next seal is asked for again.
	maxStrange = 64
)

// Seals walks through the log's seals by position, from genesis or behind a seal
// that is known. Each is checked to follow the one before, so together they are
// one history. The walk ends at the first position without a valid seal.
//
// Two different valid seals at a place, or one that does not follow, end it with
// a [ForkError], a valid seal behind a missing one with a [GapError], however many
// squatters lie between: each that has the size of a seal is read. Of more than 64
// places of squatters a [Flood] is told, and no more of each; if no valid seal came
// before them and [Reader.Head] finds none either, the walk ends there. A [Flood] is
// told, too, of a place where too much lies to read all of it; that ends the walk,
// with a [FloodedError], only if what was read holds no valid seal where one is due
// and none lies behind it.
//
// It takes a request for each seal and for each thousand names, and reads up to
// 16 seals at a time.
func (r *Reader) Seals(ctx context.Context, after *seal.Verified) iter.Seq2[*Held, error] {
	return func(yield func(*Held, error) bool) {
		w := &walk{Reader: r, ctx: ctx, yield: yield}
		if after != nil {
			w.head = &Held{Seal: after}
		}
		if w.listed() && w.unlisted(ledger.MaxSize) && w.flooded != nil {
			w.fail(w.flooded) // Is this the end? Nobody knows.
		}
	}
}

type walk struct {
	*Reader
	ctx   context.Context
	yield func(*Held, error) bool
	head  *Held // nil before genesis

	strange int             // places without a valid seal behind the head
	asked   bool            // for the seal behind the head by its name
	flooded *FloodedError   // of the place behind the head
	told    map[Notice]bool // since the head
}

func (w *walk) size() uint64 {
	if w.head == nil {
		return 0
	}
	return w.head.Seal.End()
}

func (w *walk) fail(err error) bool {
	w.yield(nil, err)
	return false
}

// listed goes by the store's listing, which spares requests and is not believed.
// It reports whether to go on.
func (w *walk) listed() bool {
	for f, err := range w.From(w.ctx, w.size()) {
		if err != nil {
			return w.fail(err)
		}
		if !w.unlisted(f.First) {
			return false
		}
		switch size := w.size(); {
		case f.First == size:
			if _, ok := w.step(f); !ok {
				return false
			}
		case len(f.Seals) == 0:
			if more, err := w.stranger(f); err != nil {
				return w.fail(err)
			} else if !more {
				return true
			}
		case f.First > size:
			return w.fail(&GapError{w.store.ID(), w.log, size, f.Seals[0], w.flooded})
		default: // It begins before the head ends.
			_, err := f.Seals[0].Seal.Follows(w.head.Seal)
			return w.fail(&ForkError{w.store.ID(), w.log, w.head, f.Seals[0], err})
		}
	}
	return true
}

// unlisted asks for the seals behind the head by their names, as long as there
// are some before limit: the listing may have passed a place before its seal
// came. It reports whether to go on.
func (w *walk) unlisted(limit uint64) bool {
	for !w.asked && w.size() < limit {
		f, err := w.at(w.ctx, w.size())
		if err != nil {
			return w.fail(err)
		}
		found, ok := w.step(f)
		if !ok {
			return false
		}
		w.asked = !found
	}
	return true
}

// step takes the seal at the head's end, if there is one, and reports whether to
// go on.
func (w *walk) step(f Found) (found, ok bool) {
	w.notice(f)
	h, err := w.one(f)
	if err != nil {
		return false, w.fail(err)
	}
	if h == nil {
		w.flooded, w.asked = f.flooded, w.asked || f.flooded != nil
		return false, true
	}
	if err := w.follow(w.head, h); err != nil {
		return false, w.fail(err)
	}
	w.head, w.asked, w.flooded, w.strange, w.told = h, false, nil, 0, nil
	return true, w.yield(h, nil)
}

// stranger passes over a place without a valid seal, and reports whether to go on.
// Reading many takes time, in which the log goes on.
func (w *walk) stranger(f Found) (bool, error) {
	w.asked = w.asked && (w.flooded != nil || (w.strange+1)%maxStrange > 0)
	if w.strange++; w.strange <= maxStrange {
		w.notice(f)
		return true, nil
	}
	if w.strange > maxStrange+1 {
		return true, nil
	}
	w.tell(Notice{Flood, SealName(w.log, f.First, 0), ""})
	return w.ours()
}

// ours says whether the store holds anything of the log, as far as a search for
// its head can tell: else all seals may be of a log whose keys are not trusted,
// and nobody wants to read each.
func (w *walk) ours() (bool, error) {
	if w.head != nil {
		return true, nil
	}
	_, err := New(w.store, w.log, w.keys, nil).Head(w.ctx)
	fork, flood := (*ForkError)(nil), (*FloodedError)(nil)
	switch {
	case errors.Is(err, ErrNoLog):
		return false, nil
	case err == nil, errors.As(err, &fork), errors.As(err, &flood):
		return true, nil
	}
	return false, err
}

// notice tells once for each head.
func (w *walk) notice(f Found) {
	for _, n := range f.Notices {
		if w.told[n] {
			continue
		}
		if w.told == nil {
			w.told = map[Notice]bool{}
		}
		w.told[n] = true
		w.tell(n)
	}
}

// one returns the seal of a place, or nil if there is none: of several that say
// the same the one that was there first. Others of them are copies, if their
// bytes differ.
func (r *Reader) one(f Found) (*Held, error) {
	if len(f.Seals) == 0 {
		return nil, nil
	}
	first := f.Seals[0]
	if len(f.Seals) > 1 {
		return nil, &ForkError{r.store.ID(), r.log, first, f.Seals[1], nil}
	}
	sum := sha256.Sum256(first.Seal.Bytes())
	for _, o := range f.valid {
		if o.sum != sum {
			r.tell(Notice{Copy, o.object.Name, o.object.Version})
		}
	}
	return first, nil
}

// follow checks that h continues the log behind prev, nil at genesis, and
// computes the tiles that it completes.
func (r *Reader) follow(prev, h *Held) error {
	var before *seal.Verified
	if prev != nil {
		before = prev.Seal
	}
	tiles, err := h.Seal.Follows(before)
	if err != nil {
		if prev == nil {
			prev = h
		}
		return &ForkError{r.store.ID(), r.log, prev, h, err}
	}
	h.Tiles = stored(tiles)
	return nil
}

// stored are the tiles that a store keeps (spec §9).
func stored(tiles []tree.Tile) []tree.Tile {
	var keep []tree.Tile
	for _, t := range tiles {
		if t.Level > 0 {
			keep = append(keep, t)
		}
	}
	return keep
}

// From reads the places from one on, by the store's listing, up to 16 at a time.
// It ends with the first error of the store; a flooded place is no error here,
// [Found.Flooded] says so.
func (r *Reader) From(ctx context.Context, from uint64) iter.Seq2[Found, error] {
	return func(yield func(Found, error) bool) {
		var batch []Place
		var bytes int64
		most := 1 // Grows: who wants a few seals reads few.
		flush := func() bool {
			all, err := r.readAll(ctx, batch)
			for _, f := range all {
				if !yield(f, nil) {
					return false
				}
			}
			if err != nil {
				yield(Found{}, err)
				return false
			}
			batch, bytes, most = nil, 0, min(2*most, aheadSeals)
			return true
		}
		for p, err := range r.Places(ctx, from) {
			if err != nil {
				if flush() {
					yield(Found{}, err)
				}
				return
			}
			batch, bytes = append(batch, p), bytes+p.size()
			if (len(batch) >= most || bytes >= aheadBytes) && !flush() {
				return
			}
		}
		flush()
	}
}

// readAll reads places, and returns those before the first that cannot be read.
func (r *Reader) readAll(ctx context.Context, batch []Place) ([]Found, error) {
	found, errs := make([]Found, len(batch)), make([]error, len(batch))
	var g errgroup.Group
	for i, p := range batch {
		g.Go(func() error {
			found[i], errs[i] = r.place(ctx, p)
			return nil
		})
	}
	_ = g.Wait() // Each has its own error.
	for i, err := range errs {
		if err != nil {
			return found[:i], err
		}
	}
	return found, nil
}
