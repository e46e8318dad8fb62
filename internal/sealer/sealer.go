package sealer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/otelcol-custody/custody/ledger/seal"
)

// A Sealer keeps one log. [Open] makes it; Append is safe for concurrent use.
type Sealer struct {
	cfg  Config
	down Downstream
	obs  Observer
	lock io.Closer

	watch *watch // obs, which remembers

	submit chan *request
	ready  chan struct{}   // closed once a probe has been answered, or none could be
	stop   chan struct{}   // closed when no more records are taken
	quit   <-chan struct{} // closed when retries are to end
	closed chan uint64     // closed journals, to the press

	running    context.Context // of deliveries; done when retries are to end
	endRetries context.CancelFunc

	fenced atomic.Bool  // a store has confirmed the log's place
	ended  atomic.Bool  // nothing follows the last closed record
	used   atomic.Int64 // bytes of journals and spool

	courier            *courier
	emitter            *emitter // nil unless records are passed on
	owner              sync.WaitGroup
	presser            sync.WaitGroup
	couriers, emitters sync.WaitGroup

	stopping, hurrying sync.Once
	hurry              chan struct{} // closed when no caller is to wait any more

	mu      sync.Mutex
	fatal   error                 // set once, before stop is closed for it
	ending  context.Context       // of End; set before stop is closed for it
	waiting map[uint64][]*request // by segment, callers who wait for its receipt
	since   map[uint64]time.Time  // by unstored segment, when its first record came
	refused map[string]int64      // by receiver, since the last closed record
}

// request is one call of Append on its way through the pool.
type request struct {
	batch *Batch
	done  chan error // receives exactly one answer; buffered
}

// maxClosedJournals bounds how far the press may be behind the pool.
const maxClosedJournals = 1024

// Open locks the state directory, finishes what a stop or crash left, and begins
// to take records. Its errors include [ErrNoHead], [ErrOtherLog], [ErrDamaged],
// [ErrEnded] and durable.ErrLocked.
func Open(cfg Config, down Downstream, obs Observer) (*Sealer, error) {
	if err := cfg.defaults(); err != nil {
		return nil, err
	}
	st, err := openState(&cfg)
	if err != nil {
		return nil, err
	}
	w := &watch{Observer: obs, troubles: map[string]error{}}
	s := &Sealer{
		cfg: cfg, down: down, obs: w, watch: w, lock: st.lock,
		submit: make(chan *request), ready: make(chan struct{}), stop: make(chan struct{}), hurry: make(chan struct{}),
		closed:  make(chan uint64, len(st.closed)+maxClosedJournals),
		waiting: map[uint64][]*request{}, since: map[uint64]time.Time{}, refused: map[string]int64{},
	}
	s.running, s.endRetries = context.WithCancel(context.Background())
	s.quit = s.running.Done()
	if err := s.start(st); err != nil {
		s.endRetries()
		_ = st.open.close() // It may be closed already.
		return nil, errors.Join(err, st.lock.Close())
	}
	return s, nil
}

func (s *Sealer) start(st *state) error {
	if err := s.checkEnd(st); err != nil {
		return err
	}
	used, err := usage(&s.cfg, st.pending)
	if err != nil {
		return fmt.Errorf("state directory: %w", err)
	}
	s.used.Store(used)
	p, err := newPool(s, st)
	if err != nil {
		return err
	}
	if s.cfg.EmitRecords {
		if s.emitter, err = newEmitter(s, st.pending); err != nil {
			return errors.Join(err, p.journal.close())
		}
		s.emitters.Go(s.emitter.run)
	}
	now := time.Now()
	for _, first := range st.closed {
		s.since[first] = now
	}
	for _, pending := range st.pending {
		s.since[pending.head.First] = now
	}
	s.courier = newCourier(s, st)
	pr := &press{s: s, place: st.place}
	s.presser.Go(func() { pr.run(s.closed) })
	s.owner.Go(p.run)
	s.couriers.Go(s.courier.run)
	return nil
}

// Append seals a batch and returns nil once it is durable here, or stored, as
// configured. After an error the batch may have been sealed; its records are to
// be sent again, and the batch itself must not be used again.
func (s *Sealer) Append(ctx context.Context, b *Batch) error {
	if b.Len() == 0 && b.upstream == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.AckTimeout)
	defer cancel()
	if err := s.admit(ctx); err != nil {
		s.countRefused(b)
		return err
	}
	r := &request{batch: b, done: make(chan error, 1)}
	select {
	case s.submit <- r:
	case <-s.stop:
		s.countRefused(b)
		return s.stopped()
	case <-s.hurry:
		s.countRefused(b)
		return fmt.Errorf("%w: %w", ErrStopped, errHurry)
	case <-ctx.Done():
		s.countRefused(b)
		return fmt.Errorf("%w: %w", ErrUnanswered, ctx.Err())
	}
	select {
	case err := <-r.done:
		return err
	case <-s.hurry:
		return fmt.Errorf("%w: %w", ErrUnanswered, errHurry)
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrUnanswered, ctx.Err())
	}
}

// admit decides, before anything is journalled, whether a record may enter.
func (s *Sealer) admit(ctx context.Context) error {
	select {
	case <-s.stop:
		return s.stopped()
	case <-s.hurry:
		return fmt.Errorf("%w: %w", ErrStopped, errHurry)
	default:
	}
	select {
	case <-s.ready:
	case <-s.stop:
		return s.stopped()
	case <-s.hurry:
		return fmt.Errorf("%w: %w", ErrStopped, errHurry)
	case <-ctx.Done():
		return fmt.Errorf("%w: the stores have not been asked for the log's head yet: %w", ErrUnanswered, ctx.Err())
	}
	return s.room()
}

func (s *Sealer) stopped() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fatal != nil {
		return fmt.Errorf("%w: %w", ErrStopped, s.fatal)
	}
	return ErrStopped
}

// Fatal is why the log cannot be continued, or nil.
func (s *Sealer) Fatal() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fatal
}

// fail ends the taking of records for good.
func (s *Sealer) fail(err error) {
	s.mu.Lock()
	first := s.fatal == nil
	if first {
		s.fatal = err
	}
	s.mu.Unlock()
	if first {
		s.obs.Fatal(err)
	}
	s.stopping.Do(func() { close(s.stop) })
	s.dismiss()
	if first {
		s.rememberFork(err)
	}
}

// sealed enters a segment that has passed its commit point and whose journal had
// this size.
func (s *Sealer) sealed(v *seal.Verified, journal int64) {
	s.used.Add(v.Size - journal)
	s.obs.Sealed(v, journal)
	if s.emitter != nil {
		s.emitter.add(v.First) // Before the courier can take it out of the spool.
	}
	s.courier.add(v)
	s.eased()
}

// stored answers the callers who wait for a segment.
func (s *Sealer) stored(h *seal.Head, stores int) {
	s.mu.Lock()
	callers, since := s.waiting[h.First], s.since[h.First]
	delete(s.waiting, h.First)
	delete(s.since, h.First)
	s.mu.Unlock()
	for _, r := range callers {
		r.done <- nil
	}
	s.obs.Stored(h, stores, time.Since(since))
	s.eased()
}

// wait is a growing pause between tries.
type wait struct{ d time.Duration }

const (
	firstPause = 100 * time.Millisecond
	maxPause   = 15 * time.Second
)

func (s *Sealer) backoff() *wait { return &wait{firstPause} }

func (w *wait) next() { w.d = min(2*w.d, maxPause) }

// sleep pauses and says whether to go on.
func (w *wait) sleep(quit <-chan struct{}) bool {
	t := time.NewTimer(w.d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-quit:
		return false
	}
}
