package awscloudtrailreceiver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"go.uber.org/zap"

	"github.com/otelcol-custody/custody/internal/awsclient"
	"github.com/otelcol-custody/custody/internal/awsnotify"
	"github.com/otelcol-custody/custody/internal/contents"
	"github.com/otelcol-custody/custody/internal/s3read"
)

// object seals one object of a message. What passes is tried again here, while the
// message stays in hand: an outage of S3 or KMS must not fill the dead-letter queue.
// Its attempts are taken off those of the message.
func (q *queue) object(ctx context.Context, o awsnotify.Object, tries *int) error {
	if err := q.mayRead(o.Bucket); err != nil {
		return err
	}
	ref := s3read.Ref{Bucket: o.Bucket, Key: o.Key, Version: o.VersionID, ETag: o.ETag, Size: max(o.Size, 0)}
	if o.Change != awsnotify.Created {
		return q.notCreated(ctx, o, ref)
	}
	part := "object " + ref.String()
	defer q.health.set(part, nil)
	for failed := 1; ; failed++ {
		what, err := q.objects.take(ctx, ref)
		if err == nil {
			if what == ignored {
				q.log.Debug("object is not CloudTrail's and is left alone", zap.Stringer("object", ref))
			}
			return nil
		}
		if ctx.Err() != nil || !q.passes(err, tries) {
			return err
		}
		q.objects.telemetry.AwsCloudtrailRetries.Add(ctx, 1)
		q.health.set(part, err)
		if failed == 1 {
			q.log.Warn("object cannot be read; it is tried again", zap.Stringer("object", ref), zap.Error(err))
		}
		if !q.retry.Wait(ctx, failed) {
			return ctx.Err()
		}
	}
}

// mayRead refuses buckets that are not the operator's, where these are named: whoever may
// send to the queue could have read whatever the credentials can.
func (q *queue) mayRead(bucket string) error {
	if len(q.cfg.Buckets) == 0 && anyBucket.MatchString(bucket) || slices.Contains(q.cfg.Buckets, bucket) {
		return nil
	}
	return &poison{fmt.Errorf("sqs: buckets: a message names the bucket %.80q, which is not listed or has no bucket's name; find out who may send to the queue", bucket)}
}

// passingTries is how often the objects of a message are tried again in place after errors
// that say neither that everything is affected nor that the object never can be read. A
// message may name a thousand objects, so they share them.
const passingTries = 40

// passes reports whether another attempt in place makes sense.
func (q *queue) passes(err error, tries *int) bool {
	if errors.Is(err, contents.ErrParked) {
		return false
	}
	if errors.Is(err, contents.ErrPositions) {
		return true // All objects are affected: pulling more messages would not help.
	}
	switch awsclient.KindOf(err) {
	case awsclient.Throttled, awsclient.Credentials:
		return true // As above.
	case awsclient.Denied, awsclient.Archived, awsclient.Refused:
		return false
	}
	*tries--
	return *tries > 0
}

// notCreated notes what else happened to an object. That a log file was deleted is news:
// a gap record says so, once for each version, also when its events are in the log.
func (q *queue) notCreated(ctx context.Context, o awsnotify.Object, ref s3read.Ref) error {
	if o.Change != awsnotify.Deleted || !isCloudTrails(o.Key) {
		return nil
	}
	q.log.Warn("a CloudTrail file was deleted from its bucket", zap.Stringer("object", ref), zap.String("event", o.Event), zap.Time("at", o.Time))
	return q.objects.deleted(ctx, ref, o.Event)
}

// A hold keeps a message invisible to others for as long as it is worked on.
type hold struct {
	cancel context.CancelFunc
	ended  chan struct{}
}

// hold extends the visibility of a message every third of it.
func (q *queue) hold(ctx context.Context, m types.Message) *hold {
	ctx, cancel := context.WithCancel(ctx)
	h := &hold{cancel, make(chan struct{})}
	go func() {
		defer close(h.ended)
		for contents.Rest(ctx, q.cfg.VisibilityTimeout/3) {
			err := q.setVisibility(ctx, m, q.cfg.VisibilityTimeout)
			if err != nil && ctx.Err() == nil {
				q.log.Warn("cannot keep a message in hand; if it comes again, what was sealed is recognised",
					zap.String("message", aws.ToString(m.MessageId)), zap.Error(err))
			}
		}
	}()
	return h
}

func (h *hold) release() {
	h.cancel()
	<-h.ended
}

func (q *queue) setVisibility(ctx context.Context, m types.Message, d time.Duration) error {
	_, err := q.client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl: &q.cfg.QueueURL, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: int32(d / time.Second)})
	return awsclient.Explain(err, "change the visibility of a message", "sqs:ChangeMessageVisibility")
}

// postpone makes a message come again after d, even while the collector stops.
func (q *queue) postpone(ctx context.Context, m types.Message, d time.Duration) {
	call, cancel := contents.Outlast(ctx)
	defer cancel()
	if err := q.setVisibility(call, m, d); err != nil {
		q.log.Debug("message comes again when its visibility ends", zap.Error(err))
	}
}

// Bounds of the wait before a message that failed comes again.
const (
	firstReturn = 30 * time.Second
	lastReturn  = 15 * time.Minute
)

// giveBack leaves a message that failed to come again, later each time; the queue's own
// redrive policy moves it aside in the end.
func (q *queue) giveBack(ctx context.Context, m types.Message, err error) {
	n := receives(m)
	wait := min(firstReturn<<min(n-1, 8), lastReturn)
	q.postpone(ctx, m, wait)
	q.objects.telemetry.AwsCloudtrailReturned.Add(context.Background(), 1)
	q.noted(m, err)
	text := "message could not be worked off and comes again"
	if p := (*poison)(nil); errors.As(err, &p) {
		text = "message is not understood or not believed; it comes again, and the queue's redrive policy moves it to the dead-letter queue"
	}
	q.log.Error(text, zap.String("message", aws.ToString(m.MessageId)), zap.Int("received", n), zap.Duration("again_in", wait), zap.Error(err))
}

// noted keeps the status true: it is well when every message that failed was worked off or
// came no more.
func (q *queue) noted(m types.Message, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	id := aws.ToString(m.MessageId)
	maps.DeleteFunc(q.failed, func(other string, at time.Time) bool { return other == id || time.Since(at) > 2*lastReturn })
	if err != nil {
		q.failed[id] = time.Now()
		q.health.set("message", err)
	} else if len(q.failed) == 0 {
		q.health.set("message", nil)
	}
}

// remove deletes a message of which everything is sealed. Should that fail it comes
// again, and its objects are recognised.
func (q *queue) remove(ctx context.Context, m types.Message) {
	q.noted(m, nil)
	for failed := 1; ; failed++ {
		call, cancel := contents.Outlast(ctx)
		_, err := q.client.DeleteMessage(call, &sqs.DeleteMessageInput{QueueUrl: &q.cfg.QueueURL, ReceiptHandle: m.ReceiptHandle})
		cancel()
		if err == nil {
			q.objects.telemetry.AwsCloudtrailMessages.Add(context.Background(), 1)
			return
		}
		if failed == deleteTries || !q.retry.Wait(ctx, failed) {
			q.log.Warn("message could not be deleted and comes again; what it names is sealed and will be recognised",
				zap.String("message", aws.ToString(m.MessageId)), zap.Error(awsclient.Explain(err, "delete a message", "sqs:DeleteMessage")))
			return
		}
	}
}

const deleteTries = 5
