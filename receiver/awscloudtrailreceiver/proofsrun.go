package awscloudtrailreceiver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/cloudtrail"
	"github.com/otelcol-custody/custody/audit/cloudtrail/digest"
	"github.com/otelcol-custody/custody/internal/contents"
	"github.com/otelcol-custody/custody/internal/s3read"
)

// DigestsConfig says how CloudTrail's own proofs are checked.
type DigestsConfig struct {
	// Verify turns the check on.
	Verify bool `mapstructure:"verify"`
	// Late is how much later than announced a file may come.
	Late time.Duration `mapstructure:"late"`
	// KeysFile holds what `aws cloudtrail list-public-keys` printed: keys are then not
	// asked for.
	KeysFile string `mapstructure:"keys_file"`
}

func defaultDigests() DigestsConfig { return DigestsConfig{Verify: true, Late: time.Hour} }

// Bounds of Late. An hour holds the digests' own delay; the judge remembers two weeks.
const (
	shortestLate = time.Minute
	longestLate  = 72 * time.Hour
)

// Validate reports every fault at once.
func (c *DigestsConfig) Validate() error {
	if c.Verify && (c.Late < shortestLate || c.Late > longestLate) {
		return fmt.Errorf("late: must be %v to %v, got %v", shortestLate, longestLate, c.Late)
	}
	return nil
}

// newProofs returns what checks digests, with what it knew when it last ran, or nil if
// that is not asked for.
func (a *awsSide) newProofs(ctx context.Context) (*proofs, error) {
	cfg := a.r.cfg.Digests
	if !cfg.Verify {
		return nil, nil
	}
	keys, err := newKeyring(a.cfg, cfg.KeysFile)
	if err != nil {
		return nil, fmt.Errorf("digests: keys_file: %w", err)
	}
	p := &proofs{deliverer: a.r.newDeliverer(""), book: a.objects.book, health: a.r.health,
		keys: keys, now: time.Now, asked: newLock(), late: cfg.Late}
	walker, ok := a.r.positions.(storage.Walker)
	if !ok {
		return nil, errors.New("digests: the storage extension cannot list what it holds, so what digests have proven would be forgotten: name one that can, as file_storage, or set `digests: {verify: false}`")
	}
	start, err := a.watchedSince(ctx)
	if err != nil {
		return nil, err
	}
	p.renew = func(ctx context.Context) (*digest.Judge, error) {
		return p.load(ctx, walker, digest.Options{Start: start, Late: cfg.Late})
	}
	p.judge, err = p.renew(ctx)
	return p, err
}

// sinceKey holds the time since which digests are looked for, as RFC 3339 in JSON.
const sinceKey = stateKey + "since"

// watchedSince is the time from which on files must be proven: when this receiver first
// ran, or, where it lists a bucket, where that begins.
func (a *awsSide) watchedSince(ctx context.Context) (time.Time, error) {
	if a.r.cfg.Bucket.HasValue() {
		return parseTime(a.r.cfg.Bucket.Get().From)
	}
	var since time.Time
	found, err := a.objects.book.Recall(ctx, sinceKey, &since)
	if err != nil && !errors.Is(err, contents.ErrDamaged) {
		return since, err
	}
	if !found {
		since = time.Now().UTC()
	}
	return since, a.objects.book.Save(ctx, contents.Set(sinceKey, since))
}

// load makes a judge that knows what is stored. What cannot be read is told and left: it
// is asked for, or proven, again.
func (p *proofs) load(ctx context.Context, walker storage.Walker, opt digest.Options) (*digest.Judge, error) {
	judge := digest.NewJudge(opt)
	err := walker.Walk(ctx, func(key string, value []byte) ([]*storage.Operation, error) {
		name, ok := strings.CutPrefix(key, stateKey)
		if !ok || key == sinceKey {
			return nil, nil
		}
		if err := judge.Load(name, append([]byte(nil), value...)); err != nil {
			p.log.Warn("what was known of a digest is damaged and left out", zap.String("key", key), zap.Error(err))
			return nil, nil
		}
		p.keys.loaded(name)
		return nil, nil
	})
	if err != nil {
		return nil, fmt.Errorf("digests: read what was known: %w: %w", contents.ErrPositions, err)
	}
	return judge, nil
}

// Start begins to look after what should have come.
func (p *proofs) Start() {
	ctx, stop := context.WithCancel(context.Background())
	p.stop, p.stopped = stop, make(chan struct{})
	go func() {
		defer close(p.stopped)
		if err := p.accept(ctx, p.keys.given()); err != nil {
			return // ctx has ended.
		}
		for contents.Rest(ctx, tickEvery) {
			if err := p.tick(ctx); err != nil && ctx.Err() == nil {
				p.log.Warn("digests could not be looked after; it is tried again", zap.Error(err))
			}
		}
	}()
}

const tickEvery = time.Minute

// Shutdown waits for what Start began.
func (p *proofs) Shutdown(ctx context.Context) error {
	if p.stop == nil {
		return nil
	}
	p.stop()
	select {
	case <-p.stopped:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("digests: did not stop in time: %w", ctx.Err())
	}
}

// longestAsk is how long a file is waited for that a digest lists, before it is fetched. It
// is fetched before it is called missing.
const longestAsk = 15 * time.Minute

// tick fetches what was named and has not come, then lets the judge say what is missing.
func (p *proofs) tick(ctx context.Context) error {
	now := p.now()
	if err := p.asked.take(ctx); err != nil {
		return err
	}
	due := p.judge.Due(now.Add(-min(longestAsk, p.late/2)))
	p.asked.free()
	for _, d := range due {
		what, err := p.fetch(ctx, s3read.Ref{Bucket: d.Bucket, Key: d.Key})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			p.log.Debug("a file that a digest names cannot be fetched", zap.Stringer("object", d.Object), zap.Error(err))
		}
		if what == lost {
			if err := p.gone(ctx, d.Object); err != nil {
				return err
			}
		}
		if what == delivered {
			p.log.Warn("a file that a digest names had not been announced; it was fetched", zap.Stringer("object", d.Object), zap.Stringer("digest", d.Digest))
		}
	}
	found, _ := p.keys.overdue(ctx)
	p.health.set("keys", p.keys.trouble())
	if err := p.accept(ctx, found); err != nil {
		return err
	}
	return p.ask(ctx, func() digest.Result { return p.judge.Tick(now) })
}

// An outcomeBody is the body of a record about one file or time.
type outcomeBody struct {
	Source   string        `json:"source"`
	Kind     digest.Kind   `json:"kind"`
	Reason   digest.Reason `json:"reason"`
	Sentence string        `json:"sentence"`
	Chain    digest.Chain  `json:"chain"`
	Object   string        `json:"object,omitempty"`
	Digest   string        `json:"digest,omitempty"`
	Want     string        `json:"want,omitempty"`
	Got      string        `json:"got,omitempty"`
	From     time.Time     `json:"from,omitzero"`
	To       time.Time     `json:"to,omitzero"`
}

// Attributes of records about what digests prove.
const (
	attrSourceReason = "audit.source.reason"
	attrSourceChain  = "audit.source.digest_chain"
	attrSourceDigest = "audit.source.digest"
)

var outcomeEvents = map[digest.Kind]string{
	digest.Verified: audit.EventSourceVerified, digest.Failed: audit.EventSourceFailed, digest.Gap: audit.EventSourceGap,
}

// outcomeRecord is the record of an outcome.
func outcomeRecord(o digest.Outcome) *audit.Record {
	b := outcomeBody{Source: "cloudtrail", Kind: o.Kind(), Reason: o.Reason, Sentence: o.Sentence(), Chain: o.Chain,
		Want: o.Want, Got: o.Got, From: o.From, To: o.To}
	if o.Object.Key != "" {
		b.Object = o.Object.String()
	}
	if o.Digest.Key != "" {
		b.Digest = o.Digest.String()
	}
	body, err := json.Marshal(b)
	if err != nil {
		panic("aws_cloudtrail: outcome cannot be encoded: " + err.Error())
	}
	rec := audit.SourceRecord(outcomeEvents[b.Kind], "aws", body)
	rec.Resource.Product = cloudtrail.Product
	rec.Resource.AccountID, rec.Resource.Region, rec.Resource.OrgID = o.Chain.Account, o.Chain.Region, o.Chain.Org
	put := func(key, value string) {
		if value != "" {
			rec.Attributes = append(rec.Attributes, audit.StringAttr(key, value))
		}
	}
	put(attrSourceReason, string(o.Reason))
	put(attrSourceChain, o.Chain.String())
	put(attrSourceDigest, b.Digest)
	put(audit.AttrTargetID, b.Object)
	if b.Object != "" {
		put(audit.AttrTargetType, "AWS::S3::Object")
	}
	return rec
}
