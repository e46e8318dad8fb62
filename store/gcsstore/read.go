package gcsstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"

	"cloud.google.com/go/storage"

	"github.com/otelcol-custody/custody/store"
)

// attrs asks for an object's metadata.
func (s *Store) attrs(ctx context.Context, o *storage.ObjectHandle, name string) (*storage.ObjectAttrs, error) {
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	a, err := o.Attrs(call)
	if err != nil {
		return nil, s.fail(ctx, "look at "+name, err)
	}
	if !s.describes(a, name) {
		return nil, s.notCloudStorage("look at " + name)
	}
	return a, nil
}

// describes reports whether an answer is about the object: other servers'
// JSON decodes, too, into nothing.
func (s *Store) describes(a *storage.ObjectAttrs, name string) bool {
	return a != nil && a.Name == s.base+name && a.Generation > 0
}

// info describes a generation. Its SHA256 stays empty: what the metadata says
// can have been written by anybody.
func (s *Store) info(name string, a *storage.ObjectAttrs) store.Info {
	return store.Info{
		Name: name, Size: a.Size, Version: strconv.FormatInt(a.Generation, 10), Modified: a.Created.UTC(), Retention: s.retention(a),
	}
}

// Stat implements [store.Store].
func (s *Store) Stat(ctx context.Context, name string) (store.Info, error) {
	if err := s.ready(ctx, name); err != nil {
		return store.Info{}, err
	}
	a, err := s.attrs(ctx, s.object(name), name)
	if err != nil {
		return store.Info{}, err
	}
	info := s.info(name, a)
	info.Latest = true
	return info, nil
}

// Get implements [store.Store], with one request. Its Info lacks the
// retention, which only [Store.Stat] and listings know.
func (s *Store) Get(ctx context.Context, name string) (io.ReadCloser, store.Info, error) {
	if err := s.ready(ctx, name); err != nil {
		return nil, store.Info{}, err
	}
	r, attrs, err := s.open(ctx, s.object(name), name)
	if err != nil {
		return nil, store.Info{}, err
	}
	info := store.Info{Name: name, Size: attrs.Size, Modified: attrs.LastModified.UTC(), Latest: true}
	if attrs.Generation > 0 {
		info.Version = strconv.FormatInt(attrs.Generation, 10)
	}
	return r, info, nil
}

// GetVersion implements [store.Versioned].
func (s *Store) GetVersion(ctx context.Context, name, version string) (io.ReadCloser, store.Info, error) {
	if err := s.ready(ctx, name); err != nil {
		return nil, store.Info{}, err
	}
	gen, err := generation(name, version)
	if err != nil {
		return nil, store.Info{}, err
	}
	o := s.object(name).Generation(gen)
	a, err := s.attrs(ctx, o, name)
	if err != nil {
		return nil, store.Info{}, err
	}
	r, _, err := s.open(ctx, o, name)
	if err != nil {
		return nil, store.Info{}, err
	}
	info := s.info(name, a)
	info.Latest = a.Deleted.IsZero()
	return r, info, nil
}

// open opens an object as its bytes were stored: without ReadCompressed the
// server would unpack what somebody marked as gzip.
func (s *Store) open(ctx context.Context, o *storage.ObjectHandle, name string) (io.ReadCloser, storage.ReaderObjectAttrs, error) {
	r, err := o.ReadCompressed(true).NewReader(ctx)
	if err == nil && r.Attrs.Size < 0 {
		err = errors.Join(errors.New("the server does not say how long the object is"), r.Close())
	}
	if err == nil && r.Attrs.Generation <= 0 {
		err = errors.Join(errors.New(alien), r.Close())
	}
	if err != nil {
		return nil, storage.ReaderObjectAttrs{}, s.readError(ctx, o, name, err)
	}
	return &reader{ctx: ctx, store: s, name: name, r: r, left: r.Attrs.Size}, r.Attrs, nil
}

// readError is for errors of reading an object. The interface for reading
// does not say whether the object is missing or its bucket; the other does.
func (s *Store) readError(ctx context.Context, o *storage.ObjectHandle, name string, err error) error {
	if errors.Is(err, storage.ErrObjectNotExist) {
		if _, lookErr := s.attrs(ctx, o, name); lookErr != nil {
			return lookErr
		}
		return fmt.Errorf("%w: %s: read %s: the object is there, and the answer says that it isn't", store.ErrUnavailable, s.id, name)
	}
	return s.fail(ctx, "read "+name, err)
}

// reader delivers exactly the promised size or an error.
type reader struct {
	ctx   context.Context // of the call that made it
	store *Store
	name  string
	r     *storage.Reader
	left  int64
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.r.Read(p)
	r.left -= int64(n)
	switch {
	case r.left < 0:
		return n + int(r.left), fmt.Errorf("%s: %s is longer than the server said", r.store.id, r.name)
	case err == io.EOF && r.left > 0, errors.Is(err, io.ErrUnexpectedEOF):
		return n, fmt.Errorf("%s: %s was cut while it was read: %w", r.store.id, r.name, io.ErrUnexpectedEOF)
	case err != nil && err != io.EOF:
		return n, r.store.fail(r.ctx, "read "+r.name, err)
	}
	return n, err
}

func (r *reader) Close() error { return r.r.Close() }

// GetRange implements [store.Store].
func (s *Store) GetRange(ctx context.Context, name string, off, n int64) ([]byte, error) {
	if err := s.ready(ctx, name); err != nil {
		return nil, err
	}
	if off < 0 || n < 0 {
		return nil, fmt.Errorf("range of %s: offset %d and length %d must not be negative", name, off, n)
	}
	o := s.object(name)
	if n == 0 {
		_, err := s.attrs(ctx, o, name)
		return []byte{}, err
	}
	r, err := o.ReadCompressed(true).NewRangeReader(ctx, off, min(n, math.MaxInt64-off))
	if status(err) == http.StatusRequestedRangeNotSatisfiable {
		return []byte{}, nil
	}
	if err != nil {
		return nil, s.readError(ctx, o, name, err)
	}
	defer r.Close()
	if r.Attrs.Generation <= 0 {
		return nil, s.notCloudStorage("read " + name)
	}
	b, err := io.ReadAll(io.LimitReader(r, n))
	if err == nil && int64(len(b)) != min(n, r.Attrs.Size-off) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, s.fail(ctx, "read "+name, err)
	}
	return b, nil
}
