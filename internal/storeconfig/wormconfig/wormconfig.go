// Package wormconfig makes a WORM exporter of a store's configuration and of
// the settings that all WORM exporters have.
package wormconfig

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.uber.org/zap"

	"github.com/otelcol-custody/custody/internal/storeconfig"
	"github.com/otelcol-custody/custody/internal/wormexport"
	"github.com/otelcol-custody/custody/store"
)

// Limits of the timeout: below, hardly any answer comes in time; above, one
// store that is away holds up the others in the same fan-out.
const (
	minTimeout = 10 * time.Millisecond
	maxTimeout = time.Minute
)

// maxWorkers limits memory; see [wormexport.DefaultWorkers].
const maxWorkers = 64

// Delivery is what every WORM exporter has beside its store.
type Delivery struct {
	// LogKeys are files with the verifier keys of the logs that are stored.
	LogKeys []string `mapstructure:"log_keys"`
	// Timeout limits how long a delivery waits before it is told to ask again.
	Timeout time.Duration `mapstructure:"timeout"`
	// Workers is how many segments are in hand at once.
	Workers int `mapstructure:"workers"`
}

// DefaultDelivery returns the defaults.
func DefaultDelivery() Delivery {
	return Delivery{Timeout: wormexport.DefaultTimeout, Workers: wormexport.DefaultWorkers}
}

// Validate reports every fault of an exporter's configuration at once, the
// store's first. It touches nothing.
func Validate(s storeconfig.Store, d Delivery) error {
	errs := []error{s.Validate()}
	if len(d.LogKeys) == 0 {
		errs = append(errs, errors.New("log_keys: required: files with the public keys (.pub) of the logs to store"))
	}
	for i, file := range d.LogKeys {
		if file == "" {
			errs = append(errs, fmt.Errorf("log_keys[%d]: must name a file", i))
		}
	}
	if d.Timeout < minTimeout || d.Timeout > maxTimeout {
		errs = append(errs, fmt.Errorf("timeout: must be between %v and %v, got %v", minTimeout, maxTimeout, d.Timeout))
	}
	if d.Workers < 1 || d.Workers > maxWorkers {
		errs = append(errs, fmt.Errorf("workers: must be 1 to %d, got %d", maxWorkers, d.Workers))
	}
	return errors.Join(errs...)
}

// A Config is a WORM exporter's configuration: its store's and [Delivery].
type Config interface {
	Parts() (storeconfig.Store, Delivery)
}

// NewFactory returns the factory of a WORM exporter that adds nothing to the
// shared one.
//
// The exporters are not built with exporterhelper: its queue answers before
// anything is stored, its retries end and then drop, and its timeout would end
// what goes on in the background here. hash_chain keeps each segment until the
// receipt and sends it again for ever.
func NewFactory(typ component.Type, level component.StabilityLevel, defaults func() Config) exporter.Factory {
	create := func(_ context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
		s, d := cfg.(Config).Parts()
		return newExporter(set, s, d)
	}
	return exporter.NewFactory(typ, func() component.Config { return defaults() }, exporter.WithLogs(create, level))
}

// newExporter reads the keys, so that the command validate finds a wrong one; the
// store is opened at start.
func newExporter(set exporter.Settings, s storeconfig.Store, d Delivery) (*wormexport.Exporter, error) {
	keys, err := wormexport.ReadKeys(d.LogKeys)
	if err != nil {
		return nil, err
	}
	return wormexport.New(wormexport.Settings{
		Telemetry: set.TelemetrySettings,
		ID:        s.ID(),
		Keys:      keys,
		Timeout:   d.Timeout,
		Workers:   d.Workers,
		Retention: wormexport.RetentionPolicy(s.Policy()),
		Open:      func(ctx context.Context) (store.Store, error) { return open(ctx, s, set.Logger) },
	})
}

// open opens the store and logs what it is, and what is given up there.
func open(ctx context.Context, s storeconfig.Store, logger *zap.Logger) (store.Store, error) {
	st, err := s.Open(ctx, false)
	if err != nil {
		return nil, err
	}
	logger = logger.With(zap.String("store", st.ID()))
	lockable, ok := st.(lockable)
	p := s.Policy()
	logger.Info("store opened", zap.Bool("can_lock", ok), zap.Stringer("mode", p.Mode), zap.Duration("for", p.For),
		zap.Bool("legal_hold", p.LegalHold), zap.Bool("require_lock", p.RequireLock))
	for _, w := range s.Weaker() {
		logger.Warn(w)
	}
	if !ok {
		return st, nil
	}
	return watched{lockable, logger}, nil
}

// lockable is what a cloud's store has.
type lockable interface {
	store.Versioned
	store.Retainer
}

// watched is a store that logs what it was found to be able to.
type watched struct {
	lockable
	logger *zap.Logger
}

func (w watched) CheckLock(ctx context.Context, mode store.Mode) (store.Default, error) {
	def, err := w.lockable.CheckLock(ctx, mode)
	if err == nil && max(mode, def.Mode) != store.ModeNone {
		w.logger.Info("store locks", zap.Stringer("mode", mode), zap.Stringer("default_mode", def.Mode), zap.Duration("default_for", def.For))
	}
	return def, err
}
