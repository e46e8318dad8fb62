package azblobstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"

	"github.com/otelcol-custody/custody/store"
)

// readRetries is how often a download that broke off is resumed, at the same
// version's bytes.
const readRetries = 3

// Get implements [store.Store].
func (s *Store) Get(ctx context.Context, name string) (io.ReadCloser, store.Info, error) {
	return s.GetVersion(ctx, name, "")
}

// GetVersion implements [store.Versioned]. An empty version is the current
// one.
func (s *Store) GetVersion(ctx context.Context, name, version string) (io.ReadCloser, store.Info, error) {
	if err := s.ready(ctx, name); err != nil {
		return nil, store.Info{}, err
	}
	return s.open(ctx, name, version)
}

func (s *Store) open(ctx context.Context, name, version string) (io.ReadCloser, store.Info, error) {
	client, err := s.blob(name, version)
	if err != nil {
		return nil, store.Info{}, err
	}
	resp, err := client.DownloadStream(ctx, nil)
	if err != nil {
		return nil, store.Info{}, s.readError(ctx, name, version, err)
	}
	info, err := describe(name, version, facts{
		size: resp.ContentLength, modified: resp.LastModified, version: resp.VersionID, current: resp.IsCurrentVersion,
		mode: (*string)(resp.ImmutabilityPolicyMode), until: resp.ImmutabilityPolicyExpiresOn, hold: resp.LegalHold,
	})
	if err != nil {
		return nil, info, errors.Join(err, resp.Body.Close())
	}
	return &sized{ctx: ctx, s: s, name: name, body: resumed(ctx, resp), left: info.Size}, info, nil
}

func resumed(ctx context.Context, resp blob.DownloadStreamResponse) io.ReadCloser {
	return resp.NewRetryReader(ctx, &blob.RetryReaderOptions{MaxRetries: readRetries, EarlyCloseAsError: true})
}

// versionID is what the service's version names look like.
var versionID = regexp.MustCompile(`^[0-9A-Za-z:.-]{1,64}$`)

func (s *Store) blob(name, version string) (*blob.Client, error) {
	client := s.client.NewBlobClient(s.prefix + name)
	if version == "" {
		return client, nil
	}
	if !versionID.MatchString(version) {
		return nil, fmt.Errorf("%w: version %.80q of %s", store.ErrNotFound, version, name)
	}
	return client.WithVersionID(version)
}

// readError is for errors of reading a blob. A version's name that the
// service cannot make sense of is one that it doesn't have.
func (s *Store) readError(ctx context.Context, name, version string, err error) error {
	if version != "" && ctx.Err() == nil && bloberror.HasCode(err, bloberror.InvalidQueryParameterValue, bloberror.InvalidInput) {
		return fmt.Errorf("%w: version %s of %s", store.ErrNotFound, version, name)
	}
	return s.fail(ctx, "read "+name, err)
}

// GetRange implements [store.Store].
func (s *Store) GetRange(ctx context.Context, name string, off, n int64) ([]byte, error) {
	if err := s.ready(ctx, name); err != nil {
		return nil, err
	}
	if off < 0 || n < 0 {
		return nil, fmt.Errorf("range of %s: offset %d and length %d must not be negative", name, off, n)
	}
	if n == 0 { // To the service a length of 0 means all.
		_, err := s.stat(ctx, name, "")
		return []byte{}, err
	}
	resp, err := s.client.NewBlobClient(s.prefix+name).DownloadStream(ctx, &blob.DownloadStreamOptions{
		Range: blob.HTTPRange{Offset: off, Count: min(n, math.MaxInt64-off)},
	})
	if bloberror.HasCode(err, bloberror.InvalidRange) { // The object ends before.
		return []byte{}, nil
	}
	if err != nil {
		return nil, s.readError(ctx, name, "", err)
	}
	r := &sized{ctx: ctx, s: s, name: name, body: resumed(ctx, resp), left: value(resp.ContentLength)}
	defer r.Close()
	if resp.ContentLength == nil || r.left > n {
		return nil, fmt.Errorf("%w: %s: the service ignores ranges", store.ErrUnfit, s.id)
	}
	b := make([]byte, r.left)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, unavailable(err)
	}
	return b, nil
}

// Stat implements [store.Store].
func (s *Store) Stat(ctx context.Context, name string) (store.Info, error) {
	if err := s.ready(ctx, name); err != nil {
		return store.Info{}, err
	}
	return s.stat(ctx, name, "")
}

func (s *Store) stat(ctx context.Context, name, version string) (store.Info, error) {
	client, err := s.blob(name, version)
	if err != nil {
		return store.Info{}, err
	}
	p, err := client.GetProperties(ctx, nil)
	if err != nil {
		return store.Info{}, s.readError(ctx, name, version, err)
	}
	return describe(name, version, facts{
		size: p.ContentLength, modified: p.LastModified, version: p.VersionID, current: p.IsCurrentVersion,
		mode: (*string)(p.ImmutabilityPolicyMode), until: p.ImmutabilityPolicyExpiresOn, hold: p.LegalHold,
	})
}

// facts is what each kind of answer tells of a blob.
type facts struct {
	size          *int64
	modified      *time.Time
	version, mode *string
	current, hold *bool
	until         *time.Time
}

// describe makes an Info of an answer to a request for the version asked.
func describe(name, asked string, f facts) (store.Info, error) {
	if f.size == nil {
		return store.Info{}, fmt.Errorf("%w: the service did not say how large %s is", store.ErrUnavailable, name)
	}
	return store.Info{
		Name: name, Size: *f.size, Version: value(f.version), Modified: utc(f.modified),
		Retention: retention(value(f.mode), f.until, value(f.hold)),
		Latest:    asked == "" || value(f.current),
	}, nil
}

// value is what p points to, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

func utc(t *time.Time) time.Time { return value(t).UTC() }
