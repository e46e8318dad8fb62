package integrityextension

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"

	"github.com/otelcol-custody/custody/internal/integrity/api"
)

// listen opens the API's listener, so that an address in use refuses the start.
func (j *judge) listen(ctx context.Context, host component.Host, logs api.Logs) error {
	handler, err := api.New(api.Config{
		Logs: logs, Status: j.guard, Findings: j.book, Heads: j.remembered, Records: j.cfg.ServeRecords,
		Failed: func(path string, err error) {
			j.set.Logger.Warn("a question could not be answered", zap.String("path", path), zap.Error(err))
		},
	})
	if err != nil {
		return fmt.Errorf("http: %w", err)
	}
	own := *j.cfg.HTTP.Get() // ToServer fills in what is not set.
	if j.server, err = own.ToServer(ctx, host.GetExtensions(), j.set.TelemetrySettings, handler); err != nil {
		return fmt.Errorf("http: %w", err)
	}
	listener, err := own.ToListener(ctx)
	if err != nil {
		return fmt.Errorf("http::endpoint: %w", err)
	}
	j.warnReaders(listener.Addr())
	j.work.Go(func() error {
		j.serve(listener)
		return nil
	})
	return nil
}

// serve serves until the server is shut down.
func (j *judge) serve(listener net.Listener) {
	j.set.Logger.Info("serving heads, findings and proofs", zap.Stringer("address", listener.Addr()))
	if err := j.server.Serve(listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
		j.health.works(partAPI, fmt.Errorf("http: nobody is answered until the next start: %w", err))
	}
}

// Dependencies implements extensioncapabilities.Dependent: who authenticates has
// to be started before.
func (j *judge) Dependencies() []component.ID {
	var ids []component.ID
	for _, a := range j.cfg.authenticators() {
		ids = append(ids, a.id)
	}
	return ids
}
