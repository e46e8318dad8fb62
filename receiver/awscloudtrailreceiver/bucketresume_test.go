package awscloudtrailreceiver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-custody/custody/internal/awstest"
)

// A dyingStorage ends its process at a write: that one, and whatever comes later, has no
// effect, or that one still has.
type dyingStorage struct {
	*memoryStorage
	mu     sync.Mutex
	left   int // writes until then
	writes int
	after  bool // it dies behind the write
	died   chan struct{}
}

func (s *dyingStorage) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return s, nil
}

func (s *dyingStorage) Batch(ctx context.Context, ops ...*storage.Operation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	s.left--
	if s.left != 0 {
		return s.memoryStorage.Batch(ctx, ops...)
	}
	if s.after {
		if err := s.memoryStorage.Batch(ctx, ops...); err != nil {
			return err
		}
	}
	close(s.died)
	s.memoryStorage = &memoryStorage{cut: true, data: s.memoryStorage.kill().data}
	return errors.New("the process dies here")
}

// found is what the next process finds.
func (s *dyingStorage) found() *memoryStorage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.memoryStorage.kill()
}

// halls are files of two accounts on three days, of 1, 7 and 12 events: batches hold five.
func halls(t *testing.T, x *bucketFixture) (want []string) {
	t.Helper()
	for a, id := range []string{one, other} {
		for day := range 3 {
			for i, count := range []int{1, 7, 12} {
				name := fmt.Sprintf("%d-%d-%d", a, day, i)
				x.s3.Put(trail, in(id, "CloudTrail", "eu-central-1", fmt.Sprintf("2026-02-%02dT12:%02d", day+1, i)), []byte(packed(t, logFile(events(name, count)...))), nil)
				want = append(want, events(name, count)...)
			}
		}
	}
	return want
}

// Whenever it is killed, the next process goes on: nothing is missing, nothing that was
// acknowledged comes again but the batch that was in flight, which is marked.
func TestBucketKilledAtEveryWrite(t *testing.T) {
	for _, after := range []bool{false, true} {
		for at := 1; ; at++ {
			x := newBucketFixture(t)
			x.single = true
			want := halls(t, x)
			dying := &dyingStorage{memoryStorage: newStorage(), left: at, after: after, died: make(chan struct{})}
			x.runs = dying
			r := x.start(t)
			source := r.sources[len(r.sources)-1].(*bucket)
			select {
			case <-dying.died:
			case <-source.stopped:
			}
			over := dying.left > 0
			first := x.next
			shutdown(t, r)
			if over {
				if at < 30 {
					t.Fatalf("only %d writes", dying.writes)
				}
				break
			}
			x.runs, x.store, x.next = nil, dying.found(), &pipeline{}
			x.once(t)
			wantResumed(t, fmt.Sprintf("killed at write %d, after: %v", at, after), want, 1, first, x.next)
		}
	}
}

// wantResumed checks that processes together delivered everything in order, and that each
// repeated one batch at most, and marked it.
func wantResumed(t *testing.T, what string, want []string, kills int, runs ...*pipeline) {
	t.Helper()
	seen := map[string]int{}
	unmarked := 0
	for _, p := range runs {
		for i, body := range p.bodies() {
			_, marked := p.records[i].Attributes().Get(attrRepeat)
			if seen[body]++; seen[body] > 1 && !marked {
				unmarked++
			}
		}
	}
	repeated := 0
	for _, body := range want {
		if seen[body] == 0 {
			t.Fatalf("%s: missing %s", what, body)
		}
		repeated += seen[body] - 1
	}
	if len(seen) != len(want) || repeated > 5*kills || unmarked > 0 {
		t.Fatalf("%s: %d events of %d, %d repeated, %d of them without a mark", what, len(seen), len(want), repeated, unmarked)
	}
}

// Ten interruptions, half of them with a stop in order, the others without.
func TestBucketInterruptedTenTimes(t *testing.T) {
	x := newBucketFixture(t)
	want := halls(t, x)
	x.single = true
	var runs []*pipeline
	for n := range 10 {
		p := &pipeline{}
		limit, reached := n%4+1, make(chan struct{})
		p.answer = func(attempt int) (bool, error) {
			switch {
			case attempt < limit:
				return true, nil
			case attempt == limit:
				close(reached)
				return n%4 == 1, errors.New("interrupted")
			}
			return false, errors.New("interrupted")
		}
		x.next, runs = p, append(runs, p)
		r := x.start(t)
		<-reached
		if n%2 == 1 {
			x.store = x.store.kill()
		}
		shutdown(t, r)
	}
	x.next = &pipeline{}
	runs = append(runs, x.next)
	x.once(t)
	wantResumed(t, "ten interruptions", want, 10, runs...)
	if len(x.next.bodies()) == 0 {
		t.Error("all was read before the last run: this tests nothing")
	}
}

// A second run has nothing to do, and a third with a damaged mark neither.
func TestBucketDone(t *testing.T) {
	x := newBucketFixture(t)
	want := halls(t, x)
	x.once(t)
	settlesSet(t, x.next, want, true)
	marks := 0
	for key := range x.store.data {
		if strings.HasPrefix(key, "bucket/1/") {
			marks++
			if got, want := string(x.store.data[key]), `{"day":"2026/02/03"}`; got != want {
				t.Errorf("mark is %s, want %s", got, want)
			}
		}
	}
	if marks != 2 {
		t.Errorf("%d marks, want one for each account", marks)
	}
	x.next = &pipeline{}
	x.once(t)
	for key := range x.store.data {
		if strings.HasPrefix(key, "bucket/1/") {
			x.store.data[key] = []byte("{")
		}
	}
	x.once(t)
	x.wantRead(t)
}

// Two sources that name one object at a time seal it once.
func TestBucketAndQueueTogether(t *testing.T) {
	x := newBucketFixture(t)
	queues := awstest.NewSQS(t, awstest.SQSOptions{})
	t.Setenv("AWS_ENDPOINT_URL_S3", x.s3.URL)
	t.Setenv("AWS_ENDPOINT_URL_SQS", queues.Endpoint)
	x.more = "sqs: {queue_url: '" + queues.Queue("trail", nil) + "', wait_time: 0s}\n"
	x.workers = 4
	var want []string
	for i := range 60 {
		key := in(one, "CloudTrail", "eu-central-1", fmt.Sprintf("2026-02-01T12:%02d", i))
		data := []byte(packed(t, logFile(event(key))))
		_, etag := x.s3.Put(trail, key, data, nil)
		queues.Send("trail", fmt.Sprintf(`{"Records":[{"eventVersion":"2.1","eventTime":"2026-02-01T12:00:00.000Z","eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":%q},"object":{"key":%q,"size":%d,"eTag":%q,"versionId":"v1"}}}]}`,
			trail, key, len(data), etag))
		want = append(want, event(key))
	}
	x.change = func(c *Config) { c.AWS.Endpoint = "" }
	x.start(t)
	settlesSet(t, x.next, want, true)
	until(t, "the queue is empty", func() bool { return queues.Count("trail")[awstest.Deleted] == len(want) })
	settlesSet(t, x.next, want, true)
}

// reads is how often objects of halls were read.
func reads(x *bucketFixture) (n int) {
	for _, id := range []string{one, other} {
		for day := range 3 {
			for i := range 3 {
				n += x.s3.Gets(trail, in(id, "CloudTrail", "eu-central-1", fmt.Sprintf("2026-02-%02dT12:%02d", day+1, i)))
			}
		}
	}
	return n
}

// While the pipeline refuses, nothing new is read; then all of it is, once.
func TestBucketWaitsForThePipeline(t *testing.T) {
	x := newBucketFixture(t)
	want := halls(t, x)
	x.workers = 6
	x.s3.PageSize(1)
	x.s3.Fault(func(c awstest.S3Call) *awstest.S3Fault {
		if c.Key == "" {
			return &awstest.S3Fault{Wait: 20 * time.Millisecond} // Later than the refusal of the object before.
		}
		return nil
	})
	var mu sync.Mutex
	full := true
	x.next.answer = func(int) (bool, error) {
		mu.Lock()
		defer mu.Unlock()
		if full {
			return false, errors.New("the spool is full")
		}
		return true, nil
	}
	x.start(t)
	until(t, "it says so", func() bool {
		_, err := x.host.status()
		return err != nil && strings.Contains(err.Error(), "spool is full")
	})
	time.Sleep(300 * time.Millisecond)
	if n := reads(x); n > 2 {
		t.Errorf("%d objects were read while the pipeline refused, want the first of each account", n)
	}
	mu.Lock()
	full = false
	mu.Unlock()
	settlesSet(t, x.next, want, true)
}

// Throttled, it begins nothing new until the call is answered.
func TestBucketThrottled(t *testing.T) {
	x := newBucketFixture(t)
	x.workers = 4
	victim := in(one, "CloudTrail", "eu-central-1", "2026-02-01T00:00")
	x.log(t, victim)
	const others = 400
	for i := range others {
		x.log(t, in(other, "CloudTrail", "eu-central-1", fmt.Sprintf("2026-02-01T%02d:%02d", i/60, i%60)))
	}
	var mu sync.Mutex
	calls, between := 0, 0
	x.s3.Fault(func(c awstest.S3Call) *awstest.S3Fault {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case c.Key == victim && c.Number == 4: // The client itself makes three attempts.
			between = calls
		case c.Key == victim && c.Number == 9:
			between = calls - between
		case c.Key != "" && c.Key != victim:
			calls++
			return &awstest.S3Fault{Wait: 10 * time.Millisecond}
		}
		if c.Key == victim && c.Number <= 9 {
			return &awstest.S3Fault{Status: http.StatusServiceUnavailable, Code: "SlowDown"}
		}
		return nil
	})
	x.once(t)
	if between > 4 {
		t.Errorf("%d objects were begun between the fourth and the ninth refusal", between)
	}
	if got := len(x.read()); got != others+1 {
		t.Errorf("%d events arrived, want %d", got, others+1)
	}
}

// Credentials that never worked are told at once; such that expire are waited for.
func TestBucketCredentials(t *testing.T) {
	x := newBucketFixture(t)
	want := halls(t, x)
	var mu sync.Mutex
	expired := func(awstest.S3Call) bool { return true }
	x.s3.Fault(func(c awstest.S3Call) *awstest.S3Fault {
		mu.Lock()
		defer mu.Unlock()
		if expired(c) {
			return &awstest.S3Fault{Status: http.StatusBadRequest, Code: "ExpiredToken"}
		}
		return nil
	})
	over := make(chan error, 100)
	x.tell = func(p BucketProgress) {
		if p.Over {
			over <- p.Err
		}
	}
	x.start(t)
	if err := <-over; err == nil || !strings.Contains(err.Error(), "credentials are missing, wrong or expired") {
		t.Errorf("the first look ended with %v", err)
	}
	mu.Lock()
	at := time.Now().Add(300 * time.Millisecond)
	expired = func(c awstest.S3Call) bool { return c.Key != "" && time.Now().Before(at) }
	mu.Unlock()
	settlesSet(t, x.next, want, true)
	for err := range over {
		if err == nil {
			break
		}
		if !strings.Contains(err.Error(), "list s3://") {
			t.Errorf("a look ended with %v instead of waiting", err)
		}
	}
}

// What the pipeline refuses for good waits for a restart, and its day is not done.
func TestBucketParked(t *testing.T) {
	x := newBucketFixture(t)
	key := func(day int) string {
		return in(one, "CloudTrail", "eu-central-1", fmt.Sprintf("2026-02-%02dT12:00", day))
	}
	x.log(t, key(1), key(2))
	x.next.answer = func(attempt int) (bool, error) {
		if attempt == 0 {
			return false, consumererror.NewPermanent(errors.New("malformed"))
		}
		return true, nil
	}
	r := x.start(t)
	until(t, "the other is read", func() bool { return len(x.read()) == 1 })
	time.Sleep(5 * x.every)
	x.wantRead(t, key(2))
	shutdown(t, r)
	x.once(t)
	x.wantRead(t, key(2), key(1))
}

// An empty or mistaken place is not taken for one that is done.
func TestBucketNothingThere(t *testing.T) {
	for _, keys := range []string{"", "  prefix: audit\n", "  accounts: ['999999999999']\n", "  regions: [eu-north-1]\n"} {
		x := newBucketFixture(t)
		if keys != "" {
			x.log(t, in(one, "CloudTrail", "eu-central-1", "2026-02-01T12:00"))
		}
		x.keys = keys
		x.start(t)
		until(t, "it says so", func() bool {
			_, err := x.host.status()
			return err != nil && strings.Contains(err.Error(), "there is no CloudTrail folder below s3://"+trail)
		})
		x.wantRead(t)
	}
}

// Whoever wants to know hears how far it is, and how much there is.
func TestBucketProgress(t *testing.T) {
	x := newBucketFixture(t)
	want := halls(t, x)
	var heard []BucketProgress
	x.tell = func(p BucketProgress) { heard = append(heard, p) }
	x.once(t)
	last := heard[len(heard)-1]
	if !last.Over || last.Err != nil || last.Done != 18 || last.Found != 18 || last.Known != 0 || last.Events != uint64(len(want)) ||
		last.Bytes == 0 || last.Day != "2026-02-03" || last.Region != "eu-central-1" {
		t.Errorf("in the end %+v", last)
	}
	if !slices.ContainsFunc(heard, func(p BucketProgress) bool { return p.Done == 7 && p.Day == "2026-02-03" }) {
		t.Errorf("heard %+v", heard)
	}
	heard = nil
	x.once(t)
	if last := heard[len(heard)-1]; last.Known != last.Done || last.Events != 0 || last.Done == 0 {
		t.Errorf("the second time %+v", last)
	}
}

// Counting ahead finds what walking finds, whatever the pages are.
func TestBucketCount(t *testing.T) {
	for _, page := range []int{1, 3, 1000} {
		x := newBucketFixture(t)
		halls(t, x)
		x.s3.PageSize(page)
		r := x.start(t)
		b := r.sources[len(r.sources)-1].(*bucket)
		shutdown(t, r)
		b.tally.begin(nil)
		streams, err := b.discover(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b.countAll(t.Context(), streams)
		if p := b.tally.now; p.Found != 18 || !p.Counted {
			t.Errorf("pages of %d: %+v", page, p)
		}
	}
}

func TestBucketConfig(t *testing.T) {
	const lead = "storage: file_storage\nregion: eu-central-1\nbucket:\n  name: acme-trail\n"
	for _, good := range []string{"", "  prefix: a/b/\n", "  accounts: ['012345678901']\n  regions: [ap-southeast-2, cn-north-1]\n",
		"  from: 2026-01-01\n  to: 2026-01-02\n", "  from: 2026-01-01T00:00:00Z\n  poll_interval: 0s\n  overlap: 0s\n  workers: 64\n"} {
		if _, err := configFrom(lead + good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for bad, want := range map[string]string{
		"  name: s3://acme-trail\n":              "bucket: name: required",
		"  prefix: /a\n":                         "bucket: prefix: must not begin with a slash",
		"  prefix: a//b\n":                       "bucket: prefix: must not contain two slashes",
		"  prefix: a/AWSLogs\n":                  "bucket: prefix: want only what stands before AWSLogs/",
		"  accounts: ['11112222333']\n":          "bucket: accounts: want the 12 digits",
		"  regions: [Frankfurt]\n":               "bucket: regions: want the name of a region",
		"  from: yesterday\n":                    "bucket: from: want a date",
		"  to: 2026-13-01\n":                     "bucket: to: want a date",
		"  from: 2026-01-02\n  to: 2026-01-01\n": "bucket: from, to: from must be before to",
		"  from: 2026-01-01T12:00:00Z\n  to: 2026-01-01T12:00:00Z\n": "bucket: from, to: from must be before to",
		"  poll_interval: 10ms\n":                                    "bucket: poll_interval: must be at least 1s, or 0s",
		"  overlap: -1s\n":                                           "bucket: overlap: must not be negative",
		"  workers: 0\n":                                             "bucket: workers: must be 1 to 64",
		"  nmae: x\n":                                                "nmae",
		"  prefix: /a\n  workers: 65\n  accounts: [x]\n  poll_interval: -1s\n": "workers: must be 1 to 64, got 65",
	} {
		text := lead + bad
		if strings.HasPrefix(bad, "  name:") {
			text = strings.Replace(lead, "  name: acme-trail\n", bad, 1)
		}
		if _, err := configFrom(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", bad, err, want)
		}
	}
}
