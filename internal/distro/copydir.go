package distro

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/otelcol-custody/custody/ledger"
)

// checkCopy accepts a directory to copy logs into: none yet, an empty one, or one
// that holds logs and nothing else, apart from the store with this ID.
func checkCopy(dir, storeID string) error {
	if strings.Contains(dir, "://") {
		return usagef("DIR must be a directory on this machine; otelcol-custody replicate copies into other stores")
	}
	if err := checkApart("DIR", dir, storeID); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return usagef("DIR: %w", err)
	}
	for _, e := range entries {
		if e.Name()[0] != '.' && e.Name() != "lost+found" && !isLog(dir, e) {
			return usagef("DIR: %s holds %q, which is no log: name a new or an empty directory, or one that logs were copied into before", dir, e.Name())
		}
	}
	return nil
}

// isLog says whether a folder can be that of a log, perhaps just begun.
func isLog(dir string, e fs.DirEntry) bool {
	if !e.IsDir() || ledger.CheckLogName(e.Name()) != nil {
		return false
	}
	inside, err := os.ReadDir(filepath.Join(dir, e.Name()))
	return err == nil && (len(inside) == 0 || slices.ContainsFunc(inside, func(e fs.DirEntry) bool {
		return e.Name() == ledger.SegmentsDir || e.Name() == ledger.SealsDir || e.Name() == ledger.TilesDir
	}))
}

// checkApart refuses a directory that lies in the store with this ID, or the
// store in it.
func checkApart(name, dir, storeID string) error {
	root, ok := localPath(storeID)
	if !ok {
		return nil
	}
	for _, pair := range [][2]string{{dir, root}, {root, dir}} {
		if lies, err := liesIn(pair[0], pair[1]); err != nil {
			return usagef("%s: %w", name, err)
		} else if lies {
			return usagef("%s: %s lies in %s; choose another place", name, pair[0], pair[1])
		}
	}
	return nil
}

// localPath is the directory of a store that is one.
func localPath(storeID string) (string, bool) {
	u, err := url.Parse(storeID)
	if err != nil || u.Scheme != "file" {
		return "", false
	}
	return filepath.FromSlash(u.Path), true
}

// liesIn says whether path is dir or below it, whatever links lead there. It
// compares files, not names: one folder can have several names.
func liesIn(path, dir string) (bool, error) {
	root, err := os.Stat(dir)
	if err != nil {
		return false, nil // What is not there holds nothing.
	}
	path, err = filepath.Abs(path)
	if err != nil {
		return false, fmt.Errorf("find the current directory: %w", err)
	}
	for p := resolve(path); ; p = filepath.Dir(p) {
		if info, err := os.Stat(p); err == nil && os.SameFile(info, root) {
			return true, nil
		}
		if p == filepath.Dir(p) {
			return false, nil
		}
	}
}

// resolve follows the links in as much of an absolute path as there is.
func resolve(path string) string {
	real, err := filepath.EvalSymlinks(path)
	switch {
	case err == nil:
		return real
	case filepath.Dir(path) == path:
		return path
	}
	return filepath.Join(resolve(filepath.Dir(path)), filepath.Base(path))
}
