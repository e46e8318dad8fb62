package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/internal/awstest"
)

const (
	trailBucket = "acme-trail"
	trailQueue  = "acme-trail"
	trailInput  = "aws_cloudtrail/trail"
)

// A trail is a home whose collector takes CloudTrail files out of AWS: servers of this
// process, which know of every call before it has an effect and after.
type trail struct {
	*home
	s3         *awstest.S3
	sqs        *awstest.SQS
	cloudtrail *awstest.CloudTrail
	queue      string // URL
	bucket     string // URL of S3, by way of the hooks

	mu    sync.Mutex
	hooks hooks
	sent  map[string]bool // event ids
	files int
}

// hooks are called when a call has come, by the server that answers it. Those of S3 get
// the key.
type hooks struct {
	received func()           // ReceiveMessage has come
	asked    func(key string) // GetObject has come
	given    func(key string) // its answer was written
	deleting func() error     // DeleteMessage has come; an error is the answer
}

func newTrail(t *testing.T) *trail {
	t.Helper()
	a := &trail{home: newHome(t, ""), s3: awstest.NewS3(t), sqs: awstest.NewSQS(t, awstest.SQSOptions{}),
		cloudtrail: awstest.NewCloudTrail(t, awstest.CloudTrailOptions{}), sent: map[string]bool{}}
	a.queue = a.sqs.Queue(trailQueue, nil)
	front := httptest.NewServer(a)
	t.Cleanup(front.Close)
	a.bucket = front.URL
	return a
}

// hook changes what is called; nothing by default.
func (a *trail) hook(h hooks) {
	a.mu.Lock()
	a.hooks = h
	a.mu.Unlock()
	a.sqs.SetFault(func(c awstest.Call) error {
		switch {
		case c.Action == "ReceiveMessage" && h.received != nil:
			h.received()
			return awstest.ErrAnswerLost
		case c.Action == "DeleteMessage" && h.deleting != nil:
			return h.deleting()
		}
		return nil
	})
}

// ServeHTTP implements [http.Handler] in front of S3.
func (a *trail) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	h := a.hooks
	a.mu.Unlock()
	key := strings.TrimPrefix(r.URL.Path, "/"+trailBucket+"/")
	if h.asked != nil {
		h.asked(key)
	}
	a.s3.ServeHTTP(w, r)
	if h.given != nil {
		_ = http.NewResponseController(w).Flush() // The collector may be gone.
		h.given(key)
	}
}

// overlay has the quickstart read the queue, with further keys of sqs.
func (a *trail) overlay(sqs string) string {
	return fmt.Sprintf(`
receivers:
  %s:
    storage: file_storage/positions
    region: %s
    path_style: true
    access_key_id: %s
    secret_access_key: %s
    sqs: {queue_url: %q, wait_time: 1s, visibility_timeout: 5m, %s}
service: {pipelines: {logs: {receivers: [%[1]s]}}}
`, trailInput, awstest.Region, awstest.AccessKey, awstest.SecretKey, a.queue, sqs)
}

// launch starts the collector on the servers.
func (a *trail) launch(t *testing.T, overlays ...string) *collector {
	t.Helper()
	return launchAs(t, a.home, "/usr/bin/env", append(a.endpoints(collectorBin, "--plain"), a.args(t, overlays...)...))
}

// start launches the collector and waits until it has asked the queue.
func (a *trail) start(t *testing.T, overlays ...string) *collector {
	t.Helper()
	before := a.receives()
	c := a.launch(t, overlays...)
	eventually(t, "a call to the queue", func() bool { return a.receives() > before })
	return c
}

func (a *trail) receives() (n int) {
	for _, c := range a.sqs.Calls() {
		if c.Action == "ReceiveMessage" {
			n++
		}
	}
	return n
}

// endpoints are the arguments of env that lead a program to the servers.
func (a *trail) endpoints(program ...string) []string {
	return append([]string{"AWS_ENDPOINT_URL_S3=" + a.bucket, "AWS_ENDPOINT_URL_SQS=" + a.sqs.Endpoint,
		"AWS_ENDPOINT_URL_CLOUDTRAIL=" + a.cloudtrail.Endpoint, "AWS_EC2_METADATA_DISABLED=true"}, program...)
}

// A logFile is one that was put into the bucket.
type logFile struct {
	key, told string // told is what S3 tells of it
	number    int
}

// id is that of its n-th event.
func (f *logFile) id(n int) string {
	return fmt.Sprintf("00000000-0000-4000-8000-%06d%06d", f.number, n)
}

// put stores a log file with so many events.
func (a *trail) put(t *testing.T, count int) *logFile {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.files++
	f := &logFile{key: logFileKey(a.files), number: a.files}
	var b bytes.Buffer
	b.WriteString(`{"Records":[`)
	for n := range count {
		if n > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"eventVersion":"1.11","eventTime":"2026-03-01T12:00:00Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu-central-1","eventID":%q}`, f.id(n))
		a.sent[f.id(n)] = true
	}
	b.WriteString(`]}`)
	f.told = a.store(f.key, packed(t, b.Bytes(), gzip.DefaultCompression), nil)
	return f
}

// store puts an object and returns what S3 tells of it.
func (a *trail) store(key string, data []byte, meta map[string]string) string {
	version, etag := a.s3.Put(trailBucket, key, data, meta)
	return fmt.Sprintf(`{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":%q,"eventTime":"2026-03-01T12:05:00.000Z","eventName":"ObjectCreated:Put",`+
		`"s3":{"s3SchemaVersion":"1.0","bucket":{"name":%q},"object":{"key":%q,"size":%d,"eTag":%q,"versionId":%q,"sequencer":"0A"}}}`,
		awstest.Region, trailBucket, url.QueryEscape(key), len(data), etag, version)
}

// logFileKey spreads files over regions and days.
func logFileKey(file int) string {
	region := []string{"eu-central-1", "eu-west-1", "us-east-1"}[file%3]
	return fmt.Sprintf("AWSLogs/111122223333/CloudTrail/%[1]s/2026/03/%02[2]d/111122223333_CloudTrail_%[1]s_202603%02[2]dT%02[3]d%02[4]dZ_Example%09[5]d.json.gz",
		region, 1+file/100%28, file/60%24, file%60, file)
}

func packed(t testing.TB, content []byte, level int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tell sends one message about these objects.
func (a *trail) tell(told ...string) {
	a.sqs.Send(trailQueue, `{"Records":[`+strings.Join(told, ",")+`]}`)
}

// worked waits until every message is deleted. Now and then those in flight become
// visible: the last call of a collector that was killed may have taken one with it.
func (a *trail) worked(t *testing.T) {
	t.Helper()
	next := time.Now().Add(3 * time.Second)
	eventually(t, "every message to be deleted", func() bool {
		if time.Now().After(next) {
			a.sqs.Redeliver(trailQueue, false)
			next = time.Now().Add(3 * time.Second)
		}
		return a.left() == 0
	})
}

// left is how many messages are not deleted.
func (a *trail) left() int {
	all := a.sqs.Count(trailQueue)
	return all[awstest.Visible] + all[awstest.InFlight] + all[awstest.Delayed]
}

// journalled reports whether a text is in the log's journal.
func (a *trail) journalled(text string) bool {
	names, err := filepath.Glob(filepath.Join(a.path("state"), "journal", "*"))
	if err != nil {
		panic(err) // The pattern is wrong.
	}
	slices.Reverse(names)
	return slices.ContainsFunc(names, func(name string) bool {
		b, err := os.ReadFile(name)
		return err == nil && bytes.Contains(b, []byte(text)) // It may be gone meanwhile.
	})
}

// A tally is what the log holds of the events that were sent.
type tally struct {
	copies   map[string]int // by event id
	unmarked map[string]int // without audit.duplicate.possible
	verified map[string]int // log files that digests prove, by URL
	other    map[string]int // records about the source that say something else, by event name
}

// marked is how many copies of events are marked as repeated.
func (c *tally) marked() (n int) {
	for id := range c.copies {
		n += c.copies[id] - c.unmarked[id]
	}
	return n
}

func (a *trail) tally(t *testing.T) *tally {
	t.Helper()
	c := &tally{map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}}
	for _, r := range eventsIn(readStore(t, a.home.store())) {
		var body struct {
			EventID, Reason, Object string
			DigestEndTime           string
		}
		var text string
		if err := json.Unmarshal(r.Body, &text); err != nil {
			t.Fatalf("body %s: %v", r.Body, err)
		}
		if err := json.Unmarshal([]byte(text), &body); err != nil {
			t.Fatalf("body %s: %v", text, err)
		}
		switch {
		case body.EventID != "":
			c.copies[body.EventID]++
			if string(r.Attributes["audit.duplicate.possible"]) != "true" {
				c.unmarked[body.EventID]++
			}
		case body.Reason == "log-verified":
			c.verified[body.Object]++
		default:
			c.other[body.Reason]++
		}
	}
	return c
}

// check wants every event that was sent, and each repetition marked. It returns how many
// events are in the log more than once.
func (a *trail) check(t *testing.T) (c *tally, repeated int) {
	t.Helper()
	verify(t, 0, a.home.store(), a.pub())
	c = a.tally(t)
	lost, unmarked := 0, 0
	for id := range a.sent {
		if c.copies[id] == 0 {
			lost++
		}
		if c.copies[id] > 1 {
			repeated++
		}
		if c.unmarked[id] > 1 {
			unmarked++
		}
	}
	for id := range c.copies {
		if !a.sent[id] {
			t.Errorf("event %s is in the log and was never sent", id)
		}
	}
	if lost > 0 || unmarked > 0 {
		t.Errorf("of %d events %d are missing, %d are repeated and not marked", len(a.sent), lost, unmarked)
	}
	t.Logf("%d events, each in the log; %d of them twice or more, and marked", len(a.sent), repeated)
	return c, repeated
}
