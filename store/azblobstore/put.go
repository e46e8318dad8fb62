package azblobstore

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"github.com/otelcol-custody/custody/store"
)

// PutOnce implements [store.Store]. Policy and hold travel with the write. As
// some servers drop them without a word, they are read back: then the blob may
// be there although the error is [store.ErrRetention].
func (s *Store) PutOnce(ctx context.Context, name string, data []byte, opt store.PutOptions) (store.Info, error) {
	if err := s.writable(ctx, name); err != nil {
		return store.Info{}, err
	}
	if err := expressible(opt.Retention); err != nil {
		return store.Info{}, err
	}
	return s.putOnce(ctx, name, digest(data), opt.Retention)
}

func (s *Store) putOnce(ctx context.Context, name string, c content, r store.Retention) (store.Info, error) {
	info, err := s.create(ctx, name, c, r)
	if errors.Is(err, errThere) {
		if info, err = s.confirm(ctx, name, c.data); err != nil {
			return store.Info{}, err
		}
		info.Retention, err = s.extend(ctx, name, info, r)
	} else if err == nil && !r.IsZero() {
		info.Retention, err = s.took(ctx, name, info.Version, r)
	}
	if err != nil {
		return store.Info{}, err
	}
	info.Name, info.Size, info.SHA256, info.Latest = name, int64(len(c.data)), c.sum, true
	return info, nil
}

// content is what to store, with its checksums.
type content struct {
	data []byte
	sum  [32]byte                    // SHA-256
	sent blob.TransferValidationType // nil if it goes in blocks, which have their own
}

// digest computes both checksums at once: they take a tenth of an upload's
// time in a fast network.
func digest(data []byte) content {
	c := content{data: data}
	var done sync.WaitGroup
	if len(data) <= oneRequest {
		done.Go(func() { c.sent = checksum(data) })
	}
	c.sum = sha256.Sum256(data)
	done.Wait()
	return c
}

// errThere means that something lies at the name already.
var errThere = errors.New("a blob is there")

// create writes a blob where there is none, or returns errThere.
func (s *Store) create(ctx context.Context, name string, c content, r store.Retention) (store.Info, error) {
	upload := (*write).whole
	if len(c.data) > oneRequest {
		upload = (*write).inBlocks
		// What is there the service would refuse at the commit only, after
		// all the bytes have travelled.
		if _, err := s.stat(ctx, name, ""); err == nil {
			return store.Info{}, errThere
		} else if !errors.Is(err, store.ErrNotFound) {
			return store.Info{}, err
		}
	}
	info, err := upload(s.write(name, c, r), ctx)
	op := "store " + name
	switch {
	case err == nil:
		return info, nil
	case ctx.Err() == nil && bloberror.HasCode(err, exists...):
		return store.Info{}, errThere
	case ctx.Err() == nil && s.mayNotReplace(ctx, name, err):
		return store.Info{}, errThere
	case ctx.Err() == nil && !r.IsZero() && refusesRetention(err):
		return store.Info{}, fmt.Errorf("%s: %w: the service refuses the immutability policy or legal hold; %s (%s)", op, store.ErrRetention, wormHint, said(err))
	}
	return store.Info{}, s.fail(ctx, op, err)
}

// mayNotReplace tells a refusal to replace a blob from other refusals: a caller
// with the right to add only can be refused by its rights before the condition
// is looked at.
func (s *Store) mayNotReplace(ctx context.Context, name string, err error) bool {
	var e *azcore.ResponseError
	if !errors.As(err, &e) || e.StatusCode != http.StatusForbidden {
		return false
	}
	_, err = s.stat(ctx, name, "")
	return err == nil
}

// refusesRetention: Azure has no single code for accounts and containers that
// do not support policies, so of the refusals of a request with one each is
// taken so whose code is about policies, features or what was asked for.
func refusesRetention(err error) bool {
	var e *azcore.ResponseError
	if !errors.As(err, &e) || passing(e) || full(e) {
		return false
	}
	switch e.StatusCode {
	case http.StatusNotImplemented:
		return true
	case http.StatusBadRequest, http.StatusConflict:
		return aboutRetention.MatchString(e.ErrorCode)
	}
	return false
}

// aboutRetention knows codes, never texts, which can hold any name.
var aboutRetention = regexp.MustCompile(`(?i)immutab|retention|hold|worm|policy|version|feature|unsupported|notsupported|invalidheader|invalidinput`)

// said is the answer inside an error.
func said(err error) string {
	var e *azcore.ResponseError
	if errors.As(err, &e) {
		return answered(e)
	}
	return plain(err)
}

// write is one blob to be created, with the headers that all its ways share.
type write struct {
	content
	store  *Store
	client *blockblob.Client

	meta  map[string]*string
	new   *blob.AccessConditions // If-None-Match: *
	mode  *blob.ImmutabilityPolicySetting
	until *time.Time
	hold  *bool
}

func (s *Store) write(name string, c content, r store.Retention) *write {
	w := &write{content: c, store: s, client: s.client.NewBlockBlobClient(s.prefix + name)}
	w.meta = map[string]*string{"sha256": to.Ptr(hex.EncodeToString(w.sum[:]))}
	w.new = &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfNoneMatch: to.Ptr(azcore.ETagAny)}}
	if r.Mode != store.ModeNone {
		w.mode, w.until = to.Ptr(setting(r.Mode)), to.Ptr(wholeSeconds(r.Until))
	}
	if r.LegalHold {
		w.hold = to.Ptr(true)
	}
	return w
}

// whole puts the blob with one request.
func (w *write) whole(ctx context.Context) (store.Info, error) {
	resp, err := w.client.Upload(ctx, body(w.data), &blockblob.UploadOptions{
		AccessConditions: w.new, Metadata: w.meta, Tags: w.store.tags, Tier: w.store.tier, CPKScopeInfo: w.store.scope,
		TransactionalValidation: w.sent,
		ImmutabilityPolicyMode:  w.mode, ImmutabilityPolicyExpiryTime: w.until, LegalHold: w.hold,
	})
	if err == nil && value(resp.ETag) == "" {
		err = errNoETag
	}
	return store.Info{Version: value(resp.VersionID), Modified: utc(resp.LastModified)}, err
}

var errNoETag = errors.New(alien + " (no ETag)")

func body(b []byte) io.ReadSeekCloser { return streaming.NopCloser(bytes.NewReader(b)) }

// checksum is for the service to compare with what arrived.
func checksum(b []byte) blob.TransferValidationType {
	sum := md5.Sum(b)
	return blob.TransferValidationTypeMD5(sum[:])
}

// confirm compares what lies at name with data.
func (s *Store) confirm(ctx context.Context, name string, data []byte) (store.Info, error) {
	r, info, err := s.open(ctx, name, "")
	if errors.Is(err, store.ErrNotFound) {
		return info, fmt.Errorf("%w: %s was there and is gone again; somebody else works on container %s", store.ErrUnavailable, name, s.container)
	}
	if err != nil {
		return info, err
	}
	defer r.Close()
	same, err := holds(r, info.Size, data)
	if err != nil {
		return info, fmt.Errorf("compare %s: %w", name, err)
	}
	if !same {
		return info, fmt.Errorf("%w: %s has %d bytes, other than the %d to be stored", store.ErrExists, name, info.Size, len(data))
	}
	return info, nil
}

// holds reports whether r's content is data.
func holds(r io.Reader, size int64, data []byte) (bool, error) {
	if size != int64(len(data)) {
		return false, nil
	}
	buf := make([]byte, min(len(data), 128<<10))
	for len(data) > 0 {
		n, err := io.ReadFull(r, buf[:min(len(buf), len(data))])
		if err != nil {
			return false, unavailable(err)
		}
		if !bytes.Equal(buf[:n], data[:n]) {
			return false, nil
		}
		data = data[n:]
	}
	return true, nil
}

// unavailable marks a reading that was cut as worth another try.
func unavailable(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	return err
}
