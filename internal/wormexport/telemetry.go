package wormexport

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/wormexport/internal/metadata"
	"github.com/otelcol-custody/custody/store"
)

// What is found in a store and should not be there: values of the metric
// worm_notices.
const (
	noticeSquatter = "squatter" // bytes that are not a seal at a seal's name
	noticeShadow   = "shadow"   // a later version hides a genuine object
	noticeTile     = "tile"     // a tile that is not the log's
)

var noticeTexts = map[string]string{
	noticeSquatter: "what is not a validly signed seal lies at the name of a seal: somebody else writes to the store. The seal goes beside it; readers find it",
	noticeShadow:   "a later version or a delete marker hides a genuine object: somebody else writes to the store. Readers find the genuine one below it",
	noticeTile:     "a stored tile is not the log's: somebody else writes to the store. Readers compute tiles themselves; nothing is lost",
}

type telemetry struct {
	*metadata.TelemetryBuilder
	store attribute.KeyValue
	one   metric.MeasurementOption // with the store alone
}

func newTelemetry(set component.TelemetrySettings, store string) (*telemetry, error) {
	b, err := metadata.NewTelemetryBuilder(set)
	if err != nil {
		return nil, err
	}
	kv := attribute.String("store", store)
	return &telemetry{b, kv, metric.WithAttributeSet(attribute.NewSet(kv))}, nil
}

func (t *telemetry) with(key, value string) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(t.store, attribute.String(key, value)))
}

func (t *telemetry) object(ctx context.Context, kind Kind, size int, took time.Duration) {
	opt := t.with("kind", string(kind))
	t.WormObjects.Add(ctx, 1, opt)
	t.WormBytes.Add(ctx, int64(size), opt)
	t.WormPutDuration.Record(ctx, took.Seconds(), opt)
}

func (t *telemetry) stored(ctx context.Context, sinceClosed time.Duration) {
	t.WormSegments.Add(ctx, 1, t.one)
	t.WormSealToStored.Record(ctx, sinceClosed.Seconds(), t.one)
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
