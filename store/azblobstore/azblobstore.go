// Package azblobstore keeps objects as block blobs in a container of Azure
// Blob Storage.
//
// What version-level immutability does, after Microsoft's page "Version-level
// WORM policies for immutable blob data": it needs versioning, and support
// that is enabled on the account or the container. A version under an
// unexpired policy or a legal hold can be neither changed nor deleted. Yet
// overwriting such a blob succeeds and makes a new current version above it,
// and deleting the blob without naming a version succeeds, too: what was
// current becomes a previous version, and there is no current one. So a
// policy does not keep a blob from being hidden; [Store.Versions] shows what
// lies below. A locked policy can only be prolonged. An unlocked one can also
// be shortened or removed by whoever has the right to.
//
// Azure has no delete markers. Where a blob has versions and none is current,
// this package reports one that it makes up (DeleteMarker and Latest true,
// Version empty, Modified zero), so that readers see what they would see on
// other clouds.
//
// Every upload carries a Content-MD5 which the service checks against what
// arrived (a guard against damage, not against people), and the content's SHA-256 as metadata "sha256". [store.Info] of
// reads has no SHA256: whoever may write the blob may write its metadata.
package azblobstore

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/otelcol-custody/custody/store"
)

// Store is a [store.Store] in a container. Several processes may write to one
// container at the same time.
type Store struct {
	client    *container.Client
	id        string
	container string
	prefix    string // empty, or ends with a slash
	readOnly  bool

	tier  *blob.AccessTier   // nil: the account's default
	scope *blob.CPKScopeInfo // nil: the container's default
	tags  map[string]string  // nil: none

	transport *transport
	closed    atomic.Bool
}

// Open opens the container. Unless read-only it makes sure, with a small blob
// below the hidden name ".custody/", that the service refuses to overwrite
// what must not exist: [store.ErrUnfit] if it doesn't, or if there is no such
// container; [store.ErrUnavailable] if the service cannot be reached;
// [store.ErrDenied] if it refuses the caller. Read-only it asks for nothing.
// Close must be called.
func Open(ctx context.Context, opt Options) (*Store, error) {
	if err := opt.check(); err != nil {
		return nil, err
	}
	t := newTransport(opt.Transport)
	client, err := newClient(opt, t)
	if err != nil {
		t.close()
		return nil, err
	}
	s := &Store{
		client: client, id: identity(client.URL(), opt.Prefix), container: opt.Container, readOnly: opt.ReadOnly,
		tier: opt.tier(), tags: opt.Tags, transport: t,
	}
	if p := strings.Trim(opt.Prefix, "/"); p != "" {
		s.prefix = p + "/"
	}
	if opt.EncryptionScope != "" {
		s.scope = &blob.CPKScopeInfo{EncryptionScope: &opt.EncryptionScope}
	}
	if !s.readOnly {
		if err := s.probe(ctx); err != nil {
			t.close()
			return nil, err
		}
	}
	return s, nil
}

// identity names the objects' place, without the query that may hold a SAS.
func identity(containerURL, prefix string) string {
	u, err := url.Parse(containerURL)
	if err != nil {
		return "azblob://invalid"
	}
	id := url.URL{Scheme: "azblob", Host: strings.ToLower(u.Host), Path: strings.TrimRight(u.Path, "/")}
	if p := strings.Trim(prefix, "/"); p != "" {
		id.Path += "/" + p
	}
	return id.String()
}

// ID returns azblob://HOST/CONTAINER/PREFIX; on emulators, whose address
// holds the account, azblob://HOST:PORT/ACCOUNT/CONTAINER/PREFIX.
func (s *Store) ID() string { return s.id }

// Close gives up idle connections.
func (s *Store) Close() error {
	if !s.closed.Swap(true) {
		s.transport.close()
	}
	return nil
}

// ready checks what every call for a name needs.
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

// writable checks what every call that writes needs.
func (s *Store) writable(ctx context.Context, name string) error {
	if err := s.ready(ctx, name); err != nil {
		return err
	}
	if s.readOnly {
		return fmt.Errorf("%w: container %s", store.ErrReadOnly, s.container)
	}
	return nil
}

var (
	_ store.Versioned = (*Store)(nil)
	_ store.Retainer  = (*Store)(nil)
)
