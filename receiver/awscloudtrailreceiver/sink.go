package awscloudtrailreceiver

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/otelcol-custody/custody/internal/contents"
	"github.com/otelcol-custody/custody/internal/ingest"
	"github.com/otelcol-custody/custody/receiver/awscloudtrailreceiver/internal/metadata"
)

// A sink hands batches to the pipeline until they are taken. It may be used
// concurrently.
type sink struct {
	next      consumer.Logs
	obs       *receiverhelper.ObsReport
	telemetry *metadata.TelemetryBuilder
	health    *health
	log       *zap.Logger
	retry     contents.Backoff

	// What closed records say of this receiver besides what is sealed. It goes
	// with each batch; unsaid means that something was added and nobody was told.
	account *ingest.Account
	unsaid  atomic.Bool

	refusals atomic.Int32 // batches that were refused and are being tried again
}

func newSink(set receiver.Settings, next consumer.Logs, telemetry *metadata.TelemetryBuilder, h *health) (*sink, error) {
	obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID:             set.ID,
		Transport:              "file",
		ReceiverCreateSettings: set,
	})
	if err != nil {
		return nil, fmt.Errorf("create metrics: %w", err)
	}
	return &sink{next: next, obs: obs, telemetry: telemetry, health: h, log: set.Logger, retry: defaultRetry,
		account: ingest.NewAccount(set.ID.String())}, nil
}

// count adds to what closed records are to say.
func (s *sink) count(c ingest.Counts) {
	s.account.Add(c)
	s.unsaid.Store(true)
}

// report sends what was counted when there are no records to go with. It tries
// once: what is not taken goes with the next records, or the next report.
func (s *sink) report(ctx context.Context) {
	if !s.unsaid.Swap(false) || !s.account.Untaken() {
		return
	}
	call, cancel := contents.Outlast(ctx)
	defer cancel()
	if err := s.next.ConsumeLogs(ingest.With(call, s.account), plog.NewLogs()); err != nil {
		s.unsaid.Store(true)
		s.log.Debug("the pipeline did not take the counts of duplicate and lost events; they are offered again", zap.Error(err))
	}
}

// send returns nil once the pipeline has answered nil for the batch, which is when its
// records are durable. It retries in place for as long as ctx lives: nothing else is
// read meanwhile, and nothing is given up. build makes the batch again for each
// attempt after the first, since a batch belongs to the pipeline once it was sent.
//
// An error that the pipeline calls permanent is returned at once, wrapping
// [contents.ErrParked]: the records are not safe anywhere, so their position stays.
func (s *sink) send(ctx context.Context, logs plog.Logs, build func() plog.Logs) error {
	for failed := 1; ; failed++ {
		err := s.attempt(ctx, logs)
		if err == nil {
			if failed > 1 {
				s.log.Info("the pipeline takes events again", zap.Int("attempts", failed))
			}
			return nil
		}
		if consumererror.IsPermanent(err) {
			return fmt.Errorf("the pipeline refused events for good: %w: %w", contents.ErrParked, err)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("stopped before the pipeline took the events: %w", err)
		}
		if failed == 1 {
			s.refusals.Add(1)
			defer s.relieved()
		}
		s.refused(ctx, err, failed)
		if !s.retry.Wait(ctx, failed) {
			return ctx.Err()
		}
		logs = build()
	}
}

// relieved notes that a batch which was refused is not tried any more.
func (s *sink) relieved() {
	if s.refusals.Add(-1) == 0 {
		s.health.set("pipeline", nil)
	}
}

// taking waits until the pipeline takes what it is given, and reports whether ctx is
// still alive then.
func (s *sink) taking(ctx context.Context) bool {
	for s.refusals.Load() > 0 {
		if !contents.Rest(ctx, 50*time.Millisecond) {
			return false
		}
	}
	return ctx.Err() == nil
}

func (s *sink) attempt(ctx context.Context, logs plog.Logs) error {
	call, cancel := contents.Outlast(ctx)
	defer cancel()
	count := logs.LogRecordCount()
	call = s.obs.StartLogsOp(call)
	err := s.next.ConsumeLogs(ingest.With(call, s.account), logs)
	s.obs.EndLogsOp(call, metadata.Type.String(), count, err)
	return err
}

// refused reports a refusal: the first in a row loudly, since the source stands still
// from now on.
func (s *sink) refused(ctx context.Context, err error, failed int) {
	s.telemetry.AwsCloudtrailRetries.Add(ctx, 1)
	s.health.set("pipeline", fmt.Errorf("the pipeline does not take events; reading waits: %w", err))
	if failed == 1 {
		s.log.Warn("the pipeline does not take events; reading waits and the batch is tried again until it is taken", zap.Error(err))
		return
	}
	s.log.Debug("the pipeline still does not take events", zap.Int("attempts", failed), zap.Error(err))
}
