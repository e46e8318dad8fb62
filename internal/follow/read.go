package follow

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/otelcol-custody/custody/internal/contents"
)

// errChanged means the file changed while it was being read.
var errChanged = errors.New("file changed while it was read")

// A handle is an open file.
type handle interface {
	io.ReadCloser
	Stat() (fs.FileInfo, error)
}

// readStored reads the file at path, which must look like want before and after.
func (f *Follower) readStored(ctx context.Context, root *os.Root, path string, want fingerprint) (contents.Stored, error) {
	file, err := f.openFile(root, path)
	if errors.Is(err, fs.ErrNotExist) {
		return contents.Stored{}, errChanged // removed since the scan
	}
	if err != nil {
		return contents.Stored{}, fmt.Errorf("cannot be read (check that the collector's user may read it): %w", err)
	}
	defer file.Close()
	if err := looksLike(file, want); err != nil {
		return contents.Stored{}, err
	}
	got, err := drain(ctx, file, want.Size, f.cfg.MaxInflated)
	if err != nil {
		return contents.Stored{}, err
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
func drain(ctx context.Context, r io.Reader, size, limit int64) (contents.Stored, error) {
	got := contents.Stored{Size: size}
	if size <= limit {
		got.Data = make([]byte, 0, size)
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
			got.Data = append(got.Data, chunk[:n]...)
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
	hash.Sum(got.Digest[:0])
	return got, nil
}
