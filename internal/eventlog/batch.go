// Package eventlog turns audit records into the collector's log records.
package eventlog

import (
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-custody/custody/audit"
)

// Limits bound one batch. A batch is full when it reaches either; a record is
// never split, so one batch may exceed Bytes by one record.
type Limits struct {
	Records int
	Bytes   int // of bodies and attributes, as they lie in memory
}

// Origin says where and when a record was taken up.
type Origin struct {
	Source   string // audit.ingest.source; left out when empty
	Observed time.Time
}

// A Batch gathers records for one ConsumeLogs call, grouped by their resource.
// Records with one resource keep their order; groups stand in the order in which
// their first records came. It is not safe for concurrent use.
type Batch struct {
	receiver string
	limits   Limits

	logs   plog.Logs
	groups map[audit.Resource]plog.LogRecordSlice
	count  int
	bytes  int
}

// NewBatch returns an empty batch. receiver is the component's full id; every
// resource carries it as audit.ingest.receiver.
func NewBatch(receiver string, limits Limits) *Batch {
	b := &Batch{receiver: receiver, limits: limits}
	b.reset()
	return b
}

func (b *Batch) reset() {
	b.logs = plog.NewLogs()
	b.groups = make(map[audit.Resource]plog.LogRecordSlice)
	b.count, b.bytes = 0, 0
}

// Len is the number of records in the batch.
func (b *Batch) Len() int { return b.count }

// Full reports whether a limit is reached.
func (b *Batch) Full() bool {
	return b.count >= b.limits.Records || b.bytes >= b.limits.Bytes
}

// Add copies rec into the batch; the caller may reuse rec and its body afterwards.
func (b *Batch) Add(rec *audit.Record, from Origin) {
	lr := b.group(rec.Resource).AppendEmpty()
	lr.SetEventName(rec.EventName)
	lr.SetTimestamp(timestamp(rec.Time))
	lr.SetObservedTimestamp(timestamp(from.Observed))
	setBody(lr.Body(), rec.Body)

	attrs := lr.Attributes()
	attrs.EnsureCapacity(len(rec.Attributes) + 2)
	b.bytes += len(rec.Body) + putAttributes(attrs, rec.Attributes)
	if from.Source != "" {
		attrs.PutStr("audit.ingest.source", from.Source)
		b.bytes += len(from.Source)
	}
	if ahead := skew(rec.Time, from.Observed); ahead > 0 {
		attrs.PutInt(audit.AttrTimeSkew, ahead)
		b.bytes += scalarBytes
	}
	b.count++
}

// skew is by how many milliseconds, begun ones counted, an event claims to be later
// than when it was taken up: one of the two clocks is wrong, and nobody can tell
// which. The times stay as they are. 0 if the event is not ahead, or a time is unknown.
func skew(event, observed time.Time) int64 {
	if timestamp(event) == 0 || timestamp(observed) == 0 || !event.After(observed) {
		return 0
	}
	ahead := event.Sub(observed) // at most what a duration holds
	whole := int64(ahead / time.Millisecond)
	if ahead%time.Millisecond > 0 {
		whole++
	}
	return whole
}

// Take returns the gathered records and leaves the batch empty. The records belong
// to the caller.
func (b *Batch) Take() plog.Logs {
	logs := b.logs
	b.reset()
	return logs
}

func (b *Batch) group(res audit.Resource) plog.LogRecordSlice {
	if records, ok := b.groups[res]; ok {
		return records
	}
	rl := b.logs.ResourceLogs().AppendEmpty()
	b.describe(rl.Resource().Attributes(), res)
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	b.groups[res] = records
	return records
}

func (b *Batch) describe(attrs pcommon.Map, res audit.Resource) {
	put := func(key, value string) {
		if value != "" {
			attrs.PutStr(key, value)
		}
	}
	put("cloud.provider", res.Provider)
	put("cloud.account.id", res.AccountID)
	put("cloud.region", res.Region)
	put("audit.org.id", res.OrgID)
	put("audit.product", res.Product)
	put("audit.ingest.stream", res.Stream)
	put("audit.ingest.receiver", b.receiver)
}

// timestamp is zero for the zero time: OTLP's word for "unknown". Times before
// 1970 have no OTLP form either.
func timestamp(t time.Time) pcommon.Timestamp {
	if t.IsZero() || t.Unix() < 0 {
		return 0
	}
	return pcommon.NewTimestampFromTime(t)
}

// setBody keeps the provider's bytes: as text where they are text, so that readers
// can query them, else as bytes, so that none is replaced.
func setBody(v pcommon.Value, body []byte) {
	if utf8.Valid(body) {
		v.SetStr(string(body))
		return
	}
	v.SetEmptyBytes().FromRaw(body)
}
