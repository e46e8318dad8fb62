package awscloudtrailreceiver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-custody/custody/internal/awsclient"
	"github.com/otelcol-custody/custody/internal/contents"
	"github.com/otelcol-custody/custody/internal/s3read"
)

// A bucket is the source of objects that listings name. It looks again and again, each
// time from where all was done the last time, less an overlap.
type bucket struct {
	cfg     *BucketConfig
	bounds  bounds
	objects *objects
	health  *health
	log     *zap.Logger
	retry   contents.Backoff
	again   contents.Backoff // paces looks after one that could not finish

	room   chan struct{} // one place for each object in hand
	stuck  atomic.Int32  // calls that AWS throttles or refuses credentials for, being tried again
	worked atomic.Bool   // a call to AWS has worked
	missed map[string]bool
	tally  tally

	mu     sync.Mutex
	parked map[s3read.Ref]bool // refused for good, until a restart

	stop    context.CancelFunc // set by Start
	stopped chan struct{}
}

func (a *awsSide) newBucket(cfg *BucketConfig) (*bucket, error) {
	limits, err := cfg.bounds()
	if err != nil {
		return nil, err
	}
	retry := a.r.retry
	return &bucket{
		cfg: cfg, bounds: limits, objects: a.objects, health: a.r.health,
		log:    a.r.set.Logger.With(zap.String("bucket", cfg.Name)),
		retry:  retry,
		again:  contents.Backoff{Initial: 100 * retry.Initial, Max: 20 * retry.Max},
		room:   make(chan struct{}, cfg.Workers),
		missed: map[string]bool{},
		parked: map[s3read.Ref]bool{},
	}, nil
}

// Start begins to look, in the background.
func (b *bucket) Start() {
	ctx, stop := context.WithCancel(context.Background())
	b.stop, b.stopped = stop, make(chan struct{})
	go func() {
		defer close(b.stopped)
		b.run(ctx)
	}()
}

// Shutdown stops looking and waits for the objects in hand: their calls under way may
// end, nothing new is begun.
func (b *bucket) Shutdown(ctx context.Context) error {
	if b.stop == nil {
		return nil
	}
	b.stop()
	select {
	case <-b.stopped:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("listing the bucket did not stop in time: %w", ctx.Err())
	}
}

// run looks until ctx ends, or until all is read if that was all that was asked for.
func (b *bucket) run(ctx context.Context) {
	for failed := 0; ; {
		err := b.look(ctx)
		b.objects.sink.report(ctx)
		if ctx.Err() != nil {
			return
		}
		failed++
		pause := b.again.Delay(failed)
		if err == nil {
			if b.cfg.PollInterval == 0 {
				b.log.Info("the bucket is read; it is not looked at again", zap.String("prefix", b.cfg.root()))
				return
			}
			failed, pause = 0, b.cfg.PollInterval
		} else if b.cfg.PollInterval > 0 {
			pause = min(pause, b.cfg.PollInterval)
		}
		if !contents.Rest(ctx, pause) {
			return
		}
	}
}

// look goes once through what is not done. It returns nil if that is everything.
func (b *bucket) look(ctx context.Context) (err error) {
	b.tally.begin(b.cfg.Progress)
	streams, err := b.discover(ctx)
	if err == nil {
		err = b.recall(ctx, streams)
	}
	if err == nil {
		err = b.walkAll(ctx, streams)
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	} else {
		b.objects.telemetry.AwsCloudtrailTroubled.Record(ctx, b.tally.troubled())
		b.health.set("bucket", err)
		if err != nil {
			b.log.Warn("not everything in the bucket could be read; what is left is tried again", zap.Error(err))
		}
	}
	b.tally.end(err)
	return err
}

func (b *bucket) recall(ctx context.Context, streams []*stream) (err error) {
	for _, s := range streams {
		if s.mark, err = b.mark(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// walkAll goes through the streams, as many at once as objects may be in hand.
func (b *bucket) walkAll(ctx context.Context, streams []*stream) error {
	ctx, cancel := context.WithCancel(ctx)
	var counting sync.WaitGroup
	defer counting.Wait()
	defer cancel()
	if b.cfg.Progress != nil {
		counting.Go(func() { b.countAll(ctx, streams) })
	}
	var work sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	next := make(chan *stream)
	for range min(len(streams), b.cfg.Workers) {
		work.Go(func() {
			for s := range next {
				if err := b.walk(ctx, s); err != nil {
					mu.Lock()
					errs = append(errs, err)
					mu.Unlock()
				}
			}
		})
	}
	for _, s := range streams {
		next <- s
	}
	close(next)
	work.Wait()
	return some(errs)
}

// some joins errors, but of many only the first few.
func some(errs []error) error {
	const most = 3
	if len(errs) > most {
		errs = append(errs[:most:most], fmt.Errorf("and %d more", len(errs)-most))
	}
	return errors.Join(errs...)
}

// persist calls f until it succeeds, or fails with what time alone does not mend. While
// AWS throttles or takes no credentials, nothing new is begun: see enter.
func (b *bucket) persist(ctx context.Context, f func() error) error {
	held := false
	for failed := 1; ; failed++ {
		err := f()
		if err == nil {
			b.worked.Store(true)
			if failed > 1 {
				b.health.set("bucket calls", nil)
			}
			return nil
		}
		if ctx.Err() != nil || !b.passes(err, failed) {
			return err
		}
		if !held && awsclient.KindOf(err) != awsclient.Passing {
			held = true // It concerns all calls.
			b.stuck.Add(1)
			defer b.stuck.Add(-1)
		}
		if failed == 1 {
			b.log.Warn("a call to S3 failed; it is tried again", zap.Error(err))
		}
		b.objects.telemetry.AwsCloudtrailRetries.Add(ctx, 1)
		b.health.set("bucket calls", err)
		if !b.retry.Wait(ctx, failed) {
			return ctx.Err()
		}
	}
}

// callTries is how often a call is made in a row while its errors do not say that
// everything is affected. With the waits between them that is about ten minutes.
const callTries = 40

// passes reports whether another attempt makes sense. Credentials that never worked are
// the operator's to mend; such that did are renewed.
func (b *bucket) passes(err error, failed int) bool {
	if errors.Is(err, contents.ErrParked) {
		return false
	}
	switch awsclient.KindOf(err) {
	case awsclient.Throttled:
		return true
	case awsclient.Credentials:
		return b.worked.Load()
	case awsclient.Passing:
		return failed < callTries
	}
	return false
}

// enter waits until the pipeline takes events, no call is in trouble and there is room
// for one more object. It reports whether ctx is still alive then.
func (b *bucket) enter(ctx context.Context) bool {
	for b.stuck.Load() > 0 {
		if !contents.Rest(ctx, min(b.retry.Initial, 50*time.Millisecond)) {
			return false
		}
	}
	if !b.objects.sink.taking(ctx) {
		return false
	}
	select {
	case b.room <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}
