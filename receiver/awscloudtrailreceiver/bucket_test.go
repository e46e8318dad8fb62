package awscloudtrailreceiver

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-custody/custody/internal/awstest"
	"github.com/otelcol-custody/custody/internal/contents"
	"github.com/otelcol-custody/custody/internal/eventlog"
)

const trail = "acme-trail"

// A bucketFixture is a receiver over a bucket on a small server.
type bucketFixture struct {
	*fixture
	s3      *awstest.S3
	keys    string // further keys of bucket
	more    string // further keys of the receiver
	tell    func(BucketProgress)
	runs    component.Component // the storage extension instead of the fixture's
	change  func(*Config)
	single  bool // look until all is read
	workers int
	every   time.Duration // instead of poll_interval, which tests have no time for
}

func newBucketFixture(t *testing.T) *bucketFixture {
	t.Helper()
	return &bucketFixture{fixture: newFixture(t), s3: awstest.NewS3(t), every: 20 * time.Millisecond}
}

func (x *bucketFixture) config(t *testing.T) *Config {
	t.Helper()
	cfg, err := configFrom(fmt.Sprintf(`
storage: file_storage/positions
region: eu-central-1
endpoint: %s
path_style: true
access_key_id: custody
secret_access_key: invented
digests: {verify: false}
bucket:
  name: %s
%s
%s`, x.s3.URL, trail, x.keys, x.more))
	if err != nil {
		t.Fatal(err)
	}
	b := cfg.Bucket.Get()
	if b.Workers = max(1, x.workers); b.PollInterval > 0 && !x.single {
		b.PollInterval = x.every
	} else {
		b.PollInterval = 0
	}
	b.Progress = x.tell
	if x.change != nil {
		x.change(cfg)
	}
	return cfg
}

// start runs a receiver that is stopped when the test ends, in batches of five.
func (x *bucketFixture) start(t *testing.T) *cloudTrail {
	t.Helper()
	r, err := newReceiver(x.config(t), x.set, x.next)
	if err != nil {
		t.Fatal(err)
	}
	r.retry = contents.Backoff{Initial: time.Millisecond, Max: 5 * time.Millisecond}
	r.limits = eventlog.Limits{Records: 5, Bytes: 1 << 20}
	var store component.Component = x.store
	if x.runs != nil {
		store = x.runs
	}
	x.host = &testHost{extensions: map[component.ID]component.Component{storageID: store}}
	if err := r.Start(context.Background(), x.host); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shutdown(t, r) })
	return r
}

// once looks until all is read, and stops the receiver.
func (x *bucketFixture) once(t *testing.T) {
	t.Helper()
	x.single = true
	r := x.start(t)
	select {
	case <-r.sources[len(r.sources)-1].(*bucket).stopped:
	case <-time.After(30 * time.Second):
		_, err := x.host.status()
		t.Fatalf("never done: %v", err)
	}
	shutdown(t, r)
}

// in is the key of a file that was delivered at a time, given as 2026-03-01T12:05.
func in(account, kind, region, at string) string {
	plain := strings.NewReplacer("-", "", ":", "").Replace(at)
	sum := sha256.Sum256([]byte(account + kind + region + at))
	seconds, end := "", hex.EncodeToString(sum[:8])+".json.gz"
	if kind == "CloudTrail-Digest" {
		seconds, end = "11", "json.gz"
	}
	sep := map[bool]string{true: "_", false: "."}[seconds == ""]
	return fmt.Sprintf("AWSLogs/%s/%s/%s/%s/%s_%s_%s_%s%sZ%s%s", account, kind, region, strings.ReplaceAll(at[:10], "-", "/"),
		account[strings.LastIndexByte(account, '/')+1:], kind, region, plain, seconds, sep, end)
}

const (
	one   = "111122223333"
	other = "444455556666"
)

// log puts a file with one event, which is named after its key.
func (x *bucketFixture) log(t *testing.T, keys ...string) {
	t.Helper()
	for _, key := range keys {
		x.s3.Put(trail, key, []byte(packed(t, logFile(event(key)))), nil)
	}
}

// read are the keys whose events arrived, in their order.
func (x *bucketFixture) read() []string {
	var keys []string
	for _, s := range x.next.sources() {
		key := strings.TrimPrefix(s, "s3://"+trail+"/")
		key, _, _ = strings.Cut(key, "#")
		key, _, _ = strings.Cut(key, "?")
		keys = append(keys, key)
	}
	return keys
}

// wantRead compares what arrived.
func (x *bucketFixture) wantRead(t *testing.T, want ...string) {
	t.Helper()
	if got := x.read(); !slices.Equal(got, want) {
		t.Errorf("read\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Days come one after the other in each stream, a day's digests behind its logs, and all
// that is no file of CloudTrail's is left alone.
func TestBucketOrder(t *testing.T) {
	x := newBucketFixture(t)
	const org = "o-exampleorgid/" + other
	want := []string{
		in(one, "CloudTrail-Insight", "eu-central-1", "2025-12-31T10:00"),
		in(one, "CloudTrail", "eu-central-1", "2025-12-31T23:55"),
		in(one, "CloudTrail-Digest", "eu-central-1", "2025-12-31T23:59"),
		in(one, "CloudTrail", "eu-central-1", "2026-01-01T00:05"),
		in(one, "CloudTrail", "eu-central-1", "2026-01-01T00:10"),
		in(one, "CloudTrail-Digest", "eu-central-1", "2026-01-01T01:00"),
		in(one, "CloudTrail-Insight", "eu-central-1", "2026-02-01T10:00"),
		in(one, "CloudTrail", "us-east-1", "2025-11-30T12:00"),
		in(org, "CloudTrail", "eu-central-1", "2026-01-01T12:00"),
	}
	x.log(t, want...)
	for _, foreign := range []string{
		"AWSLogs/" + one + "/Config/eu-central-1/2026/1/1/ConfigHistory/" + one + "_Config.json.gz",
		"AWSLogs/" + one + "/elasticloadbalancing/eu-central-1/2026/01/01/x.log.gz",
		"AWSLogs/" + one + "/CloudTrail/eu-central-1/",
		"AWSLogs/" + one + "/CloudTrail/eu-central-1/readme.txt",
		"AWSLogs/" + one + "/CloudTrail/eu-central-1/2026/01/01/x.json.gz.tmp",
		"AWSLogs/" + one + "/CloudTrail/eu-central-1/2026/01/x.json.gz",
		"AWSLogs/" + one + "/CloudTrail/eu-central-1/2026/01/01/deep/x.json.gz",
		"AWSLogs/" + one + "/CloudTrail/nowhere/2026/01/01/x.json.gz",
		"AWSLogs/o-exampleorgid/CloudTrail/eu-central-1/2026/01/01/x.json.gz",
		"AWSLogs/12/CloudTrail/eu-central-1/2026/01/01/x.json.gz",
		"elsewhere/" + want[0], "x.json.gz",
	} {
		x.log(t, foreign)
	}
	x.s3.PageSize(2)
	x.once(t)
	x.wantRead(t, want...)
}

// What is asked for is read, and nothing else.
func TestBucketFilters(t *testing.T) {
	var all []string
	for _, a := range []string{one, other} {
		for _, region := range []string{"eu-central-1", "us-gov-west-1"} {
			for _, at := range []string{"2026-01-31T23:55", "2026-02-01T00:00", "2026-02-01T12:00", "2026-02-02T00:00"} {
				all = append(all, in(a, "CloudTrail", region, at))
			}
		}
	}
	for _, tt := range []struct {
		name, keys string
		want       func(key string) bool
	}{
		{"all", "", func(string) bool { return true }},
		{"account", `  accounts: ["444455556666"]`, func(key string) bool { return strings.Contains(key, other) }},
		{"region", "  regions: [us-gov-west-1]", func(key string) bool { return strings.Contains(key, "us-gov-west-1") }},
		{"from a day", "  from: 2026-02-01", func(key string) bool { return !strings.Contains(key, "20260131") }},
		{"from a time", "  from: 2026-02-01T13:00:00+01:00", func(key string) bool { return strings.Contains(key, "T1200") || strings.Contains(key, "20260202") }},
		{"before a day", "  to: '2026-02-01'", func(key string) bool { return strings.Contains(key, "20260131") }},
		{"before a time", "  to: 2026-02-01T12:00:00Z", func(key string) bool {
			return strings.Contains(key, "T0000Z") && !strings.Contains(key, "0202") || strings.Contains(key, "0131")
		}},
		{"one day", "  from: 2026-02-01\n  to: 2026-02-02", func(key string) bool { return strings.Contains(key, "20260201") }},
		{"nothing", "  from: 2026-03-01", func(string) bool { return false }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := newBucketFixture(t)
			x.log(t, all...)
			x.keys = tt.keys + "\n"
			x.once(t)
			var want []string
			for _, key := range all {
				if tt.want(key) {
					want = append(want, key)
				}
			}
			x.wantRead(t, want...)
		})
	}
}

func TestBucketPrefix(t *testing.T) {
	for _, prefix := range []string{"audit/trail", "audit/trail/"} {
		x := newBucketFixture(t)
		key := in(one, "CloudTrail", "eu-central-1", "2026-01-31T23:55")
		x.log(t, key, "audit/trail/"+key)
		x.keys = "  prefix: " + prefix + "\n"
		x.once(t)
		x.wantRead(t, "audit/trail/"+key)
	}
}

// Later looks find what was delivered late, as far as the overlap reaches, and list
// nothing that is further back.
func TestBucketFollows(t *testing.T) {
	x := newBucketFixture(t)
	day := func(n int, at string) string {
		return in(one, "CloudTrail", "eu-central-1", fmt.Sprintf("2026-02-%02dT%s", n, at))
	}
	x.keys = "  overlap: 48h\n"
	x.log(t, day(1, "12:00"), day(5, "12:00"))
	x.start(t)
	until(t, "both read", func() bool { return len(x.read()) == 2 })
	x.log(t, day(3, "12:00"), day(2, "23:55")) // late, and too late
	until(t, "late file read", func() bool { return len(x.read()) == 3 })
	x.log(t, day(6, "00:05"))
	until(t, "next day read", func() bool { return len(x.read()) == 4 })
	x.log(t, day(9, "00:05"))
	until(t, "day behind a gap read", func() bool { return len(x.read()) == 5 })
	x.log(t, day(5, "23:00")) // too late by now
	time.Sleep(10 * x.every)
	x.wantRead(t, day(1, "12:00"), day(5, "12:00"), day(3, "12:00"), day(6, "00:05"), day(9, "00:05"))
	if c := x.next.counted(); c.Duplicate != 0 {
		t.Errorf("%d events were counted as duplicates; the overlap names them again, nothing delivered them twice", c.Duplicate)
	}
	if n := x.s3.Gets(trail, day(9, "00:05")); n != 1 {
		t.Errorf("the newest object was read %d times", n)
	}

	// Who looks further back has another mark.
	shutdownAll(t, x)
	x.keys = "  from: 2026-02-01\n"
	x.once(t)
	if got := x.read()[5:]; !slices.Equal(got, []string{day(2, "23:55"), day(5, "23:00")}) {
		t.Errorf("looking back found %q", got)
	}
}

// shutdownAll ends what the fixture runs, as a process that is killed does.
func shutdownAll(t *testing.T, x *bucketFixture) {
	t.Helper()
	x.store = x.store.kill()
}

// A page of the listing that fails in the middle is asked for again from there.
func TestBucketPageError(t *testing.T) {
	for _, code := range []string{"InternalError", "SlowDown"} {
		t.Run(code, func(t *testing.T) {
			x := newBucketFixture(t)
			var want []string
			for i := range 20 {
				want = append(want, in(one, "CloudTrail", "eu-central-1", fmt.Sprintf("2026-02-%02dT12:00", i+1)))
			}
			x.log(t, want...)
			x.s3.PageSize(3)
			x.s3.Fault(func(c awstest.S3Call) *awstest.S3Fault {
				if c.Key == "" && c.Number > 6 && c.Number < 12 {
					return &awstest.S3Fault{Status: http.StatusServiceUnavailable, Code: code}
				}
				return nil
			})
			var last BucketProgress
			x.tell = func(p BucketProgress) { last = p }
			x.once(t)
			x.wantRead(t, want...)
			if last.Known > 0 {
				t.Errorf("%d objects were listed again", last.Known)
			}
			for _, key := range want {
				if n := x.s3.Gets(trail, key); n != 1 {
					t.Errorf("%s was read %d times", key, n)
				}
			}
		})
	}
}

// A listing that is refused is said, with what to allow, and holds no mark back that was
// reached, nor moves one that was not.
func TestBucketListingDenied(t *testing.T) {
	x := newBucketFixture(t)
	var want []string
	for i := range 9 {
		want = append(want, in(one, "CloudTrail", "eu-central-1", fmt.Sprintf("2026-02-%02dT12:00", i+1)))
	}
	x.log(t, want...)
	x.s3.PageSize(3)
	var mu sync.Mutex
	allowed := 5
	x.s3.Fault(func(c awstest.S3Call) *awstest.S3Fault {
		mu.Lock()
		defer mu.Unlock()
		if c.Key == "" {
			if allowed--; allowed < 0 {
				return &awstest.S3Fault{Status: http.StatusForbidden, Code: "AccessDenied"}
			}
		}
		return nil
	})
	x.start(t)
	until(t, "the refusal is said", func() bool {
		_, err := x.host.status()
		return err != nil && strings.Contains(err.Error(), "s3:ListBucket") && strings.Contains(err.Error(), "list s3://"+trail+"/AWSLogs/")
	})
	if got := len(x.read()); got == 0 || got == len(want) {
		t.Fatalf("%d of %d read before the refusal: this tests nothing", got, len(want))
	}
	mu.Lock()
	allowed = 1 << 30
	mu.Unlock()
	until(t, "all read", func() bool { return len(x.read()) == len(want) })
	x.wantRead(t, want...)
	until(t, "it is well again", func() bool { _, err := x.host.status(); return err == nil })
}

// An object that must not be read leaves one gap record, is tried at each look, and keeps
// its day from being done; what follows is read all the same.
func TestBucketObjectDenied(t *testing.T) {
	x := newBucketFixture(t)
	key := func(day int) string {
		return in(one, "CloudTrail", "eu-central-1", fmt.Sprintf("2026-02-%02dT12:00", day))
	}
	x.log(t, key(1), key(2), key(9))
	var mu sync.Mutex
	denied := true
	x.s3.Fault(func(c awstest.S3Call) *awstest.S3Fault {
		mu.Lock()
		defer mu.Unlock()
		if c.Key == key(2) && denied {
			return &awstest.S3Fault{Status: http.StatusForbidden, Code: "AccessDenied"}
		}
		return nil
	})
	x.start(t)
	until(t, "it is tried again", func() bool { return x.s3.Gets(trail, key(2)) >= 3 })
	x.wantRead(t, key(1), key(2), key(9))
	if body := x.next.bodies()[1]; !strings.Contains(body, "must not be read") {
		t.Errorf("gap record is %s", body)
	}
	if _, err := x.host.status(); err == nil || !strings.Contains(err.Error(), "kms:Decrypt") {
		t.Errorf("status is %v", err)
	}
	mu.Lock()
	denied = false
	mu.Unlock()
	until(t, "it is read", func() bool { return len(x.read()) == 4 })
	x.wantRead(t, key(1), key(2), key(9), key(2))
	until(t, "it is well again", func() bool { _, err := x.host.status(); return err == nil })
}

// An object that goes between listing and reading leaves a gap record, and the day is done.
func TestBucketObjectGone(t *testing.T) {
	x := newBucketFixture(t)
	key := in(one, "CloudTrail", "eu-central-1", "2026-02-01T12:00")
	x.log(t, key)
	x.s3.Fault(func(c awstest.S3Call) *awstest.S3Fault {
		if c.Key == key {
			return &awstest.S3Fault{Status: http.StatusNotFound, Code: "NoSuchKey"}
		}
		return nil
	})
	var last BucketProgress
	x.tell = func(p BucketProgress) { last = p }
	x.once(t)
	x.wantRead(t, key)
	if last.Lost != 1 || !last.Over || last.Err != nil {
		t.Errorf("in the end %+v", last)
	}
}
