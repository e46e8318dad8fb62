package wormexport

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/store"
)

// unclaimedFor is how long the answer to a probe is kept when nobody waited for
// it: long enough for the next probe, too short to be stale.
const unclaimedFor = 30 * time.Second

// A job is work on the store that goes on when its caller's time is up.
type job struct {
	id   sealID
	log  string // of a segment
	end  uint64 // of a segment, 0 for a probe
	ours bool   // asked for by a hash_chain of this process
	do   func(context.Context, store.Store) error
	done chan struct{}

	// Written before done is closed.
	err  error
	over time.Time

	waiters int // guarded by jobs.mu
}

// jobs are an exporter's workers: a goroutine for each job in hand, so many at
// most. A job waits for others only when their records come before its own.
type jobs struct {
	limit int
	run   func(context.Context, *job) error

	ctx    context.Context // of the jobs; ended by stop
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex // guards what follows
	all     map[sealID]*job
	wakers  map[string]func() // by log, of callers that went without an answer
	running int
	stopped bool
}

func newJobs(limit int, run func(context.Context, *job) error) *jobs {
	ctx, cancel := context.WithCancel(context.Background())
	return &jobs{limit: limit, run: run, ctx: ctx, cancel: cancel, all: map[sealID]*job{}, wakers: map[string]func(){}}
}

// ask returns the answer to a job, its own or an equal one's that is in hand,
// if it comes within the timeout. If not, or if no worker is free, the caller is
// woken when a job succeeds.
func (js *jobs) ask(ctx context.Context, timeout time.Duration, j *job) error {
	wake := delivery.Waker(ctx)
	j, err := js.join(j, wake)
	if err != nil {
		return err
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-j.done:
		err = j.err
	case <-timer.C:
		err = errSlow
	case <-ctx.Done():
		err = fmt.Errorf("%w: %w", errSlow, ctx.Err())
	}
	if js.leave(j, wake) {
		return j.err
	}
	return err
}

// occupied says why a segment cannot be taken in hand now: it is, or no worker is
// free. Then the caller is woken when a job succeeds.
func (js *jobs) occupied(id sealID, log string, wake func()) error {
	js.mu.Lock()
	defer js.mu.Unlock()
	var err error
	switch {
	case js.all[id] != nil:
		err = errSlow
	case js.running == js.limit:
		err = errBusy
	default:
		return nil
	}
	js.wakers[log] = wake
	return err
}

// join takes a job in hand, or finds the equal one that is.
func (js *jobs) join(j *job, wake func()) (*job, error) {
	js.mu.Lock()
	defer js.mu.Unlock()
	js.forgetOld()
	if running := js.all[j.id]; running != nil {
		running.waiters++
		return running, nil
	}
	if js.stopped {
		return nil, errStopped
	}
	if js.running == js.limit {
		js.wakers[j.log] = wake
		return nil, errBusy
	}
	j.done, j.waiters = make(chan struct{}), 1
	js.all[j.id] = j
	js.running++
	js.wg.Go(func() { js.work(j) })
	return j, nil
}

// here does a job in its caller's goroutine, whatever the workers have in hand,
// or waits for the equal one that is.
func (js *jobs) here(ctx context.Context, j *job, opened func(context.Context) (store.Store, error)) error {
	js.mu.Lock()
	if js.stopped {
		js.mu.Unlock()
		return errStopped
	}
	if equal := js.all[j.id]; equal != nil {
		js.mu.Unlock()
		return equal.await(ctx)
	}
	j.done = make(chan struct{})
	js.all[j.id] = j
	js.wg.Add(1)
	js.mu.Unlock()
	defer js.wg.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(js.ctx, cancel)()
	s, err := opened(ctx)
	if err == nil {
		err = j.do(ctx, s)
	}
	js.mu.Lock()
	defer js.mu.Unlock()
	js.end(j, err)
	return err
}

func (j *job) await(ctx context.Context) error {
	select {
	case <-j.done:
		return j.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (js *jobs) work(j *job) {
	err := js.run(js.ctx, j)
	js.mu.Lock()
	js.running--
	js.end(j, err)
	var wake map[string]func()
	// A store that fails is asked again in the sender's own time.
	if err == nil {
		wake, js.wakers = js.wakers, map[string]func(){}
	}
	js.mu.Unlock()
	for _, f := range wake {
		f()
	}
}

// end publishes how a job went. The caller holds mu.
func (js *jobs) end(j *job, err error) {
	j.err, j.over = err, time.Now()
	// What a segment's job achieved is in the memory; a probe's answer is kept.
	if j.end > 0 || j.waiters > 0 {
		delete(js.all, j.id)
	}
	close(j.done)
}

// leave gives up waiting. It says whether there is an answer after all, and takes
// along one that was kept; if there is none, wake is kept.
func (js *jobs) leave(j *job, wake func()) bool {
	js.mu.Lock()
	defer js.mu.Unlock()
	j.waiters--
	if j.over.IsZero() {
		js.wakers[j.log] = wake
		return false
	}
	if js.all[j.id] == j {
		delete(js.all, j.id)
	}
	return true
}

// forgetOld drops answers that nobody fetched. The caller holds mu.
func (js *jobs) forgetOld() {
	for id, j := range js.all {
		if !j.over.IsZero() && time.Since(j.over) > unclaimedFor {
			delete(js.all, id)
		}
	}
}

// awaitBefore waits for the job in hand, if any, whose segment ends where v
// begins. How it went is for the caller to find out.
func (js *jobs) awaitBefore(ctx context.Context, v *seal.Verified) error {
	before := js.find(func(j *job) bool { return j.log == v.Log && j.end == v.First && j.end > 0 })
	if before == nil {
		return nil
	}
	_ = before.await(ctx)
	return ctx.Err()
}

// awaitEarlier waits for some job in hand whose segment lies before v. It returns
// false if there is none.
func (js *jobs) awaitEarlier(ctx context.Context, v *seal.Verified) bool {
	earlier := js.find(func(j *job) bool { return j.log == v.Log && j.end <= v.First && j.end > 0 })
	if earlier == nil {
		return false
	}
	_ = earlier.await(ctx)
	return ctx.Err() == nil
}

func (js *jobs) find(is func(*job) bool) *job {
	js.mu.Lock()
	defer js.mu.Unlock()
	for _, j := range js.all {
		if is(j) {
			return j
		}
	}
	return nil
}

// stop takes no more jobs and waits for those in hand, until grace is over or
// ctx ends; then it ends them. It returns false if some do not end even so.
func (js *jobs) stop(ctx context.Context, grace time.Duration) bool {
	js.mu.Lock()
	js.stopped = true
	js.mu.Unlock()
	defer js.cancel()
	idle := make(chan struct{})
	go func() { js.wg.Wait(); close(idle) }()
	limit := time.NewTimer(grace)
	defer limit.Stop()
	select {
	case <-idle:
		return true
	case <-limit.C:
	case <-ctx.Done():
	}
	js.cancel()
	limit.Reset(grace)
	select {
	case <-idle:
		return true
	case <-limit.C:
		return false
	}
}
