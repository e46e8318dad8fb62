package awstest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/otelcol-custody/custody/internal/awsnotify"
)

// drain receives from a queue until it got as many messages, and deletes them.
func drain(t *testing.T, m *Moto, queue string, n int) (all []awsnotify.Message) {
	t.Helper()
	client := m.SQS()
	for deadline := time.Now().Add(20 * time.Second); len(all) < n && time.Now().Before(deadline); {
		out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &queue, MaxNumberOfMessages: 10, WaitTimeSeconds: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, msg := range out.Messages {
			got, err := awsnotify.Parse([]byte(*msg.Body))
			if err != nil {
				t.Errorf("%v: %s", err, *msg.Body)
			}
			all = append(all, got)
			if _, err := client.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &queue, ReceiptHandle: msg.ReceiptHandle}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return all
}

// describe tells messages in one line each, sorted: what is delivered has no order.
func describe(all []awsnotify.Message) string {
	var lines []string
	for _, m := range all {
		line := string(m.Kind) + " " + m.Control
		if m.SNS != nil {
			line += " by SNS"
		}
		for _, o := range m.Objects {
			line += fmt.Sprintf(" %s/%s %d %s", o.Bucket, o.Key, o.Size, o.Change)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestMoto has the emulator deliver each shape to one queue, and reads them.
func TestMoto(t *testing.T) {
	m := StartMoto(t)
	const bucket, key = "acme-trail", "AWSLogs/a b+c=d/ä.json.gz"
	m.Bucket(bucket)
	queue, queueARN := m.Queue("events", nil)
	raw, cooked := m.Topic("raw"), m.Topic("cooked")
	m.Subscribe(raw, queueARN, true)
	m.Subscribe(cooked, queueARN, false)

	m.Notify(bucket, queueARN, cooked, true)
	if got, want := describe(drain(t, m, queue, 2)), "control s3:TestEvent\ncontrol s3:TestEvent by SNS"; got != want {
		t.Errorf("when notifications are set up:\n%s\nwant\n%s", got, want)
	}
	if version := m.Put(bucket, key, []byte("x")); version == "" {
		t.Error("the object has no version")
	}
	object := " " + bucket + "/" + key + " 1 created"
	if got, want := describe(drain(t, m, queue, 2)), "s3 "+object+"\ns3  by SNS"+object; got != want {
		t.Errorf("an object:\n%s\nwant\n%s", got, want)
	}

	m.Notify(bucket, "", raw, true)
	drain(t, m, queue, 1)
	m.Rule("all", queueARN)
	m.Put(bucket, key, []byte("x"))
	// The emulator also says that an object without tags was tagged.
	want := "eventbridge " + object + "\neventbridge " + strings.Replace(object, "created", "other", 1) + "\ns3 " + object
	if got := describe(drain(t, m, queue, 3)); got != want {
		t.Errorf("raw delivery and EventBridge:\n%s\nwant\n%s", got, want)
	}

	m.Publish(cooked, `{"s3Bucket":"acme-trail","s3ObjectKey":["a+b"]}`)
	m.Publish(raw, "CloudTrail validation message.")
	want = "cloudtrail  by SNS acme-trail/a+b -1 created\ncontrol CloudTrail validation message"
	if got := describe(drain(t, m, queue, 2)); got != want {
		t.Errorf("CloudTrail's own:\n%s\nwant\n%s", got, want)
	}
}

// stopper is a test that only notes that it was failed.
type stopper struct {
	testing.TB
	said string
}

func (s *stopper) Fatalf(format string, args ...any) {
	s.said = fmt.Sprintf(format, args...)
	panic(s)
}

func TestMissingMotoFails(t *testing.T) {
	for name, program := range map[string]string{
		"no python3": "",
		"no moto":    "#!/bin/sh\necho \"ModuleNotFoundError: No module named 'moto'\" >&2\nexit 1\n",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if program != "" {
				if err := os.WriteFile(filepath.Join(dir, "python3"), []byte(program), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			t.Setenv("PATH", dir)
			s := &stopper{TB: t}
			defer func() {
				if recover() != s || !strings.Contains(s.said, "moto[server]==") {
					t.Errorf("moto is missing: %q, want a failure that says what to install", s.said)
				}
			}()
			StartMoto(s)
		})
	}
}
