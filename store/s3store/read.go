package s3store

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/otelcol-custody/custody/store"
)

// nullVersion is what S3 calls an object's version that was written without
// versioning.
const nullVersion = "null"

// versionID is what the port calls a version: nothing where the newest one
// has no id of its own.
func versionID(id *string, latest bool) string {
	if v := aws.ToString(id); v != nullVersion || !latest {
		return v
	}
	return ""
}

// Get implements [store.Store].
func (s *Store) Get(ctx context.Context, name string) (io.ReadCloser, store.Info, error) {
	return s.get(ctx, name, "", reading)
}

// GetVersion implements [store.Versioned]. The Info doesn't tell whether an
// older version is the latest.
func (s *Store) GetVersion(ctx context.Context, name, version string) (io.ReadCloser, store.Info, error) {
	return s.get(ctx, name, version, readingOld)
}

func (s *Store) get(ctx context.Context, name, version string, do action) (io.ReadCloser, store.Info, error) {
	if err := s.ready(ctx, name); err != nil {
		return nil, store.Info{}, err
	}
	out, err := s.object(ctx, name, version, nil)
	if err != nil {
		return nil, store.Info{}, s.missing(s.fail(ctx, do, name, err), version)
	}
	if out.ContentLength == nil {
		out.Body.Close()
		return nil, store.Info{}, fmt.Errorf("%w: read %s in %s: the answer has no length; check any proxy", store.ErrUnavailable, name, s.id)
	}
	info := store.Info{
		Name: name, Size: *out.ContentLength, Version: versionID(out.VersionId, version == ""), Modified: utc(out.LastModified),
		Retention: parseLock(out.ObjectLockMode, out.ObjectLockRetainUntilDate, out.ObjectLockLegalHoldStatus), Latest: version == "",
	}
	return &reader{ctx: ctx, store: s, name: name, body: out.Body, left: info.Size}, info, nil
}

func (s *Store) object(ctx context.Context, name, version string, span *string) (*s3.GetObjectOutput, error) {
	return s.client.GetObject(ctx, &s3.GetObjectInput{
		Bucket: s.bucket(), Key: s.key(name), VersionId: optional(version), Range: span,
		ExpectedBucketOwner: s.owner(), RequestPayer: s.payer(),
	})
}

// missing makes a version id that the store cannot read one that isn't there.
func (s *Store) missing(err error, version string) error {
	if f, ok := errors.AsType[*failure](err); ok && version != "" && f.code == "InvalidArgument" && f.ctx == nil {
		f.class = store.ErrNotFound
	}
	return err
}

// reader delivers exactly the promised size or an error.
type reader struct {
	ctx   context.Context // of the call that made it
	store *Store
	name  string
	body  io.ReadCloser
	left  int64
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	if r.left == 0 {
		return 0, io.EOF
	}
	n, err := r.body.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	switch {
	case err == nil || r.left == 0:
		return n, nil
	default:
		return n, r.store.cut(r.ctx, r.name, err)
	}
}

func (r *reader) Close() error {
	r.body.Close() // what matters was read, and says so itself
	return nil
}

// GetRange implements [store.Store].
func (s *Store) GetRange(ctx context.Context, name string, off, n int64) ([]byte, error) {
	if err := s.ready(ctx, name); err != nil {
		return nil, err
	}
	if off < 0 || n < 0 {
		return nil, fmt.Errorf("range of %s: offset %d and length %d must not be negative", name, off, n)
	}
	if n == 0 {
		_, err := s.Stat(ctx, name)
		return []byte{}, err
	}
	last := off + min(n, math.MaxInt64-off) - 1
	out, err := s.object(ctx, name, "", aws.String(fmt.Sprintf("bytes=%d-%d", off, last)))
	if err = s.fail(ctx, reading, name, err); err != nil {
		if hasStatus(err, 416) || hasCode(err, "InvalidRange") {
			return []byte{}, nil // at the end or behind it
		}
		return nil, err
	}
	defer out.Body.Close()
	if out.ContentRange == nil { // the whole object
		if _, err := io.CopyN(io.Discard, out.Body, off); err == io.EOF {
			return []byte{}, nil
		} else if err != nil {
			return nil, s.cut(ctx, name, err)
		}
	}
	b, err := io.ReadAll(io.LimitReader(out.Body, n))
	if err != nil {
		return nil, s.cut(ctx, name, err)
	}
	if size := aws.ToInt64(out.ContentLength); out.ContentRange != nil && int64(len(b)) < min(n, size) {
		return nil, s.cut(ctx, name, io.ErrUnexpectedEOF)
	}
	return b, nil
}

// Stat implements [store.Store].
func (s *Store) Stat(ctx context.Context, name string) (store.Info, error) {
	if err := s.ready(ctx, name); err != nil {
		return store.Info{}, err
	}
	return s.head(ctx, name, "", true)
}

// head describes a version, the newest if version is empty; with its digest
// only if asked, since that takes the right to decrypt.
func (s *Store) head(ctx context.Context, name, version string, digest bool) (store.Info, error) {
	in := &s3.HeadObjectInput{
		Bucket: s.bucket(), Key: s.key(name), VersionId: optional(version), ExpectedBucketOwner: s.owner(), RequestPayer: s.payer(),
	}
	if digest {
		in.ChecksumMode = types.ChecksumModeEnabled
	}
	out, err := s.client.HeadObject(ctx, in)
	if err != nil {
		return store.Info{}, s.headError(ctx, name, version, err)
	}
	info := store.Info{
		Name: name, Size: aws.ToInt64(out.ContentLength), Version: versionID(out.VersionId, version == ""), Modified: utc(out.LastModified),
		Retention: parseLock(out.ObjectLockMode, out.ObjectLockRetainUntilDate, out.ObjectLockLegalHoldStatus), Latest: version == "",
	}
	// Of parts it is a digest of digests. A store that doesn't say which it
	// is may mean either.
	if out.ChecksumType == types.ChecksumTypeFullObject {
		if sum, err := base64.StdEncoding.DecodeString(aws.ToString(out.ChecksumSHA256)); err == nil && len(sum) == len(info.SHA256) {
			info.SHA256 = [32]byte(sum)
		}
	}
	return info, nil
}

// headError makes up for answers to HEAD that have no body and so no code: it
// asks something else that has.
func (s *Store) headError(ctx context.Context, name, version string, err error) error {
	err = s.fail(ctx, describing, name, err)
	switch {
	case ctx.Err() != nil || !hasStatus(err) || hasStatus(err, 429, 500, 502, 503, 504):
	case errors.Is(err, store.ErrNotFound):
		// Neither a bucket that is gone nor a proxy whose server is must pass
		// for an object that is.
		if why := s.reach(ctx); why != nil && !errors.Is(why, store.ErrDenied) {
			return why
		}
	default:
		if why := s.reach(ctx); why != nil {
			return why
		}
		if version != "" && (hasStatus(err, 400) || hasStatus(err, 405)) {
			// No version has this id, or it is a delete marker's.
			return fmt.Errorf("%w: %s, version %q, in %s", store.ErrNotFound, name, shown(version), s.id)
		}
		if f, ok := errors.AsType[*failure](err); ok && f.class == store.ErrUnfit {
			f.class = store.ErrUnavailable // A status alone is no definite no.
		}
	}
	return err
}

func utc(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}
