package distro

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"go.opentelemetry.io/collector/otelcol"

	"github.com/otelcol-custody/custody/internal/awstest"
	"github.com/otelcol-custody/custody/internal/keyfile"
	"github.com/otelcol-custody/custody/ledger/verify"
	"github.com/otelcol-custody/custody/receiver/awscloudtrailreceiver"
)

// backfilled is a site with a bucket beside it.
type backfilled struct {
	t     *testing.T
	dir   string
	s3    *awstest.S3
	extra string // an overlay of the configuration
}

const backfillText = `
receivers:
  aws_cloudtrail:
    storage: file_storage
    endpoint: %[2]q
    region: eu-central-1
    path_style: true
    access_key_id: custody
    secret_access_key: invented
    sqs: {queue_url: "https://sqs.eu-central-1.amazonaws.com/111122223333/trail"}
  aws_cloudtrail/other: {storage: file_storage, directory: {path: /nowhere}}
  aws_cloudtrail/unrelated: {storage: file_storage, directory: {path: /nowhere}}
extensions:
  file_storage: {directory: %[1]q, create_directory: true, fsync: true}
service:
  extensions: [health_check, integrity, file_storage]
  pipelines:
    logs/in: {receivers: [reporter, aws_cloudtrail], exporters: [forward/in, debug, forward/unrelated]}
    logs: {receivers: [reporter/two, forward/in, aws_cloudtrail/other]}
    logs/unrelated: {receivers: [aws_cloudtrail/unrelated, forward/unrelated]}
`

func newBackfilled(t *testing.T) *backfilled {
	t.Helper()
	return &backfilled{t: t, dir: site(t), s3: awstest.NewS3(t)}
}

// reading are factories with which buckets can be read, too.
func reading() (otelcol.Factories, error) {
	f, err := sealing()
	if err != nil {
		return f, err
	}
	trail, positions := awscloudtrailreceiver.NewFactory(), filestorage.NewFactory()
	f.Receivers[trail.Type()] = trail
	f.Extensions[positions.Type()] = positions
	return f, nil
}

// put stores a log file of so many events, delivered on a day of February.
func (b *backfilled) put(day, events int) {
	b.t.Helper()
	var list []string
	for i := range events {
		list = append(list, fmt.Sprintf(`{"eventVersion":"1.10","eventID":"%d-%d","eventTime":"2026-02-%02dT12:00:00Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu-central-1","recipientAccountId":"111122223333"}`, day, i, day))
	}
	var packed bytes.Buffer
	zw := gzip.NewWriter(&packed)
	if _, err := zw.Write([]byte(`{"Records":[` + strings.Join(list, ",") + `]}`)); err != nil {
		b.t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		b.t.Fatal(err)
	}
	b.s3.Put("acme-trail", trailKey(day), packed.Bytes(), nil)
}

func trailKey(day int) string {
	return fmt.Sprintf("AWSLogs/111122223333/CloudTrail/eu-central-1/2026/02/%02d/111122223333_CloudTrail_eu-central-1_202602%02dT1200Z_AbCdEfGhIjKlMnOp.json.gz", day, day)
}

// run runs the command about log test.
func (b *backfilled) run(ctx context.Context, flags ...string) (code int, stdout, stderr string) {
	b.t.Helper()
	args := []string{"backfill", "aws", "--config", "yaml:" + siteConfig(b.dir),
		"--config", "yaml:" + fmt.Sprintf(backfillText, filepath.Join(b.dir, "positions"), b.s3.URL), "--log", "test"}
	if b.extra != "" {
		args = append(args, "--config", "yaml:"+b.extra)
	}
	cmd := NewCommand(reading, "v1.2.3")
	var out, notes bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&notes)
	cmd.SetArgs(append(args, flags...))
	code = ExitCode(cmd.ExecuteContext(ctx))
	return code, out.String(), notes.String()
}

// want runs it on acme-trail, and wants an exit code and what it says.
func (b *backfilled) want(code int, flags []string, says ...string) {
	b.t.Helper()
	got, out, notes := b.run(b.t.Context(), append([]string{"--receiver", "aws_cloudtrail", "--bucket", "acme-trail"}, flags...)...)
	if got != code {
		b.t.Fatalf("%q: exit %d, want %d:\n%s%s", flags, got, code, out, notes)
	}
	wantSays(b.t, out+notes, says...)
}

// wantStored wants a store to hold the whole log, so far, with each of so many events once.
func (b *backfilled) wantStored(store string, events int) {
	b.t.Helper()
	keys, err := keyfile.ReadKeys(filepath.Join(b.dir, "log.pub"))
	if err != nil {
		b.t.Fatal(err)
	}
	r, err := verify.Log(b.t.Context(), os.DirFS(filepath.Join(b.dir, store, "test")), "test", verify.Options{Keys: keys, Now: time.Now()})
	if err != nil || r.Tampered() {
		b.t.Fatalf("store %s: %v, %+v", store, err, r)
	}
	seen := b.events(store)
	for id, n := range seen {
		if n != 1 {
			b.t.Errorf("store %s has event %s %d times", store, id, n)
		}
	}
	if len(seen) != events {
		b.t.Errorf("store %s has %d events, want %d", store, len(seen), events)
	}
}

// eventID is that of an event, whose JSON is a string of the record's.
var eventID = regexp.MustCompile(`\\"eventID\\":\\"([0-9-]+)\\"`)

// events counts the events in a store by their ids.
func (b *backfilled) events(store string) map[string]int {
	b.t.Helper()
	paths, err := filepath.Glob(filepath.Join(b.dir, store, "test", "segments", "*"))
	if err != nil {
		b.t.Fatal(err)
	}
	seen := map[string]int{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			b.t.Fatal(err)
		}
		zr, err := zstd.NewReader(nil)
		if err != nil {
			b.t.Fatal(err)
		}
		lines, err := zr.DecodeAll(data, nil)
		zr.Close()
		if err != nil {
			b.t.Fatal(err)
		}
		for _, m := range eventID.FindAllSubmatch(lines, -1) {
			seen[string(m[1])]++
		}
	}
	return seen
}

func TestBackfillCommand(t *testing.T) {
	b := newBackfilled(t)
	for day := 1; day <= 5; day++ {
		b.put(day, 10*day)
	}
	b.want(exitDone, []string{"--from", "2026-02-02", "--to", "2026-02-04"}, "log test has what was asked for of s3://acme-trail/; this run: 2 objects, 50 events, ")
	for _, store := range []string{"a", "b"} {
		b.wantStored(store, 50)
	}
	b.want(exitDone, nil, "5 objects (2 before), 100 events, ")
	b.want(exitDone, []string{"--quiet", "--regions", "eu-central-1", "--accounts", "111122223333", "--workers", "2"}, "(2 before), 0 events, 0 B\n")
	b.wantStored("a", 150)
}

// Interrupted, it says so, and goes on where it was; nothing comes twice.
func TestBackfillInterrupted(t *testing.T) {
	b := newBackfilled(t)
	for day := 1; day <= 20; day++ {
		b.put(day, 20)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	b.s3.Fault(func(c awstest.S3Call) *awstest.S3Fault {
		if c.Key == trailKey(12) {
			stop()
			return &awstest.S3Fault{Wait: time.Minute}
		}
		return nil
	})
	code, _, notes := b.run(ctx, "--receiver", "aws_cloudtrail", "--bucket", "acme-trail", "--workers", "1")
	if code != exitUnfinished {
		t.Fatalf("exit %d, want %d:\n%s", code, exitUnfinished, notes)
	}
	wantSays(t, notes, "log test: interrupted; run the same command again", "NOT DONE; so far 11 objects, 220 events")
	b.wantStored("a", 220)
	b.s3.Fault(nil)
	b.want(exitDone, nil, "11 objects (2 before), 180 events")
	b.wantStored("a", 400)
	b.wantStored("b", 400)
}

// While the stores are away it seals, says what waits, and the next run delivers it.
func TestBackfillStoresAway(t *testing.T) {
	b := newBackfilled(t)
	b.put(1, 30)
	// The exporters trust another key: they take nothing.
	b.extra = fmt.Sprintf("exporters: {file_worm/a: {log_keys: [%[1]q]}, file_worm/b: {log_keys: [%[1]q]}}", keyFile(t, "other"))
	b.want(exitUnfinished, []string{"--timeout", "1s"}, "all is read and sealed, but not delivered: ", "wait in "+filepath.Join(b.dir, "state"),
		"delivers them after its next start", "NOT DONE; so far 1 object, 30 events")
	b.extra = ""
	b.want(exitDone, nil, "1 object (1 before)")
	b.wantStored("a", 30)
}

// Whoever has another history in its store is not written to.
func TestBackfillIntoFork(t *testing.T) {
	b := newBackfilled(t)
	b.put(1, 30)
	b.want(exitDone, nil)
	for _, name := range []string{"state", "positions"} {
		if err := os.RemoveAll(filepath.Join(b.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	b.put(2, 30)
	b.want(exitTampered, nil, "is forked", "NOT DONE")
}

func TestBackfillNotDone(t *testing.T) {
	denied := &awstest.S3Fault{Status: http.StatusForbidden, Code: "AccessDenied"}
	for name, c := range map[string]struct {
		fault func(awstest.S3Call) *awstest.S3Fault
		flags []string
		says  []string
	}{
		"listing denied": {func(c awstest.S3Call) *awstest.S3Fault {
			if c.Key == "" {
				return denied
			}
			return nil
		}, nil, []string{"list s3://acme-trail/AWSLogs/", "s3:ListBucket", "NOT DONE; so far 0 objects"}},
		"object denied": {func(c awstest.S3Call) *awstest.S3Fault {
			if c.Key == trailKey(1) {
				return denied
			}
			return nil
		}, nil, []string{"not everything could be read", "kms:Decrypt", "NOT DONE; so far 1 object, 3 events"}},
		"nothing there": {nil, []string{"--prefix", "audit"}, []string{"there is no CloudTrail folder below s3://acme-trail/audit/AWSLogs/"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBackfilled(t)
			b.put(1, 3)
			b.put(2, 3)
			b.s3.Fault(c.fault)
			b.want(exitUnfinished, c.flags, c.says...)
		})
	}
}

// An object that is gone before it is read is said, and nothing more can be done.
func TestBackfillGone(t *testing.T) {
	b := newBackfilled(t)
	b.put(1, 3)
	b.s3.Fault(func(c awstest.S3Call) *awstest.S3Fault {
		if c.Key == trailKey(1) {
			return &awstest.S3Fault{Status: http.StatusNotFound, Code: "NoSuchKey"}
		}
		return nil
	})
	b.want(exitDone, nil, "1 object gone before it could be read: gap records in the log say so")
}

// One process at a time: the collector is to be stopped first.
func TestBackfillBesideTheCollector(t *testing.T) {
	b := newBackfilled(t)
	b.put(1, 3)
	ctx, stop := context.WithCancel(t.Context())
	reached, ended := make(chan struct{}), make(chan struct{})
	b.s3.Fault(func(c awstest.S3Call) *awstest.S3Fault {
		if c.Key != "" && c.Number == 1 {
			close(reached)
			return &awstest.S3Fault{Wait: time.Minute}
		}
		return nil
	})
	go func() {
		defer close(ended)
		b.run(ctx, "--receiver", "aws_cloudtrail", "--bucket", "acme-trail", "--quiet")
	}()
	<-reached
	b.want(exitUnfinished, nil, "its collector still runs", "stop it first", "NOT DONE")
	stop()
	<-ended
}

func TestBackfillUsage(t *testing.T) {
	b := newBackfilled(t)
	for name, c := range map[string]struct {
		flags []string
		extra string
		says  string
	}{
		"no bucket":           {[]string{"--receiver", "aws_cloudtrail"}, "", "--bucket is missing: receiver aws_cloudtrail lists none"},
		"several receivers":   {[]string{"--bucket", "acme-trail"}, "", "--receiver is missing: log test has the receivers aws_cloudtrail, aws_cloudtrail/other"},
		"no such receiver":    {[]string{"--bucket", "acme-trail", "--receiver", "aws_cloudtrail/unrelated"}, "", `no aws_cloudtrail receiver "aws_cloudtrail/unrelated"`},
		"a bad prefix":        {[]string{"--bucket", "acme-trail", "--receiver", "aws_cloudtrail", "--prefix", "/x"}, "", "prefix: must not begin with a slash"},
		"a bad account":       {[]string{"--bucket", "acme-trail", "--receiver", "aws_cloudtrail", "--accounts", "12"}, "", "accounts: want the 12 digits"},
		"an empty time":       {[]string{"--bucket", "acme-trail", "--receiver", "aws_cloudtrail", "--from", "2026-02-02", "--to", "2026-02-02"}, "", "from must be before to"},
		"a negative timeout":  {[]string{"--timeout", "-1s"}, "", "--timeout must not be negative"},
		"an unknown flag":     {[]string{"--buckets", "x"}, "", "see otelcol-custody backfill aws --help"},
		"an argument":         {[]string{"acme-trail"}, "", "unexpected argument"},
		"no such log":         {[]string{"--log", "web"}, "", "no log \"web\""},
		"no receiver at all":  {[]string{"--bucket", "acme-trail"}, "service: {pipelines: {logs/in: {receivers: [reporter]}, logs: {receivers: [reporter, forward/in]}}}", "no aws_cloudtrail receiver leads to log test"},
		"an unusable setting": {nil, "receivers: {aws_cloudtrail: {endpoint: nowhere}}", "endpoint: want a URL"},
	} {
		t.Run(name, func(t *testing.T) {
			b.extra = c.extra
			code, _, notes := b.run(t.Context(), c.flags...)
			if code != exitUsage {
				t.Errorf("exit %d, want %d", code, exitUsage)
			}
			wantSays(t, notes, c.says)
		})
	}
	code, _, notes := logCommand(t, t.Context(), "backfill")
	if code != exitUsage {
		t.Errorf("without a cloud: exit %d", code)
	}
	wantSays(t, notes, "backfill aws")
}

// What the receiver's own configuration says of its bucket holds unless a flag says more;
// nothing of it holds for another bucket.
func TestBackfillTakesTheReceiversBucket(t *testing.T) {
	b := newBackfilled(t)
	b.put(1, 3)
	b.put(2, 5)
	b.extra = "receivers: {aws_cloudtrail: {bucket: {name: acme-trail, from: 2026-02-02, poll_interval: 1h}}}"
	code, out, notes := b.run(t.Context(), "--receiver", "aws_cloudtrail")
	if code != exitDone {
		t.Fatalf("exit %d:\n%s", code, notes)
	}
	wantSays(t, out, "1 object, 5 events")
	b.extra = strings.Replace(b.extra, "acme-trail", "elsewhere", 1)
	b.want(exitDone, nil, "2 objects (1 before), 3 events")
}

func TestBackfillLine(t *testing.T) {
	for want, p := range map[string]awscloudtrailreceiver.BucketProgress{
		"0 of 0 objects or more, 0 events, 0 B, 0 events/s": {},
		"2026-02-01 eu-central-1, 25%, 1,000 of 4,000 objects, 50,000 events, 20.0 MiB, 5,000 events/s, 30s left": {
			Found: 4000, Counted: true, Done: 1000, Events: 50000, Bytes: 20 << 20, Day: "2026-02-01", Region: "eu-central-1"},
		"2026-02-01 eu-central-1, 1 of 2 objects or more, 0 events, 0 B, 0 events/s, 1 object in trouble": {
			Found: 2, Done: 1, Troubled: 1, Day: "2026-02-01", Region: "eu-central-1"},
	} {
		if got := backfillLine(p, 10*time.Second); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
