// Package durable keeps files that survive power loss.
//
// A write is durable only after its file was synced, and a name only after
// the folder that holds it was synced. The functions of this package do the
// system calls in that order and name the one that failed. They work on an
// [FS], so that tests can make every call fail and cut the power after it
// (package durabletest).
package durable

import (
	"errors"
	"io"
	"io/fs"
)

// FS is the part of a file system that durable files need. Each method is one
// system call, so a fault can be placed between any two of them. Names are
// paths as the operating system takes them. Errors satisfy errors.Is with
// [fs.ErrExist], [fs.ErrNotExist], [fs.ErrPermission] and system error
// numbers. Implementations may be used by many goroutines.
type FS interface {
	// OpenFile opens a file as [os.OpenFile] does; O_CREATE|O_EXCL creates
	// it only if the name is free. The new name is durable after SyncDir.
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)
	// Mkdir makes one folder; the name is durable after SyncDir of its parent.
	Mkdir(name string, perm fs.FileMode) error
	// Rename replaces newName in one step.
	Rename(oldName, newName string) error
	// RenameNoReplace renames in one step and fails with [fs.ErrExist] if
	// newName is taken, or with [errors.ErrUnsupported].
	RenameNoReplace(oldName, newName string) error
	// Link gives a file a second name and fails with [fs.ErrExist] if
	// newName is taken.
	Link(oldName, newName string) error
	// Remove removes a file or an empty folder.
	Remove(name string) error
	// ReadDir lists a folder in byte order of names.
	ReadDir(name string) ([]fs.DirEntry, error)
	// SyncDir makes a folder's names durable.
	SyncDir(name string) error
	// Lstat describes a name and does not follow a symbolic link.
	Lstat(name string) (fs.FileInfo, error)
	// Stat describes a name and follows symbolic links.
	Stat(name string) (fs.FileInfo, error)
	// Truncate sets a file's size; durable after the file is synced.
	Truncate(name string, size int64) error
	// Lock takes an exclusive lock without waiting; see [Lock].
	Lock(name string) (io.Closer, error)
}

// File is an open file. After a failed Sync every method but Close returns
// the same error, wrapped in [ErrFailed]: the kernel may have dropped the
// unwritten pages and marked them clean, so a second Sync would succeed
// without having written anything.
type File interface {
	io.Reader
	io.ReaderAt
	io.Writer
	io.WriterAt
	io.Seeker
	io.Closer
	Name() string
	Stat() (fs.FileInfo, error)
	// Sync makes the file's content and size durable (fdatasync). It says
	// nothing about the file's name: see [FS.SyncDir].
	Sync() error
	Truncate(size int64) error
}

// ErrFailed means that this file could not be synced and must not be used
// again. Write its content to a new file.
var ErrFailed = errors.New("file is unusable after a failed sync; its content must go to a new file")

// Immutable is implemented by an FS that can protect a file from everybody,
// its owner and root included, until the mark is taken off again.
type Immutable interface {
	// SetImmutable puts the mark on or takes it off. It fails with
	// [fs.ErrPermission] without the privilege and [errors.ErrUnsupported]
	// where the file system has no such mark.
	SetImmutable(name string, on bool) error
	// IsImmutable reports whether the mark is on.
	IsImmutable(name string) (bool, error)
}
