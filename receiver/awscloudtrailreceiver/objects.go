package awscloudtrailreceiver

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/internal/awsclient"
	"github.com/otelcol-custody/custody/internal/contents"
	"github.com/otelcol-custody/custody/internal/eventlog"
	"github.com/otelcol-custody/custody/internal/ingest"
	"github.com/otelcol-custody/custody/internal/s3read"
)

// Attributes of records that came from an object.
const (
	attrETag               = "audit.ingest.etag"
	attrVerified           = "audit.ingest.verified"
	attrSignature          = "audit.source.signature"           // of a digest, hexadecimal
	attrSignatureAlgorithm = "audit.source.signature.algorithm" // of a digest
)

// A fate is what became of an object.
type fate int

const (
	delivered  fate = iota + 1 // every record is acknowledged
	recognised                 // it was delivered before
	lost                       // a gap record stands for it
	ignored                    // it is not CloudTrail's
)

// objects delivers S3 objects, each content once, whichever source names them and
// however often. It may be used concurrently.
type objects struct {
	*deliverer
	reader *s3read.Reader
	book   *contents.Book
	limit  int64   // bytes, inflated
	proofs *proofs // nil: digests are not checked
	retry  contents.Backoff

	mu   sync.Mutex
	busy map[string]bool // entry keys in work
}

// An entry is what is remembered of one object under
// "objects/1/<32 hex: first half of the SHA-256 of bucket, key and content>".
type entry struct {
	Done   bool   `json:"done,omitempty"`
	Events int    `json:"events,omitempty"`
	Gap    string `json:"gap,omitempty"` // the reason of the gap record that was delivered
}

// entryKey names a reference in the storage. The entity tag comes first: two versions
// with one tag hold the same bytes, and a listing tells no version.
func entryKey(ref s3read.Ref) string {
	pin := ref.ETag
	if pin == "" {
		pin = ref.Version
	}
	sum := sha256.Sum256([]byte(ref.Bucket + "\x00" + ref.Key + "\x00" + pin))
	return "objects/1/" + hex.EncodeToString(sum[:16])
}

// isCloudTrails reports whether a key is that of a log or digest file; another service's
// logs may lie in the same bucket and be told of on the same queue.
func isCloudTrails(key string) bool {
	return strings.Contains("/"+key, "/AWSLogs/") && strings.Contains(key, "/CloudTrail") &&
		(strings.HasSuffix(key, ".json.gz") || strings.HasSuffix(key, ".json"))
}

// take brings one object to its end. An error means that it did not come there, and what
// kind of error it is says whether it will: see [awsclient.KindOf]. A gap record is
// delivered once for each reason.
func (o *objects) take(ctx context.Context, ref s3read.Ref) (fate, error) {
	if !isCloudTrails(ref.Key) {
		return ignored, nil
	}
	key := entryKey(ref)
	for !o.claim(key) { // Another message names it, too.
		if !contents.Rest(ctx, 20*time.Millisecond) {
			return 0, ctx.Err()
		}
	}
	defer o.release(key)
	var was entry
	if _, err := o.book.Recall(ctx, key, &was); err != nil && !errors.Is(err, contents.ErrDamaged) {
		return 0, err
	}
	if was.Done && ref.Pinned() {
		o.duplicate(ref, ref.String(), was.Events)
		return recognised, nil
	}
	obj, err := o.reader.Get(ctx, ref, o.limit)
	if err != nil {
		return o.unread(ctx, ref, was, err)
	}
	defer obj.Release()
	return o.deliver(ctx, obj)
}

func (o *objects) claim(key string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.busy[key] {
		return false
	}
	o.busy[key] = true
	return true
}

func (o *objects) release(key string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.busy, key)
}

// deliver hands on what was read.
func (o *objects) deliver(ctx context.Context, obj *s3read.Object) (fate, error) {
	found := contents.Found{
		Path:   obj.Ref.String(),
		Stored: obj.Stored,
		Limit:  o.limit,
		Again: func(e contents.End) error {
			return o.proofs.seen(ctx, obj, e.Inflated, func() *contents.File { return contents.Inflate(obj.Stored, o.limit) }, true)
		},
		Also: func(e contents.End) []*storage.Operation {
			return []*storage.Operation{contents.Set(entryKey(obj.Ref), entry{Done: true, Events: e.Records})}
		},
	}
	trouble := func(err error) { o.log.Warn("cannot be recalled", zap.String("object", found.Path), zap.Error(err)) }
	for failed := 1; ; failed++ {
		res, err := o.book.Deliver(ctx, found, objectHandler{o.with(o.about(obj)), o.proofs, obj}, trouble)
		switch {
		case errors.Is(err, contents.ErrBusy): // The same content, from another message.
			if !o.retry.Wait(ctx, failed) {
				return 0, ctx.Err()
			}
		case err != nil:
			return 0, err
		case res.File == nil:
			o.duplicate(obj.Ref, res.Original, res.Records)
			return recognised, nil
		default:
			o.done(obj, res.File)
			return delivered, nil
		}
	}
}

// An objectHandler delivers one object, and then tells what it was to the proofs: should
// the process die in between, both come again.
type objectHandler struct {
	*deliverer
	proofs *proofs
	obj    *s3read.Object
}

// Deliver implements [contents.Handler].
func (h objectHandler) Deliver(ctx context.Context, f *contents.File, ack func(total int) error) (int, error) {
	total, err := h.deliverer.Deliver(ctx, f, ack)
	if err != nil {
		return total, err
	}
	return total, h.proofs.seen(ctx, h.obj, f.Inflated, func() *contents.File { return f }, false)
}

// about is what each record of an object carries of it.
func (o *objects) about(obj *s3read.Object) []audit.Attribute {
	list := []audit.Attribute{audit.StringAttr(attrETag, obj.Ref.ETag)}
	if o.proofs.wants(obj.Ref.Key) {
		list = append(list, audit.StringAttr(attrVerified, "digest_pending"))
	}
	if s := obj.Metadata["signature"]; s != "" {
		list = append(list, audit.StringAttr(attrSignature, s),
			audit.StringAttr(attrSignatureAlgorithm, obj.Metadata["signature-algorithm"]))
	}
	return list
}

func (o *objects) done(obj *s3read.Object, f *contents.File) {
	ctx := context.Background()
	o.telemetry.AwsCloudtrailFiles.Add(ctx, 1)
	o.telemetry.AwsCloudtrailBytes.Add(ctx, f.Size)
	if !obj.Modified.IsZero() {
		o.telemetry.AwsCloudtrailDeliveryLag.Record(ctx, time.Since(obj.Modified).Seconds())
	}
	if f.Fault != nil {
		o.telemetry.AwsCloudtrailGaps.Add(ctx, 1)
		o.sink.count(ingest.Counts{Lost: 1}) // Nobody knows how many events.
		o.log.Warn("object could not be read whole; a gap record says so, and what could be read was delivered",
			zap.Stringer("object", obj.Ref), zap.Int64("size", f.Size), zap.Error(f.Fault))
		return
	}
	o.log.Debug("object delivered", zap.Stringer("object", obj.Ref), zap.Int64("size", f.Size))
}

func (o *objects) duplicate(ref s3read.Ref, original string, records int) {
	o.telemetry.AwsCloudtrailDuplicates.Add(context.Background(), 1)
	o.sink.count(ingest.Counts{Duplicate: int64(records)})
	o.log.Debug("object was not delivered again: its content was delivered before",
		zap.Stringer("object", ref), zap.String("delivered_from", original), zap.Int("events", records))
}

// unread decides what to do about an object that could not be read. What does not exist
// any more is given up, with a gap record for it; what must not be read may be granted
// yet, so the gap record says so and the object is tried again.
func (o *objects) unread(ctx context.Context, ref s3read.Ref, was entry, err error) (fate, error) {
	var reason string
	kind := awsclient.KindOf(err)
	switch kind {
	case awsclient.Missing:
		reason = "the object does not exist any more"
	case awsclient.Changed:
		if !ref.Pinned() {
			return 0, err // It changed while it was read: what lies there now is read.
		}
		reason = "the object was overwritten before it was read"
	case awsclient.Denied:
		reason = "the object must not be read"
	case awsclient.Archived:
		reason = "the object lies in an archive"
	default:
		return 0, err
	}
	if was.Gap != reason {
		if err := o.gap(ctx, ref, reason, err); err != nil {
			return 0, err
		}
	}
	if kind == awsclient.Denied || kind == awsclient.Archived {
		return 0, err
	}
	return lost, nil
}

// deleted notes, once, that a file was taken out of its bucket, as somebody told. What
// its lifecycle removes was to go.
func (o *objects) deleted(ctx context.Context, ref s3read.Ref, event string) error {
	if strings.HasPrefix(event, "LifecycleExpiration") || strings.HasPrefix(event, "Lifecycle Expiration") {
		return nil
	}
	const reason = "the object was deleted"
	ref.ETag = "" // The entry of the bytes says that they are sealed, and stays.
	var was entry
	if _, err := o.book.Recall(ctx, entryKey(ref), &was); err != nil && !errors.Is(err, contents.ErrDamaged) {
		return err
	}
	if was.Gap == reason {
		return nil
	}
	return o.gap(ctx, ref, reason, errors.New(event))
}

// gap delivers a gap record for an object and remembers that.
func (o *objects) gap(ctx context.Context, ref s3read.Ref, reason string, cause error) error {
	build := func() plog.Logs {
		batch := o.newBatch()
		batch.Add(objectGap(ref, reason, cause), eventlog.Origin{Source: ref.String(), Observed: time.Now()})
		return batch.Take()
	}
	if err := o.sink.send(ctx, build(), build); err != nil {
		return fmt.Errorf("deliver the gap record of %s: %w", ref, err)
	}
	o.telemetry.AwsCloudtrailGaps.Add(ctx, 1)
	o.telemetry.AwsCloudtrailEvents.Add(ctx, 1)
	o.sink.count(ingest.Counts{Lost: 1})
	o.log.Warn("a gap record stands for an object: "+reason, zap.Stringer("object", ref), zap.Error(cause))
	return o.book.Save(ctx, contents.Set(entryKey(ref), entry{Gap: reason}))
}
