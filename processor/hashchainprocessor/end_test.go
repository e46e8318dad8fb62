package hashchainprocessor

import (
	"context"
	"errors"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/sealer"
	"github.com/otelcol-custody/custody/ledger/segment"
)

// An ending in the context ends the log; nothing else does, and nothing follows.
func TestEndingEndsTheLog(t *testing.T) {
	cfg, sink := setUp(t)
	p := start(t, cfg, sink)
	if err := p.ConsumeLogs(t.Context(), events(0, 7)); err != nil {
		t.Fatal(err)
	}
	if err := p.ConsumeLogs(t.Context(), plog.NewLogs()); err != nil {
		t.Fatal(err)
	}
	var last *delivery.Waiting
	e := &delivery.Ending{Progress: func(w delivery.Waiting) { last = &w }}
	if err := p.ConsumeLogs(delivery.WithEnding(t.Context(), e), plog.NewLogs()); err != nil {
		t.Fatal(err)
	}
	if last == nil || !last.Ended || last.Segments != 0 {
		t.Errorf("what waits in the end: %v", last)
	}
	if !strings.HasPrefix(e.Checkpoint, sink.head.Origin+"\n8\n") || sink.head.Closed().Reason != segment.Ended {
		t.Errorf("checkpoint %q, closed record %+v", e.Checkpoint, sink.head.Closed())
	}
	if err := p.ConsumeLogs(t.Context(), events(7, 1)); !errors.Is(err, sealer.ErrStopped) {
		t.Errorf("a record after the end: %v", err)
	}
	if err := p.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	wantNoStart(t, cfg, sink, sealer.ErrEnded)
}

func wantNoStart(t *testing.T, cfg *Config, sink *worm, want error) {
	t.Helper()
	p, err := newTest(t, cfg, sink)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(t.Context(), componenttest.NewNopHost()); !errors.Is(err, want) {
		t.Errorf("start: %v, want %v", err, want)
	}
	if err := p.Shutdown(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
}

// To be drained, no log is begun, whatever on_missing_head says.
func TestDrainBeginsNoLog(t *testing.T) {
	cfg, sink := setUp(t)
	cfg.OnMissingHead, cfg.Drain = onGenesis, true
	wantNoStart(t, cfg, sink, sealer.ErrNoHead)
}
