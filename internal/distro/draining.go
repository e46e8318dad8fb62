package distro

import (
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/processor/hashchainprocessor"
)

// draining is a run of the collector that ends a log.
type draining struct {
	target  *target
	timeout time.Duration
	quiet   bool
	out     io.Writer
	notes   zapcore.WriteSyncer

	done    context.CancelFunc // of the run
	ending  delivery.Ending
	waiting atomic.Pointer[delivery.Waiting] // nil: the log was not opened
	shown   time.Time

	mu    sync.Mutex
	asked bool  // the log was asked to end, and has answered
	err   error // what it answered
}

// run starts the collector with what lies behind the log's hash_chain, and stops
// it when the log has ended.
func (d *draining) run(ctx context.Context, l *logCommands) error {
	if d.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.timeout)
		defer cancel()
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	d.done, d.shown = cancel, time.Now()
	d.ending.Progress = d.progress

	watch := &fatalWatch{end: cancel, deadline: newDeadline()}
	watch.deadline.exit = func(int) { os.Exit(exitUnfinished) }
	defer watch.deadline.listen(running)()
	set := settings(watch.haltable(d.factories(ctx, l.factories)), resolveVersion(l.version), zap.WrapCore(func(zapcore.Core) zapcore.Core {
		return watch.wrap(d.core())
	}))
	set.DisableGracefulShutdown = true // Signals end ctx, and with it the ending.
	set.ConfigProviderSettings = resolver(d.target.uris)
	set.ConfigProviderSettings.ResolverSettings.ConverterFactories = append(converters(),
		confmap.NewConverterFactory(func(confmap.ConverterSettings) confmap.Converter { return d.target }))
	collector, err := otelcol.NewCollector(set)
	if err != nil {
		return err
	}
	err = withHint(collector.Run(running))
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil && !d.asked {
		err = errors.New("the collector stopped before the log had ended")
	}
	return errors.Join(d.err, err)
}

// core logs for a person what stands in the way. What an exporter advises, a queue
// for instance, is not for this.
func (d *draining) core() zapcore.Core {
	if d.quiet {
		return zapcore.NewNopCore()
	}
	return plainCore{out: d.notes, least: zapcore.WarnLevel, own: true}
}

func (d *draining) progress(w delivery.Waiting) {
	d.waiting.Store(&w)
	if d.quiet || time.Since(d.shown) < progressEvery {
		return
	}
	d.shown = time.Now()
	(&text{notes: d.notes}).warn("%s", sentence(w))
}

// factories are those of the collector, with the receiver that ends the log in
// place of all others, and hash_chain told what it is opened for.
func (d *draining) factories(ctx context.Context, all func() (otelcol.Factories, error)) func() (otelcol.Factories, error) {
	create := func(_ context.Context, _ receiver.Settings, _ component.Config, next consumer.Logs) (receiver.Logs, error) {
		return &ender{d: d, until: ctx, next: next}, nil
	}
	private := receiver.NewFactory(drainType, func() component.Config { return &struct{}{} },
		receiver.WithLogs(create, component.StabilityLevelStable))
	return func() (otelcol.Factories, error) {
		f, err := all()
		f.Receivers = map[component.Type]receiver.Factory{drainType: private}
		f.Processors = maps.Clone(f.Processors)
		typ := d.target.id.Type()
		f.Processors[typ] = drainedFactory{f.Processors[typ], d.target.id}
		return f, err
	}
}

// drainedFactory opens one hash_chain to be ended.
type drainedFactory struct {
	processor.Factory
	id component.ID
}

func (f drainedFactory) CreateLogs(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Logs) (processor.Logs, error) {
	if c, ok := cfg.(*hashchainprocessor.Config); ok && set.ID == f.id {
		drained := *c
		drained.Drain = true
		cfg = &drained
	}
	return f.Factory.CreateLogs(ctx, set, cfg, next)
}

// ender is the receiver in front of the hash_chain: all that it sends is the word
// to end.
type ender struct {
	d     *draining
	until context.Context
	next  consumer.Logs

	cancel context.CancelFunc
	work   sync.WaitGroup
}

// Start implements component.Component.
func (e *ender) Start(context.Context, component.Host) error {
	ctx, cancel := context.WithCancel(e.until)
	e.cancel = cancel
	e.work.Go(func() {
		err := e.next.ConsumeLogs(delivery.WithEnding(ctx, &e.d.ending), plog.NewLogs())
		e.d.mu.Lock()
		defer e.d.mu.Unlock()
		e.d.asked, e.d.err = true, err
		if ctx.Err() == nil || e.until.Err() != nil {
			e.d.done() // Else the collector stops or reloads by itself.
		}
	})
	return nil
}

// Shutdown implements component.Component.
func (e *ender) Shutdown(context.Context) error {
	if e.cancel != nil {
		e.cancel()
	}
	e.work.Wait()
	return nil
}
