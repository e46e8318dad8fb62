package distro

import (
	"context"
	"maps"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/processor"
)

// haltable lets processors of logs end the collector at any time.
//
// A fatal status does so only while the collector's loop listens. One that comes
// while it starts, reloads or stops holds a lock that these wait for, and the
// process hangs, deaf to SIGTERM; and a fork is found just then. So the host is
// told a permanent error, which turns health bad, and the watch ends the run.
func (w *fatalWatch) haltable(factories func() (otelcol.Factories, error)) func() (otelcol.Factories, error) {
	return func() (otelcol.Factories, error) {
		f, err := factories()
		f.Processors = maps.Clone(f.Processors)
		for t, p := range f.Processors {
			f.Processors[t] = haltableFactory{p, w}
		}
		return f, err
	}
}

type haltableFactory struct {
	processor.Factory
	watch *fatalWatch
}

func (f haltableFactory) CreateLogs(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Logs) (processor.Logs, error) {
	p, err := f.Factory.CreateLogs(ctx, set, cfg, next)
	if err != nil {
		return nil, err
	}
	return haltableLogs{p, f.watch}, nil
}

type haltableLogs struct {
	processor.Logs
	watch *fatalWatch
}

func (p haltableLogs) Start(ctx context.Context, host component.Host) error {
	err := p.Logs.Start(ctx, haltableHost{host, p.watch})
	if s, ok := p.Logs.(stopper); ok && err == nil {
		p.watch.deadline.add(s)
	}
	return err
}

func (p haltableLogs) Shutdown(ctx context.Context) error {
	if s, ok := p.Logs.(stopper); ok {
		p.watch.deadline.remove(s)
	}
	return p.Logs.Shutdown(ctx)
}

type haltableHost struct {
	component.Host
	watch *fatalWatch
}

// Report implements componentstatus.Reporter.
func (h haltableHost) Report(ev *componentstatus.Event) {
	if ev.Status() == componentstatus.StatusFatalError {
		ev = componentstatus.NewPermanentErrorEvent(ev.Err())
		defer h.watch.halt()
	}
	componentstatus.ReportStatus(h.Host, ev)
}
