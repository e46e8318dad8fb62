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
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
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
func (p *hashChain) Start(_ context.Context, host component.Host) error {
	info := p.set.BuildInfo
	h := &health{host: host, log: p.set.Logger, telemetry: p.telemetry, name: p.cfg.Log, troubles: map[string]trouble{}}
	s, err := sealer.Open(sealer.Config{
		Log: p.cfg.Log, Signer: p.signer, Dir: p.cfg.StateDir, Genesis: p.cfg.OnMissingHead == onGenesis,
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
	p.sealer = s
	p.set.Logger.Info("sealing log "+p.cfg.Log, zap.String("origin", p.signer.Name()), zap.String("verifier_key", p.signer.VerifierKey()), zap.String("ack", p.cfg.Ack))
	return nil
}

// stopGrace is how long a stop waits for stores; what they have not confirmed by
// then is delivered after the next start.
const stopGrace = 10 * time.Second

// Shutdown closes and seals the open segment. It returns the fatal error, if
// there was one: the collector's exit status depends on it.
func (p *hashChain) Shutdown(ctx context.Context) error {
	defer p.telemetry.Shutdown()
	if p.sealer == nil {
		return nil
	}
	err := p.sealer.Close(ctx, stopGrace)
	return errors.Join(p.sealer.Fatal(), err)
}

// ConsumeLogs returns nil once every record is durable (or stored, with ack:
// stored). After an error the sender has to send all of them again.
func (p *hashChain) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	converter := p.converters.Get().(*logrecord.Converter)
	defer p.converters.Put(converter)
	batch := &sealer.Batch{}
	err := converter.Each(ld, func(line []byte, info logrecord.Info) error {
		p.note(ctx, info)
		batch.Add(line, info.Receiver, info.Quarantined)
		if batch.Bytes() < sealer.MaxBatchBytes && batch.Len() < sealer.MaxBatchRecords {
			return nil
		}
		full := batch
		batch = &sealer.Batch{}
		return p.append(ctx, full)
	})
	if err != nil {
		return err
	}
	return p.append(ctx, batch)
}

func (p *hashChain) note(ctx context.Context, info logrecord.Info) {
	if info.Oversize {
		p.telemetry.HashChainOversize.Add(ctx, 1)
		p.set.Logger.Warn("a record is too large for the format and is sealed as digest and size", zap.String("receiver", info.Receiver))
	}
}

func (p *hashChain) append(ctx context.Context, batch *sealer.Batch) error {
	n := int64(batch.Len())
	err := p.sealer.Append(ctx, batch)
	if err == nil {
		p.telemetry.HashChainRecords.Add(ctx, n)
		return nil
	}
	p.telemetry.HashChainRefused.Add(ctx, n, metric.WithAttributes(attribute.String("reason", reason(err))))
	// Retryable, whatever it is: the sender has the only other copy.
	return consumererror.NewRetryableError(err)
}

func reason(err error) string {
	for target, name := range map[error]string{
		sealer.ErrFull: "full", sealer.ErrBehind: "behind", sealer.ErrUnanswered: "unanswered", sealer.ErrStopped: "stopped",
	} {
		if errors.Is(err, target) {
			return name
		}
	}
	return "journal"
}
