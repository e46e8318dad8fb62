package transfer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/internal/wormexport"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/verify"
	"github.com/otelcol-custody/custody/store"
)

// A load is one seal on its way, with what it names.
type load struct {
	*logstore.Held
	before  *load // the one before, while it may matter
	sealed  bool  // to lists something at the seal's place
	segment bool  // to lists the segment
	free    func()
	placed  chan struct{} // closed when err and outcome are final
	err     error         // also instead of a seal: how the walk ended
	outcome outcome
}

// walk copies what follows a seal that both stores have, nil for everything. It
// returns the size up to which from has the log.
func (r *replica) walk(ctx context.Context, after *seal.Verified) (uint64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	loads := make(chan *load, r.opt.workers())
	var work sync.WaitGroup
	defer work.Wait()
	work.Go(func() {
		defer close(loads)
		r.loads(ctx, after, &work, loads)
	})
	defer cancel() // Before the wait, whatever the order above says.
	size := uint64(0)
	if after != nil {
		size = after.End()
	}
	for l := range loads {
		<-l.placed
		l.free()
		if l.err != nil {
			return size, l.err
		}
		r.add(l.outcome)
		size = l.Seal.End()
	}
	return size, ctx.Err()
}

// loads reads the seals in order and has several stored at a time. The sink keeps
// their order.
func (r *replica) loads(ctx context.Context, after *seal.Verified, work *sync.WaitGroup, loads chan<- *load) {
	room, busy := semaphore.NewWeighted(memory), semaphore.NewWeighted(int64(r.opt.workers()))
	from := ""
	if after != nil {
		from = fmt.Sprintf("%020d", after.End())
	}
	seals, segments := r.cursor(ctx, sealFolder, from), r.cursor(ctx, segmentFolder, from)
	defer seals.stop()
	defer segments.stop()
	var before *load
	for held, err := range r.from.Seals(ctx, after) {
		l := &load{Held: held, before: before, err: err, placed: make(chan struct{}), free: func() {}}
		before = l
		if err == nil {
			l.err = r.prepare(l, seals, segments)
		}
		if l.err == nil {
			weight := min(held.Seal.Size+int64(len(held.Seal.Bytes())), memory)
			if l.err = room.Acquire(ctx, weight); l.err == nil {
				l.free = func() { room.Release(weight) }
				l.err = busy.Acquire(ctx, 1)
			}
		}
		if l.err != nil {
			close(l.placed)
		} else {
			work.Go(func() {
				defer close(l.placed)
				defer busy.Release(1)
				l.err = retry(ctx, func() error { return r.place(ctx, l) })
				l.before = nil // Or each would keep all before it.
			})
		}
		select {
		case loads <- l:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// prepare looks up what to lists of a seal.
func (r *replica) prepare(l *load, seals, segments *cursor) error {
	sealed, err := seals.at(fmt.Sprintf("%020d", l.Seal.First))
	if err != nil {
		return err
	}
	infos, err := segments.at(l.Seal.SegmentName()[len(ledger.SegmentsDir)+1:])
	l.sealed = readable(sealed)
	l.segment = slices.ContainsFunc(infos, func(info store.Info) bool { return !info.DeleteMarker && info.Size == l.Seal.Size })
	return err
}

// place brings a seal and what it names to the other store. It may be done again.
func (r *replica) place(ctx context.Context, l *load) error {
	l.outcome = outcome{}
	var missing []int // bytes of each object that to does not list
	if !l.segment {
		missing = append(missing, int(l.Seal.Size))
	}
	for _, t := range l.Tiles {
		if !r.tiles[logstore.ObjectName(r.log, ledger.TileName(t.Level, t.Index))] {
			missing = append(missing, len(t.Bytes()))
		}
	}
	if !l.sealed {
		missing = append(missing, len(l.Seal.Bytes()))
	}
	l.outcome.skipped = uint64(2 + len(l.Tiles) - len(missing))
	if l.sealed {
		there, err := r.holds(ctx, l.Seal)
		if err != nil || there && len(missing) == 0 {
			return err
		}
	}
	if err := r.store(ctx, l); err != nil {
		return err
	}
	if l.outcome.expired > 0 && !l.segment {
		missing = missing[1:] // The segment, which nobody has.
	}
	for _, n := range missing {
		l.outcome.objects++
		l.outcome.bytes += uint64(n)
	}
	return nil
}

// store stores what a seal names, and the seal when the one before it is stored.
func (r *replica) store(ctx context.Context, l *load) error {
	v := l.Seal
	data, err := r.segment(ctx, l)
	if err != nil {
		return err
	}
	put := r.opt.Sink.Store
	if data == nil {
		l.outcome.expired, put = 1, r.opt.Sink.StoreExpired
	}
	o := &delivery.Objects{Segment: data, Tiles: l.EncodedTiles(), Seal: v.Bytes()}
	for err = put(ctx, o); lags(err) && l.before != nil; err = put(ctx, o) {
		<-l.before.placed
		if l.before.err != nil {
			return err // The walk ends with that.
		}
		l.before = nil
	}
	var fork *delivery.ForkError
	var altered *delivery.AlteredError
	switch {
	case errors.As(err, &fork):
		return r.parted(ctx, v, fork)
	case errors.As(err, &altered) && !errors.Is(err, segment.ErrVersion):
		code := Code(verify.SegmentMalformed)
		if data != nil && int64(len(data)) != v.Size {
			code = SegmentAltered
		}
		return &malformedError{code, logstore.ObjectName(r.log, v.SegmentName()), v.First, altered.Reason}
	}
	return err
}

// segment reads a segment from where it is. One that is gone after its time is
// nil, one that is gone before it a finding.
func (r *replica) segment(ctx context.Context, l *load) ([]byte, error) {
	v := l.Seal
	data, _, err := r.from.Segment(ctx, v)
	if errors.Is(err, store.ErrNotFound) && l.segment {
		data, _, err = r.there.Segment(ctx, v)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return data, err
	}
	if until := v.Closed().RetainUntil; until.IsZero() || !until.Before(r.opt.Now()) {
		return nil, &missingError{logstore.ObjectName(r.log, v.SegmentName()), v.First, v.End(), until}
	}
	return nil, nil
}

// lags says that the seal before is not stored yet.
func lags(err error) bool { return errors.As(err, new(*wormexport.PredecessorError)) }

// holds says whether to holds a seal; another valid one in its place is a fork.
func (r *replica) holds(ctx context.Context, v *seal.Verified) (bool, error) {
	f, err := r.there.At(ctx, v.First)
	if err != nil {
		return false, err
	}
	if other := f.Conflict(v); other != nil {
		return false, &partError{other.Object.Name, v.First, v, other.Seal}
	}
	return f.Same(v) != nil, nil
}

// parted words what a sink found for somebody with two stores.
func (r *replica) parted(ctx context.Context, v *seal.Verified, fork *delivery.ForkError) error {
	if _, err := r.holds(ctx, v); errors.As(err, new(*partError)) {
		return err
	}
	return fork
}

// A cursor goes through a folder of to beside a walk that comes in its order.
type cursor struct {
	next func() (item, error, bool)
	stop func()
	now  item
	err  error
	more bool
}

func (r *replica) cursor(ctx context.Context, f *folder, from string) *cursor {
	next, stop := iter.Pull2(items(ctx, r.to, r.log, f, from, ignore))
	c := &cursor{next: next, stop: stop}
	c.now, c.err, c.more = next()
	return c
}

// at returns what is listed at a key, which is larger than the one asked for
// before.
func (c *cursor) at(key string) ([]store.Info, error) {
	for c.more && c.err == nil && c.now.key < key {
		c.now, c.err, c.more = c.next()
	}
	if c.err != nil || !c.more || c.now.key != key {
		return nil, c.err
	}
	return c.now.there, nil
}
