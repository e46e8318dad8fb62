package wormexport

import (
	"context"
	"errors"
	"io/fs"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/internal/wormexport/internal/metadata"
	"github.com/otelcol-custody/custody/store"
)

// noticeTile is a stored tile that is not the log's; like [logstore.Kind] it is a
// value of the metric worm_notices.
const noticeTile = "tile"

var noticeTexts = map[string]string{
	string(logstore.Squatter): "what is not a validly signed seal lies at the name of a seal: somebody else writes to the store. The seal goes beside it; readers find it",
	string(logstore.Copy):     "a copy of a seal lies at the name of a seal: somebody else writes to the store. The seal goes beside it; readers find it",
	string(logstore.Shadow):   "a later version hides a genuine object: somebody else writes to the store. Readers find the genuine one below it",
	string(logstore.Marker):   "a delete marker lies on an object of the log: somebody else deletes in the store. Readers find the genuine one below it",
	noticeTile:                "a stored tile is not the log's: somebody else writes to the store. Readers compute tiles themselves; nothing is lost",
}

type telemetry struct {
	*metadata.TelemetryBuilder
	store attribute.KeyValue
	one   metric.MeasurementOption // with the store alone

	locked atomic.Int64 // 1 once the store was found to lock
	until  atomic.Int64 // Unix time of the retention of what was stored last
}

// newTelemetry observes what it is asked for from memory. The metric worm_locked
// is there where a lock is wanted.
func newTelemetry(set component.TelemetrySettings, store string, m *memory, wantsLock bool) (*telemetry, error) {
	b, err := metadata.NewTelemetryBuilder(set)
	if err != nil {
		return nil, err
	}
	kv := attribute.String("store", store)
	t := &telemetry{TelemetryBuilder: b, store: kv, one: metric.WithAttributeSet(attribute.NewSet(kv))}
	err = errors.Join(
		b.RegisterWormBacklogCallback(t.ints(func() int64 { n, _ := m.backlog(); return int64(n) })),
		b.RegisterWormOldestMissingCallback(func(_ context.Context, o metric.Float64Observer) error {
			age := 0.0
			if _, oldest := m.backlog(); !oldest.IsZero() {
				age = max(0, time.Since(oldest).Seconds())
			}
			o.Observe(age, t.one)
			return nil
		}),
		b.RegisterWormRetainedUntilCallback(t.ints(func() int64 { return max(0, t.until.Load()) })),
	)
	if wantsLock {
		err = errors.Join(err, b.RegisterWormLockedCallback(t.ints(t.locked.Load)))
	}
	if err != nil {
		b.Shutdown()
		return nil, err
	}
	return t, nil
}

// ints observes a number.
func (t *telemetry) ints(get func() int64) metric.Int64Callback {
	return func(_ context.Context, o metric.Int64Observer) error {
		o.Observe(get(), t.one)
		return nil
	}
}

func (t *telemetry) with(key, value string) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(t.store, attribute.String(key, value)))
}

func (t *telemetry) object(ctx context.Context, kind Kind, size int, took time.Duration, r store.Retention) {
	if mode := r.Mode.String(); r.LegalHold && r.Mode == store.ModeNone {
		t.WormRetained.Add(ctx, 1, t.with("mode", "hold"))
	} else if !r.IsZero() {
		t.WormRetained.Add(ctx, 1, t.with("mode", mode))
	}
	opt := t.with("kind", string(kind))
	t.WormObjects.Add(ctx, 1, opt)
	t.WormBytes.Add(ctx, int64(size), opt)
	t.WormPutDuration.Record(ctx, took.Seconds(), opt)
}

func (t *telemetry) stored(ctx context.Context, d *sealed) {
	t.WormSegments.Add(ctx, 1, t.one)
	t.WormSealToStored.Record(ctx, time.Since(d.seal.Closed().At).Seconds(), t.one)
	if !d.began.IsZero() {
		t.WormAckToStored.Record(ctx, time.Since(d.began).Seconds(), t.one)
	}
}

func (t *telemetry) duplicate(ctx context.Context)           { t.WormDuplicates.Add(ctx, 1, t.one) }
func (t *telemetry) inHand(ctx context.Context, delta int64) { t.WormInHand.Add(ctx, delta, t.one) }
func (t *telemetry) forked(ctx context.Context)              { t.WormForks.Add(ctx, 1, t.one) }

func (t *telemetry) refused(ctx context.Context, err error) {
	reason := "incomplete"
	if a := (*delivery.AlteredError)(nil); errors.As(err, &a) {
		reason = "altered"
	} else if errors.Is(err, delivery.ErrUnsealed) {
		reason = "unsealed"
	}
	t.WormRefused.Add(ctx, 1, t.with("reason", reason))
}

func (t *telemetry) failed(ctx context.Context, err error) {
	t.WormFailures.Add(ctx, 1, t.with("reason", failure(err)))
}

func failure(err error) string {
	var lags *PredecessorError
	var obstructed *ObstructedError
	switch {
	case errors.Is(err, store.ErrFull):
		return "full"
	case errors.Is(err, store.ErrUnavailable):
		return "unavailable"
	case errors.Is(err, store.ErrDenied):
		return "denied"
	case errors.Is(err, store.ErrUnfit):
		return "unfit"
	case errors.Is(err, store.ErrRetention):
		return "retention"
	case errors.Is(err, fs.ErrPermission):
		return "permission"
	case errors.As(err, &lags):
		return "order"
	case errors.As(err, &obstructed):
		return "obstructed"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "interrupted"
	}
	return "other"
}

// notice reports what should not be in the store and does not stop it.
func (e *Exporter) notice(ctx context.Context, reason, name string) {
	e.telemetry.WormNotices.Add(ctx, 1, e.telemetry.with("reason", reason))
	e.set.Telemetry.Logger.Warn(noticeTexts[reason], zap.String("object", name))
}
