package dirstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/otelcol-custody/custody/store"
)

// outages are errors of a disk, mount or machine that may pass.
var outages = []error{
	syscall.EIO, syscall.EROFS, syscall.ESTALE, syscall.ETIMEDOUT, syscall.ENOTCONN, syscall.EHOSTDOWN,
	syscall.EHOSTUNREACH, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EAGAIN,
}

func isAny(err error, targets ...error) bool {
	for _, t := range targets {
		if errors.Is(err, t) {
			return true
		}
	}
	return false
}

// hide keeps a file's absence from passing for an object's.
func hide(err error) error { return fmt.Errorf("%v", err) }

// openError says what is wrong with the directory and what to do.
func (s *Store) openError(err error) error {
	switch {
	case isAny(err, fs.ErrNotExist):
		return fmt.Errorf("store directory %s: %w: it does not exist; is the path right and the disk mounted?", s.root, store.ErrNotFound)
	case isAny(err, syscall.ENOTDIR):
		return fmt.Errorf("store directory %s: a file stands where a folder is needed; name another directory: %w", s.root, err)
	case isAny(err, fs.ErrPermission, syscall.EROFS) && !s.readOnly:
		return fmt.Errorf("store directory %s is not writable for user %d: give it to that user (chown) or mount it writable: %w", s.root, os.Getuid(), err)
	case isAny(err, fs.ErrPermission):
		return fmt.Errorf("store directory %s is not readable for user %d: allow it (chmod, chown): %w", s.root, os.Getuid(), err)
	}
	return s.ioError(err)
}

// readError is for errors of reading the object name.
func (s *Store) readError(name string, err error) error {
	if !isAny(err, fs.ErrNotExist, syscall.ENOTDIR) {
		return s.ioError(err)
	}
	if rootErr := s.checkRoot(); rootErr != nil {
		return rootErr
	}
	return fmt.Errorf("%w: %s", store.ErrNotFound, name)
}

// writeError is for errors of writing.
func (s *Store) writeError(err error) error {
	switch {
	case err == nil:
		return nil
	case isAny(err, fs.ErrNotExist):
		s.forgetFolders() // somebody removed one; the next try makes it again
		return fmt.Errorf("%w: a folder of the store in %s disappeared: %w", store.ErrUnavailable, s.root, hide(err))
	case isAny(err, syscall.ENOTDIR, syscall.EISDIR):
		return fmt.Errorf("a file stands where a folder is needed, or the other way round; the store did not make it: move it away: %w", err)
	case isAny(err, fs.ErrPermission):
		return fmt.Errorf("store directory %s is not writable for user %d any more: restore its owner and mode: %w", s.root, os.Getuid(), err)
	}
	return s.ioError(err)
}

func (s *Store) ioError(err error) error {
	switch {
	case err == nil:
		return nil
	case isAny(err, syscall.ENOSPC, syscall.EDQUOT):
		return fmt.Errorf("%w: no space or quota left for %s: free some or enlarge its file system; writing goes on by itself then: %w", store.ErrFull, s.root, err)
	case isAny(err, outages...):
		return fmt.Errorf("%w: store directory %s: %w", store.ErrUnavailable, s.root, err)
	}
	return err
}
