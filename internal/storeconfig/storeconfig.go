// Package storeconfig turns configuration, as YAML or as the argument of a
// command, into an open store.
//
// All faults of a configuration are found at once and without touching
// anything, each led by its YAML key. No message and no printed configuration
// holds a secret.
package storeconfig

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"

	"github.com/otelcol-custody/custody/store"
)

// A Store says which store is meant, how to reach it and how it retains. It is
// *[S3], *[GCS], *[AzureBlob] or *[Dir].
type Store interface {
	// Validate reports all faults. It looks at nothing but the configuration.
	Validate() error
	// ID is the ID of the store that Open returns.
	ID() string
	// Policy says how objects are to be retained.
	Policy() Policy
	// Weaker says, a sentence each, what the configuration gives up against
	// the defaults. It is to be logged as a warning by whoever writes.
	Weaker() []string
	// Open opens the store. A store opened for reading only is never written
	// to, not even to find out what it is able to.
	Open(ctx context.Context, readOnly bool) (store.Store, error)
}

// faults gathers what is wrong, each led by its key.
type faults []error

func (f *faults) add(key, format string, args ...any) {
	*f = append(*f, fmt.Errorf(key+": "+format, args...))
}

func (f faults) err() error { return errors.Join(f...) }

// opened keeps the nil of a failed open from becoming a store.
func opened[S store.Store](s S, err error) (store.Store, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// bucketID names a bucket, or a folder in it, as a URL.
func bucketID(scheme, bucket, prefix, endpoint string) string {
	u := url.URL{Scheme: scheme, Host: bucket}
	if prefix != "" {
		u.Path = "/" + prefix
	}
	if e, err := url.Parse(endpoint); err == nil && e.Host != "" {
		u.RawQuery = "endpoint=" + e.Host
	}
	return u.String()
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
