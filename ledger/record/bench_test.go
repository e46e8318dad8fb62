package record

import (
	"encoding/json"
	"strings"
	"testing"
)

// cloudTrailBody has the shape and, with 1.2 KB, the size of a common event.
const cloudTrailBody = `{"eventVersion":"1.09","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLEEXAMPLE000:session-1",` +
	`"arn":"arn:aws:sts::111122223333:assumed-role/deployer/session-1","accountId":"111122223333","accessKeyId":"ASIAIOSFODNN7EXAMPLE",` +
	`"sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLEEXAMPLE000","arn":"arn:aws:iam::111122223333:role/deployer",` +
	`"accountId":"111122223333","userName":"deployer"},"attributes":{"creationDate":"2026-03-01T10:00:00Z","mfaAuthenticated":"false"}}},` +
	`"eventTime":"2026-03-01T10:15:42Z","eventSource":"s3.amazonaws.com","eventName":"PutObject","awsRegion":"eu-central-1",` +
	`"sourceIPAddress":"198.51.100.23","userAgent":"aws-cli/2.15.0","requestParameters":{"bucketName":"example-bucket","key":"reports/2026/03/first.csv",` +
	`"Host":"example-bucket.s3.eu-central-1.amazonaws.com"},"responseElements":null,"additionalEventData":{"SignatureVersion":"SigV4",` +
	`"CipherSuite":"TLS_AES_128_GCM_SHA256","bytesTransferredIn":48211,"bytesTransferredOut":0},"requestID":"EXAMPLE123456789",` +
	`"eventID":"11111111-2222-4333-8444-555555555555","readOnly":false,"eventType":"AwsApiCall","managementEvent":false,` +
	`"recipientAccountId":"111122223333","eventCategory":"Data"}`

// cloudTrailRecord has its attributes in the order in which a receiver would
// set them, which is not that of their names.
func cloudTrailRecord() *Record {
	text := func(k, v string) KeyValue { return KeyValue{k, StringValue(v)} }
	return &Record{
		Body: StringValue(cloudTrailBody),
		Attributes: []KeyValue{
			text("audit.provider", "aws"), text("audit.event.id", "11111111-2222-4333-8444-555555555555"),
			text("audit.event.name", "PutObject"), text("audit.event.category", "Data"), text("audit.service", "s3.amazonaws.com"),
			text("audit.actor.type", "AssumedRole"), text("audit.actor.id", "AROAEXAMPLEEXAMPLE000:session-1"),
			text("audit.actor.name", "deployer"), text("audit.outcome", "success"), text("client.address", "198.51.100.23"),
			text("user_agent.original", "aws-cli/2.15.0"), text("cloud.region", "eu-central-1"), text("cloud.account.id", "111122223333"),
			{"audit.read_only", BoolValue(false)}, text("audit.resource.id", "arn:aws:s3:::example-bucket/reports/2026/03/01.csv"),
			text("audit.resource.type", "AWS::S3::Object"), text("audit.request.id", "EXAMPLE123456789"),
			text("audit.session.issuer", "arn:aws:iam::111122223333:role/deployer"), {"audit.source.offset", IntValue(48211)},
			text("audit.source.file", "AWSLogs/111122223333/CloudTrail/eu-central-1/2026/03/01/example.json.gz"),
		},
		EventName: "aws.cloudtrail.event", ObservedTime: 1772360143123456789, Time: 1772360142000000000, SeverityNumber: 9, SeverityText: "INFO",
		Resource: Resource{Attributes: []KeyValue{text("cloud.provider", "aws"), text("audit.ingest.receiver", "aws_cloudtrail")}},
		Scope:    Scope{Name: "receiver/awscloudtrail", Version: "0.1.0"},
	}
}

func TestBenchmarkRecordIsRealistic(t *testing.T) {
	if !json.Valid([]byte(cloudTrailBody)) || len(cloudTrailBody) < 1150 || len(cloudTrailBody) > 1500 {
		t.Fatalf("body of %d bytes is not a CloudTrail event of about 1.2 KB", len(cloudTrailBody))
	}
	checkRecord(t, cloudTrailRecord())
}

func BenchmarkAppendLine(b *testing.B) {
	r := cloudTrailRecord()
	var e Encoder
	b.Run("whole", func(b *testing.B) {
		var dst []byte
		b.ReportAllocs()
		for b.Loop() {
			dst, _ = e.AppendLine(dst[:0], r)
		}
		b.SetBytes(int64(len(dst)))
	})
	b.Run("shared", func(b *testing.B) {
		if err := e.SetResource(&r.Resource); err != nil {
			b.Fatal(err)
		}
		if err := e.SetScope(&r.Scope); err != nil {
			b.Fatal(err)
		}
		var dst []byte
		b.ReportAllocs()
		for b.Loop() {
			dst, _ = e.AppendShared(dst[:0], r)
		}
		b.SetBytes(int64(len(dst)))
	})
	b.Run("pooled", func(b *testing.B) {
		var dst []byte
		b.ReportAllocs()
		for b.Loop() {
			dst, _ = AppendLine(dst[:0], r)
		}
		b.SetBytes(int64(len(dst)))
	})
}

func BenchmarkCheckLine(b *testing.B) {
	for _, c := range []struct{ name, body string }{
		{"cloudtrail", cloudTrailBody}, {"plain", strings.Repeat("plain text ", 110)}, {"cyrillic", strings.Repeat("привет", 100)},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := cloudTrailRecord()
			r.Body.Str = c.body
			line, _ := AppendLine(nil, r)
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				if err := CheckLine(line); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParseLine(b *testing.B) {
	line, _ := AppendLine(nil, cloudTrailRecord())
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseLine(line); err != nil {
			b.Fatal(err)
		}
	}
}
