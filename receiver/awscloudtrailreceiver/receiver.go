package awscloudtrailreceiver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/otelcol-custody/custody/internal/contents"
	"github.com/otelcol-custody/custody/internal/eventlog"
	"github.com/otelcol-custody/custody/receiver/awscloudtrailreceiver/internal/metadata"
)

// A source is where log files come from. Shutdown waits for what Start began.
type source interface {
	Start()
	Shutdown(ctx context.Context) error
}

// defaultRetry paces attempts after a refused delivery or an unreadable file.
var defaultRetry = contents.Backoff{Initial: 100 * time.Millisecond, Max: 15 * time.Second}

// A cloudTrail is the receiver: sources, whose events go into one sink.
type cloudTrail struct {
	cfg       *Config
	set       receiver.Settings
	telemetry *metadata.TelemetryBuilder
	health    *health
	sink      *sink
	retry     contents.Backoff
	limits    eventlog.Limits

	positions storage.Client // set by Start
	sources   []source       // set by Start
}

func newReceiver(cfg *Config, set receiver.Settings, next consumer.Logs) (*cloudTrail, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, fmt.Errorf("create metrics: %w", err)
	}
	r := &cloudTrail{cfg: cfg, set: set, telemetry: telemetry, health: &health{}, retry: defaultRetry, limits: batchLimits}
	r.sink, err = newSink(set, next, telemetry, r.health)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Start opens the positions and begins to read.
func (r *cloudTrail) Start(ctx context.Context, host component.Host) error {
	r.health.host = host
	positions, err := openPositions(ctx, host, *r.cfg.Storage, r.set.ID)
	if err != nil {
		return err
	}
	r.positions = positions
	r.sink.retry = r.retry
	if r.sources, err = r.newSources(ctx); err != nil {
		return err
	}
	for _, s := range r.sources {
		s.Start()
	}
	return nil
}

// newSources returns what the configuration names. Nothing runs yet.
func (r *cloudTrail) newSources(ctx context.Context) ([]source, error) {
	if r.cfg.Directory.HasValue() {
		return []source{newDirectory(r.cfg.Directory.Get(), r)}, nil
	}
	a, err := r.newAWS(ctx)
	if err != nil {
		return nil, err
	}
	var list []source
	if a.objects.proofs != nil {
		list = append(list, a.objects.proofs)
	}
	if r.cfg.SQS.HasValue() {
		q, err := a.newQueue(r.cfg.SQS.Get())
		if err != nil {
			return nil, err
		}
		list = append(list, q)
	}
	if r.cfg.Bucket.HasValue() {
		b, err := a.newBucket(r.cfg.Bucket.Get())
		if err != nil {
			return nil, err
		}
		list = append(list, b)
	}
	if r.cfg.Lookup.HasValue() {
		l, err := a.newLookup(r.cfg.Lookup.Get())
		if err != nil {
			return nil, err
		}
		list = append(list, l)
	}
	return list, nil
}

// newDeliverer returns what delivers the contents of one source, whose paths begin with
// scheme.
func (r *cloudTrail) newDeliverer(scheme string, about ...zap.Field) *deliverer {
	return &deliverer{
		sink:      r.sink,
		telemetry: r.telemetry,
		log:       r.set.Logger.With(about...),
		newBatch:  func() *eventlog.Batch { return eventlog.NewBatch(r.set.ID.String(), r.limits) },
		scheme:    scheme,
		own:       newExclusion(r.cfg.ExcludePrincipals),
	}
}

// Shutdown stops reading, waits for the delivery under way, and closes the positions.
func (r *cloudTrail) Shutdown(ctx context.Context) error {
	var errs []error
	for _, s := range r.sources {
		errs = append(errs, s.Shutdown(ctx))
	}
	if r.positions != nil {
		errs = append(errs, r.positions.Close(ctx))
	}
	r.telemetry.Shutdown()
	return errors.Join(errs...)
}

func openPositions(ctx context.Context, host component.Host, id, receiver component.ID) (storage.Client, error) {
	ext, ok := host.GetExtensions()[id]
	if !ok {
		return nil, fmt.Errorf("storage: there is no extension %q; configure it below `extensions` and list it in `service::extensions`", id)
	}
	store, ok := ext.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("storage: the extension %q stores nothing; name a storage extension such as file_storage", id)
	}
	client, err := store.GetClient(ctx, component.KindReceiver, receiver, "")
	if err != nil {
		return nil, fmt.Errorf("storage: open %q: %w", id, err)
	}
	return client, nil
}
