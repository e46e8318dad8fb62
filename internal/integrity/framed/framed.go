// Package framed keeps append-only files of checksummed frames, one on a line:
//
//	custody-incidents/1
//	5f1c… {"…"}
//
// Each line's checksum covers the lines before it, so a line that was changed,
// removed or moved shows. A line that is torn is told from damage: it can only be
// the last.
package framed

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/otelcol-custody/custody/internal/durable"
)

// MaxFrame is the longest frame in bytes: an incident with its evidence.
const MaxFrame = 1 << 20

// ErrDamaged means that a file's bytes are not what was written. A failed read
// is never ErrDamaged.
var ErrDamaged = errors.New("damaged")

// A DamagedError says where. It unwraps to [ErrDamaged].
type DamagedError struct {
	Path string
	Line int // 1 is the first
	Why  string
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("%s is damaged: line %d %s", e.Path, e.Line, e.Why)
}

func (e *DamagedError) Unwrap() error { return ErrDamaged }

// A File is open for appending. One goroutine uses it at a time.
type File struct {
	fsys  durable.FS
	path  string
	title string

	f    durable.File // nil: not usable until Rewrite
	sum  [sha256.Size]byte
	size int64
}

// Open opens the file at path, made if it is missing, whose first line is title,
// and gives each frame to take, in order; the frame is valid until take returns.
// A torn last line is left out. After a [DamagedError], or an error of take, the
// frames before it have been given; the file is returned all the same and is as
// usable as after a failed Append. With any other error there is no file.
func Open(fsys durable.FS, path, title string, take func(frame []byte) error) (*File, error) {
	o := &File{fsys: fsys, path: path, title: title}
	in, err := fsys.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return o, o.Rewrite(func(func([]byte) bool) {})
	}
	if err != nil {
		return nil, err
	}
	r := newReader(in, title)
	err = r.each(take)
	if r.failed {
		_ = in.Close() // the read's error is the one to report
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if d := (*DamagedError)(nil); errors.As(err, &d) && d.Path == "" {
		d.Path = path
	}
	if err != nil || r.torn {
		return o, errors.Join(err, in.Close())
	}
	o.f, o.sum, o.size = in, r.sum, r.size
	return o, nil
}

// Usable says whether frames can be appended. If not, the last write failed or
// the last line is torn, and [File.Rewrite] mends it.
func (o *File) Usable() bool { return o.f != nil }

// Size is that of the file in bytes.
func (o *File) Size() int64 { return o.size }

// Append adds a frame, which has no line feed and is not longer than MaxFrame,
// and returns once it is durable. After an error the file is not usable.
func (o *File) Append(frame []byte) error {
	if o.f == nil {
		return fmt.Errorf("append to %s: not usable since a write failed", o.path)
	}
	sum := next(o.sum, frame)
	b := appendLine(nil, sum, frame)
	_, err := o.f.WriteAt(b, o.size)
	if err == nil {
		// Commit point. Before: a crash may leave a torn line, which is dropped.
		err = o.f.Sync()
	}
	if err != nil {
		_ = o.f.Close() // the write's error is the one to report
		o.f = nil
		return fmt.Errorf("append to %s: %w", o.path, err)
	}
	o.sum, o.size = sum, o.size+int64(len(b))
	return nil
}

// Rewrite replaces the file by one that holds just these frames, in one step.
// After an error the file holds either the old or the new frames, and is not
// usable.
func (o *File) Rewrite(frames iter.Seq[[]byte]) error {
	_ = o.Close() // its content is replaced
	b := append([]byte(o.title), '\n')
	sum := first(o.title)
	for frame := range frames {
		sum = next(sum, frame)
		b = appendLine(b, sum, frame)
	}
	if err := durable.WriteFile(o.fsys, o.path, b, 0o600); err != nil {
		return err
	}
	f, err := o.fsys.OpenFile(o.path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	o.f, o.sum, o.size = f, sum, int64(len(b))
	return nil
}

// Close closes the file; what was appended is durable already.
func (o *File) Close() error {
	if o.f == nil {
		return nil
	}
	f := o.f
	o.f = nil
	return f.Close()
}

// Keep gives the file at path a second name, which it returns, so that its
// content stays when the file is rewritten.
func Keep(fsys durable.FS, path string, now time.Time) (string, error) {
	base := path + ".damaged-" + now.UTC().Format("20060102T150405Z")
	to := base
	for n := 1; ; n++ {
		err := fsys.Link(path, to)
		if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EPERM) {
			err = duplicate(fsys, path, to) // no hard links here
		}
		if errors.Is(err, fs.ErrExist) && n < 1000 {
			to = fmt.Sprintf("%s-%d", base, n)
			continue
		}
		if err != nil {
			return "", err
		}
		return to, fsys.SyncDir(filepath.Dir(path))
	}
}

func duplicate(fsys durable.FS, path, to string) error {
	in, err := fsys.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	b, err := io.ReadAll(in)
	if err = errors.Join(err, in.Close()); err != nil {
		return err
	}
	return durable.CreateOnly(fsys, to, b, 0o600)
}

const sumLen = 32 // hex digits: 128 bits of the checksum

func first(title string) [sha256.Size]byte { return sha256.Sum256([]byte(title)) }

func next(sum [sha256.Size]byte, frame []byte) [sha256.Size]byte {
	h := sha256.New()
	h.Write(sum[:])
	h.Write(frame)
	return [sha256.Size]byte(h.Sum(nil))
}

func appendLine(b []byte, sum [sha256.Size]byte, frame []byte) []byte {
	if len(frame) > MaxFrame || bytes.IndexByte(frame, '\n') >= 0 {
		panic("framed: a frame is too long or has a line feed")
	}
	b = hex.AppendEncode(b, sum[:sumLen/2])
	b = append(append(b, ' '), frame...)
	return append(b, '\n')
}
