package e2e

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/klauspost/compress/zstd"

	"github.com/otelcol-custody/custody/internal/awstest"
)

// A bulk is what is taken out of a queue, and how often.
type bulk struct {
	objects, events int   // events in each object
	inFlight        []int // values of max_in_flight
	large           int64 // bytes of one object more, inflated
	rounds          int
	patience        time.Duration
}

// theBulk is a small one, or a large one in so many rounds as CUSTODY_BULK says.
func theBulk(t *testing.T) bulk {
	t.Helper()
	text := os.Getenv("CUSTODY_BULK")
	if text == "" {
		return bulk{objects: 50, events: 400, inFlight: []int{8}, large: 32 << 20, rounds: 1, patience: patience}
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("CUSTODY_BULK=%s is not a number of rounds", text)
	}
	return bulk{objects: 2000, events: 500, inFlight: []int{1, 4, 8, 16}, large: 1 << 30, rounds: n, patience: 10 * time.Minute}
}

// Files in bulk are sealed, every event once. What that takes is logged.
func TestTrailBulk(t *testing.T) {
	b := theBulk(t)
	f := newFreight(t)
	for range b.objects {
		f.add(t, b.events, 1<<62)
	}
	t.Logf("%d objects, %d events, %d MB, %d MB compressed; the servers alone give %.0f objects/s", b.objects, f.events, f.inflated/1e6, f.stored/1e6, f.capacity(t))
	for _, n := range b.inFlight {
		var all []haul
		for range b.rounds {
			all = append(all, f.take(t, b, fmt.Sprintf("max_in_flight: %d", n), ""))
		}
		t.Logf("max_in_flight %2d: %s", n, median(all))
	}
}

// A file that is large when inflated never lies in memory as a whole.
func TestTrailLargeFile(t *testing.T) {
	b := theBulk(t)
	f := newFreight(t)
	f.add(t, 1<<62, b.large)
	var all []haul
	for range b.rounds {
		all = append(all, f.take(t, b, "max_in_flight: 8", fmt.Sprintf("receivers: {%s: {max_inflated_mib: %d}}", trailInput, b.large>>20+1)))
	}
	m := median(all)
	t.Logf("one object with %d events, %d MB, %d MB compressed: %s", f.events, f.inflated/1e6, f.stored/1e6, m)
	if most := int64(640 << 20); m.peak > most {
		t.Errorf("the collector took %d MB of memory, want at most %d", m.peak/1e6, most/1e6)
	}
}

// A freight is objects in a bucket, and what S3 tells of them.
type freight struct {
	s3               *awstest.S3
	told             []string
	events           int
	inflated, stored int64
	rand             *rand.Rand
}

func newFreight(t *testing.T) *freight {
	return &freight{s3: awstest.NewS3(t), rand: rand.New(rand.NewPCG(1, 2))}
}

// bulkID leads the ids of events in bulk, before 12 digits.
const bulkID = "b0000000-0000-4000-8000-"

// event is one of the usual size, as far from being like the last one as usual.
func (f *freight) event(w io.Writer, n int) {
	r := f.rand.Uint64()
	fmt.Fprintf(w, `{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE%06[2]d:session-%016[1]x","arn":"arn:aws:sts::111122223333:assumed-role/service-%02[2]d/session-%016[1]x",`+
		`"accountId":"111122223333","accessKeyId":"ASIAEXAMPLE%08[1]X","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLE%06[2]d","arn":"arn:aws:iam::111122223333:role/service-%02[2]d","accountId":"111122223333","userName":"service-%02[2]d"},`+
		`"attributes":{"creationDate":"2026-03-01T11:%02[3]d:00Z","mfaAuthenticated":"false"}}},"eventTime":"2026-03-01T12:%02[3]d:%02[2]dZ","eventSource":"dynamodb.amazonaws.com","eventName":"DescribeTable","awsRegion":"eu-central-1",`+
		`"sourceIPAddress":"192.0.2.%[2]d","userAgent":"aws-sdk-go-v2/1.30 os/linux lang/go exec-env/AWS_ECS_FARGATE","requestParameters":{"tableName":"orders-%02[3]d","consistentRead":false},"responseElements":null,`+
		`"requestID":"%016[1]X%010[4]d","eventID":"%[5]s%012[4]d","readOnly":true,"resources":[{"accountId":"111122223333","type":"AWS::DynamoDB::Table","ARN":"arn:aws:dynamodb:eu-central-1:111122223333:table/orders-%02[3]d"}],`+
		`"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"dynamodb.eu-central-1.amazonaws.com"}}`,
		r, r%60, r/60%60, n, bulkID)
}

// add makes an object of so many events or bytes, whichever comes first.
func (f *freight) add(t *testing.T, events int, size int64) {
	t.Helper()
	var packed bytes.Buffer
	zw, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	counted := &counter{}
	w := bufio.NewWriter(io.MultiWriter(zw, counted))
	w.WriteString(`{"Records":[`)
	for n := 0; n < events && counted.n < size-1<<20; n++ {
		if n > 0 {
			w.WriteByte(',')
		}
		f.event(w, f.events)
		f.events++
	}
	w.WriteString(`]}`)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	a := &trail{s3: f.s3}
	f.told = append(f.told, a.store(logFileKey(len(f.told)), packed.Bytes(), nil))
	f.inflated += counted.n
	f.stored += int64(packed.Len())
}

type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

// A haul is what a collector took for a freight.
type haul struct {
	freight *freight
	took    time.Duration // from the first object asked for to the last message deleted
	cpu     time.Duration // of the collector, from its start to its end
	servers time.Duration // CPU of the servers meanwhile
	peak    int64         // bytes of memory
}

func (r haul) String() string {
	s := r.took.Seconds()
	return fmt.Sprintf("%.1f s, %.0f events/s, %.1f MB/s inflated, peak memory %d MB, CPU %.1f s and %.1f s of the servers",
		s, float64(r.freight.events)/s, float64(r.freight.inflated)/1e6/s, r.peak/1e6, r.cpu.Seconds(), r.servers.Seconds())
}

// median is the haul of the median time, with the highest peak of all.
func median(all []haul) haul {
	slices.SortFunc(all, func(a, b haul) int { return int(a.took - b.took) })
	m := all[len(all)/2]
	for _, r := range all {
		m.peak = max(m.peak, r.peak)
	}
	return m
}

// take has a new collector work off the freight, and wants each event in its log once.
func (f *freight) take(t *testing.T, b bulk, keys, overlay string) haul {
	t.Helper()
	a := newTrail(t)
	a.s3 = f.s3
	for _, told := range f.told {
		a.tell(told)
	}
	var begin time.Time
	began := sync.OnceFunc(func() { begin = time.Now() })
	done := make(chan time.Time, len(f.told))
	a.hook(hooks{asked: func(string) { began() }, deleting: func() error { done <- time.Now(); return nil }})

	before := ownCPU(t)
	c := a.launch(t, a.overlay(keys), "processors: {hash_chain: {segment: {max_age: 60s}}}", overlay)
	var end time.Time
	limit := time.After(b.patience)
	for range f.told {
		select {
		case end = <-done:
		case <-limit:
			t.Fatalf("%s: not done after %v", keys, b.patience)
		}
	}
	r := haul{freight: f, took: end.Sub(begin), servers: ownCPU(t) - before, peak: peakMemory(t, c.cmd.Process.Pid)}
	a.worked(t)
	c.stop(t)
	r.cpu = c.cmd.ProcessState.UserTime() + c.cmd.ProcessState.SystemTime()
	f.check(t, a)
	if err := os.RemoveAll(a.dir); err != nil {
		t.Fatal(err)
	}
	return r
}

// check wants each event once in a store that verifies.
func (f *freight) check(t *testing.T, a *trail) {
	t.Helper()
	verify(t, 0, a.home.store(), a.pub())
	r := custody(t, "inspect", "--json", a.home.store()).want(t, 0)
	var doc struct {
		Logs []struct{ Receivers map[string]map[string]int }
	}
	if err := json.Unmarshal([]byte(r.stdout), &doc); err != nil || len(doc.Logs) != 1 {
		t.Fatalf("%v\n%s", err, r.stdout)
	}
	if got := doc.Logs[0].Receivers[trailInput]; got["sealed"] != f.events || got["duplicate"]+got["lost"]+got["quarantined"] != 0 {
		t.Errorf("counts are %v, want %d events sealed and nothing else", got, f.events)
	}
	seen := make([]byte, f.events)
	names, err := filepath.Glob(filepath.Join(a.home.store(), logName, "segments", "*.jsonl.zst"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		countIDs(t, name, seen)
	}
	if once := bytes.Count(seen, []byte{1}); once != f.events {
		t.Errorf("%d of %d events are in the log exactly once", once, f.events)
	}
}

// countIDs counts the events of a segment by their ids.
func countIDs(t *testing.T, name string, seen []byte) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	dec, err := zstd.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	lines := bufio.NewScanner(dec)
	lines.Buffer(nil, 16<<20)
	mark := []byte(`\"eventID\":\"` + bulkID)
	for lines.Scan() {
		_, after, ok := bytes.Cut(lines.Bytes(), mark)
		if !ok {
			continue // The log's own.
		}
		n, err := strconv.Atoi(string(after[:12]))
		if err != nil || n >= len(seen) {
			t.Fatalf("%s: event %q was never sent", name, after[:12])
		}
		seen[n]++
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

// capacity is how many objects a second the servers give to a client that does nothing
// with them.
func (f *freight) capacity(t *testing.T) float64 {
	t.Helper()
	a := newTrail(t)
	a.s3 = f.s3
	for _, told := range f.told {
		a.tell(told)
	}
	begin := time.Now()
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() { a.drink(t) })
	}
	clients.Wait()
	return float64(len(f.told)) / time.Since(begin).Seconds()
}

// drink receives, reads and deletes until the queue is empty.
func (a *trail) drink(t *testing.T) {
	q := a.sqs.Client()
	for {
		out, err := q.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &a.queue, MaxNumberOfMessages: 10})
		if err != nil {
			t.Error(err)
			return
		}
		if len(out.Messages) == 0 {
			return
		}
		for _, m := range out.Messages {
			_, key, _ := strings.Cut(*m.Body, `"object":{"key":"`)
			key, _, _ = strings.Cut(key, `"`)
			if err := a.read(key); err != nil {
				t.Error(err)
			}
			if _, err := q.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &a.queue, ReceiptHandle: m.ReceiptHandle}); err != nil {
				t.Error(err)
			}
		}
	}
}

// read reads an object, its key as in a notification, and forgets it.
func (a *trail) read(key string) error {
	resp, err := http.Get(a.bucket + "/" + trailBucket + "/" + strings.ReplaceAll(key, "%2F", "/"))
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return errors.Join(err, resp.Body.Close())
}

// peakMemory is the most that a process has had in memory.
func peakMemory(t *testing.T, pid int) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(b), "VmHWM:")
	var kib int64
	if _, err := fmt.Sscanf(after, "%d kB", &kib); err != nil {
		t.Fatalf("%v in\n%s", err, b)
	}
	return kib << 10
}

// ownCPU is what this process has used.
func ownCPU(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
