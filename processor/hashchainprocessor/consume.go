package hashchainprocessor

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/ingest"
	"github.com/otelcol-custody/custody/internal/logrecord"
	"github.com/otelcol-custody/custody/internal/sealer"
)

// ConsumeLogs returns nil once every record is durable (or stored, with ack:
// stored). After an error the sender has to send all of them again. Logs without
// records are welcome: they may bring what a receiver has counted.
func (p *hashChain) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	if e := delivery.EndingOf(ctx); e != nil {
		return p.end(ctx, e)
	}
	m := message{p: p, began: time.Now(), batch: &sealer.Batch{}}
	err := m.seal(ctx, ld)
	if err != nil {
		m.refuse(ctx, ld, err)
		// Retryable, whatever it is: the sender has the only other copy.
		return consumererror.NewRetryableError(err)
	}
	if m.records > 0 {
		p.telemetry.HashChainAckDuration.Record(ctx, time.Since(m.began).Seconds())
	}
	return nil
}

// message is one call of ConsumeLogs. A large one is sealed in several batches.
type message struct {
	p        *hashChain
	began    time.Time
	batch    *sealer.Batch
	oversize int64 // in the batch
	records  int   // in the batches that were handed to the sealer
}

func (m *message) seal(ctx context.Context, ld plog.Logs) error {
	converter := m.p.converters.Get().(*logrecord.Converter)
	defer m.p.converters.Put(converter)
	err := converter.Each(ld, func(line []byte, info logrecord.Info) error {
		if info.Oversize {
			m.oversize++
			m.p.set.Logger.Warn("a record is too large for the format and is sealed as digest and size", zap.String("receiver", info.Receiver))
		}
		m.batch.Add(line, info.Receiver, info.Quarantined)
		if m.batch.Bytes() < sealer.MaxBatchBytes && m.batch.Len() < sealer.MaxBatchRecords {
			return nil
		}
		return m.append(ctx)
	})
	if err != nil {
		return err
	}
	if a := ingest.From(ctx); a != nil {
		m.batch.Report(&sealer.Upstream{Receiver: a.Receiver(), Take: func() (duplicate, lost int64) {
			c := a.Take(m.p)
			return c.Duplicate, c.Lost
		}})
	}
	return m.append(ctx)
}

// append hands the batch to the sealer, which counts its records, taken or refused.
func (m *message) append(ctx context.Context) error {
	batch, oversize := m.batch, m.oversize
	m.batch, m.oversize = &sealer.Batch{}, 0
	n := batch.Len()
	m.records += n
	err := m.p.sealer.Append(ctx, batch)
	if err == nil {
		m.p.telemetry.HashChainRecords.Add(ctx, int64(n))
		m.p.telemetry.HashChainOversize.Add(ctx, oversize)
	} else {
		m.p.refused(ctx, int64(n), err)
	}
	return err
}

// refuse counts the records that are in no batch that the sealer was given: they
// are refused with the others.
func (m *message) refuse(ctx context.Context, ld plog.Logs, err error) {
	rest := recordsBehind(ld, m.records)
	if len(rest) == 0 {
		return
	}
	m.p.sealer.Refused(rest)
	for _, n := range rest {
		m.p.refused(ctx, n, err)
	}
}

// recordsBehind counts the records of ld behind the first n by their receivers.
func recordsBehind(ld plog.Logs, n int) map[string]int64 {
	rest := map[string]int64{}
	for _, rl := range ld.ResourceLogs().All() {
		name := ""
		if v, ok := rl.Resource().Attributes().Get(sealer.AttrReceiver); ok && v.Type() == pcommon.ValueTypeStr {
			name = v.Str()
		}
		for _, sl := range rl.ScopeLogs().All() {
			records := sl.LogRecords().Len()
			before := min(n, records)
			n -= before
			if records > before {
				rest[name] += int64(records - before)
			}
		}
	}
	return rest
}

func (p *hashChain) refused(ctx context.Context, n int64, err error) {
	if n > 0 {
		p.telemetry.HashChainRefused.Add(ctx, n, metric.WithAttributes(attribute.String("reason", reason(err))))
	}
}

// reason is why records were refused. The first that fits names it: an answer
// that came too late may have come because of a stop.
func reason(err error) string {
	for _, r := range []struct {
		is   error
		name string
	}{
		{sealer.ErrFull, "full"}, {sealer.ErrBehind, "behind"}, {sealer.ErrUnanswered, "unanswered"}, {sealer.ErrStopped, "stopped"},
	} {
		if errors.Is(err, r.is) {
			return r.name
		}
	}
	return "journal"
}
