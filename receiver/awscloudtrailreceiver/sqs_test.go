package awscloudtrailreceiver

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component/componentstatus"

	"github.com/otelcol-custody/custody/internal/awstest"
)

func TestEveryShapeOfNotification(t *testing.T) {
	x := newAWSFixture(t)
	var want, messages []string
	add := func(n int, message func(key, version, etag string) string) {
		batch := events(fmt.Sprintf("f%d", n), 3)
		want = append(want, batch...)
		version, etag := x.s3.Put(trailBucket, logKey(n), []byte(packed(t, logFile(batch...))), nil)
		messages = append(messages, message(logKey(n), version, etag))
	}
	inSNS := func(message string) string {
		return fmt.Sprintf(`{"Type":"Notification","MessageId":"22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324","TopicArn":"arn:aws:sns:eu-central-1:111122223333:trail","Message":%q,"Timestamp":"2026-03-01T12:05:00.000Z","SignatureVersion":"1","Signature":"AA==","SigningCertURL":"https://sns.eu-central-1.amazonaws.com/x.pem","UnsubscribeURL":"https://sns.eu-central-1.amazonaws.com/"}`, message)
	}
	eventBridge := func(key, version, etag string) string {
		return fmt.Sprintf(`{"version":"0","id":"17793124-05d4-b198-2fde-7ededc63b103","detail-type":"Object Created","source":"aws.s3","account":"111122223333","time":"2026-03-01T12:05:00Z","region":"eu-central-1","resources":["arn:aws:s3:::trail"],`+
			`"detail":{"version":"0","bucket":{"name":%q},"object":{"key":%q,"size":100,"etag":%q,"version-id":%q,"sequencer":"0A"},"request-id":"R","requester":"cloudtrail.amazonaws.com","reason":"PutObject"}}`, trailBucket, key, etag, version)
	}
	add(1, created)
	add(2, func(k, v, e string) string { return inSNS(created(k, v, e)) })
	add(3, func(k, _, _ string) string {
		return inSNS(fmt.Sprintf(`{"s3Bucket":%q,"s3ObjectKey":[%q]}`, trailBucket, k))
	})
	add(4, func(k, _, _ string) string {
		return fmt.Sprintf(`{"s3Bucket":%q,"s3ObjectKey":[%q]}`, trailBucket, k)
	})
	add(5, eventBridge)
	add(6, func(k, v, e string) string { return inSNS(eventBridge(k, v, e)) })
	messages = append(messages, `{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-03-01T12:00:00.000Z","Bucket":"trail","RequestId":"R","HostId":"H"}`,
		inSNS("CloudTrail validation message."), created("other/service.log", "v1", "e"))
	x.sqs.Send(queueName, messages...)
	x.start(t)
	x.worked(t)
	sameSet(t, "events", x.next.eventBodies(), want)
	for _, m := range x.sqs.Messages(queueName) {
		if m.Receives != 1 {
			t.Errorf("received %d times: %.100s", m.Receives, m.Body)
		}
	}
	if n := x.s3.Gets(trailBucket, "other/service.log"); n != 0 {
		t.Errorf("what is not CloudTrail's was read %d times", n)
	}
}

// What a record carries of its object.
func TestWhatARecordSaysOfItsObject(t *testing.T) {
	x := newAWSFixture(t)
	x.sqs.Send(queueName, x.putLog(t, logKey(1), events("e", 2)...))
	x.start(t)
	x.worked(t)
	attrs := x.next.records[1].Attributes().AsRaw()
	if want := "s3://trail/" + logKey(1) + "?versionId=v1#1"; attrs["audit.ingest.source"] != want {
		t.Errorf("source %v, want %v", attrs["audit.ingest.source"], want)
	}
	if attrs[attrETag] == "" || attrs[attrVerified] != "digest_pending" {
		t.Errorf("attributes %v", attrs)
	}
}

// A crash between any two steps loses nothing, and what may come twice is said to.
func TestKilledBetweenAnyTwoSteps(t *testing.T) {
	all := events("e", 12) // three batches
	for _, step := range []string{"received", "read", "batch sealed", "all sealed", "position saved", "deleted"} {
		t.Run(step, func(t *testing.T) {
			x := newAWSFixture(t)
			x.sqs.Send(queueName, x.putLog(t, logKey(1), all...))
			died := make(chan struct{})
			die := func() {
				select {
				case <-died:
				default:
					x.store = x.store.kill()
					close(died)
				}
			}
			dead := errors.New("the process is dead")
			atBatch := map[string]int{"batch sealed": 1, "all sealed": 2}
			x.next.answer = func(n int) (bool, error) {
				if at, ok := atBatch[step]; ok && n == at {
					die()
					return true, nil // It is sealed, and nothing after it is done.
				}
				select {
				case <-died:
					return false, dead
				default:
					return true, nil
				}
			}
			x.s3.Fault(func(c awstest.S3Call) *awstest.S3Fault {
				if step == "received" || step == "read" {
					defer die()
				}
				if step == "received" {
					return &awstest.S3Fault{Status: http.StatusInternalServerError, Code: "InternalError"}
				}
				return nil
			})
			x.sqs.SetFault(func(c awstest.Call) error {
				switch {
				case c.Action == "DeleteMessage" && step == "position saved":
					die()
					return awstest.ErrHang
				case c.Action == "DeleteMessage" && step == "deleted":
					die()
				}
				return nil
			})
			first := x.start(t)
			<-died
			before := x.next
			shutdown(t, first)
			x.s3.Fault(nil)
			x.sqs.SetFault(nil)
			x.next = &pipeline{}
			x.sqs.Redeliver(queueName, step == "deleted")
			x.start(t)
			x.worked(t)
			checkRepeats(t, before, x.next, all)
		})
	}
}

// checkRepeats demands every event at least once over two runs, and that one which comes
// twice is marked the second time.
func checkRepeats(t *testing.T, first, second *pipeline, all []string) {
	t.Helper()
	seen := map[string]int{}
	for _, body := range first.eventBodies() {
		seen[body]++
	}
	repeats := 0
	for _, lr := range second.records {
		body := lr.Body().Str()
		_, marked := lr.Attributes().Get(attrRepeat)
		if seen[body]++; seen[body] > 1 {
			repeats++
			if !marked {
				t.Errorf("came twice and is not marked: %.80s", body)
			}
		}
	}
	for _, body := range all {
		if seen[body] == 0 {
			t.Errorf("lost: %.80s", body)
		}
	}
	if repeats > 5 {
		t.Errorf("%d events came twice: more than one batch", repeats)
	}
}

// While the pipeline refuses, the message stays in hand, and nothing more is pulled: an
// outage does not fill the dead-letter queue.
func TestOutageKeepsTheMessage(t *testing.T) {
	x := newAWSFixture(t)
	x.visibility = 3 * time.Second
	var open atomic.Bool
	x.next.answer = func(int) (bool, error) {
		if open.Load() {
			return true, nil
		}
		return false, errors.New("the spool is full")
	}
	var want []string
	for n := range 12 {
		batch := events(fmt.Sprint("f", n), 2)
		want = append(want, batch...)
		x.sqs.Send(queueName, x.putLog(t, logKey(n), batch...))
	}
	x.start(t)
	until(t, "it is refused", func() bool { s, _ := x.host.status(); return s == componentstatus.StatusRecoverableError })
	time.Sleep(5 * time.Second) // longer than a message stays invisible by itself
	for _, m := range x.sqs.Messages(queueName) {
		if m.Receives > 1 {
			t.Errorf("received %d times during the outage", m.Receives)
		}
	}
	if n := x.sqs.Count(queueName)[awstest.InFlight]; n == 0 || n > 4 {
		t.Errorf("%d messages in hand, want 1 to 4", n)
	}
	open.Store(true)
	x.worked(t)
	sameSet(t, "events", x.next.eventBodies(), want)
	if n := len(x.sqs.Messages(deadName)); n != 0 {
		t.Errorf("%d dead letters", n)
	}
}

func TestAnObjectThatIsGoneLeavesAGapRecord(t *testing.T) {
	x := newAWSFixture(t)
	gone := created(logKey(1), "v7", "e")
	overwritten := x.putLog(t, logKey(2), event("first"))
	x.s3.Erase(trailBucket, logKey(2))
	x.putLog(t, logKey(2), event("second"))
	overwritten = strings.Replace(overwritten, `"versionId":"v1"`, `"versionId":""`, 1)
	x.sqs.Send(queueName, gone, gone, overwritten)
	x.start(t)
	x.worked(t)
	got := x.gaps(t)
	if len(got) != 2 || !strings.Contains(strings.Join(got, "\n"), "the object does not exist any more: read s3://trail/"+logKey(1)+"?versionId=v7: NoSuchKey") &&
		!strings.Contains(strings.Join(got, "\n"), "NoSuchVersion") || !strings.Contains(strings.Join(got, "\n"), "the object was overwritten before it was read") {
		t.Errorf("gap records %q", got)
	}
	until(t, "two are counted as lost", func() bool { return x.next.counted().Lost == 2 })
}

// What must not be read is a gap, said once, and is read when it may be.
func TestDeniedObjectIsAGapUntilItIsGranted(t *testing.T) {
	x := newAWSFixture(t)
	var granted atomic.Bool
	x.s3.Fault(func(c awstest.S3Call) *awstest.S3Fault {
		if !granted.Load() && c.Key == logKey(2) {
			return &awstest.S3Fault{Status: http.StatusForbidden, Code: "AccessDenied"}
		}
		return nil
	})
	var keys []string
	var want []string
	for n := 1; n <= 3; n++ {
		batch := events(fmt.Sprint("f", n), 2)
		want = append(want, batch...)
		x.putLog(t, logKey(n), batch...)
		keys = append(keys, fmt.Sprintf("%q", logKey(n)))
	}
	x.sqs.Send(queueName, fmt.Sprintf(`{"s3Bucket":%q,"s3ObjectKey":[%s]}`, trailBucket, strings.Join(keys, ",")))
	x.start(t)
	until(t, "the gap is told", func() bool { return len(x.gaps(t)) == 1 })
	until(t, "the message waits", func() bool { return x.sqs.Count(queueName)[awstest.InFlight] == 1 })
	until(t, "the status says what is needed", func() bool {
		status, err := x.host.status()
		return status == componentstatus.StatusRecoverableError && strings.Contains(err.Error(), "docs/aws.md")
	})
	x.sqs.Redeliver(queueName, false)
	until(t, "it was tried again", func() bool { return x.sqs.Messages(queueName)[0].Receives == 2 })
	granted.Store(true)
	until(t, "it waits again", func() bool { return x.sqs.Count(queueName)[awstest.InFlight] == 1 })
	x.sqs.Redeliver(queueName, false)
	x.worked(t)
	sameSet(t, "events", x.next.eventBodies(), want)
	if got := x.gaps(t); len(got) != 1 {
		t.Errorf("gap records %q", got)
	}
}

// A message that nobody understands returns, later each time, until the queue moves it
// aside.
func TestPoisonGoesToTheDeadLetters(t *testing.T) {
	x := newAWSFixture(t)
	x.sqs.Send(queueName, "no JSON", x.putLog(t, logKey(1), event("good")))
	x.start(t)
	settles(t, "events", x.next.eventBodies, []string{event("good")})
	for n := 1; n <= 3; n++ {
		until(t, "it was received", func() bool { m := x.sqs.Messages(queueName)[0]; return m.Receives == n && m.State == awstest.InFlight })
		until(t, "it was given back", func() bool { return countOf(x.sqs, "ChangeMessageVisibility") >= n })
		x.sqs.Redeliver(queueName, false)
	}
	until(t, "it is a dead letter", func() bool { return len(x.sqs.Messages(deadName)) == 1 })
}

func countOf(s *awstest.SQS, action string) (n int) {
	for _, c := range s.Calls() {
		if c.Action == action {
			n++
		}
	}
	return n
}

// The queue delivers everything several times and in any order; every event is delivered
// once, and what came again is counted.
func TestRedeliveryIsRecognised(t *testing.T) {
	x := newAWSFixture(t)
	x.sqs.SetTwice(true)
	x.sqs.SetOrder(awstest.Newest)
	var want []string
	for n := range 10 {
		batch := events(fmt.Sprint("f", n), 7)
		want = append(want, batch...)
		x.sqs.Send(queueName, x.putLog(t, logKey(n), batch...))
	}
	x.start(t)
	x.worked(t)
	x.sqs.Redeliver(queueName, true)
	x.worked(t)
	until(t, "duplicates are counted", func() bool { return x.next.counted().Duplicate >= 70 })
	sameSet(t, "events", x.next.eventBodies(), want)
}

// Everything that can go wrong for a while.
func TestTroubleThatPasses(t *testing.T) {
	x := newAWSFixture(t)
	var want []string
	for n := range 20 {
		batch := events(fmt.Sprint("f", n), 7)
		want = append(want, batch...)
		x.sqs.Send(queueName, x.putLog(t, logKey(n), batch...))
	}
	faults := []*awstest.S3Fault{
		{Status: 503, Code: "SlowDown"}, {Status: 500, Code: "InternalError"}, {Cut: 20}, {Status: 400, Code: "ExpiredToken"}, nil,
		{Status: 503, Code: "SlowDown"}, {Cut: 40}, nil,
	}
	var calls atomic.Int64
	x.s3.Fault(func(awstest.S3Call) *awstest.S3Fault {
		n := calls.Add(1)
		if n > 200 {
			return nil
		}
		return faults[n%int64(len(faults))]
	})
	errs := []error{nil, awstest.Throttled(), nil, awstest.Unavailable(), awstest.ExpiredToken(), nil, awstest.ErrAnswerLost}
	x.sqs.SetFault(func(c awstest.Call) error {
		if c.Number > 60 || c.Action == "ReceiveMessage" && errors.Is(errs[c.Number%len(errs)], awstest.ErrAnswerLost) {
			return nil // Messages whose answer is lost come again when they become visible.
		}
		return errs[c.Number%len(errs)]
	})
	x.start(t)
	until(t, "every event arrived", func() bool { return len(x.next.eventBodies()) >= len(want) })
	x.sqs.SetFault(nil)
	until(t, "all was worked off", func() bool {
		x.sqs.Redeliver(queueName, false)
		time.Sleep(50 * time.Millisecond)
		return x.sqs.Count(queueName)[awstest.Deleted] == 20
	})
	sameSet(t, "events", x.next.eventBodies(), want)
}

// Only what SNS signed for a topic that is named is believed.
func TestUnsignedMessageIsNotRead(t *testing.T) {
	x := newAWSFixture(t)
	x.queue = x.sqs.Queue("signed", nil)
	x.sqs.Send("signed", x.putLog(t, logKey(1), event("e")))
	x.startWith(t, "sns_topics: [\"arn:aws:sns:eu-central-1:111122223333:trail\"]")
	until(t, "it was given back", func() bool { return countOf(x.sqs, "ChangeMessageVisibility") > 0 })
	if n := x.s3.Gets(trailBucket, logKey(1)); n != 0 || len(x.next.bodies()) != 0 {
		t.Errorf("read %d times, %d events", n, len(x.next.bodies()))
	}
	until(t, "the status names the key", func() bool {
		_, err := x.host.status()
		return err != nil && strings.Contains(err.Error(), "sns_topics")
	})
}

// The collector's own reading is left out on request, and that is said.
func TestOwnActivityIsLeftOut(t *testing.T) {
	x := newAWSFixture(t)
	x.yaml = "exclude_principals: ['arn:aws:iam::111122223333:role/custody-read', 'arn:aws:iam::111122223333:user/custody']"
	byRole := strings.Replace(event("role"), `{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user\/alice","accountId":"111122223333"}`,
		`{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/custody-read/custody","accountId":"111122223333","sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::111122223333:role/custody-read"}}}`, 1)
	byUser := strings.Replace(event("user"), `user\/alice`, `user/custody`, 1)
	var all, want []string
	for i := range 9 { // across batches
		all = append(all, event(fmt.Sprint(i)), byRole, byUser)
		want = append(want, event(fmt.Sprint(i)))
	}
	x.sqs.Send(queueName, x.putLog(t, logKey(1), all...))
	x.start(t)
	x.worked(t)
	sameSet(t, "events", x.next.eventBodies(), want)
	said := x.next.own("audit.source.excluded")
	if len(said) != 1 || !strings.Contains(said[0], `"events":18`) || !strings.Contains(said[0], `{"arn":"arn:aws:iam::111122223333:role/custody-read","events":9}`) {
		t.Errorf("said %q", said)
	}
}

// A file that somebody deletes is told of; what the lifecycle removes is not news.
func TestDeletionIsToldOf(t *testing.T) {
	x := newAWSFixture(t)
	x.sqs.Send(queueName, s3Event("ObjectRemoved:Delete", logKey(1), "v1", ""), s3Event("LifecycleExpiration:Delete", logKey(2), "v1", ""))
	x.start(t)
	x.worked(t)
	if got := x.gaps(t); len(got) != 1 || !strings.HasPrefix(got[0], "the object was deleted: ObjectRemoved:Delete") {
		t.Errorf("gap records %q", got)
	}
}

// The calls that are made are those that docs/aws.md asks for.
func TestCallsOnTheQueue(t *testing.T) {
	x := newAWSFixture(t)
	x.sqs.Send(queueName, x.putLog(t, logKey(1), event("e")), "poison")
	x.start(t)
	until(t, "poison was given back", func() bool { return countOf(x.sqs, "ChangeMessageVisibility") > 0 })
	until(t, "the other was deleted", func() bool { return x.sqs.Count(queueName)[awstest.Deleted] == 1 })
	if got, want := strings.Join(x.sqs.Actions(), " "), "sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:ReceiveMessage"; got != want {
		t.Errorf("calls %s, want %s", got, want)
	}
	if got, want := strings.Join(x.s3.Calls(), " "), "s3:GetObjectVersion"; got != want {
		t.Errorf("calls %s, want %s", got, want)
	}
}

// An object that holds nothing is no log file, and says so.
func TestAnObjectWithoutContentIsNotSilent(t *testing.T) {
	x := newAWSFixture(t)
	version, etag := x.s3.Put(trailBucket, logKey(1), []byte(packed(t, "")), nil)
	x.sqs.Send(queueName, created(logKey(1), version, etag))
	x.start(t)
	x.worked(t)
	if got := x.next.eventBodies(); len(got) != 1 || got[0] != "" {
		t.Fatalf("delivered %q", got)
	}
	if v, _ := x.next.records[0].Attributes().Get("audit.quarantined"); !v.Bool() {
		t.Error("it is not quarantined")
	}
}
