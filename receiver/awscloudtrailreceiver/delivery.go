package awscloudtrailreceiver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/cloudtrail"
	"github.com/otelcol-custody/custody/internal/contents"
	"github.com/otelcol-custody/custody/internal/eventlog"
	"github.com/otelcol-custody/custody/receiver/awscloudtrailreceiver/internal/metadata"
)

// batchLimits keep one ConsumeLogs call below the 4 MiB that OTLP over gRPC accepts by
// default, protobuf and resources included, should a gateway follow.
var batchLimits = eventlog.Limits{Records: 1000, Bytes: 2 << 20}

// parseWindow is how much of a large file is parsed at once, in bytes.
const parseWindow = 4 << 20

// attrRepeat marks records that may be in the log already: the process that delivered
// them died before it could remember that they were taken.
const attrRepeat = "audit.duplicate.possible"

// A deliverer turns contents into records and hands them to the sink. It is a
// [contents.Handler], and may be used concurrently.
type deliverer struct {
	sink      *sink
	telemetry *metadata.TelemetryBuilder
	log       *zap.Logger
	newBatch  func() *eventlog.Batch
	scheme    string // before a file's path, in audit.ingest.source
	own       *exclusion
	extra     []audit.Attribute // of each record of a file
}

// with returns a deliverer whose records carry extra.
func (d *deliverer) with(extra []audit.Attribute) *deliverer {
	c := *d
	c.extra = extra
	return &c
}

// Deliver implements [contents.Handler].
func (d *deliverer) Deliver(ctx context.Context, f *contents.File, ack func(total int) error) (int, error) {
	v := delivery{deliverer: d, file: f, ack: ack, observed: time.Now(), batch: d.newBatch(), sent: f.Acked}
	if f.Repeat {
		d.log.Warn("the collector died while it delivered this file: its next batch may be in the log already, and is marked "+attrRepeat,
			zap.String("file", f.Path), zap.Int("delivered", f.Acked))
	}
	err := v.run(ctx)
	return v.sent, err
}

// A delivery is one file on its way to the sink. Records are numbered as they lie in
// the file, those included that are left out on request.
type delivery struct {
	*deliverer
	file     *contents.File
	ack      func(total int) error
	observed time.Time

	batch       *eventlog.Batch
	next        int       // number behind the last record in the batch
	sent        int       // records acknowledged, those of earlier runs included
	quarantined int       // in batch
	oldest      time.Time // event in batch; zero if none tells its time
}

func (v *delivery) run(ctx context.Context) error {
	total, err := v.eachRecord(func(rec *audit.Record, number int) error { return v.add(ctx, rec, number) })
	if err != nil {
		return err
	}
	v.next = total
	return v.flush(ctx)
}

// add takes the next record into the batch. A full batch is sent and acknowledged
// first, so that the last one stays for run: its acknowledgement finishes the file.
func (v *delivery) add(ctx context.Context, rec *audit.Record, number int) error {
	if number < v.sent {
		return nil // acknowledged before a restart
	}
	if v.batch.Full() {
		if err := v.flush(ctx); err != nil {
			return err
		}
		if err := v.ack(v.sent); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("%w: %w", contents.ErrStopped, err)
		}
	}
	v.next = number + 1
	if rec.Quarantined {
		v.quarantined++
	}
	if !rec.Time.IsZero() && (v.oldest.IsZero() || rec.Time.Before(v.oldest)) {
		v.oldest = rec.Time
	}
	v.put(v.batch, rec, number)
	return nil
}

func (v *delivery) put(batch *eventlog.Batch, rec *audit.Record, number int) {
	rec.Attributes = append(rec.Attributes, v.extra...)
	if v.file.Repeat && v.sent == v.file.Acked {
		rec.Attributes = append(rec.Attributes, audit.BoolAttr(attrRepeat, true))
	}
	batch.Add(rec, eventlog.Origin{
		Source:   fmt.Sprintf("%s%s#%d", v.scheme, v.file.Path, number),
		Observed: v.observed,
	})
}

func (v *delivery) flush(ctx context.Context) error {
	first, end, count := v.sent, v.next, v.batch.Len()
	if count == 0 {
		v.sent = max(first, end)
		return nil
	}
	again := func() plog.Logs { return v.rebuild(first, end) }
	if err := v.sink.send(ctx, v.batch.Take(), again); err != nil {
		return err
	}
	v.report(ctx, count)
	v.sent = end
	return nil
}

// report counts what was just taken.
func (v *delivery) report(ctx context.Context, count int) {
	v.telemetry.AwsCloudtrailEvents.Add(ctx, int64(count))
	if !v.oldest.IsZero() {
		v.telemetry.AwsCloudtrailEventLag.Record(ctx, time.Since(v.oldest).Seconds())
		v.oldest = time.Time{}
	}
	if v.file.Repeat && v.sent == v.file.Acked {
		v.telemetry.AwsCloudtrailRepeated.Add(ctx, int64(count))
	}
	if v.quarantined > 0 {
		v.telemetry.AwsCloudtrailQuarantined.Add(ctx, int64(v.quarantined))
		v.log.Warn("events that could not be understood were delivered raw and marked audit.quarantined",
			zap.String("file", v.file.Path), zap.Int("events", v.quarantined))
		v.quarantined = 0
	}
}

var errEnough = errors.New("the batch is complete")

// rebuild makes a batch of the records from first to end again from the file. Parsing
// twice costs nothing while all goes well; keeping a copy of every batch would.
func (v *delivery) rebuild(first, end int) plog.Logs {
	batch := v.newBatch()
	_, err := v.eachRecord(func(rec *audit.Record, number int) error {
		if number >= end {
			return errEnough
		}
		if number >= first {
			v.put(batch, rec, number)
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		panic("aws_cloudtrail: parser made up an error: " + err.Error())
	}
	return batch.Take()
}

// eachRecord calls emit for every record of the file that is to be delivered, with its
// number: its events, then the gap record if some may be missing, then what says how many
// were left out. It returns how many numbers there are. Only emit fails.
func (v *delivery) eachRecord(emit func(rec *audit.Record, number int) error) (total int, err error) {
	var left leftOut
	next := func(rec *audit.Record) error {
		total++
		return emit(rec, total-1)
	}
	err = eachEvent(v.file, func(rec *audit.Record) error {
		if !v.own.covers(rec) {
			return next(rec)
		}
		left.add(rec)
		total++
		return nil
	})
	if err == nil && v.file.Fault != nil {
		err = next(gapRecord(v.file))
	}
	if err == nil && left.count > 0 {
		err = next(left.record(v.scheme + v.file.Path))
	}
	return total, err
}

func eachEvent(f *contents.File, emit func(*audit.Record) error) (err error) {
	switch {
	case f.Streamed():
		_, err = cloudtrail.ParseReader(f.Open(), parseWindow, emit)
	case len(f.Data) > 0 || f.Fault == nil: // Of nothing, too, something has to be said.
		_, err = cloudtrail.Parse(f.Data, emit)
	}
	return err
}
