package durabletest

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// handle is an open file.
type handle struct {
	fs     *FS
	node   *node
	name   string
	flag   int
	pos    int64 // guarded by fs.mu
	closed bool  // guarded by fs.mu
}

func (h *handle) Name() string { return h.name }

func (h *handle) do(op Op, apply func() error) error {
	return h.fs.do(Call{Op: op, Name: h.name}, func() error {
		if h.closed {
			return fs.ErrClosed
		}
		return apply()
	})
}

func (h *handle) Read(p []byte) (n int, err error) {
	err = h.do(OpRead, func() error {
		n, err = h.readAt(p, h.pos)
		h.pos += int64(n)
		return nil
	})
	return n, h.eof(err, n, len(p), false)
}

func (h *handle) ReadAt(p []byte, off int64) (n int, err error) {
	err = h.do(OpRead, func() error {
		n, err = h.readAt(p, off)
		return err
	})
	return n, h.eof(err, n, len(p), true)
}

func (h *handle) readAt(p []byte, off int64) (int, error) {
	switch {
	case h.node.mode.IsDir():
		return 0, syscall.EISDIR
	case h.flag&os.O_WRONLY != 0:
		return 0, syscall.EBADF
	case off < 0:
		return 0, syscall.EINVAL
	case off >= int64(len(h.node.data)):
		return 0, nil
	}
	return copy(p, h.node.data[off:]), nil
}

func (h *handle) eof(err error, n, want int, all bool) error {
	if err == nil && want > 0 && (n == 0 || all && n < want) {
		return io.EOF
	}
	return err
}

func (h *handle) Write(p []byte) (int, error) {
	return h.write(p, func(n int) int64 {
		if h.flag&os.O_APPEND != 0 {
			h.pos = int64(len(h.node.data))
		}
		h.pos += int64(n)
		return h.pos - int64(n)
	})
}

func (h *handle) WriteAt(p []byte, off int64) (int, error) {
	return h.write(p, func(int) int64 { return off })
}

// write puts p where place says, which is told how many bytes are written.
func (h *handle) write(p []byte, place func(n int) int64) (n int, err error) {
	put := func(p []byte) error {
		if h.closed {
			return fs.ErrClosed
		}
		if h.flag&(os.O_WRONLY|os.O_RDWR) == 0 {
			return syscall.EBADF
		}
		off := place(len(p))
		if off < 0 {
			return syscall.EINVAL
		}
		h.node.put(write{off: off, data: append([]byte{}, p...)})
		h.node.modified = time.Now()
		n = len(p)
		return nil
	}
	err = h.fs.doTorn(Call{Op: OpWrite, Name: h.name, Bytes: len(p)},
		func() error { return put(p) },
		func() error { return put(p[:len(p)/2]) })
	return n, err
}

func (h *handle) Sync() error {
	return h.fs.doSync(Call{Op: OpSync, Name: h.name}, h)
}

func (h *handle) Seek(offset int64, whence int) (pos int64, err error) {
	err = h.do(OpSeek, func() error {
		switch whence {
		case io.SeekCurrent:
			offset += h.pos
		case io.SeekEnd:
			offset += int64(len(h.node.data))
		}
		if offset < 0 {
			return syscall.EINVAL
		}
		h.pos, pos = offset, offset
		return nil
	})
	return pos, err
}

func (h *handle) Truncate(size int64) error {
	return h.do(OpTruncate, func() error {
		if h.flag&(os.O_WRONLY|os.O_RDWR) == 0 || size < 0 {
			return syscall.EINVAL
		}
		h.node.put(write{off: size})
		return nil
	})
}

func (h *handle) Stat() (st fs.FileInfo, err error) {
	err = h.do(OpStat, func() error {
		st = h.node.info(filepath.Base(h.name))
		return nil
	})
	return st, err
}

func (h *handle) Close() error {
	return h.do(OpClose, func() error {
		h.closed = true
		return nil
	})
}
