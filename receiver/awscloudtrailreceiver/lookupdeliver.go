package awscloudtrailreceiver

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/cloudtrail"
	"github.com/otelcol-custody/custody/internal/eventlog"
	"github.com/otelcol-custody/custody/internal/ingest"
)

// lookupScheme begins audit.ingest.source: lookup://<region>#<eventID>.
const lookupScheme = "lookup://"

// deliver hands events to the pipeline, in their order, and remembers each batch.
func (h *history) deliver(ctx context.Context, list []historyEvent) error {
	for len(list) > 0 {
		made := h.build(list, time.Now())
		batch := list[:made.events]
		if err := h.memory.begin(ctx, batch); err != nil {
			return err
		}
		again := func() plog.Logs { return h.build(batch, made.observed).logs }
		if err := h.sink.send(ctx, made.logs, again); err != nil {
			return err
		}
		// Commit point. Before: the batch comes again after a crash, marked. After: none
		// of its events ever does.
		if err := h.memory.commit(ctx, batch); err != nil {
			return err
		}
		h.took(made, batch[0].at)
		list = list[made.events:]
	}
	return nil
}

// A historyBatch is what goes into one call of the pipeline.
type historyBatch struct {
	logs     plog.Logs
	observed time.Time
	events   int // of the list, those included that are left out on request

	records, quarantined, repeated int
}

// build makes a batch of as many events as fit. The same events make the same batch.
func (h *history) build(list []historyEvent, observed time.Time) historyBatch {
	made := historyBatch{observed: observed}
	batch, left := h.newBatch(), leftOut{}
	for _, e := range list {
		if batch.Full() {
			break
		}
		made.events++
		repeated := h.memory.doubt[e.key]
		e.records(func(rec *audit.Record) {
			if h.own.covers(rec) {
				left.add(rec)
				return
			}
			if repeated {
				rec.Attributes = append(rec.Attributes, audit.BoolAttr(attrRepeat, true))
				made.repeated++
			}
			if rec.Quarantined {
				made.quarantined++
			}
			batch.Add(rec, eventlog.Origin{Source: h.scheme + "#" + e.id, Observed: observed})
		})
	}
	if left.count > 0 {
		batch.Add(left.record(h.scheme), eventlog.Origin{Source: h.scheme, Observed: observed})
	}
	made.records, made.logs = batch.Len(), batch.Take()
	return made
}

// records calls emit with what the event's bytes stand for: one record, and where they
// are broken whatever keeps all of them.
func (e *historyEvent) records(emit func(*audit.Record)) {
	counts, err := cloudtrail.Parse(e.body, func(rec *audit.Record) error {
		emit(rec)
		return nil
	})
	if err != nil {
		panic("aws_cloudtrail: parser made up an error: " + err.Error())
	}
	if counts.Events == 0 {
		rec := audit.Quarantine(e.body, "aws", cloudtrail.ErrNotEvent)
		rec.Resource.Product = cloudtrail.Product
		emit(rec)
	}
}

// took counts what was just taken.
func (h *history) took(made historyBatch, oldest time.Time) {
	ctx := context.Background()
	h.delivered += made.records
	h.telemetry.AwsCloudtrailEventLag.Record(ctx, time.Since(oldest).Seconds())
	h.telemetry.AwsCloudtrailEvents.Add(ctx, int64(made.records))
	if made.repeated > 0 {
		h.telemetry.AwsCloudtrailRepeated.Add(ctx, int64(made.repeated))
		h.log.Warn("the collector ended while it delivered these events: they may be in the log already, and are marked "+attrRepeat, zap.Int("events", made.repeated))
	}
	if made.quarantined > 0 {
		h.telemetry.AwsCloudtrailQuarantined.Add(ctx, int64(made.quarantined))
		h.log.Warn("events that could not be understood were delivered raw and marked audit.quarantined", zap.Int("events", made.quarantined))
	}
}

// expired seals that the collector was away for longer than CloudTrail keeps events.
func (h *history) expired(ctx context.Context, from, to time.Time) error {
	reason := "the event history does not hold these days any more"
	observed := time.Now()
	build := func() plog.Logs {
		batch := h.newBatch()
		batch.Add(historyGap(h.scheme, reason, from, to), eventlog.Origin{Source: h.scheme, Observed: observed})
		return batch.Take()
	}
	if err := h.sink.send(ctx, build(), build); err != nil {
		return fmt.Errorf("deliver the gap record of %s: %w", h.scheme, err)
	}
	h.telemetry.AwsCloudtrailGaps.Add(ctx, 1)
	h.telemetry.AwsCloudtrailEvents.Add(ctx, 1)
	h.sink.count(ingest.Counts{Lost: 1}) // Nobody knows how many events.
	h.log.Error("CloudTrail keeps events for 90 days, and the collector was away for longer; a gap record says so", zap.Time("from", from), zap.Time("to", to))
	return h.memory.settle(ctx, to)
}

func historyGap(source, reason string, from, to time.Time) *audit.Record {
	type span struct {
		File   string    `json:"file"`
		From   time.Time `json:"from"`
		To     time.Time `json:"to"`
		Reason string    `json:"reason"`
	}
	body, err := json.Marshal(map[string]span{"gap": {source, from, to, reason}})
	if err != nil {
		panic("aws_cloudtrail: gap record cannot be encoded: " + err.Error())
	}
	rec := audit.SourceRecord(audit.EventSourceGap, "aws", body)
	rec.Resource.Product = cloudtrail.Product
	rec.Attributes = append(rec.Attributes, audit.StringAttr(attrGapReason, reason),
		audit.StringAttr(audit.AttrTargetID, source), audit.StringAttr(audit.AttrTargetType, "AWS::CloudTrail::EventHistory"))
	return rec
}
