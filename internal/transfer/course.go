package transfer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"github.com/otelcol-custody/custody/store"
)

const (
	// DefaultWorkers keeps a line to a cloud busy.
	DefaultWorkers = 8
	// memory bounds what objects in hand take, whatever the number of workers:
	// a segment is typically 2 MiB and at most 80.
	memory = 256 << 20
	// queued lets listings run ahead, so that a total is known early.
	queued = 4096
	// maxInARow ends a course whose store fails every time.
	maxInARow = 25
)

func (o Options) workers() int {
	if o.Workers < 1 {
		return DefaultWorkers
	}
	return o.Workers
}

// A course is work on one log in which order does not matter: items are listed,
// and dealt with by workers.
type course struct {
	*tally
	ctx     context.Context
	cancel  context.CancelCauseFunc // with what every other item would meet, too
	do      func(context.Context, item) (outcome, error)
	jobs    chan item
	memory  *semaphore.Weighted
	inARow  atomic.Int64 // failures without a success between them
	workers sync.WaitGroup
}

// newCourse starts the workers; finish must be called. do is called again when
// it fails, so what it reports counts only when it succeeds.
func newCourse(ctx context.Context, log string, opt Options, do func(context.Context, item) (outcome, error)) *course {
	c := &course{tally: newTally(log, opt), do: do, jobs: make(chan item, queued), memory: semaphore.NewWeighted(memory)}
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	for range opt.workers() {
		c.workers.Go(c.work)
	}
	return c
}

// finish waits for what was queued. The error is what ended the work early.
func (c *course) finish() (*Report, error) {
	c.found(0, true)
	close(c.jobs)
	c.workers.Wait()
	err := context.Cause(c.ctx)
	c.cancel(nil)
	return c.close(), err
}

func (c *course) work() {
	for it := range c.jobs {
		size := it.size()
		if c.memory.Acquire(c.ctx, size) != nil {
			continue // The course has ended: the queue is emptied.
		}
		var o outcome
		err := retry(c.ctx, func() (err error) {
			o, err = c.do(c.ctx, it)
			return err
		})
		c.memory.Release(size)
		c.done(it.name(), o, err)
	}
}

// errGivenUp means that a store fails every time.
var errGivenUp = errors.New("given up")

// done enters what became of an item.
func (c *course) done(name string, o outcome, err error) {
	switch {
	case err == nil:
		c.inARow.Store(0)
		c.add(o)
	case c.ctx.Err() != nil: // Cut off, not failed.
	case isAny(err, ending):
		c.cancel(err)
	default:
		c.fail(name, err)
		if c.inARow.Add(1) == maxInARow {
			c.cancel(fmt.Errorf("%w: %d objects one after the other failed, the last one: %w", errGivenUp, maxInARow, err))
		}
	}
}

// queue hands the items of a listing over, until there are no more.
func (c *course) queue(list iter.Seq2[item, error]) {
	for it, err := range list {
		if c.ctx.Err() != nil {
			return
		}
		if err != nil {
			c.fail(it.name(), err)
			return
		}
		c.found(1, false)
		select {
		case c.jobs <- it:
		case <-c.ctx.Done():
			return
		}
	}
}

// strangers enters what lies beside the log's folders.
func (c *course) strangers(s store.Store) {
	log := c.report.Log
	for child, err := range children(c.ctx, s, log+"/") {
		if err != nil && c.ctx.Err() == nil {
			c.fail(log, err)
		}
		if err != nil {
			return
		}
		known := false
		for _, f := range folders {
			known = known || child == f.name+"/"
		}
		if !known {
			c.foreign(nil, store.Info{Name: log + "/" + child})
		}
	}
}
