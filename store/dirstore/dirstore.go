// Package dirstore keeps objects as files below a directory.
//
// An object appears whole and synced, under its final name, or not at all;
// files are read-only and are never replaced. What is being written lies in
// the hidden folder ".tmp" of the store. Any tool can copy or read the rest.
//
// Where the file system and the process's privileges allow it, files get the
// immutable attribute (chattr +i), so that nobody can change or delete them
// before taking it off again. To delete such a store on purpose, as root:
//
//	chattr -R -i DIR && rm -rf DIR
//
// The attribute keeps out mistakes and ordinary accounts, not a hostile root.
package dirstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/store"
)

// Options says how to open a directory. The zero value writes, with
// immutable files where that is possible.
type Options struct {
	// ReadOnly never writes or creates anything, locks included.
	ReadOnly bool
	// Immutable says whether files get the immutable attribute.
	Immutable Immutable
	// FS is the file system; nil means the real one.
	FS durable.FS
}

// Store is a [store.Store] in a directory. Several processes may write to one
// directory on one machine at the same time.
type Store struct {
	fs       durable.FS
	root     string
	rootInfo fs.FileInfo // of the directory as it was opened
	readOnly bool

	closing sync.RWMutex // held for reading while something is written
	closed  atomic.Bool
	session *session // nil if read-only
	marks   *marks   // nil if read-only

	mu      sync.Mutex      // guards folders
	folders map[string]bool // folders whose names are known to be durable
}

// Open opens the store in dir. It makes dir if it is missing, unless
// read-only: then it returns [store.ErrNotFound]. Close must be called.
func Open(dir string, opt Options) (*Store, error) {
	fsys := opt.FS
	if fsys == nil {
		fsys = durable.OS
	}
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("store directory %s: %w", dir, err)
	}
	s := &Store{fs: fsys, root: root, readOnly: opt.ReadOnly, folders: map[string]bool{}}
	if err := s.open(opt); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Store) open(opt Options) error {
	if !s.readOnly {
		if err := durable.MkdirAll(s.fs, filepath.Join(s.root, tempFolder), 0o755); err != nil {
			return s.openError(err)
		}
	}
	var err error
	if s.rootInfo, err = s.fs.Stat(s.root); err != nil {
		return s.openError(err)
	}
	if !s.rootInfo.IsDir() {
		return fmt.Errorf("store directory %s is a file; name a directory", s.root)
	}
	if s.readOnly {
		return nil
	}
	if s.session, err = newSession(s.fs, filepath.Join(s.root, tempFolder)); err != nil {
		return s.openError(err)
	}
	if err = s.session.sweep(); err == nil {
		s.marks, err = newMarks(s, opt.Immutable)
	}
	if err != nil {
		return errors.Join(err, s.session.close())
	}
	return nil
}

// ID returns the directory as a file URL.
func (s *Store) ID() string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(s.root)}).String()
}

// Close waits for writes under way and gives up the store's place in ".tmp".
func (s *Store) Close() error {
	s.closing.Lock()
	defer s.closing.Unlock()
	if s.closed.Swap(true) || s.session == nil {
		return nil
	}
	return s.session.close()
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

func (s *Store) path(name string) string {
	return filepath.Join(s.root, filepath.FromSlash(name))
}

// checkRoot fails if the directory that was opened is no longer at its path.
// Without it an unmounted disk would look like a store whose objects were all
// deleted, and new objects would land on the disk below the mount point.
func (s *Store) checkRoot() error {
	now, err := s.fs.Stat(s.root)
	if err != nil {
		return fmt.Errorf("%w: store directory %s is gone; mount or restore it: %w", store.ErrUnavailable, s.root, hide(err))
	}
	if !sameFile(s.rootInfo, now) {
		return fmt.Errorf("%w: store directory %s is not the one that was opened; was its disk unmounted or mounted over?", store.ErrUnavailable, s.root)
	}
	return nil
}

// sameFile also works for files of a durable.FS whose Sys is an identity.
func sameFile(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) || a.Sys() != nil && a.Sys() == b.Sys()
}

// openRegular opens an object's file, and only if it is a regular file: a
// copied store may hold pipes that block and links that lead elsewhere.
func (s *Store) openRegular(name string) (durable.File, fs.FileInfo, error) {
	path := s.path(name)
	if _, err := s.lstat(name); err != nil {
		return nil, nil, err
	}
	f, err := s.fs.OpenFile(path, os.O_RDONLY|openSafely, 0)
	if err != nil {
		return nil, nil, s.readError(name, err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = notRegular(path, info.Mode())
	}
	if err != nil {
		return nil, nil, errors.Join(s.readError(name, err), f.Close())
	}
	return f, info, nil
}

// lstat describes an object's file, which must be a regular one.
func (s *Store) lstat(name string) (fs.FileInfo, error) {
	info, err := s.fs.Lstat(s.path(name))
	if err != nil {
		return nil, s.readError(name, err)
	}
	if info.IsDir() {
		return nil, fmt.Errorf("%w: %s is a folder", store.ErrNotFound, name)
	}
	if !info.Mode().IsRegular() {
		return nil, notRegular(s.path(name), info.Mode())
	}
	return info, nil
}

func notRegular(path string, mode fs.FileMode) error {
	return fmt.Errorf("%s is no regular file but %s; the store did not make it: find out who did and move it away", path, mode.Type())
}

func toInfo(name string, f fs.FileInfo) store.Info {
	return store.Info{Name: name, Size: f.Size(), Modified: f.ModTime().UTC(), Latest: true}
}

var _ store.Store = (*Store)(nil)
