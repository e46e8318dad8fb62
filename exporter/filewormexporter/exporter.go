package filewormexporter

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/otelcol-custody/custody/internal/wormexport"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/dirstore"
)

// fileExporter adds to the shared exporter what only a directory has.
type fileExporter struct {
	*wormexport.Exporter
	logger *zap.Logger
	store  atomic.Pointer[dirstore.Store]
	warned atomic.Bool
}

// newExporter reads the keys, so that `validate` finds a wrong one. The
// directory is opened at start.
func newExporter(set exporter.Settings, cfg *Config) (*fileExporter, error) {
	keys, err := wormexport.ReadKeys(cfg.Delivery.LogKeys)
	if err != nil {
		return nil, err
	}
	dir := cfg.store()
	e := &fileExporter{logger: set.Logger}
	e.Exporter, err = wormexport.New(wormexport.Settings{
		Telemetry: set.TelemetrySettings,
		ID:        dir.ID(),
		Keys:      keys,
		Timeout:   cfg.Delivery.Timeout,
		Workers:   cfg.Delivery.Workers,
		Open: func(ctx context.Context) (store.Store, error) {
			s, err := dir.Open(ctx, false)
			if err != nil {
				return nil, definite(err)
			}
			e.opened(s.(*dirstore.Store))
			return s, nil
		},
	})
	return e, err
}

// definite marks what time does not mend: the path names a file, or the user may
// not write there.
func definite(err error) error {
	if errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrFull) || errors.Is(err, store.ErrNotFound) {
		return err
	}
	return fmt.Errorf("%w: %w", store.ErrUnfit, err)
}

func (e *fileExporter) opened(s *dirstore.Store) {
	e.store.Store(s)
	if status := s.Status(); status.Active {
		e.logger.Info("stored files are made immutable", zap.String("store", s.ID()))
	} else {
		e.logger.Info("stored files are read-only but not immutable", zap.String("store", s.ID()), zap.String("reason", status.Reason))
	}
}

// Start opens the directory; see [wormexport.Exporter.Start].
func (e *fileExporter) Start(ctx context.Context, host component.Host) error {
	if err := e.Exporter.Start(ctx, host); err != nil {
		return fmt.Errorf("path: %w", err)
	}
	return nil
}

// ConsumeLogs is [wormexport.Exporter.ConsumeLogs], and says once when a file
// could not be made immutable although it seemed possible.
func (e *fileExporter) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	err := e.Exporter.ConsumeLogs(ctx, ld)
	if s := e.store.Load(); s != nil {
		if status := s.Status(); status.Active && status.Plain > 0 && !e.warned.Swap(true) {
			e.logger.Warn("a stored file could not be made immutable", zap.String("store", s.ID()), zap.String("reason", status.Reason))
		}
	}
	return err
}
