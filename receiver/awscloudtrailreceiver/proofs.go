package awscloudtrailreceiver

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/otelcol-custody/custody/audit/cloudtrail/digest"
	"github.com/otelcol-custody/custody/internal/contents"
	"github.com/otelcol-custody/custody/internal/eventlog"
	"github.com/otelcol-custody/custody/internal/s3read"
)

// proofs holds what arrives against CloudTrail's digests, and seals what it finds. nil
// does nothing. It may be used concurrently.
type proofs struct {
	*deliverer
	book   *contents.Book
	health *health
	keys   *keyring
	// fetch seals an object that was named and has not come.
	fetch func(ctx context.Context, ref s3read.Ref) (fate, error)
	now   func() time.Time

	// asked is held from a question to the judge until its outcomes are safe and its
	// changes are stored, so that they are stored in the order in which it made them.
	asked lock
	judge *digest.Judge
	ahead bool // what the judge knows is not stored: it is made anew before the next question
	renew func(context.Context) (*digest.Judge, error)
	late  time.Duration

	stop    context.CancelFunc // set by Start
	stopped chan struct{}
}

// digestFolder is where digests lie, below an account's own.
const digestFolder = "/CloudTrail-Digest/"

func isDigest(key string) bool { return strings.Contains(key, digestFolder) }

// wants reports whether digests are to say something about the object at key.
func (p *proofs) wants(key string) bool { return p != nil && !isDigest(key) }

// seen tells of an object of which every record is acknowledged. inflated is the SHA-256
// of its content, zero if that was not read; file returns the content. again says that it
// was delivered before, perhaps from elsewhere.
func (p *proofs) seen(ctx context.Context, obj *s3read.Object, inflated [32]byte, file func() *contents.File, again bool) error {
	if p == nil || inflated == [32]byte{} {
		return nil
	}
	at := digest.Object{Bucket: obj.Ref.Bucket, Key: obj.Ref.Key}
	if !isDigest(at.Key) {
		l := digest.Delivery{Object: at, Hash: hex.EncodeToString(inflated[:]), At: p.now()}
		return p.ask(ctx, func() digest.Result { return p.judge.Log(l) })
	}
	data, err := io.ReadAll(io.LimitReader(file().Open(), maxDigest))
	if err != nil {
		return err
	}
	a := digest.Arrival{Object: at, Inflated: data, At: p.now(),
		Signature: obj.Metadata["signature"], Algorithm: obj.Metadata["signature-algorithm"]}
	d, err := digest.Parse(data)
	if again && (err != nil || d.Object != at) {
		return nil // A copy of a digest elsewhere proves nothing; the one in its place does, though it comes second.
	}
	if err == nil {
		p.learn(ctx, d, at)
	}
	return p.ask(ctx, func() digest.Result { return p.judge.Digest(a) })
}

// maxDigest is more than any digest has: it lists the log files of an hour, with some 500
// bytes for each. What is cut off there is not understood.
const maxDigest = 64 << 20

// gone tells of an object that a digest names and that does not exist. What a message
// names counts for nothing here: whoever may send to the queue could name files that
// CloudTrail never wrote, and have them called missing.
func (p *proofs) gone(ctx context.Context, at digest.Object) error {
	return p.ask(ctx, func() digest.Result { return p.judge.Gone(at, p.now()) })
}

// learn sees to it that the key is known that signed a digest, if it can be had now.
func (p *proofs) learn(ctx context.Context, d *digest.Digest, at digest.Object) {
	name, err := digest.ParseName(at.Key)
	if err != nil {
		return
	}
	found, err := p.keys.find(ctx, name.Region, d)
	p.health.set("keys", p.keys.trouble())
	if err != nil && ctx.Err() == nil {
		p.log.Warn("public keys cannot be listed; digests are held until they can, or until digests::keys_file names what `aws cloudtrail list-public-keys` printed", zap.String("region", name.Region), zap.Error(err))
	}
	if err := p.accept(ctx, found); err != nil && ctx.Err() == nil {
		p.log.Warn("public keys could not be kept", zap.Error(err))
	}
}

// accept seals keys and gives them to the judge.
func (p *proofs) accept(ctx context.Context, found []foundKey) error {
	if len(found) == 0 {
		return nil
	}
	build := func() plog.Logs {
		batch := p.newBatch()
		for _, k := range found {
			batch.Add(k.record(), eventlog.Origin{Source: k.source, Observed: time.Now()})
		}
		return batch.Take()
	}
	if err := p.sink.send(ctx, build(), build); err != nil {
		return err
	}
	err := p.ask(ctx, func() digest.Result {
		var all digest.Result
		for _, k := range found {
			r := p.judge.AddKeys(k.key)
			all.Outcomes, all.Changes = append(all.Outcomes, r.Outcomes...), append(all.Changes, r.Changes...)
		}
		return all
	})
	if err == nil {
		p.keys.keep(found)
	}
	return err
}

// ask puts a question to the judge. Its outcomes are sealed before its changes are
// stored: should the process die in between, the outcomes come twice.
func (p *proofs) ask(ctx context.Context, question func() digest.Result) error {
	if err := p.asked.take(ctx); err != nil {
		return err
	}
	defer p.asked.free()
	if p.ahead {
		judge, err := p.renew(ctx)
		if err != nil {
			return err
		}
		p.judge = judge
	}
	p.ahead = true
	res := question()
	for list := res.Outcomes; len(list) > 0; {
		n := min(len(list), outcomesPerBatch)
		if err := p.tell(ctx, list[:n]); err != nil {
			return err
		}
		list = list[n:]
	}
	if err := p.book.Save(ctx, changes(res.Changes)...); err != nil {
		return err
	}
	p.ahead = false
	return nil
}

// outcomesPerBatch keeps a batch of outcomes below a megabyte or so.
const outcomesPerBatch = 500

func (p *proofs) tell(ctx context.Context, list []digest.Outcome) error {
	build := func() plog.Logs {
		batch := p.newBatch()
		for _, o := range list {
			batch.Add(outcomeRecord(o), eventlog.Origin{Observed: time.Now()})
		}
		return batch.Take()
	}
	if err := p.sink.send(ctx, build(), build); err != nil {
		return fmt.Errorf("deliver what digests prove: %w", err)
	}
	for _, o := range list {
		p.count(o)
	}
	return nil
}

// count tells of an outcome that is sealed.
func (p *proofs) count(o digest.Outcome) {
	ctx := context.Background()
	p.telemetry.AwsCloudtrailEvents.Add(ctx, 1)
	about := []zap.Field{zap.String("reason", string(o.Reason)), zap.Stringer("chain", o.Chain)}
	if o.Object.Key != "" {
		about = append(about, zap.Stringer("object", o.Object))
	}
	switch {
	case o.Kind() == digest.Verified:
		p.telemetry.AwsCloudtrailProofsVerified.Add(ctx, 1)
		return
	case o.Reason.Contradicts():
		p.telemetry.AwsCloudtrailProofsFailed.Add(ctx, 1)
		p.health.set("digests "+o.Object.String(), errors.New(o.Sentence()+" ("+o.Object.String()+"): treat it as an incident, docs/cloudtrail-digests.md says how; this stays until the collector is started again"))
		about = append(about, zap.String("want", o.Want), zap.String("got", o.Got))
		p.log.Error(o.Sentence(), about...)
	default:
		p.telemetry.AwsCloudtrailProofsGaps.Add(ctx, 1)
		p.log.Warn(o.Sentence(), about...)
	}
}

// stateKey leads the judge's own keys in the storage.
const stateKey = "proofs/1/"

func changes(list []digest.Change) []*storage.Operation {
	ops := make([]*storage.Operation, 0, len(list))
	for _, c := range list {
		if c.Value == nil {
			ops = append(ops, storage.DeleteOperation(stateKey+c.Key))
		} else {
			ops = append(ops, storage.SetOperation(stateKey+c.Key, c.Value))
		}
	}
	return ops
}
