package hashchainprocessor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"
	"go.uber.org/zap"

	"github.com/otelcol-custody/custody/internal/logrecord"
	"github.com/otelcol-custody/custody/internal/sealer"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/processor/hashchainprocessor/internal/metadata"
)

// hashChain seals what it consumes.
type hashChain struct {
	set       processor.Settings
	cfg       *Config
	signer    *checkpoint.Signer
	next      consumer.Logs
	telemetry *metadata.TelemetryBuilder
	sealer    *sealer.Sealer // set by Start

	converters sync.Pool // of *logrecord.Converter
}

func newProcessor(set processor.Settings, c *Config, s *checkpoint.Signer, next consumer.Logs, tb *metadata.TelemetryBuilder) *hashChain {
	return &hashChain{set: set, cfg: c, signer: s, next: next, telemetry: tb,
		converters: sync.Pool{New: func() any { return &logrecord.Converter{} }}}
}

// Capabilities implements consumer.Logs: what arrives is read and never changed.
func (p *hashChain) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: false}
}

// Start opens the log. It fails if the log has no head, another process writes
// it, or its state is damaged.
func (p *hashChain) Start(ctx context.Context, host component.Host) error {
	info := p.set.BuildInfo
	h := &health{host: host, log: p.set.Logger, telemetry: p.telemetry, name: p.cfg.Log, troubles: map[string]trouble{}}
	s, err := sealer.Open(sealer.Config{
		Log: p.cfg.Log, Signer: p.signer, Dir: p.cfg.StateDir, Genesis: p.cfg.OnMissingHead == onGenesis, Drain: p.cfg.Drain,
		Software: info.Command + " " + info.Version,
		MaxBytes: p.cfg.Segment.MaxSizeMiB << 20, MaxAge: p.cfg.Segment.MaxAge,
		Heartbeat: p.cfg.HeartbeatInterval, Checkpoint: p.cfg.CheckpointInterval, RetainFor: p.cfg.RetainFor,
		AckStored: p.cfg.Ack == ackStored, AckTimeout: p.cfg.AckTimeout,
		SpoolLimit: p.cfg.Spool.MaxSizeMiB << 20, MinStores: p.cfg.MinStores,
		EmitRecords: slices.Contains(p.cfg.Emit, emitRecords), RecordsLimit: p.cfg.Spool.MaxSizeMiB << 20,
	}, &downstream{p.next, p.signer.Name()}, h)
	if err != nil {
		return fmt.Errorf("state_dir: %w", err)
	}
	if err := h.watch(s.Backlog); err != nil {
		return errors.Join(fmt.Errorf("metrics: %w", err), s.Close(ctx, 0))
	}
	p.sealer = s
	p.set.Logger.Info("sealing log "+p.cfg.Log, zap.String("origin", p.signer.Name()), zap.String("verifier_key", p.signer.VerifierKey()), zap.String("ack", p.cfg.Ack))
	return nil
}

// stopGrace is how long a stop waits for stores; what they have not confirmed by
// then is delivered after the next start.
const stopGrace = 10 * time.Second

// hurryLimit is how long senders still wait for their answer when the process is
// about to stop. Receivers wait for them before this processor is shut down.
const hurryLimit = 5 * time.Second

// Stopping prepares for the stop of the process. The command line calls it once
// it was asked to stop, after Start.
func (p *hashChain) Stopping() { p.sealer.Hurry(hurryLimit) }

// Shutdown closes and seals the open segment. It returns the fatal error, if
// there was one: the collector's exit status depends on it.
func (p *hashChain) Shutdown(ctx context.Context) error {
	defer p.telemetry.Shutdown()
	if p.sealer == nil {
		return nil
	}
	err := p.sealer.Close(ctx, p.grace())
	return errors.Join(p.sealer.Fatal(), err)
}
