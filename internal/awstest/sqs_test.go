package awstest

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

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// fixture is a server with one queue, a client and a clock.
type fixture struct {
	*SQS
	t      testing.TB
	clock  *ManualClock
	client *sqs.Client
	url    string
}

func newFixture(t testing.TB, attributes map[string]string) *fixture {
	clock := NewClock(noon)
	s := NewSQS(t, SQSOptions{Clock: clock})
	s.Queue("dead", nil)
	return &fixture{SQS: s, t: t, clock: clock, client: s.Client(), url: s.Queue("events", attributes)}
}

func (f *fixture) receive(limit int32) []types.Message {
	f.t.Helper()
	out, err := f.client.ReceiveMessage(f.t.Context(), &sqs.ReceiveMessageInput{
		QueueUrl: &f.url, MaxNumberOfMessages: limit, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return out.Messages
}

func (f *fixture) delete(m types.Message) error {
	_, err := f.client.DeleteMessage(f.t.Context(), &sqs.DeleteMessageInput{QueueUrl: &f.url, ReceiptHandle: m.ReceiptHandle})
	return err
}

func (f *fixture) hide(m types.Message, seconds int32) error {
	_, err := f.client.ChangeMessageVisibility(f.t.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: &f.url, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: seconds})
	return err
}

func bodies(all []types.Message) string {
	var b []string
	for _, m := range all {
		b = append(b, *m.Body)
	}
	return strings.Join(b, " ")
}

func (f *fixture) want(queue string, want map[State]int) {
	f.t.Helper()
	if got := f.Count(queue); fmt.Sprint(got) != fmt.Sprint(want) {
		f.t.Errorf("queue %s has %v, want %v", queue, got, want)
	}
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

func TestLifeOfAMessage(t *testing.T) {
	f := newFixture(t, nil)
	out, err := f.client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &f.url, MessageBody: aws.String("a")})
	if err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(5 * time.Second)
	got := f.receive(10)
	if len(got) != 1 || *got[0].Body != "a" || *got[0].MessageId != *out.MessageId || *got[0].MD5OfBody != "0cc175b9c0f1b6a831c399e269772661" {
		t.Fatalf("received %+v", got)
	}
	attributes := got[0].Attributes
	if attributes["ApproximateReceiveCount"] != "1" || attributes["SentTimestamp"] != fmt.Sprint(noon.UnixMilli()) ||
		attributes["ApproximateFirstReceiveTimestamp"] != fmt.Sprint(noon.Add(5*time.Second).UnixMilli()) {
		t.Errorf("attributes %v", attributes)
	}
	f.want("events", map[State]int{InFlight: 1})
	if again := f.receive(10); len(again) != 0 {
		t.Errorf("received while in flight: %s", bodies(again))
	}
	f.clock.Advance(30 * time.Second)
	f.want("events", map[State]int{Visible: 1})
	second := f.receive(10)
	if len(second) != 1 || second[0].Attributes["ApproximateReceiveCount"] != "2" || *second[0].ReceiptHandle == *got[0].ReceiptHandle {
		t.Fatalf("received again: %+v", second)
	}
	if err := f.delete(got[0]); err != nil {
		t.Errorf("delete with an older handle: %v", err)
	}
	f.want("events", map[State]int{InFlight: 1})
	f.clock.Advance(time.Minute)
	for range 2 {
		if err := f.delete(second[0]); err != nil {
			t.Errorf("delete with the latest handle after its time, and once more: %v", err)
		}
	}
	f.want("events", map[State]int{Deleted: 1})
	if want := []string{"sqs:DeleteMessage", "sqs:ReceiveMessage", "sqs:SendMessage"}; !slices.Equal(f.Actions(), want) {
		t.Errorf("actions %v", f.Actions())
	}
	if c := f.Calls(); len(c) != 7 || c[0] != (Call{Action: "SendMessage", Queue: "events", AccessKey: AccessKey, Number: 1}) || c[6].Number != 3 {
		t.Errorf("calls %+v", c)
	}
}

func TestVisibility(t *testing.T) {
	f := newFixture(t, map[string]string{"VisibilityTimeout": "60"})
	f.Send("events", "a")
	m := f.receive(1)[0]
	f.clock.Advance(59 * time.Second)
	if err := f.hide(m, 60); err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(59 * time.Second)
	f.want("events", map[State]int{InFlight: 1})
	if err := f.hide(m, 0); err != nil {
		t.Fatal(err)
	}
	f.want("events", map[State]int{Visible: 1})
	var gone *types.MessageNotInflight
	if err := f.hide(m, 60); !errors.As(err, &gone) {
		t.Errorf("hide what is visible: %v", err)
	}

	// 12 hours in all, from its receive on.
	m = f.receive(1)[0]
	for range 11 {
		if err := f.hide(m, 3601); err != nil {
			t.Fatal(err)
		}
		f.clock.Advance(time.Hour)
	}
	if err := f.hide(m, 3601); code(err) != "InvalidParameterValue" || !strings.Contains(err.Error(), "beyond the limit") {
		t.Errorf("beyond 12 hours: %v", err)
	}
	if err := f.hide(m, 3600); code(err) != "MessageNotInflight" && err != nil {
		t.Errorf("up to 12 hours: %v", err)
	}
	if err := f.hide(m, 43201); code(err) != "InvalidParameterValue" {
		t.Errorf("more than 12 hours: %v", err)
	}
	if err := f.delete(m); err != nil {
		t.Fatal(err)
	}
	if err := f.hide(m, 1); code(err) != "InvalidParameterValue" {
		t.Errorf("hide what is deleted: %v", err)
	}
	var invalid *types.ReceiptHandleIsInvalid
	if err := f.delete(types.Message{ReceiptHandle: aws.String("made up")}); !errors.As(err, &invalid) {
		t.Errorf("a made-up handle: %v", err)
	}
}

func TestDeadLetters(t *testing.T) {
	f := newFixture(t, DeadLetters("dead", 3))
	f.Send("events", "poison", "good")
	for range 3 {
		for _, m := range f.receive(10) {
			if *m.Body == "good" {
				if err := f.delete(m); err != nil {
					t.Fatal(err)
				}
			}
		}
		f.clock.Advance(time.Minute)
	}
	f.want("dead", map[State]int{})
	if got := f.receive(10); len(got) != 0 {
		t.Errorf("a fourth receive: %s", bodies(got))
	}
	f.want("events", map[State]int{Deleted: 1})
	f.want("dead", map[State]int{Visible: 1})
	f.url = f.Queue("dead", nil)
	if m := f.receive(1); len(m) != 1 || m[0].Attributes["ApproximateReceiveCount"] != "4" {
		t.Errorf("from the dead-letter queue: %+v", m)
	}
}

func TestLongPoll(t *testing.T) {
	f := newFixture(t, nil)
	long := &sqs.ReceiveMessageInput{QueueUrl: &f.url, WaitTimeSeconds: 20}
	poll := func(ctx context.Context) <-chan string {
		before, done := len(f.Calls()), make(chan string, 1)
		go func() {
			out, err := f.client.ReceiveMessage(ctx, long)
			if err != nil {
				done <- "error"
				return
			}
			done <- bodies(out.Messages)
		}()
		for len(f.Calls()) == before {
			time.Sleep(time.Millisecond)
		}
		// The server waits for its clock soon after it noted the call.
		for waiting := 0; waiting == 0; time.Sleep(time.Millisecond) {
			f.clock.mu.Lock()
			waiting = len(f.clock.waits)
			f.clock.mu.Unlock()
		}
		return done
	}
	done := poll(t.Context())
	f.Send("events", "a")
	if got := <-done; got != "a" {
		t.Errorf("sent while polling: %q", got)
	}
	done = poll(t.Context())
	f.clock.Advance(19 * time.Second)
	select {
	case got := <-done:
		t.Errorf("answered before its time: %q", got)
	case <-time.After(50 * time.Millisecond):
	}
	f.clock.Advance(time.Second)
	if got := <-done; got != "" {
		t.Errorf("at the end: %q", got)
	}
	done = poll(t.Context())
	f.clock.Advance(10 * time.Second) // 30 s after its receive a is visible again.
	if got := <-done; got != "a" {
		t.Errorf("became visible while polling: %q", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done = poll(ctx)
	cancel()
	if got := <-done; got != "error" {
		t.Errorf("given up: %q", got)
	}
}

func TestBatches(t *testing.T) {
	f := newFixture(t, nil)
	sent, err := f.client.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: &f.url, Entries: []types.SendMessageBatchRequestEntry{
		{Id: aws.String("1"), MessageBody: aws.String("a")}, {Id: aws.String("2"), MessageBody: aws.String("b"), DelaySeconds: 60},
		{Id: aws.String("3"), MessageBody: aws.String(strings.Repeat("x", maxMessage-2))},
	}})
	if err != nil || len(sent.Successful) != 3 {
		t.Fatalf("%+v, %v", sent, err)
	}
	f.want("events", map[State]int{Visible: 2, Delayed: 1})
	all := f.receive(10)
	hidden, err := f.client.ChangeMessageVisibilityBatch(t.Context(), &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &f.url, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
		{Id: aws.String("1"), ReceiptHandle: all[0].ReceiptHandle, VisibilityTimeout: 600}, {Id: aws.String("2"), ReceiptHandle: aws.String("x"), VisibilityTimeout: 600},
	}})
	if err != nil || len(hidden.Successful) != 1 || len(hidden.Failed) != 1 || *hidden.Failed[0].Code != "ReceiptHandleIsInvalid" {
		t.Fatalf("%+v, %v", hidden, err)
	}
	deleted, err := f.client.DeleteMessageBatch(t.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: &f.url, Entries: []types.DeleteMessageBatchRequestEntry{
		{Id: aws.String("1"), ReceiptHandle: all[0].ReceiptHandle}, {Id: aws.String("2"), ReceiptHandle: aws.String("x")},
	}})
	if err != nil || len(deleted.Successful) != 1 || len(deleted.Failed) != 1 {
		t.Fatalf("%+v, %v", deleted, err)
	}
	f.want("events", map[State]int{InFlight: 1, Delayed: 1, Deleted: 1})
	got, err := f.client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &f.url, AttributeNames: []types.QueueAttributeName{
		"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed", "QueueArn",
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := "map[ApproximateNumberOfMessages:0 ApproximateNumberOfMessagesDelayed:1 ApproximateNumberOfMessagesNotVisible:1 QueueArn:" + QueueARN("events") + "]"
	if fmt.Sprint(got.Attributes) != want {
		t.Errorf("attributes %v", got.Attributes)
	}
	entries := make([]types.DeleteMessageBatchRequestEntry, 11)
	for i := range entries {
		entries[i] = types.DeleteMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), ReceiptHandle: aws.String("x")}
	}
	var many *types.TooManyEntriesInBatchRequest
	if _, err := f.client.DeleteMessageBatch(t.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: &f.url, Entries: entries}); !errors.As(err, &many) {
		t.Errorf("eleven entries: %v", err)
	}
	entries[1].Id = entries[0].Id
	var twice *types.BatchEntryIdsNotDistinct
	if _, err := f.client.DeleteMessageBatch(t.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: &f.url, Entries: entries[:2]}); !errors.As(err, &twice) {
		t.Errorf("one id twice: %v", err)
	}
}

func TestQueues(t *testing.T) {
	f := newFixture(t, nil)
	made, err := f.client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("other"), Attributes: DeadLetters("dead", 2)})
	if err != nil || *made.QueueUrl != f.Endpoint+"/"+Account+"/other" {
		t.Fatalf("%+v, %v", made, err)
	}
	if found, err := f.client.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("other")}); err != nil || *found.QueueUrl != *made.QueueUrl {
		t.Errorf("%+v, %v", found, err)
	}
	var none *types.QueueDoesNotExist
	if _, err := f.client.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("none")}); !errors.As(err, &none) ||
		code(err) != "AWS.SimpleQueueService.NonExistentQueue" {
		t.Errorf("no such queue: %v", err)
	}
	for name, attributes := range map[string]map[string]string{
		"InvalidAttributeName":  {"FifoQueue": "true"},
		"InvalidAttributeValue": {"VisibilityTimeout": "43201"},
		"InvalidParameterValue": DeadLetters("none", 2),
	} {
		_, err := f.client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("bad"), Attributes: attributes})
		if code(err) != name {
			t.Errorf("%v: %v", attributes, err)
		}
	}
	if _, err := f.client.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: &f.url}); code(err) != "UnknownOperationException" {
		t.Errorf("what the server does not know: %v", err)
	}
	f.Send("events", "old")
	f.clock.Advance(4*24*time.Hour - time.Second)
	f.Send("events", "young")
	f.clock.Advance(time.Second)
	if got := bodies(f.receive(10)); got != "young" {
		t.Errorf("after four days: %q", got)
	}
}

func TestOverLimit(t *testing.T) {
	s := NewSQS(t, SQSOptions{MaxInFlight: 2})
	f := &fixture{SQS: s, t: t, client: s.Client(), url: s.Queue("events", nil)}
	s.Send("events", "a", "b", "c")
	f.receive(2)
	var over *types.OverLimit
	if _, err := f.client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &f.url}); !errors.As(err, &over) {
		t.Errorf("a third in flight: %v", err)
	}
}

func TestFaults(t *testing.T) {
	f := newFixture(t, nil)
	f.Send("events", "a")
	for name, fault := range map[string]error{
		"ThrottlingException": Throttled(), "ServiceUnavailable": Unavailable(), "ExpiredToken": ExpiredToken(), "AccessDenied": AccessDenied(),
	} {
		f.SetFault(func(c Call) error {
			if c.Action == "ReceiveMessage" && c.Queue == "events" {
				return fault
			}
			return nil
		})
		if _, err := f.client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &f.url}); code(err) != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	f.SetFault(func(Call) error { return ErrHang })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := f.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &f.url}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("hang: %v", err)
	}
	f.want("events", map[State]int{Visible: 1})
	f.SetFault(nil)
	m := f.receive(1)[0]
	f.SetFault(func(Call) error { return ErrAnswerLost })
	if err := f.delete(m); err == nil {
		t.Error("the answer was lost and the call succeeded")
	}
	f.want("events", map[State]int{Deleted: 1})

	f.SetFault(nil)
	for target, want := range map[string]int{"": 400, "AmazonSQS.PurgeQueue": 400, "AmazonSQS.ReceiveMessage": 403} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.Endpoint, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Amz-Target", target)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%q without a signature: %s, want %d", target, resp.Status, want)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestDelivery(t *testing.T) {
	f := newFixture(t, nil)
	var sent []string
	for i := range 20 {
		sent = append(sent, fmt.Sprintf("%02d", i))
	}
	f.Send("events", sent...)
	f.SetOrder(Newest)
	if got := bodies(f.receive(3)); got != "19 18 17" {
		t.Errorf("newest first: %s", got)
	}
	f.Redeliver("events", false)
	f.SetOrder(Shuffled)
	all := strings.Fields(bodies(append(f.receive(10), f.receive(10)...)))
	if slices.IsSorted(all) {
		t.Errorf("shuffled: %v", all)
	}
	if slices.Sort(all); !slices.Equal(all, sent) {
		t.Errorf("shuffled, not all once: %v", all)
	}
	f.SetOrder(Oldest)
	f.Redeliver("events", false)
	for range 2 {
		for _, m := range f.receive(10) {
			if err := f.delete(m); err != nil {
				t.Fatal(err)
			}
		}
	}
	f.want("events", map[State]int{Deleted: 20})
	f.Redeliver("events", true)
	f.want("events", map[State]int{Visible: 20})

	g := newFixture(t, nil)
	g.Send("events", "a")
	g.SetTwice(true)
	first, second := g.receive(10), g.receive(10)
	if bodies(first) != "a" || bodies(second) != "a" || len(g.receive(10)) != 0 {
		t.Errorf("twice: %s, %s", bodies(first), bodies(second))
	}
	if err := g.delete(first[0]); err != nil {
		t.Error(err)
	}
	g.want("events", map[State]int{InFlight: 1})
	if err := g.delete(second[0]); err != nil {
		t.Error(err)
	}
	g.want("events", map[State]int{Deleted: 1})
}

// TestWorkers: many clients receive each message once.
func TestWorkers(t *testing.T) {
	s := NewSQS(t, SQSOptions{})
	url, client := s.Queue("events", nil), s.Client()
	const all = 500
	for i := range all {
		s.Send("events", fmt.Sprint(i))
	}
	var mu sync.Mutex
	seen := map[string]int{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10})
				if err != nil || len(out.Messages) == 0 {
					return
				}
				for _, m := range out.Messages {
					mu.Lock()
					seen[*m.Body]++
					mu.Unlock()
					if _, err := client.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle}); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	for body, n := range seen {
		if n != 1 {
			t.Errorf("message %s was received %d times", body, n)
		}
	}
	if len(seen) != all || s.Count("events")[Deleted] != all {
		t.Errorf("received %d of %d, %v", len(seen), all, s.Count("events"))
	}
}
