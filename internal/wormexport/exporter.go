package wormexport

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/store"
)

const (
	// DefaultTimeout is how long Consume waits for the workers. Fan-out asks
	// one exporter after the other, so what one waits all wait: it is short
	// enough that a store which dies keeps the others current within a second.
	DefaultTimeout = 500 * time.Millisecond
	// hurry is how long Consume waits for a store that did not answer last time,
	// or that is behind: enough for one that is well again.
	hurry = 10 * time.Millisecond
	// DefaultWorkers is how many segments an exporter has in hand at most; each
	// is held in memory, up to 80 MiB of segment and 32 MiB of seal.
	DefaultWorkers = 4
	// attemptLimit ends an attempt that hangs, so that a worker is free again.
	attemptLimit = 10 * time.Minute
	// shutdownGrace is how long segments in hand may take at shutdown. What is
	// not stored then stays in the spool of hash_chain, which has waited before
	// and longer. Exporters are shut down one after the other, so it is short.
	shutdownGrace = 2 * time.Second
	// openLimit is how long a store may take to be opened at the start. A store
	// that takes longer is away.
	openLimit = 30 * time.Second
)

// Settings say what an exporter stores, and where.
type Settings struct {
	Telemetry component.TelemetrySettings
	// ID is the store's name in receipts and messages, equal to the ID of the
	// store that Open returns; it is needed before there is one.
	ID string
	// Open opens the store. An error that is store.ErrUnfit or ErrRetention is a
	// definite no at the start. Any other may pass, be it unknown: it is tried
	// again with each delivery, and somebody may mend the cause meanwhile.
	// The context is that of opening alone. Shutdown closes the store.
	Open func(context.Context) (store.Store, error)
	// Keys are the only keys that are believed.
	Keys *checkpoint.Keys
	// Retention is set with each object.
	Retention RetentionPolicy
	// Timeout limits the wait for an answer; 0 means [DefaultTimeout].
	Timeout time.Duration
	// Workers limits the segments in hand; 0 means [DefaultWorkers].
	Workers int
}

// An Exporter keeps sealed segments in one store. It implements the collector's
// exporter.Logs; its methods may be called by many goroutines.
type Exporter struct {
	set       Settings
	telemetry *telemetry
	memory    *memory
	health    health
	jobs      *jobs

	mu    sync.Mutex // guards opening the store
	store store.Store
	// active is the policy as the opened store keeps it; nil before.
	active atomic.Pointer[activePolicy]
	warned struct{ promise, late, over atomic.Bool } // what is said once
	// slow: an answer did not come in time, and no work on the store has
	// succeeded since. Then no delivery waits: one store that hangs must not
	// hold the others up again and again.
	slow atomic.Bool
}

// New returns an exporter that has touched nothing yet.
func New(set Settings) (*Exporter, error) {
	if set.Timeout == 0 {
		set.Timeout = DefaultTimeout
	}
	if set.Workers == 0 {
		set.Workers = DefaultWorkers
	}
	m := newMemory()
	t, err := newTelemetry(set.Telemetry, set.ID, m, set.Retention.asks() || set.Retention.RequireLock)
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	e := &Exporter{set: set, telemetry: t, memory: m, health: health{logger: set.Telemetry.Logger}}
	e.jobs = newJobs(set.Workers, e.attempt)
	return e, nil
}

// Start opens the store. Only a store that was asked and does not do is a reason
// to fail: the collector's sources would stop, too. For any other the segments
// wait with hash_chain.
func (e *Exporter) Start(ctx context.Context, host component.Host) error {
	e.health.start(host)
	within, cancel := context.WithTimeout(ctx, openLimit)
	defer cancel()
	_, err := e.opened(within)
	definite := errors.Is(err, store.ErrUnfit) || errors.Is(err, store.ErrRetention)
	if definite && within.Err() == nil {
		return err
	}
	if err != nil {
		e.health.failed(err)
	}
	return nil
}

// Shutdown waits for the segments in hand for a few seconds, or until ctx ends,
// and closes the store.
func (e *Exporter) Shutdown(ctx context.Context) error {
	defer e.telemetry.Shutdown()
	if e.jobs.stop(ctx, shutdownGrace) {
		return e.close()
	}
	err := fmt.Errorf("store %s does not answer: left it with a segment half stored; it is stored again after the next start", e.set.ID)
	closed := make(chan error, 1)
	go func() { closed <- e.close() }() // May wait for what hangs.
	select {
	case fault := <-closed:
		return errors.Join(err, fault)
	case <-time.After(shutdownGrace):
		return err
	}
}

func (e *Exporter) close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.store == nil {
		return nil
	}
	s := e.store
	e.store = nil
	return s.Close()
}

// Capabilities says that what passes is not changed.
func (e *Exporter) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// ConsumeLogs stores a segment or answers a probe, and gives the receipt; see
// the package's comment for its errors. It keeps no reference to ld.
func (e *Exporter) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	m, err := delivery.Read(ld)
	if err == nil && m.Objects == nil && m.Probe == nil {
		return nil
	}
	delivery.Asked(ctx, e.set.ID)
	switch {
	case err != nil: // Nothing is acknowledged: the bytes are not safe elsewhere.
	case m.Probe != nil && !delivery.Booked(ctx):
		return nil // Not from a hash_chain of this process: any sender could ask, and accuse.
	case m.Probe != nil:
		err = e.probe(ctx, m.Probe)
	default:
		err = e.deliver(ctx, m.Objects)
	}
	if err == nil {
		delivery.Receipt(ctx, e.set.ID)
		return nil
	}
	if fork := (*delivery.ForkError)(nil); !errors.As(err, &fork) && !errors.Is(err, delivery.ErrPending) {
		e.telemetry.refused(ctx, err)
		e.health.refused(err, false)
	}
	return err
}

func (e *Exporter) deliver(ctx context.Context, o *delivery.Objects) error {
	if e.memory.isStored(idOf(o.Seal)) {
		e.telemetry.duplicate(ctx)
		return nil
	}
	away := e.health.away()
	if err := e.waits(ctx, idOf(o.Seal), away); err != nil {
		return e.pending(err)
	}
	d, err := check(o, e.set.Keys)
	if err != nil {
		return err
	}
	d.fresh, d.began = true, delivery.Began(ctx)
	e.memory.arrive(d)
	if away != nil {
		return e.pending(away)
	}
	return e.ask(ctx, &job{id: d.id, log: d.seal.Log, end: d.seal.End(), do: func(ctx context.Context, s store.Store) error {
		e.telemetry.inHand(ctx, 1)
		defer e.telemetry.inHand(ctx, -1)
		return e.keep(ctx, s, d)
	}})
}

// waits says why a segment that is known to wait goes on waiting. Then it is not
// checked again: hash_chain sends it often.
func (e *Exporter) waits(ctx context.Context, id sealID, away error) error {
	log, ok := e.memory.awaited(id)
	switch {
	case !ok:
		return nil
	case away != nil:
		return away
	case e.behind(ctx, log):
		return e.jobs.occupied(id, log, delivery.Waker(ctx))
	}
	return nil
}

// behind says that a sender which can be woken has several segments of a log to
// store here. They are stored in the background: to wait for each would hold up
// the other stores.
func (e *Exporter) behind(ctx context.Context, log string) bool {
	return delivery.Booked(ctx) && e.memory.lags(log)
}

func (e *Exporter) probe(ctx context.Context, p *delivery.Probe) error {
	id, do, err := e.question(p)
	if err != nil {
		return err
	}
	if err := e.health.away(); err != nil {
		return e.pending(err)
	}
	return e.ask(ctx, &job{id: id, do: do})
}

// ask turns the answers of the workers' own into pending.
func (e *Exporter) ask(ctx context.Context, j *job) error {
	j.ours = delivery.Booked(ctx)
	timeout := e.set.Timeout
	hurried := e.slow.Load() || e.health.failing() || e.behind(ctx, j.log)
	if hurried {
		timeout = min(timeout, hurry)
	}
	err := e.jobs.ask(ctx, timeout, j)
	if errors.Is(err, errSlow) && !hurried && ctx.Err() == nil {
		e.slow.Store(true)
	}
	if errors.Is(err, errSlow) || errors.Is(err, errBusy) || errors.Is(err, errStopped) {
		return e.pending(err)
	}
	return err
}

// attempt runs a job and judges its error. A worker calls it, also when nobody
// waits for the answer any more.
func (e *Exporter) attempt(ctx context.Context, j *job) error {
	stop := ctx
	ctx, cancel := context.WithTimeout(ctx, attemptLimit)
	defer cancel()
	s, err := e.opened(ctx)
	if err == nil {
		err = j.do(ctx, s)
	}
	if err == nil {
		e.slow.Store(false)
		e.health.worked()
		return nil
	}
	if fork := (*delivery.ForkError)(nil); errors.As(err, &fork) {
		e.telemetry.forked(ctx)
		e.health.refused(err, j.ours)
		return err
	}
	e.telemetry.failed(ctx, err)
	var lags *PredecessorError
	var obstructed *ObstructedError
	switch {
	case stop.Err() != nil:
		return e.pending(fmt.Errorf("%w: %w", errStopped, err))
	case errors.As(err, &lags), errors.As(err, &obstructed), errors.Is(err, seal.ErrVersion):
		e.health.waits(err)
	default:
		e.health.failed(err)
	}
	return e.pending(err)
}

// opened returns the store, and opens it unless that was done before.
func (e *Exporter) opened(ctx context.Context) (store.Store, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.store == nil {
		s, err := e.set.Open(ctx)
		if err != nil {
			return nil, err
		}
		p, err := e.checkLock(ctx, s)
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		e.active.Store(&p)
		e.store = s
	}
	return e.store, nil
}
