package awscloudtrailreceiver

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"go.uber.org/zap"

	"github.com/otelcol-custody/custody/internal/awsclient"
	"github.com/otelcol-custody/custody/internal/awsnotify"
	"github.com/otelcol-custody/custody/internal/contents"
)

// A queue is the source of objects that messages on an SQS queue name. A message is
// deleted when every object that it names is sealed, or a gap record stands for it.
type queue struct {
	cfg      *SQSConfig
	client   *sqs.Client
	objects  *objects
	verifier *awsnotify.Verifier // nil: signatures are not asked for
	health   *health
	log      *zap.Logger
	retry    contents.Backoff

	mu     sync.Mutex
	failed map[string]time.Time // messages given back, by id: when

	stop    context.CancelFunc // set by Start
	stopped chan struct{}
}

// Start begins to receive, in the background.
func (q *queue) Start() {
	ctx, stop := context.WithCancel(context.Background())
	q.stop, q.stopped = stop, make(chan struct{})
	go func() {
		defer close(q.stopped)
		q.run(ctx)
	}()
}

// Shutdown stops receiving and waits for the messages in hand: their calls under way
// may end, nothing new is begun. What was not finished becomes visible again by itself.
func (q *queue) Shutdown(ctx context.Context) error {
	if q.stop == nil {
		return nil
	}
	q.stop()
	select {
	case <-q.stopped:
	case <-ctx.Done():
		return fmt.Errorf("queue did not stop in time: %w", ctx.Err())
	}
	if q.verifier != nil {
		q.verifier.Close()
	}
	return nil
}

// largestReceive is how many messages one call returns at most (SQS, ReceiveMessage).
const largestReceive = 10

// run receives as many messages as there is room for, and no more while the pipeline
// refuses: what is pulled and not finished counts towards the dead-letter queue.
func (q *queue) run(ctx context.Context) {
	room := make(chan struct{}, q.cfg.MaxInFlight)
	var work sync.WaitGroup
	defer q.objects.sink.report(ctx)
	defer work.Wait()
	for failed := 0; ; {
		free := q.reserve(ctx, room)
		if free == 0 {
			return
		}
		messages, err := q.receive(ctx, free)
		for range free - len(messages) {
			<-room
		}
		if ctx.Err() != nil && len(messages) == 0 {
			return
		}
		if failed = q.received(failed, err); failed > 0 && !q.retry.Wait(ctx, failed) {
			return
		}
		for _, m := range messages {
			work.Go(func() {
				defer func() { <-room }()
				q.work(ctx, m)
			})
		}
		if len(messages) == 0 {
			q.objects.sink.report(ctx)
			if q.cfg.WaitTime < time.Second { // The queue answered at once.
				contents.Rest(ctx, time.Second)
			}
		}
	}
}

// reserve waits until the pipeline takes events and there is room, and takes what there
// is, up to one call's worth. 0 means that ctx ended.
func (q *queue) reserve(ctx context.Context, room chan struct{}) int {
	if !q.objects.sink.taking(ctx) {
		return 0
	}
	select {
	case room <- struct{}{}:
	case <-ctx.Done():
		return 0
	}
	for free := 1; free < largestReceive; free++ {
		select {
		case room <- struct{}{}:
		default:
			return free
		}
	}
	return largestReceive
}

// received notes the outcome of a call, and returns how many have failed in a row.
func (q *queue) received(failed int, err error) int {
	if err == nil {
		if failed > 0 {
			q.log.Info("the queue answers again", zap.Int("attempts", failed+1))
			q.health.set("queue", nil)
		}
		return 0
	}
	if errors.Is(err, context.Canceled) {
		return failed
	}
	q.health.set("queue", err)
	if failed == 0 {
		q.log.Warn("cannot receive from the queue; it is tried again", zap.Error(err))
	}
	return failed + 1
}

func (q *queue) receive(ctx context.Context, n int) ([]types.Message, error) {
	out, err := q.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl:            &q.cfg.QueueURL,
		MaxNumberOfMessages: int32(n),
		WaitTimeSeconds:     int32(q.cfg.WaitTime / time.Second),
		VisibilityTimeout:   int32(q.cfg.VisibilityTimeout / time.Second),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{
			types.MessageSystemAttributeNameApproximateReceiveCount, types.MessageSystemAttributeNameSentTimestamp},
	})
	if err != nil {
		return nil, awsclient.Explain(err, "receive from "+q.cfg.QueueURL, "sqs:ReceiveMessage")
	}
	return out.Messages, nil
}

// receives is how often a message was received, this time included.
func receives(m types.Message) int {
	n, err := strconv.Atoi(m.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
	if err != nil || n < 1 {
		return 1
	}
	return n
}

// age is how long ago the message was sent.
func age(m types.Message, now time.Time) (time.Duration, bool) {
	ms, err := strconv.ParseInt(m.Attributes[string(types.MessageSystemAttributeNameSentTimestamp)], 10, 64)
	return now.Sub(time.UnixMilli(ms)), err == nil
}

// work brings one message to its end: deleted, or left to come again.
func (q *queue) work(ctx context.Context, m types.Message) {
	if a, ok := age(m, time.Now()); ok {
		q.objects.telemetry.AwsCloudtrailQueueAge.Record(context.Background(), a.Seconds())
	}
	hold := q.hold(ctx, m)
	err := q.process(ctx, m)
	hold.release()
	switch {
	case err == nil:
		q.remove(ctx, m)
	case ctx.Err() != nil:
		q.postpone(ctx, m, 0) // The next start, or another collector, takes it at once.
	default:
		q.giveBack(ctx, m, err)
	}
}

// process seals what a message names. Its objects are taken one after another; one that
// fails does not keep the others from being sealed, and they are not read again when the
// message comes back.
func (q *queue) process(ctx context.Context, m types.Message) error {
	msg, err := awsnotify.Parse([]byte(aws.ToString(m.Body)))
	if err != nil {
		return &poison{err}
	}
	if err := q.verify(ctx, msg); err != nil {
		return err
	}
	if msg.Kind == awsnotify.Control {
		q.control(msg)
		return nil
	}
	var errs []error
	tries := passingTries
	for _, o := range msg.Objects {
		if err := q.object(ctx, o, &tries); err != nil {
			errs = append(errs, err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return some(errs)
}

// verify believes only what SNS signed for one of the topics, where that is asked for.
func (q *queue) verify(ctx context.Context, msg awsnotify.Message) error {
	if q.verifier == nil {
		return nil
	}
	err := q.verifier.Verify(ctx, msg)
	if err == nil || errors.Is(err, awsnotify.ErrUnavailable) {
		return err
	}
	return &poison{fmt.Errorf("sqs: sns_topics: %w", err)}
}

// control notes a message that names no object. A subscription is the operator's to
// confirm: whoever may write to the queue could subscribe it to a topic of theirs.
func (q *queue) control(msg awsnotify.Message) {
	if msg.Control == awsnotify.ControlSubscribe {
		q.log.Warn("the queue was subscribed to a topic, which waits to be confirmed; it is not confirmed here: do it with the SNS console or CLI if it is yours",
			zap.String("topic", msg.SNS.TopicARN))
		return
	}
	q.log.Debug("control message", zap.String("message", msg.Control))
}

// A poison is what is wrong with a message that no retry mends.
type poison struct{ error }

func (p *poison) Unwrap() error { return p.error }
