package dirstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path/filepath"
	"slices"
	"strings"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/store"
)

// Get implements [store.Store].
func (s *Store) Get(ctx context.Context, name string) (io.ReadCloser, store.Info, error) {
	if err := s.ready(ctx, name); err != nil {
		return nil, store.Info{}, err
	}
	f, info, err := s.openRegular(name)
	if err != nil {
		return nil, store.Info{}, err
	}
	return &reader{ctx: ctx, store: s, file: f, left: info.Size()}, toInfo(name, info), nil
}

// reader delivers exactly the promised size or an error.
type reader struct {
	ctx   context.Context // of the Get that made it
	store *Store
	file  durable.File
	left  int64
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	if r.left == 0 {
		return 0, io.EOF
	}
	n, err := r.file.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	switch {
	case err == io.EOF && r.left > 0:
		return n, fmt.Errorf("%s was cut while it was read: %w", r.file.Name(), io.ErrUnexpectedEOF)
	case err == io.EOF:
		return n, io.EOF
	}
	return n, r.store.ioError(err)
}

func (r *reader) Close() error { return r.file.Close() }

// GetRange implements [store.Store].
func (s *Store) GetRange(ctx context.Context, name string, off, n int64) ([]byte, error) {
	if err := s.ready(ctx, name); err != nil {
		return nil, err
	}
	if off < 0 || n < 0 {
		return nil, fmt.Errorf("range of %s: offset %d and length %d must not be negative", name, off, n)
	}
	f, info, err := s.openRegular(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if off >= info.Size() {
		return []byte{}, nil
	}
	b := make([]byte, min(n, info.Size()-off))
	got, err := f.ReadAt(b, off)
	if got == len(b) {
		return b, nil
	}
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("%s was cut while it was read: %w", f.Name(), io.ErrUnexpectedEOF)
	}
	return nil, s.ioError(err)
}

// Stat implements [store.Store].
func (s *Store) Stat(ctx context.Context, name string) (store.Info, error) {
	if err := s.ready(ctx, name); err != nil {
		return store.Info{}, err
	}
	info, err := s.lstat(name)
	if err != nil {
		return store.Info{}, err
	}
	return toInfo(name, info), nil
}

// Versions implements [store.Store]: a directory has one version of a name.
func (s *Store) Versions(ctx context.Context, name string) ([]store.Info, error) {
	info, err := s.Stat(ctx, name)
	if err != nil {
		return nil, err
	}
	return []store.Info{info}, nil
}

// List implements [store.Store]. What the store did not make is an error
// that names it, except hidden files and a file system's lost+found.
func (s *Store) List(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		l := lister{ctx: ctx, store: s, prefix: prefix, after: after, yield: yield}
		l.folder(s.root, "")
	}
}

type lister struct {
	ctx           context.Context
	store         *Store
	prefix, after string
	yield         func(store.Info, error) bool
}

// folder lists what lies in path, all names beginning with base. It reports
// whether to go on.
func (l *lister) folder(path, base string) bool {
	if err := l.store.usable(l.ctx); err != nil {
		return l.fail(err)
	}
	entries, err := l.store.fs.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = l.store.checkRoot(); err == nil {
			return true // an empty folder that somebody removed meanwhile
		}
	}
	if err != nil {
		return l.fail(l.store.ioError(err))
	}
	// A folder's objects sort by its name with the slash: "a-b" < "a/b".
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(sortKey(a), sortKey(b)) })
	for _, e := range entries {
		if e.Name()[0] == '.' || base == "" && e.Name() == "lost+found" {
			continue
		}
		if !l.entry(filepath.Join(path, e.Name()), base+sortKey(e), e) {
			return false
		}
	}
	return true
}

func sortKey(e fs.DirEntry) string {
	if e.IsDir() {
		return e.Name() + "/"
	}
	return e.Name()
}

// entry lists one entry, whose name ends with a slash if it is a folder.
func (l *lister) entry(path, name string, e fs.DirEntry) bool {
	if e.IsDir() {
		wanted := strings.HasPrefix(name, l.prefix) || strings.HasPrefix(l.prefix, name)
		if !wanted || name < l.after && !strings.HasPrefix(l.after, name) {
			return true
		}
		return l.folder(path, name)
	}
	if !strings.HasPrefix(name, l.prefix) || name <= l.after {
		return true
	}
	if err := l.ctx.Err(); err != nil {
		return l.fail(err)
	}
	if !e.Type().IsRegular() {
		return l.fail(notRegular(path, e.Type()))
	}
	if err := store.CheckName(name); err != nil {
		return l.fail(fmt.Errorf("%s was not made by the store; move it away: %w", path, err))
	}
	info, err := e.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	if err != nil {
		return l.fail(l.store.ioError(err))
	}
	return l.yield(toInfo(name, info), nil)
}

func (l *lister) fail(err error) bool {
	l.yield(store.Info{}, err)
	return false
}
