// Package gcsstore keeps objects in a bucket of Google Cloud Storage, through
// its JSON interface.
//
// An object is created with the precondition that its name has no live
// generation (ifGenerationMatch=0), so of several writers one wins and
// nothing is ever replaced. Every upload carries its CRC32C and MD5, which
// Cloud Storage checks before the object exists; its SHA-256, which Cloud
// Storage cannot check, goes into the object's custom metadata for people
// ([DigestKey]). Nobody should believe it, so only PutOnce reports a SHA-256.
//
// Versions are generations. Cloud Storage has no delete markers: a name whose
// live generation is gone just has none. Listings of versions show such a name
// as if a delete marker lay on it, with an empty version and the time of the
// deletion, so that readers treat it as on other stores.
//
// # Retention
//
// ModeGovernance is the object retention mode Unlocked, ModeCompliance is
// Locked, a legal hold is a temporary hold. All are set by the very request
// that creates the object. By Google's page "Object Retention Lock": the
// bucket needs per-object retention; before its time an object can be neither
// deleted nor replaced, but on a bucket with versions a plain delete or write
// makes it noncurrent, and that generation stays until its time; Unlocked can
// be shortened and lifted by who has storage.objects.overrideUnlockedRetention,
// Locked by nobody. Without versions a plain delete or write is refused. Soft
// delete keeps what could be deleted for some days more; nothing here relies
// on it.
//
// No server that can be had enforces this outside Google. The tests prove what
// is sent and how answers are understood, not that Google does as it says;
// [Store.CheckLock] looks at that in the bucket itself.
//
// # Permissions
//
// Writing needs storage.objects.create, get and list (without list, Cloud
// Storage says 403 for objects that are missing), with retention also
// storage.objects.setRetention, with extending storage.objects.update.
// storage.buckets.get lets the store see the bucket's settings.
package gcsstore

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"

	"cloud.google.com/go/storage"

	"github.com/otelcol-custody/custody/store"
)

// Store is a [store.Store] in a bucket.
type Store struct {
	client *storage.Client
	bucket *storage.BucketHandle
	opt    Options
	id     string
	base   string // what stands before names: empty or ends with a slash

	settings atomic.Pointer[settings] // of the bucket, as last seen
	closed   atomic.Bool
}

// Open opens the store. It asks for the bucket's settings, if it may see them,
// and unless read-only it makes sure, with a small object below the hidden
// name ".custody", that the server refuses to create what exists. Its errors:
// [store.ErrUnfit] for a bucket that is missing and a server that does not,
// [store.ErrDenied] for credentials, [store.ErrUnavailable] for a store that
// cannot be reached now. Close must be called.
func Open(ctx context.Context, opt Options) (*Store, error) {
	if err := opt.check(); err != nil {
		return nil, err
	}
	s := &Store{opt: opt, id: opt.id(), base: opt.base()}
	var err error
	if s.client, err = newClient(ctx, opt); err != nil {
		return nil, s.fail(ctx, "open", err)
	}
	s.client.SetRetry(storage.WithBackoff(pauses), storage.WithMaxAttempts(attempts), storage.WithMaxRetryDuration(retryFor))
	s.bucket = s.client.Bucket(opt.Bucket)
	if opt.UserProject != "" {
		s.bucket = s.bucket.UserProject(opt.UserProject)
	}
	if err := s.start(ctx); err != nil {
		_ = s.client.Close() // Frees connections; the first error is the one that matters.
		return nil, err
	}
	return s, nil
}

func (s *Store) start(ctx context.Context) error {
	if _, err := s.look(ctx); err != nil && !isUnseen(err) {
		return err
	}
	if s.opt.ReadOnly {
		return nil
	}
	return s.probe(ctx)
}

// ID returns gs://bucket/prefix, and the endpoint if it isn't Google's own.
func (s *Store) ID() string { return s.id }

func (o Options) base() string {
	if p := strings.Trim(o.Prefix, "/"); p != "" {
		return p + "/"
	}
	return ""
}

func (o Options) id() string {
	id := url.URL{Scheme: "gs", Host: o.Bucket, Path: strings.TrimSuffix("/"+o.base(), "/")}
	if u, err := url.Parse(o.Endpoint); err == nil && u.Host != "" {
		id.RawQuery = "endpoint=" + u.Host
	}
	return id.String()
}

// Close frees the store's connections.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	return s.client.Close()
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

// writable is ready for calls that write.
func (s *Store) writable(ctx context.Context, name string) error {
	if err := s.ready(ctx, name); err != nil {
		return err
	}
	if s.opt.ReadOnly {
		return fmt.Errorf("%w: %s", store.ErrReadOnly, s.id)
	}
	return nil
}

// object is the object of a name, which may be a hidden one.
func (s *Store) object(name string) *storage.ObjectHandle {
	return s.bucket.Object(s.base + name)
}

var (
	_ store.Versioned = (*Store)(nil)
	_ store.Retainer  = (*Store)(nil)
)
