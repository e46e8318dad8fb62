package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"
)

// MkdirAll makes the folder path with all its parents and returns once their
// names are durable. It syncs the parents of folders that exist already, too:
// a process that was killed between mkdir and sync leaves a folder that the
// next power loss would take, with all that was put into it since. It fails
// with [syscall.ENOTDIR] where a file stands in the way.
func MkdirAll(fsys FS, path string, perm fs.FileMode) error {
	path = filepath.Clean(path)
	parent := filepath.Dir(path)
	if parent == path {
		return nil
	}
	info, err := fsys.Stat(path)
	if err == nil && !info.IsDir() {
		return &fs.PathError{Op: "mkdir", Path: path, Err: syscall.ENOTDIR}
	}
	existed := err == nil
	if err := MkdirAll(fsys, parent, perm); err != nil {
		return err
	}
	if !existed {
		if err := fsys.Mkdir(path, perm); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	err = fsys.SyncDir(parent)
	if existed && cannotSync(err) {
		// A folder that stood before, in a parent that we may pass through
		// but neither list nor, so, sync: not ours to make durable.
		return nil
	}
	if err != nil {
		return fmt.Errorf("make folder %s: sync its parent: %w", path, err)
	}
	return nil
}

func cannotSync(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported)
}
