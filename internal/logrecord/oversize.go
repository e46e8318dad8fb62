package logrecord

import (
	"crypto/sha256"
	"encoding/hex"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-custody/custody/ledger/record"
)

// Reasons for which a record is sealed as what is known of it (spec §3.6).
// Nesting comes first when both hold.
const (
	tooDeep = "nesting"
	tooLong = "length"
)

// appendOversize appends the line that tells what is known of a record beyond
// the limits: digest and size of it as it arrived, and its times.
func appendOversize(dst []byte, res plog.ResourceLogs, sc plog.ScopeLogs, lr plog.LogRecord, reason string) ([]byte, error) {
	data := marshalAlone(res, sc, lr)
	digest := sha256.Sum256(data)
	text := func(key, s string) record.KeyValue {
		return record.KeyValue{Key: key, Value: record.StringValue(s)}
	}
	return record.AppendLine(dst, &record.Record{
		Custody: []record.KeyValue{{Key: "oversize", Value: record.MapValue(
			text("encoding", "otlp-logsdata-protobuf"),
			text("reason", reason),
			text("sha256", hex.EncodeToString(digest[:])),
			record.KeyValue{Key: "size", Value: record.IntValue(int64(len(data)))},
		)}},
		ObservedTime: uint64(lr.ObservedTimestamp()),
		Time:         uint64(lr.Timestamp()),
	})
}
