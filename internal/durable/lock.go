package durable

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// ErrLocked means that somebody else holds the lock.
var ErrLocked = errors.New("locked")

// LockedError says who holds a lock. It unwraps to [ErrLocked].
type LockedError struct {
	Path string
	PID  int // 0 if unknown
}

func (e *LockedError) Error() string {
	switch {
	case e.PID == 0:
		return fmt.Sprintf("%s is locked by another process; stop it, or give each process a directory of its own", e.Path)
	case e.PID == os.Getpid():
		return fmt.Sprintf("%s is locked by this process (pid %d): another component uses the same directory; use one component for all, or give each a directory of its own", e.Path, e.PID)
	default:
		return fmt.Sprintf("%s is locked by process %d; stop it, or give each process a directory of its own", e.Path, e.PID)
	}
}

func (e *LockedError) Unwrap() error { return ErrLocked }

// Lock takes an exclusive lock on the file at path, made if it is missing,
// without waiting. A second Lock fails with a [*LockedError], also within one
// process, until the first is closed; so a component can be started again
// after it was closed. The lock ends with the process, however it ends. The
// file itself stays: removing it would let two holders lock two files of one
// name. It works on local file systems and on NFS version 4.
func Lock(path string) (io.Closer, error) { return OS.Lock(path) }
