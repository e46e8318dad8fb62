package durable

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// immutableFlag is FS_IMMUTABLE_FL of linux/fs.h, which x/sys lacks.
const immutableFlag = 0x10

func openDir(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_RDONLY|unix.O_DIRECTORY, 0)
}

func syncDir(d *os.File) error { return d.Sync() }

func syncData(f *os.File) error {
	defer runtime.KeepAlive(f)
	fd := int(f.Fd())
	for {
		err := unix.Fdatasync(fd)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func renameNoReplace(oldName, newName string) error {
	err := unix.Renameat2(unix.AT_FDCWD, oldName, unix.AT_FDCWD, newName, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		return fmt.Errorf("%w: %w", errors.ErrUnsupported, err)
	}
	return err
}

func setImmutable(name string, on bool) error {
	return withFlags(name, func(fd int, flags uint32) error {
		want := flags | immutableFlag
		if !on {
			want = flags &^ immutableFlag
		}
		if want == flags {
			return nil
		}
		return noFlags(unix.IoctlSetPointerInt(fd, unix.FS_IOC_SETFLAGS, int(want)))
	})
}

func isImmutable(name string) (bool, error) {
	var on bool
	err := withFlags(name, func(_ int, flags uint32) error {
		on = flags&immutableFlag != 0
		return nil
	})
	return on, err
}

func withFlags(name string, use func(fd int, flags uint32) error) error {
	// Neither follow a link nor wait for a pipe's other end.
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	flags, err := unix.IoctlGetUint32(int(f.Fd()), unix.FS_IOC_GETFLAGS)
	if err != nil {
		return noFlags(err)
	}
	return use(int(f.Fd()), flags)
}

// noFlags marks the answers of file systems that know no such attribute.
func noFlags(err error) error {
	for _, no := range []error{unix.ENOTTY, unix.EOPNOTSUPP, unix.ENOSYS, unix.EINVAL} {
		if errors.Is(err, no) {
			return fmt.Errorf("%w by this file system: %w", errors.ErrUnsupported, err)
		}
	}
	return err
}
