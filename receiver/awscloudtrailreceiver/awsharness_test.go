package awscloudtrailreceiver

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-custody/custody/internal/awstest"
	"github.com/otelcol-custody/custody/internal/contents"
	"github.com/otelcol-custody/custody/internal/eventlog"
)

// Walk implements storage.Walker, without the operations that a caller may return.
func (s *memoryStorage) Walk(_ context.Context, fn storage.WalkFunc) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, value := range s.data {
		if _, err := fn(key, value); err != nil {
			return err
		}
	}
	return nil
}

const (
	trailBucket = "trail"
	queueName   = "cloudtrail"
	deadName    = "cloudtrail-dead"
)

// awsFixture is a receiver's surroundings in AWS: a bucket, a queue, CloudTrail.
type awsFixture struct {
	*fixture
	s3         *awstest.S3
	sqs        *awstest.SQS
	cloudtrail *awstest.CloudTrail
	queue      string
	visibility time.Duration
	yaml       string // further keys of the receiver
}

func newAWSFixture(t *testing.T) *awsFixture {
	t.Helper()
	x := &awsFixture{fixture: newFixture(t), s3: awstest.NewS3(t), sqs: awstest.NewSQS(t, awstest.SQSOptions{}),
		cloudtrail: awstest.NewCloudTrail(t, awstest.CloudTrailOptions{}), visibility: time.Minute}
	x.sqs.Queue(deadName, nil)
	x.queue = x.sqs.Queue(queueName, awstest.DeadLetters(deadName, 3))
	t.Setenv("AWS_ENDPOINT_URL_S3", x.s3.URL)
	t.Setenv("AWS_ENDPOINT_URL_SQS", x.sqs.Endpoint)
	t.Setenv("AWS_ENDPOINT_URL_CLOUDTRAIL", x.cloudtrail.Endpoint)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	return x
}

// start runs a receiver on the queue that is stopped when the test ends, in batches of
// five.
func (x *awsFixture) start(t *testing.T) *cloudTrail {
	t.Helper()
	return x.startWith(t, "max_in_flight: 4")
}

// startWith is start with further keys of sqs.
func (x *awsFixture) startWith(t *testing.T, sqs string) *cloudTrail {
	t.Helper()
	cfg, err := configFrom(fmt.Sprintf(`
storage: file_storage/positions
region: eu-central-1
path_style: true
access_key_id: custody-test
secret_access_key: custody-test-secret
sqs: {queue_url: %q, wait_time: 1s, %s}
%s`, x.queue, sqs, x.yaml))
	if err != nil {
		t.Fatal(err)
	}
	r, err := newReceiver(cfg, x.set, x.next)
	if err != nil {
		t.Fatal(err)
	}
	cfg.SQS.Get().VisibilityTimeout = x.visibility
	r.retry = contents.Backoff{Initial: time.Millisecond, Max: 20 * time.Millisecond}
	r.limits = eventlog.Limits{Records: 5, Bytes: 1 << 20}
	x.host = &testHost{extensions: map[component.ID]component.Component{storageID: x.store}}
	if err := r.Start(context.Background(), x.host); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shutdown(t, r) })
	return r
}

// logKey is the key of the n-th log file.
func logKey(n int) string {
	return fmt.Sprintf("AWSLogs/111122223333/CloudTrail/eu-central-1/2026/03/01/111122223333_CloudTrail_eu-central-1_20260301T12%02dZ_AbCdEfGhIjKlMn%02d.json.gz", n%60, n)
}

// putLog stores a log file and returns the message that S3 sends about it.
func (x *awsFixture) putLog(t *testing.T, key string, events ...string) string {
	t.Helper()
	version, etag := x.s3.Put(trailBucket, key, []byte(packed(t, logFile(events...))), nil)
	return created(key, version, etag)
}

// created is S3's event notification about a new object.
func created(key, version, etag string) string {
	return s3Event("ObjectCreated:Put", key, version, etag)
}

func s3Event(name, key, version, etag string) string {
	return fmt.Sprintf(`{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"eu-central-1","eventTime":"2026-03-01T12:05:00.000Z","eventName":%q,`+
		`"s3":{"s3SchemaVersion":"1.0","bucket":{"name":%q},"object":{"key":%q,"size":100,"eTag":%q,"versionId":%q,"sequencer":"0A"}}}]}`,
		name, trailBucket, url.QueryEscape(key), etag, version)
}

// worked waits until every message of the queue is deleted. What the queue gave to a
// receiver that had just been stopped comes again after a while, as it would in AWS.
func (x *awsFixture) worked(t *testing.T) {
	t.Helper()
	again := time.Now().Add(5 * time.Second)
	until(t, "every message was deleted", func() bool {
		if time.Now().After(again) {
			x.sqs.Redeliver(queueName, false)
			again = time.Now().Add(5 * time.Second)
		}
		return !slices.ContainsFunc(x.sqs.Messages(queueName), func(m awstest.View) bool { return m.State != awstest.Deleted })
	})
}

// eventBodies are the bodies without records of the collector's own about its source.
func (p *pipeline) eventBodies() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, lr := range p.records {
		if !strings.HasPrefix(lr.EventName(), "audit.source.") {
			out = append(out, lr.Body().Str())
		}
	}
	return out
}

// own are the bodies of records of one event name.
func (p *pipeline) own(name string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, lr := range p.records {
		if lr.EventName() == name {
			out = append(out, lr.Body().Str())
		}
	}
	return out
}

// gaps are the reasons of gap records about objects.
func (x *awsFixture) gaps(t *testing.T) (reasons []string) {
	t.Helper()
	for _, body := range x.next.own("audit.source.gap") {
		var b struct{ Gap gap }
		if err := json.Unmarshal([]byte(body), &b); err != nil {
			t.Fatal(err)
		}
		if b.Gap.Reason != "" {
			reasons = append(reasons, b.Gap.Reason)
		}
	}
	return reasons
}

// sameSet compares without order.
func sameSet(t *testing.T, what string, got, want []string) {
	t.Helper()
	got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		t.Errorf("%s: %d instead of %d\ngot  %.1500q\nwant %.1500q", what, len(got), len(want), got, want)
	}
}
