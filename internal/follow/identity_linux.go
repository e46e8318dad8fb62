package follow

import (
	"io/fs"
	"syscall"
)

func identity(info fs.FileInfo) (ctime int64, inode uint64) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0
	}
	return st.Ctim.Nano(), st.Ino
}

// openFlags keep a named pipe that took a file's place from blocking the open.
const openFlags = syscall.O_RDONLY | syscall.O_NONBLOCK
