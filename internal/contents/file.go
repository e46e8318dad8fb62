package contents

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/klauspost/compress/gzip"
)

// Why a file's content is not the whole of it.
var (
	// ErrTooLarge means the content is larger than the limit. Nothing of it is given.
	ErrTooLarge = errors.New("content is larger than the limit")
	// ErrIncomplete means the file ends too early. What there is is given.
	ErrIncomplete = errors.New("file ends too early")
	// ErrCorrupt means the compressed data is damaged. What came before the damage
	// was noticed is given.
	ErrCorrupt = errors.New("compressed data is damaged")
)

// ErrParked is wrapped by an error of [Handler.Deliver] that no retry can mend.
var ErrParked = errors.New("not tried again before a restart")

// Window is the largest inflated content, in bytes, that is held in memory. A larger one
// is inflated as it is read, as often as it is.
const Window = 16 << 20

// Stored is what lies in one file, as it lies there.
type Stored struct {
	Digest [32]byte // SHA-256
	Size   int64    // bytes
	Data   []byte   // may be nil when Size is over the limit of what is to be read
}

// A File is one file's content on its way to the handler.
type File struct {
	Path     string   // where it was found
	Digest   [32]byte // SHA-256 of the stored bytes
	Size     int64    // of the stored bytes
	Inflated [32]byte // SHA-256 of the inflated content; of as much as there is, if there is a Fault
	Fault    error    // nil, or why the content is not the whole
	Acked    int      // records of this content that were acknowledged before
	// Repeat says that the records from Acked on, one batch at most, may have been
	// acknowledged by a process that died before it could remember.
	Repeat bool

	Data   []byte // inflated content; nil for one larger than Window, and for none
	packed []byte // stored bytes of such a one
	length int64  // inflated
}

// Open returns the inflated content from its start. Reading gives what there is, and no
// error: Fault has said what is missing.
func (f *File) Open() io.Reader {
	if f.packed == nil {
		return bytes.NewReader(f.Data)
	}
	zr, err := gzip.NewReader(bytes.NewReader(f.packed))
	if err != nil {
		panic("contents: gzip stream cannot be opened again: " + err.Error())
	}
	return &whatThereIs{io.LimitReader(zr, f.length)}
}

// whatThereIs ends where its reader fails.
type whatThereIs struct{ r io.Reader }

func (w *whatThereIs) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err != nil {
		err = io.EOF
	}
	return n, err
}

// Streamed reports whether the content is too large to be held in Data.
func (f *File) Streamed() bool { return f.packed != nil }

// Inflate returns what is stored as a file of which at most limit bytes are read.
func Inflate(s Stored, limit int64) *File {
	f := &File{}
	f.inflate(s, limit)
	return f
}

// inflate fills f from what is stored, at most limit bytes of it. It goes by the first
// bytes and not by the name: tools that download may have unpacked a file and kept its
// name.
func (f *File) inflate(s Stored, limit int64) {
	f.Digest, f.Size = s.Digest, s.Size
	switch {
	case s.Size > limit:
		f.Fault = fmt.Errorf("%w of %d bytes: %d bytes stored", ErrTooLarge, limit, s.Size)
	case len(s.Data) == 0:
		f.Fault = fmt.Errorf("%w: it is empty", ErrIncomplete)
	case !bytes.HasPrefix(s.Data, []byte{0x1f, 0x8b}) && !bytes.Equal(s.Data, []byte{0x1f}):
		f.Data, f.Inflated = s.Data, sha256.Sum256(s.Data)
	default:
		f.gunzip(s.Data, limit)
	}
}

// gunzip inflates every member of a gzip stream: up to the window into memory, the rest,
// up to limit, only to know what it is.
func (f *File) gunzip(packed []byte, limit int64) {
	sum := sha256.New()
	head, err := f.inflateAll(packed, limit, sum)
	switch {
	case f.length > limit:
		f.Fault = fmt.Errorf("%w of %d bytes when inflated", ErrTooLarge, limit)
		f.length = 0
		return
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		f.Fault = fmt.Errorf("%w: gzip stream of %d bytes breaks off after %d inflated bytes", ErrIncomplete, len(packed), f.length)
	case err != nil:
		f.Fault = fmt.Errorf("%w after %d inflated bytes: %w", ErrCorrupt, f.length, err)
	}
	sum.Sum(f.Inflated[:0])
	if f.length > Window {
		f.packed = packed
		return
	}
	f.Data = head
}

// inflateAll reads to the end or to one byte more than limit. It returns the beginning,
// up to one byte more than the window, and sets length.
func (f *File) inflateAll(packed []byte, limit int64, sum hash.Hash) ([]byte, error) {
	zr, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	content := io.TeeReader(io.LimitReader(zr, limit+1), sum)
	var head bytes.Buffer
	// CloudTrail files shrink to a tenth or so; a wrong guess only costs a copy.
	head.Grow(int(min(limit, Window+1, 8*int64(len(packed)))))
	f.length, err = head.ReadFrom(io.LimitReader(content, Window+1))
	if err != nil || f.length <= Window {
		return head.Bytes(), err
	}
	rest, err := io.Copy(io.Discard, content)
	f.length += rest
	return nil, err
}
