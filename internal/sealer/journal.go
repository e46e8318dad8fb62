package sealer

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// journal is the file that the open segment's records go to. Only the log's
// owner uses it.
type journal struct {
	header   journalHeader
	path     string
	file     durable.File
	mark     durable.File // the watermark: the last frame that was answered
	sequence uint64       // of the last frame written
	written  int64
	buf      []byte
}

func journalPath(dir string, first uint64) string {
	return filepath.Join(dir, journalDir, fmt.Sprintf("%020d.journal", first))
}

func markPath(journal string) string { return journal + ".mark" }

// newHeader draws a file id and a seed.
func newHeader(origin string, first uint64, previous tree.Hash) journalHeader {
	h := journalHeader{origin: origin, first: first, previous: previous}
	// rand.Read never fails (crypto/rand).
	_, _ = rand.Read(h.file[:])
	_, _ = rand.Read(h.seed[:])
	return h
}

// createJournal makes the file for h, replacing what is there, with groups as
// its first frames, the last of them the closing one if closed, and returns once
// all of it is durable. So it also gives the content of a file that could not be
// synced a new place.
func createJournal(fsys durable.FS, dir string, h journalHeader, groups []group, closed bool) (*journal, error) {
	j := &journal{header: h, path: journalPath(dir, h.first)}
	content := h.frame()
	for i := range groups {
		j.sequence++
		kind := byte(kindGroup)
		if closed && i == len(groups)-1 {
			kind = kindClosing
		}
		content = appendFrame(content, kind, h.file, j.sequence, &groups[i])
	}
	// The old watermark speaks of the old file's id; it means nothing for the new.
	if err := durable.WriteFile(fsys, j.path, content, 0o600); err != nil {
		return nil, err
	}
	j.written = int64(len(content))
	if err := j.open(fsys); err != nil {
		return nil, err
	}
	if len(groups) == 0 {
		return j, nil
	}
	// None of these may go any more.
	if err := j.answering(); err != nil {
		return nil, errors.Join(err, j.close())
	}
	return j, nil
}

func (j *journal) open(fsys durable.FS) (err error) {
	if j.file, err = fsys.OpenFile(j.path, os.O_RDWR, 0); err != nil {
		return err
	}
	if _, err = j.file.Seek(j.written, io.SeekStart); err == nil {
		j.mark, err = fsys.OpenFile(markPath(j.path), os.O_RDWR|os.O_CREATE, 0o600)
	}
	if err != nil {
		return errors.Join(err, j.file.Close())
	}
	return nil
}

// write appends a frame that holds these runs. It is durable after sync.
func (j *journal) write(kind byte, runs ...*group) error {
	j.sequence++
	j.buf = appendFrame(j.buf[:0], kind, j.header.file, j.sequence, runs...)
	n, err := j.file.Write(j.buf)
	j.written += int64(n)
	if err != nil {
		return fmt.Errorf("write journal %s: %w", j.path, err)
	}
	return nil
}

// sync makes all frames durable.
func (j *journal) sync() error {
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("sync journal %s: %w", j.path, err)
	}
	return nil
}

const markSize = len(fileID{}) + 8 + 4

// answering notes that the last frame is about to be answered. It is not
// synced: when the machine stops, the frame before it was; when the process
// stops, the kernel still has it.
func (j *journal) answering() error {
	b := make([]byte, 0, markSize)
	b = append(b, j.header.file[:]...)
	b = binary.BigEndian.AppendUint64(b, j.sequence)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	if _, err := j.mark.WriteAt(b, 0); err != nil {
		return fmt.Errorf("write watermark %s: %w", markPath(j.path), err)
	}
	return nil
}

func (j *journal) close() error { return errors.Join(j.file.Close(), j.mark.Close()) }

// contents are a journal file's good frames.
type contents struct {
	header journalHeader
	groups []group
	closed bool // the last group is the closing one
	size   int64
}

// ErrDamaged means that a file of the state directory is not as it was written.
var ErrDamaged = errors.New("state is damaged")

// readJournal reads a journal file. It drops a bad last frame only if that was
// never answered; anything else that is bad is [ErrDamaged]. A watermark is the
// witness of the last frame alone: without one, damage to the last frame looks
// like a write that a crash cut short.
func readJournal(fsys durable.FS, path string) (*contents, error) {
	b, err := readFile(fsys, path)
	if err != nil {
		return nil, err
	}
	answered, err := readMark(fsys, path)
	if err != nil {
		return nil, err
	}
	f, n, err := parseFrame(b)
	if err != nil || f.kind != kindHeader {
		return nil, damaged(path, fmt.Errorf("its header: %w", errOr(err)))
	}
	c := &contents{header: f.header, size: int64(n)}
	for sequence := uint64(1); c.size < int64(len(b)); sequence++ {
		if c.closed {
			return nil, damaged(path, errors.New("bytes follow the frame that closed it"))
		}
		f, n, err := parseFrame(b[c.size:])
		if err == nil && (f.file != c.header.file || f.sequence != sequence || f.kind == kindHeader) {
			err = fmt.Errorf("%w: it is not the one that belongs here", errFrame)
		}
		if err != nil {
			if err := c.dropLast(b[c.size:], sequence, answered, path, err); err != nil {
				return nil, err
			}
			return c, nil
		}
		c.groups = append(c.groups, f.group)
		c.closed = f.kind == kindClosing
		c.size += int64(n)
	}
	if last := uint64(len(c.groups)); answered.file == c.header.file && answered.sequence > last {
		return nil, damaged(path, fmt.Errorf("it ends with frame %d, yet frame %d was answered", last, answered.sequence))
	}
	return c, nil
}

// dropLast decides about a bad frame: it may go if nothing good can follow it
// and no caller was answered for it.
func (c *contents) dropLast(rest []byte, sequence uint64, answered mark, path string, cause error) error {
	if answered.file == c.header.file && answered.sequence >= sequence {
		return damaged(path, fmt.Errorf("frame %d, which was answered: %w", sequence, cause))
	}
	for i := 0; i+frameHead+frameTail <= len(rest); i++ {
		next := bytes.Index(rest[i:], []byte(frameMagic))
		if next < 0 {
			break
		}
		i += next
		if f, _, err := parseFrame(rest[i:]); err == nil && f.file == c.header.file {
			return damaged(path, fmt.Errorf("frame %d is bad and a good one, number %d, stands behind it: %w", sequence, f.sequence, cause))
		}
	}
	return nil
}

type mark struct {
	file     fileID
	sequence uint64
}

// readMark reads the watermark. It was never synced, so a missing or torn one
// says nothing; the power failed before anybody relied on it.
func readMark(fsys durable.FS, path string) (m mark, err error) {
	b, err := readFile(fsys, markPath(path))
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	m, _ = parseMark(b)
	return m, nil
}

func parseMark(b []byte) (m mark, ok bool) {
	if len(b) != markSize || crc32.ChecksumIEEE(b[:markSize-4]) != binary.BigEndian.Uint32(b[markSize-4:]) {
		return m, false
	}
	copy(m.file[:], b)
	m.sequence = binary.BigEndian.Uint64(b[len(m.file):])
	return m, true
}

// damagedError is an [ErrDamaged] that names the file.
type damagedError struct {
	path  string
	cause error
}

func damaged(path string, cause error) error { return &damagedError{path, cause} }

func (e *damagedError) Error() string {
	return fmt.Sprintf("%v: %s: %v. Nothing was changed. Copy the state directory; if the file cannot be put back, otelcol-custody recover --config FILE --log NAME --dry-run says what can be saved. docs/operations.md, \"Damaged or lost state\", says more", ErrDamaged, e.path, e.cause)
}

func (e *damagedError) Unwrap() []error { return []error{ErrDamaged, e.cause} }

func errOr(err error) error {
	if err == nil {
		return errFrame
	}
	return err
}

func readFile(fsys durable.FS, path string) ([]byte, error) {
	f, err := fsys.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	// Room for the file, and for the read that finds its end.
	b := bytes.NewBuffer(make([]byte, 0, info.Size()+bytes.MinRead))
	_, err = b.ReadFrom(f)
	return b.Bytes(), errors.Join(err, f.Close())
}
