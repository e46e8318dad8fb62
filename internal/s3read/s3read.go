// Package s3read reads objects of S3 buckets: exactly the version that was named, whole,
// or not at all.
package s3read

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"golang.org/x/sync/semaphore"

	"github.com/otelcol-custody/custody/internal/awsclient"
	"github.com/otelcol-custody/custody/internal/contents"
)

// A Ref names an object. Version and ETag pin it where they are known.
type Ref struct {
	Bucket  string
	Key     string
	Version string
	ETag    string // without quotes
	Size    int64  // 0 if unknown
}

// String is the object's URL, with its version: s3://bucket/key?versionId=….
func (r Ref) String() string {
	s := "s3://" + r.Bucket + "/" + r.Key
	if r.Version != "" {
		s += "?versionId=" + url.QueryEscape(r.Version)
	}
	return s
}

// Pinned reports whether the reference names bytes and not only a place.
func (r Ref) Pinned() bool { return r.Version != "" || r.ETag != "" }

// An Object is what was read.
type Object struct {
	Ref      Ref // pinned by what the store answered
	Stored   contents.Stored
	Metadata map[string]string // the object's own, without "x-amz-meta-", in lower case
	Modified time.Time

	release func()
}

// Release gives back the memory that was set aside for the object, which is used no more.
func (o *Object) Release() { o.release() }

// Options say how to read.
type Options struct {
	RequesterPays bool
	BucketOwner   string // account that must own the bucket; empty checks nothing
	PathStyle     bool   // the bucket in the path: emulators want it
	// Memory bounds what all objects that are read and not released take, in bytes,
	// inflated contents included; 0: nothing does. A larger one is read alone.
	Memory int64
	Stall  time.Duration // how long a body may stand still before the call is given up; 0: 1 min
}

// A Reader reads objects. It may be used concurrently.
type Reader struct {
	client  *s3.Client
	opt     Options
	regions sync.Map // of buckets that lie in another than the configured one
	memory  *semaphore.Weighted
}

// New returns a reader that calls with cfg.
func New(cfg aws.Config, opt Options) *Reader {
	if opt.Memory <= 0 {
		opt.Memory = math.MaxInt64
	}
	if opt.Stall <= 0 {
		opt.Stall = time.Minute
	}
	return &Reader{opt: opt, memory: semaphore.NewWeighted(opt.Memory), client: s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.UsePathStyle = opt.PathStyle
		o.DisableLogOutputChecksumValidationSkipped = true
	})}
}

// resumes is how often a body that breaks off is continued before the read fails.
const resumes = 5

// Get reads an object whole. Of one that is larger than limit, in bytes, only the digest
// and the size are returned. A body that breaks off is continued where it did, if the
// object is still the same. It waits until there is memory for it: the caller releases it.
//
// The error's kind ([awsclient.KindOf]) says what is wrong: Missing, Denied, Changed if
// the object is not the one that ref pins, and so on.
func (r *Reader) Get(ctx context.Context, ref Ref, limit int64) (*Object, error) {
	call, cancel := context.WithCancel(ctx)
	defer cancel()
	out, err := r.get(call, ref, 0)
	if err != nil {
		return nil, awsclient.Explain(err, "read "+ref.String(), "s3:GetObject, s3:GetObjectVersion or kms:Decrypt")
	}
	obj := &Object{Ref: ref, Modified: aws.ToTime(out.LastModified), Metadata: lowered(out.Metadata)}
	obj.Ref.ETag = strings.Trim(aws.ToString(out.ETag), `"`)
	obj.Ref.Size = aws.ToInt64(out.ContentLength)
	if v := aws.ToString(out.VersionId); v != "" && v != "null" {
		obj.Ref.Version = v
	}
	if obj.release, err = r.reserve(ctx, obj.Ref.Size, limit); err != nil {
		out.Body.Close()
		return nil, err
	}
	c := &collector{size: obj.Ref.Size, limit: limit, stall: r.opt.Stall}
	err = c.read(out.Body, cancel)
	for n := 0; err != nil && n < resumes && ctx.Err() == nil; n++ {
		err = r.resume(ctx, obj.Ref, c)
	}
	if err != nil {
		obj.release()
		return nil, fmt.Errorf("read %s: %w", ref, err)
	}
	obj.Stored = c.stored()
	return obj, nil
}

// expected is how much more than its size a log file grows when it is inflated.
const expected = 16

// reserve waits until there is memory for an object: as it is stored, and what is held of
// it inflated.
func (r *Reader) reserve(ctx context.Context, size, limit int64) (release func(), err error) {
	n := int64(0)
	if size <= limit {
		n = min(size+min(expected*size, contents.Window), r.opt.Memory)
	}
	if err := r.memory.Acquire(ctx, n); err != nil {
		return nil, err
	}
	return func() { r.memory.Release(n) }, nil
}

func (r *Reader) resume(ctx context.Context, ref Ref, c *collector) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out, err := r.get(ctx, ref, c.got)
	if err != nil {
		return err
	}
	if want := fmt.Sprintf("bytes %d-", c.got); c.got > 0 && !strings.HasPrefix(aws.ToString(out.ContentRange), want) {
		out.Body.Close()
		return fmt.Errorf("asked for the rest from byte %d, got %q", c.got, aws.ToString(out.ContentRange))
	}
	return c.read(out.Body, cancel)
}

func (r *Reader) get(ctx context.Context, ref Ref, from int64) (out *s3.GetObjectOutput, err error) {
	err = r.inRegion(ref.Bucket, func(o func(*s3.Options)) error {
		out, err = r.client.GetObject(ctx, r.input(ref, from), o)
		return err
	})
	return out, err
}

// inRegion makes a call about a bucket in the region where it lies, which S3 says when
// it is asked in another.
func (r *Reader) inRegion(bucket string, call func(func(*s3.Options)) error) error {
	known, _ := r.regions.Load(bucket)
	in := func(region any) func(*s3.Options) {
		return func(o *s3.Options) {
			if name, ok := region.(string); ok {
				o.Region = name
			}
		}
	}
	err := call(in(known))
	var answer *smithyhttp.ResponseError
	if err == nil || !errors.As(err, &answer) {
		return err
	}
	region := answer.Response.Header.Get("X-Amz-Bucket-Region")
	if region == "" || region == known || answer.HTTPStatusCode() != http.StatusMovedPermanently && answer.HTTPStatusCode() != http.StatusBadRequest {
		return err
	}
	r.regions.Store(bucket, region)
	return call(in(region))
}

func (r *Reader) input(ref Ref, from int64) *s3.GetObjectInput {
	in := &s3.GetObjectInput{Bucket: &ref.Bucket, Key: &ref.Key, RequestPayer: r.payer(), ExpectedBucketOwner: r.owner()}
	if ref.Version != "" {
		in.VersionId = &ref.Version
	}
	if ref.ETag != "" {
		in.IfMatch = aws.String(`"` + ref.ETag + `"`)
	}
	if from > 0 {
		in.Range = aws.String(fmt.Sprintf("bytes=%d-", from))
	}
	return in
}

func (r *Reader) payer() types.RequestPayer {
	if r.opt.RequesterPays {
		return types.RequestPayerRequester
	}
	return ""
}

func (r *Reader) owner() *string {
	if r.opt.BucketOwner == "" {
		return nil
	}
	return &r.opt.BucketOwner
}

func lowered(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range maps.All(m) {
		out[strings.ToLower(k)] = v
	}
	return out
}

var errShort = errors.New("the answer breaks off")

// A collector puts together a body from its parts.
type collector struct {
	size, limit int64
	stall       time.Duration
	got         int64
	data        []byte
	sum         interface {
		io.Writer
		Sum([]byte) []byte
	}
}

// read takes a body to its end; cancel ends the call that it belongs to.
func (c *collector) read(body io.ReadCloser, cancel func()) error {
	defer body.Close()
	still := time.AfterFunc(c.stall, cancel)
	defer still.Stop()
	if c.sum == nil {
		c.sum = sha256.New()
		if c.size <= c.limit {
			c.data = make([]byte, 0, c.size)
		}
	}
	n, err := io.Copy(c, io.LimitReader(moving{body, func() { still.Reset(c.stall) }}, c.size-c.got+1))
	switch {
	case c.got > c.size:
		return fmt.Errorf("more than the %d bytes that the store announced", c.size)
	case err != nil:
		return fmt.Errorf("the answer breaks off after %d of %d bytes: %w", c.got, c.size, err)
	case c.got < c.size:
		return fmt.Errorf("%w after %d of %d bytes, %d of them now", errShort, c.got, c.size, n)
	}
	return nil
}

// moving tells of each read that brought something.
type moving struct {
	io.Reader
	tell func()
}

func (m moving) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	if n > 0 {
		m.tell()
	}
	return n, err
}

func (c *collector) Write(p []byte) (int, error) {
	c.got += int64(len(p))
	if c.size <= c.limit && c.got <= c.size {
		c.data = append(c.data, p...)
	}
	return c.sum.Write(p)
}

func (c *collector) stored() contents.Stored {
	s := contents.Stored{Size: c.size, Data: c.data}
	c.sum.Sum(s.Digest[:0])
	return s
}
