package bench

import (
	"fmt"
	"math/rand/v2"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

// recordSize is about what a CloudTrail event takes as an OTLP record, in bytes.
const recordSize = 1276

// request makes an export request of n records that look like CloudTrail events:
// 20 attributes and a JSON body, with ids and names drawn from r.
func request(r *rand.Rand, n int) (proto []byte, size int, err error) {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("cloud.provider", "aws")
	rl.Resource().Attributes().PutStr("cloud.account.id", "111122223333")
	rl.Resource().Attributes().PutStr("cloud.region", "eu-central-1")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for range n {
		fill(records.AppendEmpty(), r)
	}
	proto, err = plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
	return proto, len(proto), err
}

func fill(lr plog.LogRecord, r *rand.Rand) {
	id := func(n int) string {
		const digits = "0123456789abcdef"
		b := make([]byte, n)
		for i := range b {
			b[i] = digits[r.IntN(len(digits))]
		}
		return string(b)
	}
	event, request, session, key := id(32), id(16), id(17), id(12)
	user := fmt.Sprintf("arn:aws:sts::111122223333:assumed-role/ingest-writer/i-0%s", session)
	object := fmt.Sprintf("arn:aws:s3:::example-billing-prod/raw/2026/11/22/%s.parquet", key)
	lr.SetEventName("audit.api_activity")
	lr.SetTimestamp(1795000000_000000000)
	lr.SetObservedTimestamp(1795000300_000000000)
	attrs := lr.Attributes()
	attrs.EnsureCapacity(20)
	for _, kv := range [][2]string{
		{"audit.record.id", event}, {"audit.action", "READ"}, {"audit.outcome", "success"}, {"audit.actor.id", user},
		{"audit.actor.type", "service"}, {"audit.api.operation", "GetObject"}, {"audit.api.service", "s3.amazonaws.com"},
		{"audit.api.request_id", request}, {"audit.category", "data"}, {"audit.target.id", object}, {"audit.target.type", "AWS::S3::Object"},
		{"audit.source.id", "203.0.113.7"}, {"audit.source.type", "ipv4"}, {"client.address", "203.0.113.7"},
		{"user_agent.original", "[Boto3/1.42.11 md/Botocore#1.42.11 ua/2.1 os/linux#6.12.40]"}, {"cloud.resource_id", object},
		{"tls.protocol.version", "1.3"}, {"ocsf.version", "1.6.0"},
	} {
		attrs.PutStr(kv[0], kv[1])
	}
	attrs.PutInt("ocsf.class_uid", 6003)
	attrs.PutInt("audit.raw.size", recordSize)
	lr.Body().SetStr(fmt.Sprintf(`{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","arn":%q},"eventTime":"2026-11-22T10:00:00Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","requestParameters":{"key":%q},"requestID":%q,"eventID":%q}`,
		user, object, request, event))
}
