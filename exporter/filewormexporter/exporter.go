package filewormexporter

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/otelcol-custody/custody/internal/wormexport"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/dirstore"
)

// maxKeyFile is far more than a file of keys needs.
const maxKeyFile = 1 << 20

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
	keys, err := readKeys(cfg.LogKeys)
	if err != nil {
		return nil, err
	}
	root, err := filepath.Abs(cfg.Path)
	if err != nil {
		return nil, fmt.Errorf("path: %w", err)
	}
	immutable, err := dirstore.ParseImmutable(cfg.Immutable)
	if err != nil {
		return nil, fmt.Errorf("immutable: %w", err)
	}
	e := &fileExporter{logger: set.Logger}
	e.Exporter, err = wormexport.New(wormexport.Settings{
		Telemetry: set.TelemetrySettings,
		ID:        (&url.URL{Scheme: "file", Path: filepath.ToSlash(root)}).String(),
		Keys:      keys,
		Timeout:   cfg.Timeout,
		Open: func(context.Context) (store.Store, error) {
			s, err := dirstore.Open(root, dirstore.Options{Immutable: immutable})
			if err != nil {
				return nil, err
			}
			e.opened(s)
			return s, nil
		},
	})
	return e, err
}

// readKeys reads all files of keys and reports each fault. A key may be in
// several files.
func readKeys(files []string) (*checkpoint.Keys, error) {
	var lines []string
	var errs []error
	for i, file := range files {
		b, err := readKeyFile(file)
		if err != nil {
			errs = append(errs, fmt.Errorf("log_keys[%d]: %w", i, err))
			continue
		}
		for line := range strings.Lines(string(b)) {
			if line = strings.TrimSpace(line); !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	keys, err := checkpoint.ParseKeys(strings.Join(lines, "\n"))
	if err != nil {
		return nil, fmt.Errorf("log_keys: %w", err)
	}
	return keys, nil
}

func readKeyFile(file string) ([]byte, error) {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: it is written beside the private key by `custody keygen`", err)
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || info.Size() > maxKeyFile:
		return nil, fmt.Errorf("%s is not a file of keys", file)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if _, err := checkpoint.ParseKeys(string(b)); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return b, nil
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
