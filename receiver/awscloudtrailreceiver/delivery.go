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
	"github.com/otelcol-custody/custody/internal/eventlog"
	"github.com/otelcol-custody/custody/internal/follow"
)

// batchLimits keep one ConsumeLogs call below the 4 MiB that OTLP over gRPC accepts by
// default, protobuf and resources included, should a gateway follow.
var batchLimits = eventlog.Limits{Records: 1000, Bytes: 2 << 20}

// A delivery is one file on its way to the sink.
type delivery struct {
	dir      *directory
	file     *follow.File
	ack      func(total int) error
	observed time.Time

	batch       *eventlog.Batch
	next        int // number of the record that comes next
	sent        int // records acknowledged, those of earlier runs included
	quarantined int // in batch
}

func (v *delivery) run(ctx context.Context) error {
	err := eachRecord(v.file, func(rec *audit.Record) error { return v.add(ctx, rec) })
	if err != nil {
		return err
	}
	return v.flush(ctx)
}

// add takes the next record into the batch. A full batch is sent and acknowledged
// first, so that the last one stays for run: its acknowledgement finishes the file.
func (v *delivery) add(ctx context.Context, rec *audit.Record) error {
	number := v.next
	v.next++
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
			return err
		}
	}
	if rec.Quarantined {
		v.quarantined++
	}
	v.put(v.batch, rec, number)
	return nil
}

func (v *delivery) put(batch *eventlog.Batch, rec *audit.Record, number int) {
	batch.Add(rec, eventlog.Origin{
		Source:   fmt.Sprintf("file://%s#%d", v.file.Path, number),
		Observed: v.observed,
	})
}

func (v *delivery) flush(ctx context.Context) error {
	first, count := v.sent, v.batch.Len()
	if count == 0 {
		return nil
	}
	again := func() plog.Logs { return v.rebuild(first, count) }
	if err := v.dir.sink.send(ctx, v.batch.Take(), again); err != nil {
		return err
	}
	v.sent += count
	v.dir.telemetry.AwsCloudtrailEvents.Add(ctx, int64(count))
	if v.quarantined > 0 {
		v.dir.telemetry.AwsCloudtrailQuarantined.Add(ctx, int64(v.quarantined))
		v.dir.log.Warn("events that could not be understood were delivered raw and marked audit.quarantined",
			zap.String("file", v.file.Path), zap.Int("events", v.quarantined))
		v.quarantined = 0
	}
	return nil
}

var errEnough = errors.New("the batch is complete")

// rebuild makes a batch again from the file. Parsing twice costs nothing while all
// goes well; keeping a copy of every batch would.
func (v *delivery) rebuild(first, count int) plog.Logs {
	batch, number := v.dir.newBatch(), 0
	err := eachRecord(v.file, func(rec *audit.Record) error {
		if number >= first {
			v.put(batch, rec, number)
		}
		number++
		if number == first+count {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		panic("aws_cloudtrail: parser made up an error: " + err.Error())
	}
	return batch.Take()
}

// eachRecord calls emit for every record of a file: its events, then the gap record if
// some may be missing. Only emit fails.
func eachRecord(f *follow.File, emit func(*audit.Record) error) error {
	if len(f.Data) > 0 {
		if _, err := cloudtrail.Parse(f.Data, emit); err != nil {
			return err
		}
	}
	if f.Fault != nil {
		return emit(gapRecord(f))
	}
	return nil
}
