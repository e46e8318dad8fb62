package follow

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/klauspost/compress/gzip"
)

// errChanged means the file changed while it was being read.
var errChanged = errors.New("file changed while it was read")

// A handle is an open file.
type handle interface {
	io.ReadCloser
	Stat() (fs.FileInfo, error)
}

// A stored is what lies in one file.
type stored struct {
	digest [32]byte
	size   int64
	data   []byte // nil when size is over the limit
}

// readStored reads the file at path, which must look like want before and after.
func (f *Follower) readStored(ctx context.Context, root *os.Root, path string, want fingerprint) (stored, error) {
	file, err := f.openFile(root, path)
	if errors.Is(err, fs.ErrNotExist) {
		return stored{}, errChanged // removed since the scan
	}
	if err != nil {
		return stored{}, fmt.Errorf("cannot be read (check that the collector's user may read it): %w", err)
	}
	defer file.Close()
	if err := looksLike(file, want); err != nil {
		return stored{}, err
	}
	got, err := drain(ctx, file, want.Size, f.cfg.MaxInflated)
	if err != nil {
		return stored{}, err
	}
	return got, looksLike(file, want)
}

func looksLike(file handle, want fingerprint) error {
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("cannot be looked at: %w", err)
	}
	if !info.Mode().IsRegular() || fingerprintOf(info) != want {
		return errChanged
	}
	return nil
}

// drain reads r to its end, which must come after size bytes, and keeps the bytes
// unless they are more than limit.
func drain(ctx context.Context, r io.Reader, size, limit int64) (stored, error) {
	got := stored{size: size}
	if size <= limit {
		got.data = make([]byte, 0, size)
	}
	hash := sha256.New()
	chunk := make([]byte, min(size+1, readChunk))
	var total int64
	for {
		if err := ctx.Err(); err != nil {
			return got, err
		}
		n, err := r.Read(chunk)
		hash.Write(chunk[:n])
		total += int64(n)
		if total > size {
			return got, errChanged
		}
		if size <= limit {
			got.data = append(got.data, chunk[:n]...)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return got, fmt.Errorf("cannot be read: %w", err)
		}
	}
	if total != size {
		return got, errChanged
	}
	hash.Sum(got.digest[:0])
	return got, nil
}

// inflate returns the content of a stored file, and why it is not the whole. It goes
// by the first bytes and not by the name: tools that download may have unpacked a
// file and kept its name.
func inflate(s stored, limit int64) (data []byte, fault error) {
	if s.size > limit {
		return nil, fmt.Errorf("%w of %d bytes: %d bytes stored", ErrTooLarge, limit, s.size)
	}
	if len(s.data) == 0 {
		return nil, fmt.Errorf("%w: it is empty", ErrIncomplete)
	}
	if !bytes.HasPrefix(s.data, []byte{0x1f, 0x8b}) && !bytes.Equal(s.data, []byte{0x1f}) {
		return s.data, nil
	}
	data, err := gunzip(s.data, limit)
	switch {
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("%w of %d bytes when inflated", ErrTooLarge, limit)
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return data, fmt.Errorf("%w: gzip stream of %d bytes breaks off after %d inflated bytes", ErrIncomplete, s.size, len(data))
	case err != nil:
		return data, fmt.Errorf("%w after %d inflated bytes: %w", ErrCorrupt, len(data), err)
	}
	return data, nil
}

// gunzip inflates every member of a gzip stream, at most one byte more than limit.
func gunzip(packed []byte, limit int64) ([]byte, error) {
	zr, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	// CloudTrail files shrink to a tenth or so; a wrong guess only costs a copy.
	out.Grow(int(min(limit, 8*int64(len(packed)))))
	_, err = out.ReadFrom(io.LimitReader(zr, limit+1))
	return out.Bytes(), err
}
