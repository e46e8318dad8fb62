package dirstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"syscall"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/store"
)

// PutOnce implements [store.Store]. A directory cannot retain for a time, so
// any retention is refused with [store.ErrRetention].
func (s *Store) PutOnce(ctx context.Context, name string, data []byte, opt store.PutOptions) (store.Info, error) {
	s.closing.RLock()
	defer s.closing.RUnlock()
	if err := s.mayWrite(ctx, name, opt); err != nil {
		return store.Info{}, err
	}
	there, err := s.fs.Lstat(s.path(name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = s.create(ctx, name, data)
		if errors.Is(err, fs.ErrExist) {
			err = s.confirm(name, data) // another writer was faster
		} else {
			err = s.writeError(err)
		}
	case err != nil:
		err = s.writeError(err)
	case there.IsDir():
		err = s.writeError(&fs.PathError{Op: "create", Path: s.path(name), Err: syscall.EISDIR})
	default:
		err = s.confirm(name, data)
	}
	if err != nil {
		return store.Info{}, err
	}
	return s.stored(name, data)
}

func (s *Store) mayWrite(ctx context.Context, name string, opt store.PutOptions) error {
	if err := s.ready(ctx, name); err != nil {
		return err
	}
	if s.readOnly {
		return fmt.Errorf("%w: %s", store.ErrReadOnly, s.root)
	}
	if !opt.Retention.IsZero() {
		return fmt.Errorf("%w: a directory cannot keep objects until a date or under a legal hold; drop the retention for %s or use an object store", store.ErrRetention, s.root)
	}
	return s.checkRoot()
}

func (s *Store) create(ctx context.Context, name string, data []byte) error {
	path := s.path(name)
	if err := s.makeFolders(filepath.Dir(path)); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return durable.CreateOnlyVia(s.fs, s.session.temp(), path, data, 0o444)
}

// makeFolders makes dir and its parents below the root, and syncs the parent
// of each even if it stood: an earlier attempt may have ended in between.
func (s *Store) makeFolders(dir string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.makeFolder(dir)
}

func (s *Store) makeFolder(dir string) error {
	if dir == s.root || s.folders[dir] {
		return nil
	}
	parent := filepath.Dir(dir)
	if err := s.makeFolder(parent); err != nil {
		return err
	}
	if err := s.fs.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := s.fs.SyncDir(parent); err != nil {
		return fmt.Errorf("make folder %s: sync its parent: %w", dir, err)
	}
	s.folders[dir] = true
	return nil
}

func (s *Store) forgetFolders() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.folders)
}

// confirm compares what lies at name with data. If it is the same it makes
// sure that it is durable: whoever wrote it may have died before the sync.
func (s *Store) confirm(name string, data []byte) error {
	f, info, err := s.openRegular(name)
	if err != nil {
		return err
	}
	defer f.Close()
	same, err := holds(f, info.Size(), data)
	if err != nil {
		return s.ioError(fmt.Errorf("compare %s: %w", name, err))
	}
	if !same {
		return fmt.Errorf("%w: %s has %d bytes, other than the %d to be stored", store.ErrExists, name, info.Size(), len(data))
	}
	if err := f.Sync(); err != nil {
		return s.ioError(err)
	}
	if err := s.makeFolders(filepath.Dir(s.path(name))); err != nil {
		return s.writeError(err)
	}
	if err := s.fs.SyncDir(filepath.Dir(s.path(name))); err != nil {
		return s.ioError(err)
	}
	return nil
}

// holds reports whether f's content is data.
func holds(f io.Reader, size int64, data []byte) (bool, error) {
	if size != int64(len(data)) {
		return false, nil
	}
	buf := make([]byte, min(len(data), 128<<10))
	for len(data) > 0 {
		n, err := io.ReadFull(f, buf[:min(len(buf), len(data))])
		if err != nil {
			return false, err
		}
		if !bytes.Equal(buf[:n], data[:n]) {
			return false, nil
		}
		data = data[n:]
	}
	return true, nil
}

// stored protects what was stored and describes it.
func (s *Store) stored(name string, data []byte) (store.Info, error) {
	if err := s.marks.protect(s.path(name)); err != nil {
		return store.Info{}, err
	}
	info, err := s.lstat(name)
	if err != nil {
		return store.Info{}, err
	}
	out := toInfo(name, info)
	out.Size, out.SHA256 = int64(len(data)), sha256.Sum256(data)
	return out, nil
}
