package logrecord

import (
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/collector/pdata/plog"
)

// cloudTrailLogs returns n records of the shape of CloudTrail events of about
// 1.2 KB with 20 attributes, in one group.
func cloudTrailLogs(n int) plog.Logs {
	ld := plog.NewLogs()
	res := ld.ResourceLogs().AppendEmpty()
	res.Resource().Attributes().PutStr("cloud.provider", "aws")
	res.Resource().Attributes().PutStr("audit.ingest.receiver", "aws_cloudtrail")
	sc := res.ScopeLogs().AppendEmpty()
	sc.Scope().SetName("receiver/awscloudtrail")
	body := `{"eventVersion":"1.09","userIdentity":{"type":"AssumedRole","accountId":"111122223333"},"requestParameters":{` +
		strings.Repeat(`"bucketName":"example-bucket","key":"reports/2026/03/01.csv",`, 18) + `"Host":"example"}}`
	keys := strings.Fields("audit.provider audit.event.id audit.event.name audit.event.category audit.service audit.actor.type audit.actor.id " +
		"audit.actor.name audit.outcome client.address user_agent.original cloud.region cloud.account.id audit.resource.id audit.resource.type " +
		"audit.request.id audit.session.issuer audit.source.file")
	for range n {
		lr := sc.LogRecords().AppendEmpty()
		lr.SetTimestamp(1772360142000000000)
		lr.SetObservedTimestamp(1772360143123456789)
		lr.SetEventName("aws.cloudtrail.event")
		lr.Body().SetStr(body)
		for _, k := range keys {
			lr.Attributes().PutStr(k, "arn:aws:iam::111122223333:role/"+k)
		}
		lr.Attributes().PutBool("audit.read_only", false)
		lr.Attributes().PutInt("audit.source.offset", 48211)
	}
	ld.MarkReadOnly()
	return ld
}

func BenchmarkEach(b *testing.B) {
	const n = 100
	ld := cloudTrailLogs(n)
	var c Converter
	size := 0
	b.ReportAllocs()
	for b.Loop() {
		size = 0
		if err := c.Each(ld, func(line []byte, _ Info) error { size += len(line); return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(size))
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/record")
}

func BenchmarkConverterAppendLine(b *testing.B) {
	ld := cloudTrailLogs(1)
	res := ld.ResourceLogs().At(0)
	sc := res.ScopeLogs().At(0)
	var c Converter
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if dst, _, err = c.AppendLine(dst[:0], res, sc, sc.LogRecords().At(0)); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(dst)))
}

// In steady state, a record takes no memory.
func TestNoAllocations(t *testing.T) {
	ld := cloudTrailLogs(10)
	var c Converter
	f := func([]byte, Info) error { return nil }
	if n := testing.AllocsPerRun(20, func() { _ = c.Each(ld, f) }); n > 0 {
		t.Errorf("%v allocations for 10 records", n)
	}
}

// Fan-out gives the same pdata to several consumers at once.
func TestConvertersShareTheirSource(t *testing.T) {
	ld := cloudTrailLogs(50)
	var wg sync.WaitGroup
	lines := make([]string, 4)
	for i := range lines {
		wg.Go(func() {
			var all strings.Builder
			if err := new(Converter).Each(ld, func(line []byte, _ Info) error { all.Write(line); return nil }); err != nil {
				t.Error(err)
			}
			lines[i] = all.String()
		})
	}
	wg.Wait()
	for _, s := range lines {
		if s == "" || s != lines[0] {
			t.Error("two converters disagree")
		}
	}
}
