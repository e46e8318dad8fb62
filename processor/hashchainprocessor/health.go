package hashchainprocessor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/sealer"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/processor/hashchainprocessor/internal/metadata"
)

// health tells operators what the sealer tells it: component status, log and
// metrics. It implements sealer.Observer.
type health struct {
	host      component.Host
	log       *zap.Logger
	telemetry *metadata.TelemetryBuilder
	name      string // of the log

	mu       sync.Mutex
	troubles map[string]trouble
}

// trouble is a fault that is being retried.
type trouble struct {
	err    error
	logged time.Time
}

// repeat is how often a lasting trouble is logged again.
const repeat = time.Minute

// Sealed implements sealer.Observer.
func (h *health) Sealed(v *seal.Verified, _ int64) {
	ctx := context.Background()
	h.telemetry.HashChainSealedSegments.Add(ctx, 1)
	h.telemetry.HashChainSealedBytes.Add(ctx, v.Size)
	h.telemetry.HashChainSealDuration.Record(ctx, max(0, time.Since(v.Closed().At).Seconds()))
	h.telemetry.HashChainSize.Record(ctx, int64(v.End()))
	if v.Count == 1 {
		h.log.Debug("heartbeat sealed", zap.String("log", v.Log), zap.Uint64("record", v.First))
		return
	}
	// The last record is the log's own closing one.
	h.log.Info(fmt.Sprintf("sealed %d records (%d to %d) of log %s, %d KiB compressed", v.Count-1, v.First, v.End()-2, v.Log, (v.Size+1023)>>10),
		zap.String("because", string(v.Closed().Reason)))
}

// Waiting implements sealer.Observer.
func (h *health) Waiting(segments int) {
	h.telemetry.HashChainUnstoredSegments.Record(context.Background(), int64(segments))
}

// Stored implements sealer.Observer.
func (h *health) Stored(s *seal.Head, stores int, since time.Duration) {
	ctx := context.Background()
	h.telemetry.HashChainStoredDuration.Record(ctx, since.Seconds())
	h.log.Debug("segment stored", zap.Uint64("first", s.First), zap.Int("stores", stores))
}

// Trouble implements sealer.Observer.
func (h *health) Trouble(what string, err error) {
	h.telemetry.HashChainTroubles.Add(context.Background(), 1, metric.WithAttributes(attribute.String("what", what)))
	h.mu.Lock()
	defer h.mu.Unlock()
	t, known := h.troubles[what]
	if !known || time.Since(t.logged) >= repeat {
		h.log.Error("retrying: "+what, zap.String("log", h.name), zap.Error(err))
		t.logged = time.Now()
	}
	t.err = err
	h.troubles[what] = t
	if !known {
		h.report() // Once: each report begins the health check's recovery_duration anew.
	}
}

// Better implements sealer.Observer.
func (h *health) Better(what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, known := h.troubles[what]; !known {
		return
	}
	delete(h.troubles, what)
	h.log.Info("works again: "+what, zap.String("log", h.name))
	h.report()
}

// report tells the collector's health; the caller holds mu.
func (h *health) report() {
	if len(h.troubles) == 0 {
		componentstatus.ReportStatus(h.host, componentstatus.NewEvent(componentstatus.StatusOK))
		return
	}
	var errs []error
	for what, t := range h.troubles {
		errs = append(errs, fmt.Errorf("%s: %w", what, t.err))
	}
	componentstatus.ReportStatus(h.host, componentstatus.NewRecoverableErrorEvent(errors.Join(errs...)))
}

// Fatal implements sealer.Observer.
func (h *health) Fatal(err error) {
	if fork := (*delivery.ForkError)(nil); errors.As(err, &fork) {
		h.telemetry.HashChainForks.Add(context.Background(), 1)
	}
	err = fmt.Errorf("log %s cannot be continued by this collector and nothing more is sealed: %w", h.name, err)
	h.log.Error("sealing stopped for good", zap.Error(err))
	componentstatus.ReportStatus(h.host, componentstatus.NewFatalErrorEvent(err))
}

// Synced implements sealer.Observer.
func (h *health) Synced(took time.Duration) {
	h.telemetry.HashChainSyncDuration.Record(context.Background(), took.Seconds())
}

// watch has the backlog observed whenever metrics are read, also while nothing
// happens.
func (h *health) watch(backlog func() sealer.Backlog) error {
	return errors.Join(
		h.telemetry.RegisterHashChainBacklogBytesCallback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(backlog().Bytes)
			return nil
		}),
		h.telemetry.RegisterHashChainBacklogLimitCallback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(backlog().Limit)
			return nil
		}),
		h.telemetry.RegisterHashChainOldestUnstoredCallback(func(_ context.Context, o metric.Float64Observer) error {
			o.Observe(backlog().Oldest.Seconds())
			return nil
		}),
	)
}

// Notice implements sealer.Observer.
func (h *health) Notice(text string) { h.log.Warn(text, zap.String("log", h.name)) }
