package distro

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/receiver"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-custody/custody/receiver/awscloudtrailreceiver"
)

// errUndelivered means that all is sealed and that the stores do not have all of it.
var errUndelivered = errors.New("all is read and sealed, but not delivered")

// backfilling is a run of the collector that reads a bucket once.
type backfilling struct {
	target   *target
	receiver component.ID
	config   *awscloudtrailreceiver.Config // of the receiver
	timeout  time.Duration
	quiet    bool
	out      io.Writer
	notes    zapcore.WriteSyncer
	bar      *backfillBar

	metrics *sdkmetric.ManualReader // of the hash_chain
	looked  chan struct{}           // closed when the look is over

	mu  sync.Mutex
	now awscloudtrailreceiver.BucketProgress
}

// run starts the collector with the receiver as its only source, and stops it when all
// that the bucket has is sealed and stored.
func (b *backfilling) run(ctx context.Context, l *logCommands) error {
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	b.metrics, b.looked = sdkmetric.NewManualReader(), make(chan struct{})

	watch := &fatalWatch{end: cancel, deadline: newDeadline()}
	watch.deadline.exit = func(int) { os.Exit(exitUnfinished) }
	defer watch.deadline.listen(running)()
	set := settings(watch.haltable(b.factories(l.factories)), resolveVersion(l.version), zap.WrapCore(func(zapcore.Core) zapcore.Core {
		return watch.wrap(b.core())
	}))
	set.DisableGracefulShutdown = true // Signals end ctx.
	set.ConfigProviderSettings = resolver(b.target.uris)
	set.ConfigProviderSettings.ResolverSettings.ConverterFactories = append(converters(),
		confmap.NewConverterFactory(func(confmap.ConverterSettings) confmap.Converter { return b }))
	collector, err := otelcol.NewCollector(set)
	if err != nil {
		return err
	}
	var late error
	var waiting sync.WaitGroup
	waiting.Go(func() {
		late = b.await(ctx, running)
		cancel()
	})
	err = withHint(collector.Run(running))
	if watch.seen.Load() {
		err = errors.Join(err, ErrFatal)
	}
	cancel()
	waiting.Wait()
	b.bar.clear()
	return b.outcome(err, late)
}

// await waits until the bucket is read and the stores have every segment that is closed.
// The last one is closed, and delivered, when the collector stops.
func (b *backfilling) await(ctx, running context.Context) error {
	select {
	case <-b.looked:
	case <-running.Done():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
	var timeout <-chan time.Time
	if b.timeout > 0 {
		timeout = time.After(b.timeout)
	}
	poll := time.NewTicker(100 * time.Millisecond)
	defer poll.Stop()
	for {
		n := b.unstored()
		if n == 0 {
			return nil
		}
		b.bar.waiting(n)
		select {
		case <-poll.C:
		case <-timeout:
			return nil
		case <-running.Done():
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// outcome is nil if all is read, sealed and stored.
func (b *backfilling) outcome(ran, late error) error {
	p := b.last()
	switch {
	case ran != nil:
		return ran
	case late != nil && !p.Over:
		return late
	case !p.Over:
		return errors.New("the collector stopped before all was read; the last error above names the component and the reason")
	case p.Err != nil:
		return fmt.Errorf("not everything could be read: %w", p.Err)
	}
	if n := b.unstored(); n > 0 {
		return b.undelivered(n)
	}
	return nil
}

// core logs for a person what stands in the way.
func (b *backfilling) core() zapcore.Core {
	if b.quiet {
		return zapcore.NewNopCore()
	}
	return plainCore{out: b.notes, least: zapcore.WarnLevel, own: true}
}

// progress is told by the receiver. What it says after the first look is over belongs to
// another one, which is not waited for.
func (b *backfilling) progress(p awscloudtrailreceiver.BucketProgress) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.now.Over {
		return
	}
	b.now = p
	if p.Over {
		close(b.looked)
		return
	}
	b.bar.show(p)
}

func (b *backfilling) last() awscloudtrailreceiver.BucketProgress {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

// unstoredMetric is how hash_chain says how many segments the stores have not confirmed.
const unstoredMetric = "otelcol_hash_chain_unstored_segments"

// unstored is what the log's hash_chain said last; 0 before it has started.
func (b *backfilling) unstored() int64 {
	var all metricdata.ResourceMetrics
	if err := b.metrics.Collect(context.Background(), &all); err != nil {
		return 0
	}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			if g, ok := m.Data.(metricdata.Gauge[int64]); ok && m.Name == unstoredMetric && len(g.DataPoints) == 1 {
				return g.DataPoints[0].Value
			}
		}
	}
	return 0
}

// factories are those of the collector, with the receiver told what to read, and the
// log's hash_chain measured.
func (b *backfilling) factories(all func() (otelcol.Factories, error)) func() (otelcol.Factories, error) {
	return func() (otelcol.Factories, error) {
		f, err := all()
		f.Receivers, f.Processors = maps.Clone(f.Receivers), maps.Clone(f.Processors)
		from, to := b.receiver.Type(), b.target.id.Type()
		f.Receivers[from] = backfillReceiver{f.Receivers[from], b}
		f.Processors[to] = measuredChain{f.Processors[to], b}
		return f, err
	}
}

type backfillReceiver struct {
	receiver.Factory
	b *backfilling
}

func (f backfillReceiver) CreateLogs(ctx context.Context, set receiver.Settings, _ component.Config, next consumer.Logs) (receiver.Logs, error) {
	return f.Factory.CreateLogs(ctx, set, f.b.config, next)
}

type measuredChain struct {
	processor.Factory
	b *backfilling
}

func (f measuredChain) CreateLogs(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Logs) (processor.Logs, error) {
	if set.ID == f.b.target.id {
		set.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(f.b.metrics))
	}
	return f.Factory.CreateLogs(ctx, set, cfg, next)
}
