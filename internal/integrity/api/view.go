package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/otelcol-custody/custody/internal/integrity"
	"github.com/otelcol-custody/custody/internal/logproof"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/tiles"
)

// view is a log as the guard knows it at this moment.
type view struct {
	log    string
	head   *checkpoint.Signed // the newest one that was judged; nil: none
	stores []integrity.LogStatus
}

func (v *view) size() uint64 { return sizeOf(v.head) }

// view is that of the log that the path names.
func (a *API) view(r *request) (*view, error) {
	name, err := r.log()
	if err != nil {
		return nil, err
	}
	v := &view{log: name}
	for _, s := range a.set.Status.Status() {
		if s.Log != name {
			continue
		}
		v.stores = append(v.stores, s)
		if sizeOf(s.Head) > v.size() {
			v.head = s.Head
		}
	}
	if len(v.stores) == 0 {
		return nil, noLog()
	}
	// One that could be read last is more likely to answer.
	slices.SortStableFunc(v.stores, func(a, b integrity.LogStatus) int {
		return cmp.Compare(min(1, len(a.Error)), min(1, len(b.Error)))
	})
	return v, nil
}

func sizeOf(head *checkpoint.Signed) uint64 {
	if head == nil {
		return 0
	}
	return head.Size
}

// read asks the stores that hold a log of this size in turn, until one answers: a
// store that is away, or lacks what another has, must not make a log unprovable.
func read[T any](a *API, r *request, v *view, size uint64, what func(context.Context, *logproof.Log) (T, error)) (out T, err error) {
	done, err := acquire(r.ctx, a.reads)
	if err != nil {
		return out, err
	}
	defer done()
	provers := a.provers(v, size)
	if len(provers) == 0 {
		return out, errNoStore
	}
	var errs unanswered
	for i, l := range provers {
		out, err := attempt(r.ctx, len(provers)-i, l, v, size, what)
		if p := (*Problem)(nil); err == nil || errors.As(err, &p) {
			return out, err
		}
		errs = append(errs, err)
	}
	return out, errs
}

// provers are those of open stores that hold this many records.
func (a *API) provers(v *view, size uint64) (all []*logproof.Log) {
	for _, s := range v.stores {
		if s.Head == nil || s.Head.Size < size {
			continue
		}
		if l := a.set.Logs.Log(s.Store, v.log); l != nil {
			all = append(all, l)
		}
	}
	return all
}

// attempt gives a store its share of the time: one that hangs must leave some for
// the next.
func attempt[T any](ctx context.Context, left int, l *logproof.Log, v *view, size uint64, what func(context.Context, *logproof.Log) (T, error)) (T, error) {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(deadline)/time.Duration(left))
		defer cancel()
	}
	if err := v.ready(ctx, l, size); err != nil {
		var none T
		return none, err
	}
	return what(ctx, l)
}

// ready has a prover know a log of this size, and refuses one whose history is not
// the judged one: which is right is the guard's question, and no answer may depend
// on who is asked. One that holds less than what was judged is not held against it.
func (v *view) ready(ctx context.Context, l *logproof.Log, size uint64) error {
	if h := l.Head(); h == nil || h.End() < size {
		if err := l.Refresh(ctx); err != nil {
			return err
		}
	}
	if l.Head().End() < v.size() {
		return nil
	}
	c, err := l.Consistency(ctx, v.size(), v.size())
	if err == nil && c.ToRoot != v.head.Root {
		err = fmt.Errorf("%w: log %s: at size %d the root is %v, that of the judged head %v", tiles.ErrBroken, v.log, v.size(), c.ToRoot, v.head.Root)
	}
	return err
}

var errNoStore = errors.New("no store is open that holds as many records")

// readWhole is read for what takes a whole segment's memory.
func readWhole[T any](a *API, r *request, v *view, size uint64, what func(context.Context, *logproof.Log) (T, error)) (out T, err error) {
	done, err := acquire(r.ctx, a.whole)
	if err != nil {
		return out, err
	}
	defer done()
	return read(a, r, v, size, what)
}

func acquire(ctx context.Context, s *semaphore.Weighted) (done func(), err error) {
	if s.Acquire(ctx, 1) != nil {
		return nil, busy()
	}
	return func() { s.Release(1) }, nil
}
