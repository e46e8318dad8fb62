package durable

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// WriteFile puts data at path, replacing what is there, and returns once data
// and name are durable. At any time, and after a crash at any time, path holds
// either all of the old content or all of the new. perm is the new file's
// mode, before the umask.
func WriteFile(fsys FS, path string, data []byte, perm fs.FileMode) error {
	tmp := TempName(path)
	if err := writeSynced(fsys, tmp, data, perm); err != nil {
		return err
	}
	if err := fsys.Rename(tmp, path); err != nil {
		_ = fsys.Remove(tmp) // the rename's error is the one to report
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := fsys.SyncDir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("write %s: sync its folder: %w", path, err)
	}
	return nil
}

// CreateOnly puts data at path if nothing is there, and returns once data and
// name are durable. It never replaces a file and never shows part of one, also
// after a crash. It fails with [fs.ErrExist] if path is taken. After any other
// error the file may or may not be there: ask again.
func CreateOnly(fsys FS, path string, data []byte, perm fs.FileMode) error {
	return CreateOnlyVia(fsys, TempName(path), path, data, perm)
}

// CreateOnlyVia is [CreateOnly] with the temporary file's name chosen by the
// caller, on the same file system as path.
func CreateOnlyVia(fsys FS, tmp, path string, data []byte, perm fs.FileMode) error {
	if err := writeSynced(fsys, tmp, data, perm); err != nil {
		return err
	}
	if err := publish(fsys, tmp, path); err != nil {
		return fmt.Errorf("create %s: %w", path, err)
	}
	if err := fsys.SyncDir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("create %s: sync its folder: %w", path, err)
	}
	return nil
}

// publish gives the synced file tmp the name path, if that is free, and takes
// the name tmp away.
func publish(fsys FS, tmp, path string) error {
	err := fsys.Link(tmp, path)
	if noHardLinks(err) {
		err = fsys.RenameNoReplace(tmp, path)
		if err == nil {
			return nil
		}
		if errors.Is(err, errors.ErrUnsupported) {
			err = fmt.Errorf("this file system has neither hard links nor exclusive rename, so files cannot be created safely on it; use another: %w", err)
		}
	}
	// A temporary name that stays hurts nobody: it names a whole file, and
	// whoever starts next sweeps it.
	_ = fsys.Remove(tmp)
	return err
}

// noHardLinks recognises the answers of file systems without hard links.
func noHardLinks(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EPERM)
}

// writeSynced makes a new file with data and syncs its content, not its name.
// On failure it leaves no file if it can.
func writeSynced(fsys FS, path string, data []byte, perm fs.FileMode) error {
	f, err := fsys.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	n, err := f.Write(data)
	if err == nil && n < len(data) {
		err = io.ErrShortWrite
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = fsys.Remove(path) // the first error is the one to report
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// Remove removes the file at path and returns once its absence is durable. A
// file that is not there is [fs.ErrNotExist], but its folder is synced all the
// same, so that trying again after an error ends in a durable state.
func Remove(fsys FS, path string) error {
	err := fsys.Remove(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if serr := fsys.SyncDir(filepath.Dir(path)); serr != nil {
		return fmt.Errorf("remove %s: sync its folder: %w", path, serr)
	}
	return err
}

// Temporary files are called ".<16 hex digits>.durable-tmp", beside the file
// that they become.
const (
	tempPrefix = "."
	tempSuffix = ".durable-tmp"
	tempHex    = 16
)

// TempName returns a new name for a temporary file in path's folder.
func TempName(path string) string {
	var b [tempHex / 2]byte
	_, _ = rand.Read(b[:]) // never fails
	return filepath.Join(filepath.Dir(path), tempPrefix+hex.EncodeToString(b[:])+tempSuffix)
}

// IsTemp reports whether a file's base name is one that [TempName] gives.
func IsTemp(base string) bool {
	mid, ok := strings.CutPrefix(base, tempPrefix)
	if !ok {
		return false
	}
	mid, ok = strings.CutSuffix(mid, tempSuffix)
	if !ok || len(mid) != tempHex {
		return false
	}
	return strings.Trim(mid, "0123456789abcdef") == ""
}

// SweepTemp removes temporary files that a crash left in dir and returns how
// many. Only a caller that holds the folder's lock may call it.
func SweepTemp(fsys FS, dir string) (int, error) {
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	swept := 0
	for _, e := range entries {
		if !IsTemp(e.Name()) || !e.Type().IsRegular() {
			continue
		}
		if err := fsys.Remove(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return swept, fmt.Errorf("sweep temporary files: %w", err)
		}
		swept++
	}
	return swept, nil
}
