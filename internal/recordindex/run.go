package recordindex

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"sort"

	"github.com/otelcol-custody/custody/internal/durable"
)

const (
	blockBytes = 4096
	sumBytes   = 4
	blockIDs   = (blockBytes - sumBytes) / entryBytes
)

// errDamaged means that bytes of the index are not those that were written. A
// failed read is never errDamaged.
var errDamaged = errors.New("damaged")

// A span is what the manifest says of a run: the ids of the records from one on,
// before another.
type span struct {
	number   uint64 // never given twice under one key
	count    int    // ids
	from, to uint64
}

func (s span) blocks() int { return (s.count + blockIDs - 1) / blockIDs }

// bytes is the size of the run's file: the blocks, of each of them the first
// hash, and the checksum of these.
func (s span) bytes() int64 { return int64(s.blocks())*(blockBytes+hashBytes) + sumBytes }

func (s span) name() string { return fmt.Sprintf("%016x.run", s.number) }

// A run is open for reading.
type run struct {
	span
	file   durable.File
	sums   uint32            // the checksum of key and number, which all of the run's continue
	fences [][hashBytes]byte // the first hash of each block
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (m *manifest) sums(number uint64) uint32 {
	return crc32.Update(0, castagnoli, binary.BigEndian.AppendUint64(m.key[:len(m.key):len(m.key)], number))
}

// sum is the checksum of a block; the fences count as the block behind the last.
func (r *run) sum(block int, b []byte) uint32 {
	return crc32.Update(crc32.Update(r.sums, castagnoli, binary.BigEndian.AppendUint32(nil, uint32(block))), castagnoli, b)
}

// openRun opens a run of the manifest. It is errDamaged if it is missing.
func (x *Index) openRun(s span) (*run, error) {
	path := filepath.Join(x.dir, s.name())
	f, err := x.opt.FS.OpenFile(path, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is missing: %w", path, errDamaged)
	}
	if err != nil {
		return nil, err
	}
	r := &run{span: s, file: f, sums: x.sums(s.number)}
	if err := r.readFences(); err != nil {
		_ = f.Close() // the read's error is the one to report
		return nil, err
	}
	return r, nil
}

func (r *run) readFences() error {
	b := make([]byte, r.blocks()*hashBytes+sumBytes)
	if err := r.readAt(b, int64(r.blocks())*blockBytes, r.blocks()); err != nil {
		return err
	}
	r.fences = make([][hashBytes]byte, r.blocks())
	for i := range r.fences {
		r.fences[i] = [hashBytes]byte(b[i*hashBytes:])
	}
	return nil
}

// readAt reads a block with its checksum. One that is cut off has a wrong one.
func (r *run) readAt(b []byte, off int64, block int) error {
	if _, err := r.file.ReadAt(b, off); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read %s: %w", r.file.Name(), err)
	}
	content, sum := b[:len(b)-sumBytes], binary.BigEndian.Uint32(b[len(b)-sumBytes:])
	if r.sum(block, content) != sum {
		return fmt.Errorf("%s, block %d: %w", r.file.Name(), block, errDamaged)
	}
	return nil
}

// block yields the entries of a block; b holds it.
func (r *run) block(i int, b []byte) ([]byte, error) {
	if err := r.readAt(b, int64(i)*blockBytes, i); err != nil {
		return nil, err
	}
	return b[:min(blockIDs, r.count-i*blockIDs)*entryBytes], nil
}

// find yields the positions with this hash, in order.
func (r *run) find(hash [hashBytes]byte) iter.Seq2[uint64, error] {
	return func(yield func(uint64, error) bool) {
		// Equal ones can begin in the block before the first fence that is not smaller.
		at := sort.Search(len(r.fences), func(i int) bool { return bytes.Compare(r.fences[i][:], hash[:]) >= 0 })
		b := make([]byte, blockBytes)
		for i := max(at-1, 0); i < len(r.fences) && bytes.Compare(r.fences[i][:], hash[:]) <= 0; i++ {
			entries, err := r.block(i, b)
			if err != nil {
				yield(0, err)
				return
			}
			n := len(entries) / entryBytes
			from := sort.Search(n, func(j int) bool { return bytes.Compare(entries[j*entryBytes:][:hashBytes], hash[:]) >= 0 })
			for ; from < n; from++ {
				e := entry(entries[from*entryBytes:])
				if e.hash() != hash {
					return
				}
				if !yield(e.position(), nil) {
					return
				}
			}
		}
	}
}

// all yields every entry in order.
func (r *run) all() iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		b := make([]byte, blockBytes)
		for i := range r.blocks() {
			entries, err := r.block(i, b)
			if err != nil {
				yield(entry{}, err)
				return
			}
			for ; len(entries) > 0; entries = entries[entryBytes:] {
				if !yield(entry(entries), nil) {
					return
				}
			}
		}
	}
}

// values yields entries that are in memory.
func values(sorted []entry) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		for _, e := range sorted {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// writeRun makes a run of sorted entries, which number s.count. Its name is
// durable with the manifest's.
func (x *Index) writeRun(s span, sorted iter.Seq2[entry, error]) (*run, error) {
	path := filepath.Join(x.dir, s.name())
	f, err := x.opt.FS.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	r := &run{span: s, file: f, sums: x.sums(s.number)}
	if err := r.write(sorted); err != nil {
		_ = f.Close()             // the write's error is the one to report
		_ = x.opt.FS.Remove(path) // it is swept at the next start
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	return r, nil
}

func (r *run) write(sorted iter.Seq2[entry, error]) error {
	out := bufio.NewWriterSize(r.file, 64*blockBytes)
	block := make([]byte, 0, blockBytes)
	n := 0
	for e, err := range sorted {
		if err != nil {
			return err
		}
		if len(block) == 0 {
			r.fences = append(r.fences, e.hash())
		}
		block = append(block, e[:]...)
		if n++; n%blockIDs == 0 || n == r.count {
			block = append(block, make([]byte, blockBytes-sumBytes-len(block))...)
			block = binary.BigEndian.AppendUint32(block, r.sum(len(r.fences)-1, block))
			_, _ = out.Write(block) // Flush says what went wrong.
			block = block[:0]
		}
	}
	if n != r.count {
		return fmt.Errorf("%d entries, want %d", n, r.count)
	}
	var fences []byte
	for _, f := range r.fences {
		fences = append(fences, f[:]...)
	}
	_, _ = out.Write(binary.BigEndian.AppendUint32(fences, r.sum(len(r.fences), fences))) // as above
	if err := out.Flush(); err != nil {
		return err
	}
	return r.file.Sync()
}
