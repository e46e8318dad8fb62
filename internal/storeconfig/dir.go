package storeconfig

import (
	"context"
	"net/url"
	"path/filepath"

	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/dirstore"
)

// Dir is a directory.
type Dir struct {
	// Path is the directory; it is made if it is missing.
	Path string `mapstructure:"path"`
	// Immutable says whether files get the immutable attribute: auto, require
	// or off.
	Immutable string `mapstructure:"immutable"`
	// Retention is there to be refused with a way out.
	Retention Retention `mapstructure:"retention"`
}

// DefaultDir returns the defaults.
func DefaultDir() Dir { return Dir{Immutable: dirstore.ImmutableAuto.String()} }

// Validate reports every fault at once.
func (c *Dir) Validate() error {
	var f faults
	if c.Path == "" {
		f.add("path", "required: the directory that the store lies in")
	}
	if _, err := dirstore.ParseImmutable(c.Immutable); err != nil {
		f.add("immutable", "%w", err)
	}
	if c.Retention != (Retention{}) {
		f.add("retention", "a directory cannot retain files for a time: write immutable: require, which keeps all until root takes the attribute off, or use a cloud's store")
	}
	return f.err()
}

// ID is the directory as a file URL.
func (c *Dir) ID() string {
	root, err := filepath.Abs(c.Path)
	if err != nil {
		root = c.Path // Open reports it.
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(root)}).String()
}

// Policy is none.
func (c *Dir) Policy() Policy { return Policy{} }

// Weaker is nothing: whether files become immutable shows when the store is
// open.
func (c *Dir) Weaker() []string { return nil }

// Open opens the directory. For reading only it must exist.
func (c *Dir) Open(_ context.Context, readOnly bool) (store.Store, error) {
	immutable, err := dirstore.ParseImmutable(c.Immutable)
	if err != nil {
		return nil, err
	}
	return opened(dirstore.Open(c.Path, dirstore.Options{ReadOnly: readOnly, Immutable: immutable}))
}
