package verify_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/record"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tree"
	"github.com/otelcol-custody/custody/ledger/verify"
)

// event is a record of the size and shape of a common CloudTrail event.
func event(i int) *record.Record {
	id := fmt.Sprintf("%08x-2222-4333-8444-%012x", i*2654435761%(1<<32), i)
	body := `{"eventVersion":"1.09","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLEEXAMPLE000:session-` + id[:4] + `",` +
		`"arn":"arn:aws:sts::111122223333:assumed-role/deployer/session-1","accountId":"111122223333","accessKeyId":"ASIAIOSFODNN7EXAMPLE",` +
		`"sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLEEXAMPLE000","arn":"arn:aws:iam::111122223333:role/deployer"}}},` +
		`"eventTime":"2026-03-01T10:15:42Z","eventSource":"s3.amazonaws.com","eventName":"PutObject","awsRegion":"eu-central-1",` +
		`"sourceIPAddress":"198.51.100.23","userAgent":"aws-cli/2.15.0","requestParameters":{"bucketName":"example-bucket","key":"reports/` + id + `.csv"},` +
		`"eventID":"` + id + `","readOnly":false,"eventType":"AwsApiCall","managementEvent":false,"recipientAccountId":"111122223333","eventCategory":"Data"}`
	text := func(k, v string) record.KeyValue { return record.KeyValue{Key: k, Value: record.StringValue(v)} }
	return &record.Record{
		Body: record.StringValue(body), Time: 1772360142000000000 + uint64(i), ObservedTime: 1772360143000000000, SeverityNumber: 9, EventName: "aws.cloudtrail.event",
		Attributes: []record.KeyValue{text("audit.event.id", id), text("audit.event.name", "PutObject"), text("audit.actor.name", "deployer"), text("client.address", "198.51.100.23")},
		Resource:   record.Resource{Attributes: []record.KeyValue{text("audit.ingest.receiver", "aws_cloudtrail"), text("cloud.provider", "aws")}},
	}
}

// batch is a segment on its way.
type batch struct {
	lines   []byte
	content seal.Content
	header  segment.Header
}

func newBatch(b *testing.B, s *checkpoint.Signer, first uint64, count int) *batch {
	b.Helper()
	x := &batch{content: seal.Content{Checkpoints: s, Seed: tree.Seed{1, byte(first)}}}
	closed := segment.Closed{At: ledgertest.Began, First: first, Count: count, Key: s.ID(), Reason: segment.BySize, Software: "benchmark"}
	for i := range count {
		line, err := record.AppendLine(nil, event(int(first)+i))
		if i == count-1 {
			line, err = closed.Line()
			x.content.ClosedLine = line
		}
		if err != nil {
			b.Fatal(err)
		}
		x.lines = append(append(x.lines, line...), '\n')
		x.content.Digests = append(x.content.Digests, tree.Digest(line))
	}
	x.header = segment.Header{Origin: s.Name(), First: first, Count: count, Bytes: len(x.lines), Seed: x.content.Seed}
	return x
}

func (x *batch) build(b *testing.B, enc *segment.Encoder, at seal.Place) *seal.Verified {
	b.Helper()
	var err error
	if x.content.Object, err = enc.Append(x.content.Object[:0], x.header, x.lines); err != nil {
		b.Fatal(err)
	}
	v, _, err := seal.Build(at, x.content)
	if err != nil {
		b.Fatal(err)
	}
	return v
}

const perSegment = 10_000

func BenchmarkVerify(b *testing.B) {
	s := ledgertest.Signer(b, origin)
	files, total := fstest.MapFS{}, 0
	at := seal.Genesis("test", origin, s.VerifierKey(), [32]byte{})
	enc := segment.NewEncoder()
	for i := range 6 {
		x := newBatch(b, s, uint64(i*perSegment), perSegment)
		v := x.build(b, enc, at)
		files[v.Name()], files[v.SegmentName()] = &fstest.MapFile{Data: v.Bytes()}, &fstest.MapFile{Data: x.content.Object}
		at, total = v.Place(), total+len(x.lines)
	}
	for _, workers := range []int{1, runtime.GOMAXPROCS(0)} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			b.SetBytes(int64(total))
			for b.Loop() {
				r, err := verify.Log(context.Background(), files, "test", verify.Options{Keys: ledgertest.Keys(b, s), Workers: workers, Now: time.Now()})
				if err != nil || r.Checked != 6*perSegment || len(r.Findings) > 0 {
					b.Fatal(err, r.Findings)
				}
			}
			b.ReportMetric(float64(6*perSegment*b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

func BenchmarkBuild(b *testing.B) {
	s := ledgertest.Signer(b, origin)
	x := newBatch(b, s, 0, perSegment)
	at := seal.Genesis("test", origin, s.VerifierKey(), [32]byte{})
	enc := segment.NewEncoder()
	b.SetBytes(int64(len(x.lines)))
	for b.Loop() {
		x.build(b, enc, at)
	}
	b.ReportMetric(float64(perSegment*b.N)/b.Elapsed().Seconds(), "records/s")
}

func TestBenchmarkEventIsRealistic(t *testing.T) {
	line, err := record.AppendLine(nil, event(7))
	if err != nil || len(line) < 1100 || len(line) > 2000 || !strings.Contains(string(line), "PutObject") {
		t.Errorf("%d bytes, %v", len(line), err)
	}
}
