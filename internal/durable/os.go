package durable

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// OS is the real file system. It also implements [Immutable].
var OS FS = osFS{}

type osFS struct{}

func (osFS) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return Guard(osFile{f}), nil
}

func (osFS) Mkdir(name string, perm fs.FileMode) error  { return os.Mkdir(name, perm) }
func (osFS) Rename(oldName, newName string) error       { return os.Rename(oldName, newName) }
func (osFS) Link(oldName, newName string) error         { return os.Link(oldName, newName) }
func (osFS) Remove(name string) error                   { return os.Remove(name) }
func (osFS) ReadDir(name string) ([]fs.DirEntry, error) { return os.ReadDir(name) }
func (osFS) Lstat(name string) (fs.FileInfo, error)     { return os.Lstat(name) }
func (osFS) Stat(name string) (fs.FileInfo, error)      { return os.Stat(name) }
func (osFS) Truncate(name string, size int64) error     { return os.Truncate(name, size) }
func (osFS) Lock(name string) (io.Closer, error)        { return lockFile(name) }

func (osFS) RenameNoReplace(oldName, newName string) error {
	if err := renameNoReplace(oldName, newName); err != nil {
		return &os.LinkError{Op: "rename", Old: oldName, New: newName, Err: err}
	}
	return nil
}

func (osFS) SetImmutable(name string, on bool) error {
	if err := setImmutable(name, on); err != nil {
		return &fs.PathError{Op: "set immutable attribute", Path: name, Err: err}
	}
	return nil
}

func (osFS) IsImmutable(name string) (bool, error) {
	on, err := isImmutable(name)
	if err != nil {
		return false, &fs.PathError{Op: "read immutable attribute", Path: name, Err: err}
	}
	return on, nil
}

func (osFS) SyncDir(name string) error {
	d, err := openDir(name)
	if err != nil {
		return err
	}
	// A folder is synced whole: fdatasync need not write its entries on
	// every file system.
	return errors.Join(syncDir(d), d.Close())
}

type osFile struct{ *os.File }

func (f osFile) Sync() error {
	if err := syncData(f.File); err != nil {
		return &fs.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
	}
	return nil
}
