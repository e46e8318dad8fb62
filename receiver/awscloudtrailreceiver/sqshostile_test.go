package awscloudtrailreceiver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer/consumererror"

	"github.com/otelcol-custody/custody/internal/awstest"
	"github.com/otelcol-custody/custody/internal/contents"
)

// A proxy's 404 does not say that an object is gone: nothing is given up for it.
func TestNotFoundByAProxyIsNoGap(t *testing.T) {
	x := newAWSFixture(t)
	x.sqs.Send(queueName, x.putLog(t, logKey(1), event("e")))
	var calls atomic.Int32
	x.s3.Fault(func(awstest.S3Call) *awstest.S3Fault {
		if calls.Add(1) < 4 {
			return &awstest.S3Fault{Status: http.StatusNotFound}
		}
		return nil
	})
	x.start(t)
	x.worked(t)
	sameSet(t, "events", x.next.eventBodies(), []string{event("e")})
	if got := x.gaps(t); len(got) != 0 {
		t.Errorf("gap records %q", got)
	}
}

// A message that names what cannot be read does not hold a worker: a call that is wrong is
// made once, and the objects of a message share their attempts.
func TestAMessageCannotHoldAWorker(t *testing.T) {
	for name, tt := range map[string]struct {
		fault awstest.S3Fault
		most  int
	}{
		"wrong call": {awstest.S3Fault{Status: http.StatusBadRequest, Code: "InvalidArgument"}, 30},
		"passing":    {awstest.S3Fault{Status: http.StatusNotImplemented, Code: "NotImplemented"}, 30 + passingTries},
	} {
		t.Run(name, func(t *testing.T) {
			x := newAWSFixture(t)
			x.s3.Fault(func(awstest.S3Call) *awstest.S3Fault { return &tt.fault })
			var keys []string
			for n := range 30 {
				keys = append(keys, fmt.Sprintf("%q", logKey(n)))
			}
			x.sqs.Send(queueName, fmt.Sprintf(`{"s3Bucket":%q,"s3ObjectKey":[%s]}`, trailBucket, strings.Join(keys, ",")))
			x.start(t)
			until(t, "it was given back", func() bool { return countOf(x.sqs, "ChangeMessageVisibility") > 0 })
			gets := 0
			for n := range 30 {
				gets += x.s3.Gets(trailBucket, logKey(n))
			}
			if gets < 30 || gets > tt.most {
				t.Errorf("%d calls, want 30 to %d", gets, tt.most)
			}
		})
	}
}

// Who may send to the queue does not choose the bucket.
func TestOnlyTheOperatorsBucketsAreRead(t *testing.T) {
	for _, sqs := range []string{"buckets: [trail]", "max_in_flight: 2"} {
		x := newAWSFixture(t)
		bad := "other"
		if !strings.HasPrefix(sqs, "buckets") {
			bad = "other bucket/.."
		}
		x.s3.Put(bad, logKey(1), []byte(packed(t, logFile(event("forged")))), nil)
		x.sqs.Send(queueName, x.putLog(t, logKey(2), event("good")), fmt.Sprintf(`{"s3Bucket":%q,"s3ObjectKey":[%q]}`, bad, logKey(1)))
		x.startWith(t, sqs)
		until(t, "it was given back", func() bool { return countOf(x.sqs, "ChangeMessageVisibility") > 0 })
		settles(t, "events", x.next.eventBodies, []string{event("good")})
		if _, err := x.host.status(); err == nil || !strings.Contains(err.Error(), "sqs: buckets: a message names the bucket") {
			t.Errorf("status: %v", err)
		}
		if got := x.gaps(t); len(got) != 0 {
			t.Errorf("gap records %q", got)
		}
	}
}

// That a file was deleted is said once, and does not make it be delivered again.
func TestDeletionIsToldOfOnce(t *testing.T) {
	x := newAWSFixture(t)
	put := x.putLog(t, logKey(1), event("e"))
	_, etag := x.s3.Put(trailBucket, logKey(1), []byte(packed(t, logFile(event("e")))), nil)
	gone := s3Event("ObjectRemoved:Delete", logKey(1), "v1", etag)
	x.sqs.Send(queueName, put)
	x.start(t)
	x.worked(t)
	x.sqs.Send(queueName, gone, gone)
	x.worked(t)
	x.sqs.Redeliver(queueName, true)
	x.worked(t)
	if got := x.gaps(t); len(got) != 1 {
		t.Errorf("gap records %q", got)
	}
	if n := x.s3.Gets(trailBucket, logKey(1)); n != 1 {
		t.Errorf("read %d times", n)
	}
}

// What one message does well says nothing of another one's trouble.
func TestTroubleIsNotHiddenByWhatGoesWell(t *testing.T) {
	x := newAWSFixture(t)
	x.s3.Fault(func(c awstest.S3Call) *awstest.S3Fault {
		if c.Key == logKey(1) {
			return &awstest.S3Fault{Status: http.StatusForbidden, Code: "AccessDenied"}
		}
		return nil
	})
	x.sqs.Send(queueName, x.putLog(t, logKey(1), event("denied")))
	x.start(t)
	until(t, "it was given back", func() bool { return countOf(x.sqs, "ChangeMessageVisibility") > 0 })
	x.sqs.Send(queueName, x.putLog(t, logKey(2), event("good")))
	until(t, "the other was worked off", func() bool { return x.sqs.Count(queueName)[awstest.Deleted] == 1 })
	if status, err := x.host.status(); status != componentstatus.StatusRecoverableError {
		t.Errorf("status %v: %v", status, err)
	}
	x.s3.Fault(nil)
	x.sqs.Redeliver(queueName, false)
	x.worked(t)
	until(t, "all is well", func() bool { status, _ := x.host.status(); return status == componentstatus.StatusOK })
}

// A batch that is refused for a while and then for good leaves no word of the pipeline
// behind once others are taken.
func TestRefusedForGoodAfterAWhile(t *testing.T) {
	x := newAWSFixture(t)
	x.next.answer = func(n int) (bool, error) {
		switch n {
		case 0:
			return false, errors.New("not now")
		case 1:
			return false, consumererror.NewPermanent(errors.New("never"))
		}
		return true, nil
	}
	x.sqs.Send(queueName, x.putLog(t, logKey(1), event("e")))
	x.start(t)
	until(t, "it was given back", func() bool { return countOf(x.sqs, "ChangeMessageVisibility") > 0 })
	time.Sleep(10 * time.Millisecond)
	x.sqs.Redeliver(queueName, false)
	x.worked(t)
	until(t, "all is well", func() bool { status, _ := x.host.status(); return status == componentstatus.StatusOK })
}

// While positions cannot be read the message stays in hand: a broken disk does not fill
// the dead-letter queue.
func TestStorageThatFailsKeepsTheMessage(t *testing.T) {
	x := newAWSFixture(t)
	x.yaml = "digests: {verify: false}"
	r := x.start(t)
	shutdown(t, r)
	q := r.sources[0].(*queue)
	q.objects.book = contents.NewBook(&failingStorage{memoryStorage: x.store, left: 2 * passingTries}, r.retry, r.written)
	x.sqs.Send(queueName, x.putLog(t, logKey(1), event("e")))
	q.Start()
	t.Cleanup(func() {
		if err := q.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	x.worked(t)
	sameSet(t, "events", x.next.eventBodies(), []string{event("e")})
	if n := countOf(x.sqs, "ChangeMessageVisibility"); n != 0 {
		t.Errorf("given back %d times", n)
	}
}

// failingStorage cannot be read for a while.
type failingStorage struct {
	*memoryStorage
	mu   sync.Mutex
	left int
}

func (s *failingStorage) Get(ctx context.Context, key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left--; s.left > 0 {
		return nil, errors.New("input/output error")
	}
	return s.memoryStorage.Get(ctx, key)
}
