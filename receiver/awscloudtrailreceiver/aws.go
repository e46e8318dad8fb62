package awscloudtrailreceiver

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"go.uber.org/zap"

	"github.com/otelcol-custody/custody/internal/awsclient"
	"github.com/otelcol-custody/custody/internal/awsnotify"
	"github.com/otelcol-custody/custody/internal/contents"
	"github.com/otelcol-custody/custody/internal/s3read"
)

// An awsSide is what the sources in AWS share: one configuration, one book of what was
// delivered.
type awsSide struct {
	r       *cloudTrail
	cfg     aws.Config
	objects *objects
}

// spareMemory is what objects in hand may take together beyond the largest one: with
// files of a few MB, as CloudTrail writes them, about ten at once.
const spareMemory = 256 << 20

// newAWS loads credentials and makes no call.
func (r *cloudTrail) newAWS(ctx context.Context) (*awsSide, error) {
	opt := r.cfg.AWS.options()
	if opt.Region == "" && r.cfg.SQS.HasValue() {
		opt.Region = r.cfg.SQS.Get().region()
	}
	if opt.Region == "" && r.cfg.Lookup.HasValue() && len(r.cfg.Lookup.Get().Regions) > 0 {
		opt.Region = r.cfg.Lookup.Get().Regions[0]
	}
	cfg, err := awsclient.Load(ctx, opt)
	if err != nil {
		return nil, err
	}
	a := &awsSide{r: r, cfg: cfg}
	limit := r.cfg.AWS.MaxInflatedMiB << 20
	a.objects = &objects{
		deliverer: r.newDeliverer(""),
		reader: s3read.New(cfg, s3read.Options{RequesterPays: r.cfg.AWS.RequesterPays, BucketOwner: r.cfg.AWS.BucketOwner,
			PathStyle: r.cfg.AWS.PathStyle, Memory: limit + spareMemory}),
		book:  contents.NewBook(r.positions, r.retry, r.written),
		limit: limit,
		retry: r.retry,
		busy:  map[string]bool{},
	}
	if !r.cfg.SQS.HasValue() && !r.cfg.Bucket.HasValue() {
		return a, nil // The event history has no digests.
	}
	p, err := a.newProofs(ctx)
	if err != nil {
		return nil, err
	}
	if p != nil {
		p.fetch = a.objects.take
	}
	a.objects.proofs = p
	return a, nil
}

// written notes the outcome of writing a position.
func (r *cloudTrail) written(err error) {
	if err != nil {
		err = fmt.Errorf("reading waits until positions can be written again: %w", err)
	}
	r.health.set("storage", err)
}

func (a *awsSide) newQueue(cfg *SQSConfig) (*queue, error) {
	q := &queue{
		cfg:     cfg,
		client:  sqs.NewFromConfig(a.cfg),
		objects: a.objects,
		health:  a.r.health,
		log:     a.r.set.Logger.With(zap.String("queue", cfg.QueueURL)),
		retry:   a.r.retry,
		failed:  map[string]time.Time{},
	}
	if len(cfg.Buckets) == 0 && len(cfg.SNSTopics) == 0 && a.r.cfg.AWS.BucketOwner == "" {
		q.log.Info("sqs: whoever may send to the queue says what is read; name the trail's bucket in `buckets` to read nothing else")
	}
	if len(cfg.SNSTopics) > 0 {
		v, err := awsnotify.NewVerifier(awsnotify.Options{Topics: cfg.SNSTopics})
		if err != nil {
			return nil, fmt.Errorf("sqs: sns_topics: %w", err)
		}
		q.verifier = v
	}
	return q, nil
}
