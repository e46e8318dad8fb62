package awscloudtrailreceiver

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/otelcol-custody/custody/internal/contents"
)

const eventFile = "AWSLogs/111122223333/CloudTrail/eu-central-1/2026/03/01/" +
	"111122223333_CloudTrail_eu-central-1_20260301T1205Z_AbCdEfGhIjKlMnOp.json.gz"

func TestBodiesAreTheBytesOfTheEvents(t *testing.T) {
	x := newFixture(t)
	all := events("e", 12)
	text := logFile(all...)
	// Members may end anywhere, also inside an event.
	x.put(t, eventFile, packed(t, text[:100], text[100:101], "", text[101:]))
	x.start(t)
	settles(t, "bodies", x.next.bodies, all)

	var sources []string
	for i := range all {
		sources = append(sources, fmt.Sprintf("file://%s#%d", eventFile, i))
	}
	settles(t, "sources", x.next.sources, sources)
	for i, res := range x.next.byRes {
		if res["audit.ingest.receiver"] != "aws_cloudtrail/test" || res["cloud.provider"] != "aws" ||
			res["cloud.account.id"] != "111122223333" || res["cloud.region"] != "eu-central-1" {
			t.Fatalf("resource of record %d: %v", i, res)
		}
	}
	lr := x.next.records[0]
	if got, want := lr.Timestamp().AsTime(), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("timestamp %v, want %v", got, want)
	}
	if ago := time.Since(lr.ObservedTimestamp().AsTime()); ago < 0 || ago > time.Minute {
		t.Errorf("observed %v ago", ago)
	}
	if lr.SeverityNumber() != plog.SeverityNumberUnspecified || lr.EventName() == "" {
		t.Errorf("severity %v, event name %q", lr.SeverityNumber(), lr.EventName())
	}
}

// TestConsumeContract is the collector's contract for receivers: whatever the pipeline
// refuses comes again until it is taken, and what it took comes again only if it said
// that it had not.
func TestConsumeContract(t *testing.T) {
	refused := errors.New("no room")
	for _, tt := range []struct {
		name   string
		answer func(attempt int) (bool, error)
		once   bool // every event exactly once
	}{
		{"takes everything", func(int) (bool, error) { return true, nil }, true},
		{"refuses at random", func(n int) (bool, error) {
			if scatter(n)%3 == 0 {
				return false, refused
			}
			return true, nil
		}, true},
		{"mostly refuses", func(n int) (bool, error) {
			if scatter(n)%10 != 0 {
				return false, refused
			}
			return true, nil
		}, true},
		{"takes and says no at random", func(n int) (bool, error) {
			if scatter(n)%3 == 0 {
				return true, refused
			}
			return true, nil
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := newFixture(t)
			x.next.answer = tt.answer
			var want []string
			for i := range 8 {
				batch := events(fmt.Sprintf("f%02d", i), 7*i+1)
				x.put(t, fmt.Sprintf("%02d.json.gz", i), packed(t, logFile(batch...)))
				want = append(want, batch...)
			}
			x.start(t)
			if tt.once {
				until(t, "all arrived", func() bool { return len(x.next.bodies()) >= len(want) })
			}
			settlesSet(t, x.next, want, tt.once)
		})
	}
}

// scatter is a fixed sequence of numbers without a pattern.
func scatter(n int) byte {
	sum := sha256.Sum256(fmt.Append(nil, n))
	return sum[0]
}

// settlesSet waits until every wanted body has arrived, and nothing else has.
func settlesSet(t *testing.T, p *pipeline, want []string, once bool) {
	t.Helper()
	seen := map[string]int{}
	until(t, "every event arrived", func() bool {
		clear(seen)
		for _, body := range p.bodies() {
			seen[body]++
		}
		for _, body := range want {
			if seen[body] == 0 {
				return false
			}
		}
		return true
	})
	if len(seen) != len(want) {
		t.Errorf("%d different bodies, want %d", len(seen), len(want))
	}
	for body, count := range seen {
		if once && count != 1 {
			t.Errorf("%d times: %s", count, body)
		}
	}
}

func TestKilledInTheMiddle(t *testing.T) {
	all := events("e", 23)
	for diesAt := range 5 { // five batches of five
		for _, took := range []bool{false, true} {
			x := newFixture(t)
			x.put(t, eventFile, packed(t, logFile(all...)))
			reached := make(chan struct{})
			x.next.answer = func(attempt int) (bool, error) {
				if attempt < diesAt {
					return true, nil
				}
				if attempt == diesAt {
					close(reached)
					return took, errors.New("the process dies here")
				}
				return false, errors.New("the process is dead")
			}
			x.start(t)
			<-reached
			x.store = x.store.kill()

			first := x.next
			x.next = &pipeline{}
			x.start(t)
			until(t, "the rest arrived", func() bool { return len(x.next.bodies()) == len(all)-5*diesAt })
			got := append(first.bodies()[:5*diesAt], x.next.bodies()...)
			if strings.Join(got, "\n") != strings.Join(all, "\n") {
				t.Errorf("died at batch %d: got %d events in another order or with other content", diesAt, len(got))
			}
		}
	}
}

func TestRestartRepeatsNothing(t *testing.T) {
	x := newFixture(t)
	all := events("e", 12)
	x.put(t, "a.json", logFile(all...))
	r := x.start(t)
	settles(t, "bodies", x.next.bodies, all)
	shutdown(t, r)
	if x.store.closed != 1 {
		t.Errorf("positions were closed %d times", x.store.closed)
	}
	x.next = &pipeline{}
	x.start(t)
	settles(t, "bodies after a restart", x.next.bodies, nil)
}

func TestCountersAndDuplicates(t *testing.T) {
	x := newFixture(t)
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() {
		if err := tel.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	x.set.TelemetrySettings = tel.NewTelemetrySettings()
	content := packed(t, logFile(event("1"), event("2"), `{"no":"event"}`))
	x.put(t, "a.json.gz", content)
	x.next.answer = func(n int) (bool, error) {
		if n < 2 {
			return false, errors.New("busy")
		}
		return true, nil
	}
	x.start(t)
	settles(t, "bodies", x.next.bodies, []string{event("1"), event("2"), `{"no":"event"}`})
	x.put(t, "copy/b.json.gz", content)
	for name, want := range map[string]int64{
		"files": 1, "duplicates": 1, "events": 3, "quarantined": 1, "bytes": int64(len(content)),
		"retries": 2, "backlog": 0, "troubled": 0,
	} {
		until(t, fmt.Sprintf("%s is %d", name, want), func() bool { return metric(t, tel, name) == want })
	}
	settles(t, "sources", x.next.sources, []string{"file://a.json.gz#0", "file://a.json.gz#1", "file://a.json.gz#2"})
}

// metric returns the value of one of the receiver's own metrics; -1 before its first.
func metric(t *testing.T, tel *componenttest.Telemetry, name string) int64 {
	t.Helper()
	m, err := tel.GetMetric("otelcol_aws_cloudtrail_" + name)
	if err != nil {
		return -1
	}
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		return data.DataPoints[0].Value
	case metricdata.Gauge[int64]:
		return data.DataPoints[0].Value
	}
	t.Fatalf("metric %s has another form: %T", name, m.Data)
	return 0
}

func TestDigestFilesPass(t *testing.T) {
	x := newFixture(t)
	digest := `{"awsAccountId":"111122223333","digestStartTime":"2026-03-01T11:00:00Z","digestEndTime":"2026-03-01T12:00:00Z",` +
		`"digestS3Bucket":"trail","digestS3Object":"AWSLogs/x","previousDigestHashValue":null,"logFiles":[]}`
	x.put(t, "AWSLogs/111122223333/CloudTrail-Digest/d.json.gz", packed(t, digest))
	x.start(t)
	settles(t, "bodies", x.next.bodies, []string{digest})
}

func TestGapRecords(t *testing.T) {
	whole := packed(t, logFile(events("e", 2)...))
	large := packed(t, logFile(event("big"), `{"eventID":"`+strings.Repeat("a", 1<<20)+`"}`))
	for _, tt := range []struct {
		name, content string
		before        []string // bodies in front of the gap record
		reason        error
	}{
		{"too large", large, nil, contents.ErrTooLarge},
		{"empty", "", nil, contents.ErrIncomplete},
		{"checksum", whole[:len(whole)-8] + "\x00\x00\x00\x00" + whole[len(whole)-4:], events("e", 2), contents.ErrCorrupt},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := newFixture(t)
			x.extra = "  max_inflated_mib: 1\n"
			x.put(t, "x/f.json.gz", tt.content)
			x.put(t, "y.json", logFile(event("other")))
			x.start(t)
			until(t, "all arrived", func() bool { return len(x.next.bodies()) == len(tt.before)+2 })
			checkGap(t, x, tt.content, tt.before, tt.reason)
		})
	}
}

func checkGap(t *testing.T, x *fixture, content string, before []string, reason error) {
	t.Helper()
	var found int
	sum := sha256.Sum256([]byte(content))
	for i, source := range x.next.sources() {
		if source != fmt.Sprintf("file://x/f.json.gz#%d", len(before)) {
			continue
		}
		found++
		var body struct{ Gap gap }
		if err := json.Unmarshal([]byte(x.next.bodies()[i]), &body); err != nil {
			t.Fatal(err)
		}
		if body.Gap.File != "x/f.json.gz" || body.Gap.SHA256 != hex.EncodeToString(sum[:]) ||
			body.Gap.Size != int64(len(content)) || !strings.HasPrefix(body.Gap.Reason, reason.Error()) {
			t.Errorf("gap record %+v", body.Gap)
		}
		attrs := x.next.records[i].Attributes().AsRaw()
		if attrs["audit.quarantined"] != true || attrs[attrGapHash] != "sha256:"+body.Gap.SHA256 ||
			attrs[attrGapSize] != body.Gap.Size || attrs[attrGapReason] != body.Gap.Reason {
			t.Errorf("attributes %v", attrs)
		}
	}
	if found != 1 {
		t.Errorf("%d gap records, sources %q", found, x.next.sources())
	}
}

func TestPermanentErrorStopsTheFileAndLosesNothing(t *testing.T) {
	x := newFixture(t)
	x.put(t, "a.json", logFile(events("a", 8)...))
	x.put(t, "b.json", logFile(event("b")))
	x.next.answer = func(n int) (bool, error) {
		if n == 1 { // the second batch of a
			return false, consumererror.NewPermanent(errors.New("cannot be encoded"))
		}
		return true, nil
	}
	r := x.start(t)
	settles(t, "bodies", x.next.bodies, append(events("a", 5), event("b")))
	status, err := x.host.status()
	if status != componentstatus.StatusPermanentError || !strings.Contains(err.Error(), "a.json: ") ||
		!strings.Contains(err.Error(), "cannot be encoded") {
		t.Errorf("status %v: %v", status, err)
	}
	shutdown(t, r)
	x.next = &pipeline{}
	x.start(t)
	settles(t, "bodies after a restart", x.next.bodies, events("a", 8)[5:])
}

func TestStatusFollowsTroubleWithTheTreeAndThePipeline(t *testing.T) {
	x := newFixture(t)
	x.root += "/not/there/yet"
	busy := true
	x.next.answer = func(int) (bool, error) {
		if busy {
			return false, errors.New("spool is full")
		}
		return true, nil
	}
	x.start(t)
	expect := func(status componentstatus.Status, text string) {
		t.Helper()
		until(t, fmt.Sprint(status, " ", text), func() bool {
			got, err := x.host.status()
			return got == status && strings.Contains(fmt.Sprint(err), text)
		})
	}
	expect(componentstatus.StatusRecoverableError, "directory cannot be opened")
	x.put(t, "a.json", logFile(event("1")))
	expect(componentstatus.StatusRecoverableError, "spool is full")
	x.next.mu.Lock()
	busy = false
	x.next.mu.Unlock()
	expect(componentstatus.StatusOK, "nil")
	settles(t, "bodies", x.next.bodies, []string{event("1")})
}

func TestShutdownUnderBackPressure(t *testing.T) {
	x := newFixture(t)
	all := events("e", 10)
	x.put(t, "a.json", logFile(all...))
	x.next.answer = func(n int) (bool, error) {
		if n > 0 {
			return false, errors.New("full")
		}
		return true, nil
	}
	r := x.start(t)
	settles(t, "bodies", x.next.bodies, all[:5])
	begun := time.Now()
	shutdown(t, r)
	if took := time.Since(begun); took > time.Second {
		t.Errorf("took %v to stop", took)
	}
	first := x.next
	x.next = &pipeline{}
	x.start(t)
	settles(t, "bodies", func() []string { return append(first.bodies(), x.next.bodies()...) }, all)
}

func TestShutdownLetsTheCallUnderWayFinish(t *testing.T) {
	x := newFixture(t)
	all := events("e", 10)
	x.put(t, "a.json", logFile(all...))
	reached := make(chan struct{})
	x.next.hold = sync.OnceFunc(func() {
		close(reached)
		time.Sleep(100 * time.Millisecond)
	})
	r := x.start(t)
	<-reached
	shutdown(t, r)
	settles(t, "bodies", x.next.bodies, all[:5])
	x.next = &pipeline{}
	x.start(t)
	settles(t, "bodies after a restart", x.next.bodies, all[5:])
}

func TestStartNamesTheMissingStorage(t *testing.T) {
	x := newFixture(t)
	cfg, err := configFrom("storage: file_storage/positions\ndirectory: {path: /data}")
	if err != nil {
		t.Fatal(err)
	}
	notStorage := struct {
		component.StartFunc
		component.ShutdownFunc
	}{}
	for want, extensions := range map[string]map[component.ID]component.Component{
		`there is no extension "file_storage/positions"`:        nil,
		`the extension "file_storage/positions" stores nothing`: {storageID: notStorage},
	} {
		r, err := newReceiver(cfg, x.set, x.next)
		if err != nil {
			t.Fatal(err)
		}
		err = r.Start(context.Background(), &testHost{extensions: extensions})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Start: %v, want %q", err, want)
		}
		shutdown(t, r)
	}
}

func TestCreateRefusesAnIncompleteConfig(t *testing.T) {
	x := newFixture(t)
	_, err := NewFactory().CreateLogs(context.Background(), x.set, createDefaultConfig(), x.next)
	if err == nil || !strings.Contains(err.Error(), "storage: required") {
		t.Errorf("CreateLogs: %v", err)
	}
}
