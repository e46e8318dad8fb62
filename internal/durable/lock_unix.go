//go:build unix

package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// lockTries bounds the retries when others remove the lock file meanwhile.
const lockTries = 16

func lockFile(path string) (io.Closer, error) {
	for range lockTries {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			return nil, err
		}
		ok, err := takeLock(f, path)
		if err == nil && ok {
			return f, nil
		}
		f.Close()
		if err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("lock %s: the file is replaced again and again; see who removes it", path)
}

// takeLock reports false if path names another file by the time that the lock
// is held: somebody removed it in between.
func takeLock(f *os.File, path string) (bool, error) {
	// flock belongs to the open file, not to the process as fcntl's locks
	// do, so that it also keeps out a second opener in this process.
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, &LockedError{Path: path, PID: holder(f)}
	}
	if err != nil {
		return false, &fs.PathError{Op: "flock", Path: path, Err: err}
	}
	held, err := f.Stat()
	if err != nil {
		return false, err
	}
	if named, err := os.Stat(path); err != nil || !os.SameFile(held, named) {
		return false, nil
	}
	// The number is a hint for the next opener's message; the lock holds
	// without it, on a full disk too.
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return true, nil
}

func holder(f *os.File) int {
	b := make([]byte, 32)
	n, _ := f.ReadAt(b, 0)
	pid, err := strconv.Atoi(strings.TrimSpace(string(b[:n])))
	if err != nil || pid < 1 {
		return 0
	}
	return pid
}
