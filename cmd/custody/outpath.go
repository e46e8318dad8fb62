package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// checkOutside refuses an output path that lies in the store. A store is
// evidence: custody only ever reads it.
func checkOutside(flag, path, store string) error {
	if lies, err := liesIn(path, store); err != nil {
		return usagef("--%s: %v", flag, err)
	} else if lies {
		return usagef("--%s: %s lies in the store, which custody never writes to; choose another place", flag, path)
	}
	return nil
}

// checkOutFile is checkOutside for a single file, whose folder must be there.
func checkOutFile(flag, path, store string) error {
	if err := checkOutside(flag, path, store); err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if info, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return usagef("--%s: folder %s does not exist", flag, dir)
	} else if err != nil {
		return usagef("--%s: %v", flag, err)
	} else if !info.IsDir() {
		return usagef("--%s: %s is not a folder", flag, dir)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return usagef("--%s %s is a folder; name a file", flag, path)
	}
	return nil
}

// liesIn says whether path is the store or below it, whatever links lead there.
// It compares files, not names: one folder can have several names.
func liesIn(path, store string) (bool, error) {
	root, err := os.Stat(store)
	if err != nil {
		return false, nil // Opening the store says what is wrong with it.
	}
	path, err = filepath.Abs(path)
	if err != nil {
		return false, err
	}
	// The place itself, and where it leads to when it is a link.
	for _, p := range []string{filepath.Join(resolve(filepath.Dir(path)), filepath.Base(path)), resolve(path)} {
		for {
			if info, err := os.Stat(p); err == nil && os.SameFile(info, root) {
				return true, nil
			}
			up := filepath.Dir(p)
			if up == p {
				break
			}
			p = up
		}
	}
	return false, nil
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

// checkEvidenceOut allows to replace nothing but an older evidence file.
func checkEvidenceOut(path, store string) error {
	return checkReplaces(path, store, evidenceStart, "an evidence file")
}

// checkReplaces allows an output file to replace only what begins like it.
func checkReplaces(path, store, start, what string) error {
	if err := checkOutFile("out", path, store); err != nil {
		return err
	}
	b, err := readStart(path, len(start))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return usagef("--out: %v", err)
	case string(b) != start:
		return usagef("--out: %s exists and is not %s; it is not replaced", path, what)
	}
	return nil
}

// readStart reads up to n bytes of a file; of what is no regular file, none.
func readStart(path string, n int) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, int64(n)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}
