package sealer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/seal"
)

// courier delivers what the spool holds, oldest first, and keeps the newest seal
// as the log's head.
type courier struct {
	s    *Sealer
	wake chan struct{} // buffered: something changed

	mu     sync.Mutex
	queue  []spooled // not delivered, in order
	done   []uint64  // delivered; their seals are still here
	head   []byte    // the newest seal, nil at genesis
	end    uint64    // behind its last record
	signed []byte    // a checkpoint to show, nil: none
	turn   int       // of the segments behind the window
	ending bool

	// Owned by run.
	stores       int       // the most stores that were ever asked
	pendingSince time.Time // zero: the last delivery was not left pending
}

// window is how many segments are under way at once: stores that upload in the
// background are kept busy.
const window = 8

func newCourier(s *Sealer, st *state) *courier {
	c := &courier{s: s, wake: make(chan struct{}, 1), queue: st.pending, done: st.done}
	if st.head != nil {
		c.head, c.end = st.head.Bytes(), st.head.End()
	}
	s.obs.Waiting(len(c.queue))
	return c
}

func (c *courier) nudge() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// add enters a segment that the press has spooled.
func (c *courier) add(v *seal.Verified) {
	c.mu.Lock()
	c.queue = append(c.queue, newSpooled(v))
	c.s.obs.Waiting(len(c.queue))
	c.head, c.end = v.Bytes(), v.End()
	c.mu.Unlock()
	c.nudge()
}

// show has a checkpoint passed on; a newer one takes its place.
func (c *courier) show(note []byte) {
	c.mu.Lock()
	c.signed = note
	c.mu.Unlock()
	c.nudge()
}

// finish tells the courier that nothing more is coming.
func (c *courier) finish() {
	c.mu.Lock()
	c.ending = true
	c.mu.Unlock()
	c.nudge()
}

// run asks the stores for the log's head, and then delivers until finish has
// been called and the spool is empty, or retries are to end.
func (c *courier) run() {
	ctx := c.s.running
	probed := c.fence(ctx)
	for wait := c.s.backoff(); c.s.Fatal() == nil; {
		c.pass(ctx)
		progress, err := c.deliver(ctx)
		c.tidy()
		if c.s.Fatal() != nil || c.over() {
			return
		}
		if !probed {
			probed = c.fence(ctx)
		}
		pause := wait.d
		switch {
		case progress:
			wait, pause = c.s.backoff(), 0
		case err == nil && probed:
			wait, pause = c.s.backoff(), time.Hour // idle until something changes
		case errors.Is(err, delivery.ErrPending):
			wait.d = min(2*wait.d, maxPending) // The store's workers are at it, or it is away.
		default:
			wait.next()
		}
		if !c.pause(pause) {
			return
		}
	}
}

// maxPending is the longest pause while all that is wrong is a pending answer.
const maxPending = time.Second

// pause waits, and ends early when something changed: stores that are well get
// what is new, whatever another store does.
func (c *courier) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.wake:
	case <-c.s.quit:
		return false
	}
	return c.s.running.Err() == nil
}

// over says whether there is nothing left to do for good.
func (c *courier) over() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ending && len(c.queue) == 0
}

// due are the segments to try next: the oldest ones, of the others those that
// have fewer receipts than their neighbours, and then, since counts do not say
// which store has what, the others in turn. So one store that is away holds no
// segment back from the others.
func (c *courier) due() []spooled {
	c.mu.Lock()
	defer c.mu.Unlock()
	oldest := min(len(c.queue), window)
	due, rest := slices.Clone(c.queue[:oldest]), c.queue[oldest:]
	most := 0
	for i := range c.queue {
		most = max(most, c.queue[i].receipts)
	}
	for i := 0; i < len(rest) && len(due) < 2*window; i++ {
		if rest[i].receipts < most {
			due = append(due, rest[i])
		}
	}
	for range min(len(rest), window/2) {
		if sp := rest[c.turn%len(rest)]; sp.receipts >= most {
			due = append(due, sp)
		}
		c.turn++
	}
	return due
}

// oldest is the first of the oldest segment that is not delivered.
func (c *courier) oldest() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.queue[0].head.First
}

// note remembers how many stores have a segment.
func (c *courier) note(first uint64, receipts int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.queue {
		if c.queue[i].head.First == first {
			c.queue[i].receipts = receipts
			return
		}
	}
}

// deliver tries what is due once. The error is that of the oldest segment that
// did not get through.
func (c *courier) deliver(ctx context.Context) (progress bool, err error) {
	due := c.due()
	delivered := map[uint64]int{}
	for _, sp := range due {
		if sp.leaving {
			delivered[sp.head.First] = sp.receipts
			continue
		}
		stores, fault := c.try(ctx, sp.head.First)
		if fork := (*delivery.ForkError)(nil); errors.As(fault, &fork) {
			c.s.fail(fault)
			return false, fault
		}
		c.note(sp.head.First, stores)
		if fault == nil {
			delivered[sp.head.First] = stores
		} else if err == nil {
			err = fault
		}
	}
	// Segments leave in order, so that the spool never has a hole.
	for _, sp := range due {
		stores, ok := delivered[sp.head.First]
		if !ok || sp.head.First != c.oldest() {
			break
		}
		if fault := c.confirm(sp, stores); fault != nil {
			return progress, fault
		}
		progress = true
	}
	c.report(err)
	return progress, err
}

// pendingGrace is how long a pending answer is no trouble: stores take what is
// large or far away in the background, and say themselves when they are away.
const pendingGrace = 5 * time.Second

func (c *courier) report(err error) {
	switch {
	case err == nil:
		c.pendingSince = time.Time{}
		c.s.obs.Better(Delivery)
	case errors.Is(err, context.Canceled):
	case !errors.Is(err, delivery.ErrPending):
		c.s.obs.Trouble(Delivery, err)
	case c.pendingSince.IsZero():
		c.pendingSince = time.Now()
	case time.Since(c.pendingSince) >= pendingGrace:
		c.s.obs.Trouble(Delivery, err)
	}
}

// try delivers one segment and returns how many stores have it.
func (c *courier) try(ctx context.Context, first uint64) (stores int, err error) {
	o, err := unspool(c.s.cfg.FS, c.s.cfg.Dir, first)
	if err != nil {
		return 0, fmt.Errorf("read spooled segment %d: %w", first, err)
	}
	given, asked, err := c.s.down.Deliver(delivery.WithBegan(delivery.WithWake(ctx, c.nudge), c.s.began(first)), o)
	if fork := (*delivery.ForkError)(nil); errors.As(err, &fork) {
		return 0, err
	}
	if given > 0 {
		c.s.fenced.Store(true)
	}
	// A store that was asked once is always wanted: something in front of it may
	// refuse before it hears of the segment.
	c.stores = max(c.stores, asked)
	wanted := max(c.s.cfg.MinStores, c.stores)
	if given > 0 && given == asked && given >= wanted {
		return given, nil // Whoever else failed is not a store.
	}
	if altered := (*delivery.AlteredError)(nil); errors.As(err, &altered) {
		err = c.blame(o, err)
	}
	if err == nil && given < wanted {
		err = fmt.Errorf("%w: segment %d has %d receipts of %d that it needs, %d stores were asked", errReceipts, first, given, wanted, asked)
	}
	return given, err
}

// blame looks for an alteration here first: what lies in the spool may have
// changed since it was written.
func (c *courier) blame(o *delivery.Objects, err error) error {
	keys, fault := checkpoint.ParseKeys(c.s.cfg.Signer.VerifierKey())
	if fault != nil {
		return err
	}
	v, fault := seal.Open(o.Seal, keys)
	if fault == nil {
		fault = checkSpooled(c.s.cfg.FS, c.s.cfg.Dir, v)
	}
	if fault != nil {
		return fmt.Errorf("the spool in %s: %w", c.s.cfg.Dir, fault)
	}
	return err
}

// errReceipts means that what follows answered, and no store confirmed.
var errReceipts = errors.New("no receipt: a WORM exporter has to follow hash_chain in the pipeline")

// confirm takes the oldest segment, which is delivered, out of the spool and
// answers who waits. After an error it is to be called again, without reading the
// segment: part of it may be gone.
func (c *courier) confirm(sp spooled, stores int) error {
	c.mu.Lock()
	c.queue[0].leaving = true
	c.mu.Unlock()
	if err := leave(c.s.cfg.FS, c.s.cfg.Dir, sp.head.First); err != nil {
		c.s.obs.Trouble(Spool, err)
		return err
	}
	c.mu.Lock()
	c.queue = c.queue[1:]
	c.s.obs.Waiting(len(c.queue))
	c.done = append(c.done, sp.head.First)
	c.mu.Unlock()
	if sp.leaving {
		c.s.obs.Better(Spool) // The last try had failed.
	}
	c.s.used.Add(-sp.head.Size)
	c.s.stored(&sp.head, stores)
	return nil
}

// tidy removes the seals of delivered segments but for the newest, oldest first:
// those that are left follow each other. The newest is the head, or the oldest
// one that waits has to follow it: so a segment that was taken out of the spool
// with its seal is missed at the next start.
func (c *courier) tidy() {
	c.mu.Lock()
	done := c.done
	c.mu.Unlock()
	for len(done) > 1 {
		if err := forget(c.s.cfg.FS, c.s.cfg.Dir, done[0]); err != nil {
			c.s.obs.Trouble(Spool, err)
			break
		}
		done = done[1:]
	}
	c.mu.Lock()
	c.done = done
	c.mu.Unlock()
}

// pass passes the newest checkpoint on. Nobody waits for it: the next one
// carries more.
func (c *courier) pass(ctx context.Context) {
	c.mu.Lock()
	note := c.signed
	c.signed = nil
	c.mu.Unlock()
	if note == nil {
		return
	}
	if err := c.s.down.Checkpoint(ctx, note); err != nil && ctx.Err() == nil {
		c.s.obs.Notice(fmt.Sprintf("a checkpoint was not taken downstream: %v", err))
	}
}
