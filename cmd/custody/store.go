package main

import (
	"archive/zip"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/archive"
)

// A store is a copy of a store that is open for reading.
type store struct {
	fs.FS
	name  string // as the user named it
	logs  []string
	close func() error
}

// openStore opens a folder, a .zip or a .tar file. A folder is opened so that no
// symbolic link in it leads outside.
func openStore(name string) (*store, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	s := &store{name: name}
	switch ext := strings.ToLower(filepath.Ext(name)); {
	case info.IsDir():
		err = s.openFolder()
	case ext == ".zip":
		err = s.openZip()
	case ext == ".tar":
		err = s.openTar()
	default:
		return nil, fmt.Errorf("store %s: %w: give a folder, a .zip or an uncompressed .tar file", name, errNotStore)
	}
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", name, err)
	}
	if err := s.findLogs(!info.IsDir()); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

var errNotStore = errors.New("not a store")

func (s *store) openFolder() error {
	root, err := os.OpenRoot(s.name)
	if err != nil {
		return err
	}
	s.FS, s.close = folder{root}, root.Close
	return nil
}

// A folder reads files below a root. Unlike the root's own file system it does
// not wait for a writer when somebody planted a named pipe.
type folder struct{ root *os.Root }

// Open implements [fs.FS].
func (f folder) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	file, err := f.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, plainLink(name, err) // Without this, a nil *os.File would be a File that is not nil.
	}
	return file, nil
}

// plainLink words the refusal of [os.Root] to follow a link, for which package os
// exports no error.
func plainLink(name string, err error) error {
	var refused *fs.PathError
	if errors.As(err, &refused) && refused.Err.Error() == "path escapes from parent" {
		return fmt.Errorf("%s is a link that leads out of the store; copy the file itself", name)
	}
	return err
}

func (s *store) openZip() error {
	z, err := zip.OpenReader(s.name)
	if err != nil {
		return err
	}
	s.FS, s.close = z, z.Close
	return nil
}

func (s *store) openTar() error {
	f, err := os.Open(s.name)
	if err != nil {
		return err
	}
	tree, err := readTar(f)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	s.FS, s.close = tree, f.Close
	return nil
}

// findLogs lists the store's logs. Archives often hold the store in a folder of
// its own, which is then the store.
func (s *store) findLogs(archived bool) error {
	var err error
	if s.logs, err = archive.Logs(s.FS); err != nil {
		return fmt.Errorf("store %s: %w", s.name, err)
	}
	for depth := 0; archived && len(s.logs) == 0 && depth < 4; depth++ {
		entries, err := fs.ReadDir(s.FS, ".")
		if err != nil || len(entries) != 1 || !entries[0].IsDir() {
			break
		}
		if s.FS, err = fs.Sub(s.FS, entries[0].Name()); err != nil {
			return fmt.Errorf("store %s: %w", s.name, err)
		}
		if s.logs, err = archive.Logs(s.FS); err != nil {
			return fmt.Errorf("store %s: %w", s.name, err)
		}
	}
	return nil
}

// empty explains a store without logs, and where the logs may be.
func (s *store) empty() error {
	for _, dir := range []string{ledger.SealsDir, ledger.SegmentsDir} {
		if info, err := fs.Stat(s.FS, dir); err == nil && info.IsDir() {
			return fmt.Errorf("%s is the folder of one log; name the store, which is the folder above: %s", s.name, filepath.Dir(filepath.Clean(s.name)))
		}
	}
	entries, err := fs.ReadDir(s.FS, ".")
	if err != nil {
		return fmt.Errorf("store %s: %w", s.name, err)
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		sub, err := fs.Sub(s.FS, e.Name())
		if err != nil {
			continue
		}
		if logs, err := archive.Logs(sub); err == nil && len(logs) > 0 {
			return fmt.Errorf("%s holds no logs, but %s does", s.name, path.Join(s.name, e.Name()))
		}
	}
	return fmt.Errorf("%s holds no logs (a log is a folder with %s/ and %s/ in it)", s.name, ledger.SegmentsDir, ledger.SealsDir)
}

// choose returns the logs of these names, or, without any names, all of them.
func (s *store) choose(names []string) ([]string, error) {
	if len(names) == 0 {
		if len(s.logs) == 0 {
			return nil, s.empty()
		}
		return s.logs, nil
	}
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	for _, name := range names {
		if slices.Contains(s.logs, name) {
			continue
		}
		if len(s.logs) == 0 {
			return nil, s.empty()
		}
		return nil, usagef("--log: %s holds no log %q; it holds %s", s.name, name, joinSome(s.logs))
	}
	return names, nil
}
