// Package s3store keeps objects in a bucket of Amazon S3 or of a store that
// speaks its protocol.
//
// An object is created by one conditional write (If-None-Match: *) that
// carries its SHA-256 and, if it is to be retained, mode, date and legal hold
// of Object Lock, so it is never there without its lock. Whether the store
// keeps its word is tried out when it is opened, with a small object below
// ".custody/" that listings leave out.
package s3store

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/otelcol-custody/custody/store"
)

// Store is a bucket, or what lies below a prefix of it. Several processes may
// write to it at the same time.
type Store struct {
	opt    Options
	client *s3.Client
	id     string
	prefix string // before every name
	closed atomic.Bool
	locks  atomic.Bool // nothing says that the bucket cannot lock
}

// Open connects to the bucket. Unless read-only it puts a small object to see
// that writing is allowed and that a second write is refused: a store that
// replaces objects is [store.ErrUnfit] without opt.ReadFirst. So is one whose
// bucket doesn't exist or lies in another region. [store.ErrUnavailable] says
// that nothing was found out: open again later.
func Open(ctx context.Context, opt Options) (*Store, error) {
	if err := opt.check(); err != nil {
		return nil, err
	}
	client, err := newClient(ctx, opt)
	if err != nil {
		return nil, err
	}
	s := &Store{opt: opt, client: client, prefix: opt.prefix()}
	// The environment may name an endpoint too.
	s.id = opt.id(aws.ToString(client.Options().BaseEndpoint))
	if opt.ReadOnly {
		err = s.reach(ctx)
	} else {
		err = s.probe(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// ID returns bucket and prefix as a URL, with the endpoint's host where it
// isn't AWS.
func (s *Store) ID() string { return s.id }

// Close ends what the store keeps open.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	if c, ok := s.client.Options().HTTPClient.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
	return nil
}

// ready checks what every call needs.
func (s *Store) ready(ctx context.Context, name string) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	return store.CheckName(name)
}

func (s *Store) usable(ctx context.Context) error {
	if s.closed.Load() {
		return store.ErrClosed
	}
	return ctx.Err()
}

func (s *Store) key(name string) *string { return aws.String(s.prefix + name) }

func (s *Store) bucket() *string { return aws.String(s.opt.Bucket) }

func (s *Store) owner() *string { return optional(s.opt.BucketOwner) }

func (s *Store) payer() types.RequestPayer {
	if s.opt.RequesterPays {
		return types.RequestPayerRequester
	}
	return ""
}

func (s *Store) storageClass() types.StorageClass { return types.StorageClass(s.opt.StorageClass) }

// tagging is the form in which a header carries tags.
func (s *Store) tagging() *string {
	v := url.Values{}
	for key, value := range s.opt.Tags {
		v.Set(key, value)
	}
	// Some stores take a plus sign literally.
	return optional(strings.ReplaceAll(v.Encode(), "+", "%20"))
}

// encryption asks for SSE-KMS if there is a key.
func (s *Store) encryption() (types.ServerSideEncryption, *string) {
	if s.opt.KMSKeyID == "" {
		return "", nil
	}
	return types.ServerSideEncryptionAwsKms, aws.String(s.opt.KMSKeyID)
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

var (
	_ store.Versioned = (*Store)(nil)
	_ store.Retainer  = (*Store)(nil)
)
