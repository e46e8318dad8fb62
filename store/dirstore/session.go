package dirstore

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"sync/atomic"

	"github.com/otelcol-custody/custody/internal/durable"
)

// tempFolder holds what is being written: "custody-<session>-<n>.tmp", and
// per open store a "custody-<session>.lock" that is locked while it is open.
// So whoever opens the directory knows which temporary files are dead, even
// beside other processes that write to it.
const tempFolder = ".tmp"

var (
	lockName = regexp.MustCompile(`^custody-([0-9a-f]{16})\.lock$`)
	tempName = regexp.MustCompile(`^custody-([0-9a-f]{16})-(?:[0-9]+|probe)\.tmp$`)
)

// session is one open store's place in the temporary folder.
type session struct {
	fs   durable.FS
	dir  string
	id   string
	lock io.Closer
	next atomic.Uint64
}

func newSession(fsys durable.FS, dir string) (*session, error) {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	s := &session{fs: fsys, dir: dir, id: hex.EncodeToString(b[:])}
	var err error
	if s.lock, err = fsys.Lock(s.lockPath(s.id)); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *session) lockPath(id string) string {
	return filepath.Join(s.dir, "custody-"+id+".lock")
}

// temp returns a new temporary file's path.
func (s *session) temp() string {
	return filepath.Join(s.dir, fmt.Sprintf("custody-%s-%d.tmp", s.id, s.next.Add(1)))
}

// probe returns the path of the file on which attributes are tried.
func (s *session) probe() string {
	return filepath.Join(s.dir, "custody-"+s.id+"-probe.tmp")
}

func (s *session) close() error {
	// Removed while it is locked: nobody can take it for a dead session's.
	err := s.fs.Remove(s.lockPath(s.id))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, s.lock.Close())
}

// sweep removes the temporary files of sessions that have ended. Files that
// no session of ours made stay.
func (s *session) sweep() error {
	entries, err := s.fs.ReadDir(s.dir)
	if err != nil {
		return err
	}
	temps := map[string][]string{} // session -> its temporary files
	for _, e := range entries {
		if m := lockName.FindStringSubmatch(e.Name()); m != nil && e.Type().IsRegular() {
			temps[m[1]] = append(temps[m[1]], "")
		}
		if m := tempName.FindStringSubmatch(e.Name()); m != nil && e.Type().IsRegular() {
			temps[m[1]] = append(temps[m[1]], e.Name())
		}
	}
	delete(temps, s.id)
	for id, names := range temps {
		if err := s.sweepSession(id, names); err != nil {
			return fmt.Errorf("sweep temporary files in %s: %w", s.dir, err)
		}
	}
	return nil
}

// sweepSession removes a session's files if it has ended.
func (s *session) sweepSession(id string, names []string) error {
	lock, err := s.fs.Lock(s.lockPath(id))
	if errors.Is(err, durable.ErrLocked) {
		return nil // it lives
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	for _, name := range append(names, filepath.Base(s.lockPath(id))) {
		if name == "" {
			continue
		}
		if err := s.removeDead(filepath.Join(s.dir, name)); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) removeDead(path string) error {
	err := s.fs.Remove(path)
	if im, ok := s.fs.(durable.Immutable); ok && errors.Is(err, fs.ErrPermission) {
		// Only a probe can be immutable under its temporary name; an
		// object gets the mark after this name is gone for good.
		if on, _ := im.IsImmutable(path); on && filepath.Ext(path) == ".tmp" {
			err = errors.Join(im.SetImmutable(path, false), s.fs.Remove(path))
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
