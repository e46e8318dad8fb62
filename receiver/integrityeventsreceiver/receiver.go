package integrityeventsreceiver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/otelcol-custody/custody/internal/contents"
	"github.com/otelcol-custody/custody/internal/eventlog"
	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/receiver/integrityeventsreceiver/internal/metadata"
)

// keeper is what the integrity extension offers. The book is open from the
// extension's start, which comes before a receiver's, to its shutdown, behind it.
type keeper interface{ Incidents() *incident.Book }

// most is how many events are sent at once, evidence included below the 4 MiB
// that OTLP over gRPC accepts by default.
const most = 8

// pace is that of attempts after a refusal.
var pace = contents.Backoff{Initial: 100 * time.Millisecond, Max: 15 * time.Second}

// A reporter is the receiver.
type reporter struct {
	cfg  *Config
	set  receiver.Settings
	next consumer.Logs
	obs  *receiverhelper.ObsReport

	host    component.Host // set by Start
	stop    context.CancelFunc
	done    chan struct{}
	refused bool // run's: the last attempt failed
}

func newReceiver(cfg *Config, set receiver.Settings, next consumer.Logs) (*reporter, error) {
	obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{ReceiverID: set.ID, Transport: "internal", ReceiverCreateSettings: set})
	if err != nil {
		return nil, fmt.Errorf("create metrics: %w", err)
	}
	return &reporter{cfg: cfg, set: set, next: next, obs: obs}, nil
}

// Start finds the extension and begins behind what was taken before.
func (r *reporter) Start(ctx context.Context, host component.Host) error {
	ext, ok := host.GetExtensions()[r.cfg.Extension]
	if !ok {
		return missing(r.cfg.Extension)
	}
	k, ok := ext.(keeper)
	if !ok {
		return fmt.Errorf("extension: %q finds nothing; name an integrity extension", r.cfg.Extension)
	}
	r.host, r.done = host, make(chan struct{})
	ctx, r.stop = context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(r.done)
		r.run(ctx, k.Incidents())
	}()
	return nil
}

// Shutdown waits for the delivery under way. What was not taken comes after the
// next start.
func (r *reporter) Shutdown(ctx context.Context) error {
	if r.stop == nil {
		return nil
	}
	r.stop()
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run hands events on, in order, each until it was taken.
func (r *reporter) run(ctx context.Context, book *incident.Book) {
	wake, unfollow := book.Follow()
	defer unfollow()
	name := r.set.ID.String()
	for after := book.Cursor(name); ; {
		events := book.Events(after, most)
		if len(events) == 0 {
			select {
			case <-wake:
				continue
			case <-ctx.Done():
				return
			}
		}
		after = events[len(events)-1].Seq
		if !r.until(ctx, func() error { return r.send(ctx, events) }) {
			return
		}
		// From here on these events are not sent again. A failing disk holds the next
		// ones back, or a restart would repeat ever more.
		if !r.until(ctx, func() error { return book.Advance(name, after) }) {
			return
		}
	}
}

// until does something until it succeeds, and says whether it did before ctx
// ended. An error that the pipeline calls permanent is one like others: the
// record is safe nowhere else.
func (r *reporter) until(ctx context.Context, do func() error) bool {
	for failed := 1; ctx.Err() == nil; failed++ {
		err := do()
		r.report(err)
		if err == nil {
			return true
		}
		if !pace.Wait(ctx, failed) {
			return false
		}
	}
	return false
}

// send returns nil once the pipeline has taken the events.
func (r *reporter) send(ctx context.Context, events []incident.Event) error {
	batch := eventlog.NewBatch(r.set.ID.String(), eventlog.Limits{Records: most})
	for _, e := range events {
		rec, err := record(r.cfg.Extension, e)
		if err != nil {
			return err
		}
		batch.Add(rec, eventlog.Origin{Source: fmt.Sprintf("integrity://%s/%d", r.cfg.Extension, e.Seq), Observed: time.Now()})
	}
	call, cancel := contents.Outlast(ctx)
	defer cancel()
	call = r.obs.StartLogsOp(call)
	err := r.next.ConsumeLogs(call, batch.Take())
	r.obs.EndLogsOp(call, metadata.Type.String(), len(events), err)
	return err
}

// report says when findings begin and cease to wait.
func (r *reporter) report(err error) {
	if (err != nil) == r.refused || errors.Is(err, context.Canceled) {
		return
	}
	r.refused = err != nil
	if err == nil {
		r.set.Logger.Info("findings are taken again")
		componentstatus.ReportStatus(r.host, componentstatus.NewEvent(componentstatus.StatusOK))
		return
	}
	r.set.Logger.Warn("findings wait; it is tried again until they are taken", zap.Error(err))
	componentstatus.ReportStatus(r.host, componentstatus.NewRecoverableErrorEvent(fmt.Errorf("findings wait: %w", err)))
}
