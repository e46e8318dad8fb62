package s3store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/otelcol-custody/custody/store"
)

// conflictTries is how often a write begins again that another one got in the
// way of.
const conflictTries = 8

// errAgain: another writer got in the way, or the object vanished between two
// requests; nothing is known about it.
var errAgain = errors.New("conflicting writes at one name")

// A write is what PutOnce was asked for.
type write struct {
	name string
	data []byte
	sum  [sha256.Size]byte
	keep store.Retention // in whole seconds
}

// multipart is whether the object goes up in parts.
func (w *write) multipart() bool { return len(w.data) > multipartFrom }

func (w *write) info(version string) store.Info {
	return store.Info{Name: w.name, Size: int64(len(w.data)), SHA256: w.sum, Version: version, Retention: w.keep, Latest: true}
}

// PutOnce implements [store.Store]. It is one conditional write, and with a
// retention one more request that reads the lock back; the Info has no
// Modified. Under a delete marker, where versitygw refuses conditional writes,
// it adds a version above the marker: that replaces nothing, but two writers
// at once can then both succeed, and the versions below tell. See
// [Options.ReadFirst] for the weaker mode.
func (s *Store) PutOnce(ctx context.Context, name string, data []byte, opt store.PutOptions) (store.Info, error) {
	if err := s.ready(ctx, name); err != nil {
		return store.Info{}, err
	}
	if s.opt.ReadOnly {
		return store.Info{}, fmt.Errorf("%w: write %s in %s", store.ErrReadOnly, name, s.id)
	}
	keep, err := whole(opt.Retention)
	if err != nil {
		return store.Info{}, fmt.Errorf("write %s in %s: %w", name, s.id, err)
	}
	if err := s.lockable(ctx, keep); err != nil {
		return store.Info{}, fmt.Errorf("write %s: %w", name, err)
	}
	w := &write{name: name, data: data, sum: sha256.Sum256(data), keep: keep}
	for try := 1; ; try++ {
		info, err := s.attempt(ctx, w)
		if !errors.Is(err, errAgain) {
			return info, err
		}
		if try == conflictTries {
			return store.Info{}, fmt.Errorf("%w: write %s in %s: %w", store.ErrUnavailable, name, s.id, err)
		}
		if err := sleep(ctx, pause(try)); err != nil {
			return store.Info{}, fmt.Errorf("write %s in %s: %w", name, s.id, err)
		}
	}
}

func (s *Store) attempt(ctx context.Context, w *write) (store.Info, error) {
	// A large object that is there already is compared before it is sent.
	if s.opt.ReadFirst || w.multipart() {
		if info, err := s.settle(ctx, w); !errors.Is(err, store.ErrNotFound) {
			return info, err
		}
	}
	version, err := s.create(ctx, w, !s.opt.ReadFirst)
	switch {
	case err == nil && s.opt.ReadFirst:
		return s.alone(ctx, w)
	case err == nil:
		return s.confirm(ctx, w, version)
	case hasCode(err, codeConflict, codeNoUpload) || hasStatus(err, 409):
		// Without the upload, the answer that completed it was lost, or
		// somebody cleaned up: the next attempt finds out which. (Amazon S3
		// repeats the lost answer for a while, others forget the upload.)
		return store.Info{}, fmt.Errorf("%w: %w", errAgain, err)
	case hasCode(err, codeTaken):
		return s.taken(ctx, w)
	}
	return store.Info{}, err
}

// taken is for a name that the store says is in use: by another object, by
// this one whose first answer was lost, or by a delete marker.
func (s *Store) taken(ctx context.Context, w *write) (store.Info, error) {
	info, err := s.settle(ctx, w)
	if !errors.Is(err, store.ErrNotFound) {
		return info, err
	}
	versions, err := s.Versions(ctx, w.name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return store.Info{}, err
	}
	if len(versions) == 0 || !versions[0].DeleteMarker {
		return store.Info{}, errAgain // it is gone, or just came
	}
	// On a bucket with delete markers a plain write adds a version and
	// replaces nothing.
	version, err := s.create(ctx, w, false)
	if err != nil {
		return store.Info{}, err
	}
	return s.confirm(ctx, w, version)
}

// settle compares what is at the name: the same bytes are success, and
// retained as long as is asked for.
func (s *Store) settle(ctx context.Context, w *write) (store.Info, error) {
	r, info, err := s.Get(ctx, w.name)
	if err != nil {
		return store.Info{}, err
	}
	defer r.Close()
	same, err := w.matches(r, info)
	if err != nil {
		return store.Info{}, err
	}
	if !same {
		return store.Info{}, fmt.Errorf("%w: %s in %s", store.ErrExists, w.name, s.id)
	}
	if !info.Retention.Covers(w.keep) {
		if info.Retention, err = s.Extend(ctx, w.name, info.Version, w.keep); err != nil {
			return store.Info{}, err
		}
	}
	info.SHA256 = w.sum
	return info, nil
}

// matches reads r and tells whether it is what is to be written.
func (w *write) matches(r io.Reader, info store.Info) (bool, error) {
	if info.Size != int64(len(w.data)) {
		return false, nil
	}
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return false, err
	}
	return bytes.Equal(h.Sum(nil), w.sum[:]), nil
}

// confirm reads back what was written and how it is retained.
func (s *Store) confirm(ctx context.Context, w *write, version string) (store.Info, error) {
	if w.keep.IsZero() {
		return w.info(version), nil
	}
	info, err := s.head(ctx, w.name, version, false)
	if err != nil {
		return store.Info{}, err
	}
	if info.Size != int64(len(w.data)) {
		return store.Info{}, fmt.Errorf("%w: %s in %s has %d bytes after %d were written", store.ErrUnfit, w.name, s.id, info.Size, len(w.data))
	}
	if !info.Retention.Covers(w.keep) {
		return store.Info{}, s.uncovered(ctx, w.name, version, info.Retention, w.keep)
	}
	info.SHA256, info.Latest = w.sum, true
	return info, nil
}

// alone looks for what an unconditional write may have replaced or hidden,
// and for what may have replaced or hidden it.
func (s *Store) alone(ctx context.Context, w *write) (store.Info, error) {
	info, err := s.settle(ctx, w)
	if errors.Is(err, store.ErrNotFound) {
		return store.Info{}, fmt.Errorf("%w: %s in %s cannot be read after it was written", store.ErrUnavailable, w.name, s.id)
	}
	if err != nil {
		return store.Info{}, err
	}
	versions, err := s.Versions(ctx, w.name)
	if errors.Is(err, store.ErrUnfit) {
		return info, nil // a store without versions
	}
	if err != nil {
		return store.Info{}, err
	}
	for _, v := range versions {
		if v.DeleteMarker || v.Version == info.Version {
			continue
		}
		r, old, err := s.GetVersion(ctx, w.name, v.Version)
		if err != nil {
			return store.Info{}, err
		}
		same, err := w.matches(r, old)
		if err := errors.Join(err, r.Close()); err != nil {
			return store.Info{}, err
		}
		if !same {
			return store.Info{}, fmt.Errorf("%w: %s in %s has version %q too", store.ErrExists, w.name, s.id, v.Version)
		}
	}
	return info, nil
}

// create writes the object, only if the name is free or regardless, and
// returns its version.
func (s *Store) create(ctx context.Context, w *write, ifFree bool) (string, error) {
	if w.multipart() {
		return s.upload(ctx, w, ifFree)
	}
	return s.put(ctx, w, ifFree)
}

func (s *Store) put(ctx context.Context, w *write, ifFree bool) (string, error) {
	mode, until, hold := lockFields(w.keep)
	sse, key := s.encryption()
	out, err := s.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: s.bucket(), Key: s.key(w.name), ExpectedBucketOwner: s.owner(), RequestPayer: s.payer(),
		Body: bytes.NewReader(w.data), ContentLength: aws.Int64(int64(len(w.data))), ContentType: aws.String(contentType),
		ChecksumAlgorithm: types.ChecksumAlgorithmSha256, ChecksumSHA256: checksum(w.sum), IfNoneMatch: condition(ifFree),
		ObjectLockMode: mode, ObjectLockRetainUntilDate: until, ObjectLockLegalHoldStatus: hold,
		ServerSideEncryption: sse, SSEKMSKeyId: key, StorageClass: s.storageClass(), Tagging: s.tagging(),
	}, hashed(w.sum))
	if err != nil {
		return "", s.fail(ctx, writing, w.name, err)
	}
	if err := s.echoed(w.name, out.ETag, checksum(w.sum), out.ChecksumSHA256); err != nil {
		return "", err
	}
	return versionID(out.VersionId, true), nil
}

const contentType = "application/octet-stream"

func condition(ifFree bool) *string {
	if ifFree {
		return aws.String("*")
	}
	return nil
}

func checksum(sum [sha256.Size]byte) *string {
	return aws.String(base64.StdEncoding.EncodeToString(sum[:]))
}

// hashed signs a body by the hash that is known already, so that it isn't
// read once more for that.
func hashed(sum [sha256.Size]byte) func(*s3.Options) {
	digest := hex.EncodeToString(sum[:])
	set := middleware.InitializeMiddlewareFunc("custody:PayloadHash", func(
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (middleware.InitializeOutput, middleware.Metadata, error) {
		return next.HandleInitialize(v4.SetPayloadHash(ctx, digest), in)
	})
	return s3.WithAPIOptions(func(stack *middleware.Stack) error {
		return stack.Initialize.Add(set, middleware.After)
	})
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
