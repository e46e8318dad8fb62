package s3store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const (
	multipartFrom = 32 << 20 // bytes; larger objects go up in parts
	partSize      = 16 << 20 // bytes; a broken part costs no more
	partsAtOnce   = 4        // of one object
	abortTimeout  = 30 * time.Second
	abortLate     = 2 * time.Second // after the caller's context has ended
)

// upload writes an object in parts. The lock belongs to the beginning of an
// upload, the condition to its end. An upload that fails is aborted; a bucket
// should also have a lifecycle rule that ends those of a process that died.
func (s *Store) upload(ctx context.Context, w *write, ifFree bool) (string, error) {
	id, err := s.begin(ctx, w)
	if err != nil {
		return "", err
	}
	parts, err := s.sendParts(ctx, w, id)
	var version string
	if err == nil {
		version, err = s.complete(ctx, w, id, parts, ifFree)
	}
	if err != nil {
		s.abort(ctx, w, id)
		return "", err
	}
	return version, nil
}

func (s *Store) begin(ctx context.Context, w *write) (*string, error) {
	mode, until, hold := lockFields(w.keep)
	sse, key := s.encryption()
	out, err := s.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: s.bucket(), Key: s.key(w.name), ExpectedBucketOwner: s.owner(), RequestPayer: s.payer(),
		ContentType: aws.String(contentType), ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
		ObjectLockMode: mode, ObjectLockRetainUntilDate: until, ObjectLockLegalHoldStatus: hold,
		ServerSideEncryption: sse, SSEKMSKeyId: key, StorageClass: s.storageClass(), Tagging: s.tagging(),
	})
	if err != nil {
		return nil, s.fail(ctx, writing, w.name, err)
	}
	return out.UploadId, nil
}

// sendParts sends all parts, some at once. The first error ends the others.
func (s *Store) sendParts(ctx context.Context, w *write, id *string) ([]types.CompletedPart, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	parts := make([]types.CompletedPart, max(1, (len(w.data)+partSize-1)/partSize))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(partsAtOnce, len(parts)) {
		workers.Go(func() {
			for i := range next {
				data := w.data[i*partSize : min((i+1)*partSize, len(w.data))]
				part, err := s.sendPart(ctx, w.name, id, i+1, data)
				if err != nil {
					stop(err)
				}
				parts[i] = part
			}
		})
	}
	for i := range parts {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	workers.Wait()
	return parts, context.Cause(ctx)
}

func (s *Store) sendPart(ctx context.Context, name string, id *string, number int, data []byte) (types.CompletedPart, error) {
	sum := sha256.Sum256(data)
	out, err := s.client.UploadPart(ctx, &s3.UploadPartInput{
		Bucket: s.bucket(), Key: s.key(name), ExpectedBucketOwner: s.owner(), RequestPayer: s.payer(),
		UploadId: id, PartNumber: aws.Int32(int32(number)), Body: bytes.NewReader(data), ContentLength: aws.Int64(int64(len(data))),
		ChecksumAlgorithm: types.ChecksumAlgorithmSha256, ChecksumSHA256: checksum(sum),
	}, hashed(sum))
	if err = s.fail(ctx, writing, name, err); err == nil {
		err = s.echoed(name, out.ETag, checksum(sum), out.ChecksumSHA256)
	}
	if err != nil {
		return types.CompletedPart{}, err
	}
	return types.CompletedPart{ETag: out.ETag, PartNumber: aws.Int32(int32(number)), ChecksumSHA256: checksum(sum)}, nil
}

func (s *Store) complete(ctx context.Context, w *write, id *string, parts []types.CompletedPart, ifFree bool) (string, error) {
	out, err := s.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: s.bucket(), Key: s.key(w.name), ExpectedBucketOwner: s.owner(), RequestPayer: s.payer(),
		UploadId: id, IfNoneMatch: condition(ifFree), MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	})
	if err = s.fail(ctx, writing, w.name, err); err == nil {
		// What it echoes is a digest of the parts' digests.
		err = s.echoed(w.name, out.ETag, nil, nil)
	}
	if err != nil {
		return "", err
	}
	return versionID(out.VersionId, true), nil
}

// abort gives the parts' room back. Its own failure changes nothing about the
// object, and the error that led here says more.
func (s *Store) abort(ctx context.Context, w *write, id *string) {
	call, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		_ = sleep(call, abortLate) // It ends with the call, too.
		cancel()
	})()
	_, _ = s.client.AbortMultipartUpload(call, &s3.AbortMultipartUploadInput{
		Bucket: s.bucket(), Key: s.key(w.name), ExpectedBucketOwner: s.owner(), RequestPayer: s.payer(), UploadId: id,
	})
}
