package sealer

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// A journal file holds one segment to be: a header frame, group frames, and at
// last a closing frame. All integers are big endian.
//
//	frame   = magic(4) kind(1) file(16) sequence(8) length(4) payload digest(32)
//	header  = first(8) previous(32) seed(32) origin
//	group   = count(4) length(4)×count line×count      closing = group of one line
//
// A line's length includes its line feed. The digest covers all that precedes
// it, with each line replaced by its own digest, so that no line is hashed twice
// on its way in. The file's id binds frames to their file: none can be copied
// over from another.
const (
	frameMagic  = "CJ1\n"
	frameHead   = len(frameMagic) + 1 + len(fileID{}) + 8 + 4
	frameTail   = sha256.Size
	maxPayload  = ledger.MaxLines + 4*ledger.MaxRecords + 4
	kindHeader  = 'H'
	kindGroup   = 'G'
	kindClosing = 'C'
)

type fileID [16]byte

// errFrame means that a frame is cut off or damaged.
var errFrame = errors.New("bad frame")

// journalHeader is what a journal file's first frame says.
type journalHeader struct {
	file     fileID
	first    uint64
	previous tree.Hash
	seed     tree.Seed
	origin   string
}

// appendFrameHead starts a frame.
func appendFrameHead(dst []byte, kind byte, file fileID, sequence uint64, length int) []byte {
	dst = append(dst, frameMagic...)
	dst = append(dst, kind)
	dst = append(dst, file[:]...)
	dst = binary.BigEndian.AppendUint64(dst, sequence)
	return binary.BigEndian.AppendUint32(dst, uint32(length))
}

func (h *journalHeader) frame() []byte {
	payload := binary.BigEndian.AppendUint64(nil, h.first)
	payload = append(payload, h.previous[:]...)
	payload = append(payload, h.seed[:]...)
	payload = append(payload, h.origin...)
	b := append(appendFrameHead(nil, kindHeader, h.file, 0, len(payload)), payload...)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// group is a run of records with the digests of their lines.
type group struct {
	lines   []byte // each ended by a line feed
	lengths []uint32
	digests []tree.Hash
}

func (g *group) count() int { return len(g.lengths) }

func (g *group) reset() {
	g.lines, g.lengths, g.digests = g.lines[:0], g.lengths[:0], g.digests[:0]
}

// addLine appends a line, which comes without its line feed.
func (g *group) addLine(line []byte) {
	g.lines = append(append(g.lines, line...), '\n')
	g.lengths = append(g.lengths, uint32(len(line)+1))
	g.digests = append(g.digests, tree.Digest(line))
}

// join makes g what these groups hold, one behind the other.
func (g *group) join(groups []group) {
	records, size := 0, 0
	for i := range groups {
		records += groups[i].count()
		size += len(groups[i].lines)
	}
	g.reset()
	g.lines = slices.Grow(g.lines, size)
	g.lengths, g.digests = slices.Grow(g.lengths, records), slices.Grow(g.digests, records)
	for i := range groups {
		g.lines = append(g.lines, groups[i].lines...)
		g.lengths = append(g.lengths, groups[i].lengths...)
		g.digests = append(g.digests, groups[i].digests...)
	}
}

// appendFrame appends a frame that holds these runs, one behind the other. It is
// the only copy of their lines between a caller and the file.
func appendFrame(dst []byte, kind byte, file fileID, sequence uint64, runs ...*group) []byte {
	count, size := 0, 0
	for _, g := range runs {
		count += g.count()
		size += len(g.lines)
	}
	start := len(dst)
	dst = slices.Grow(dst, frameHead+4+4*count+size+frameTail)
	dst = appendFrameHead(dst, kind, file, sequence, 4+4*count+size)
	dst = binary.BigEndian.AppendUint32(dst, uint32(count))
	for _, g := range runs {
		for _, n := range g.lengths {
			dst = binary.BigEndian.AppendUint32(dst, n)
		}
	}
	sum := frameSum(dst[start:], runs...)
	for _, g := range runs {
		dst = append(dst, g.lines...)
	}
	return append(dst, sum[:]...)
}

func frameSum(head []byte, runs ...*group) (sum [32]byte) {
	h := sha256.New()
	h.Write(head)
	for _, g := range runs {
		for i := range g.digests {
			h.Write(g.digests[i][:])
		}
	}
	h.Sum(sum[:0])
	return sum
}

// frame is one frame as it was read; lines refer to the file's bytes.
type frame struct {
	kind     byte
	file     fileID
	sequence uint64
	header   journalHeader
	group    group
}

// parseFrame reads the frame at the beginning of b and returns its length.
func parseFrame(b []byte) (f frame, n int, err error) {
	if len(b) < frameHead+frameTail || string(b[:len(frameMagic)]) != frameMagic {
		return f, 0, fmt.Errorf("%w: cut off, or not the beginning of one", errFrame)
	}
	f.kind = b[len(frameMagic)]
	at := len(frameMagic) + 1
	copy(f.file[:], b[at:])
	at += len(f.file)
	f.sequence = binary.BigEndian.Uint64(b[at:])
	length := int(binary.BigEndian.Uint32(b[at+8:]))
	if length > maxPayload || length > len(b)-frameHead-frameTail {
		return f, 0, fmt.Errorf("%w: cut off", errFrame)
	}
	n = frameHead + length + frameTail
	payload, sum := b[frameHead:frameHead+length], b[frameHead+length:n]
	var want [32]byte
	switch f.kind {
	case kindHeader:
		want = sha256.Sum256(b[:frameHead+length])
		err = f.header.parse(f.file, payload)
	case kindGroup, kindClosing:
		var head int
		head, err = f.group.parse(payload)
		want = frameSum(b[:frameHead+head], &f.group)
	default:
		err = fmt.Errorf("%w: kind %q", errFrame, f.kind)
	}
	if err == nil && !bytes.Equal(want[:], sum) {
		err = fmt.Errorf("%w: its digest is wrong", errFrame)
	}
	return f, n, err
}

func (h *journalHeader) parse(file fileID, b []byte) error {
	const fixed = 8 + tree.HashSize + len(tree.Seed{})
	if len(b) < fixed {
		return fmt.Errorf("%w: header is cut off", errFrame)
	}
	h.file = file
	h.first = binary.BigEndian.Uint64(b)
	copy(h.previous[:], b[8:])
	copy(h.seed[:], b[8+tree.HashSize:])
	h.origin = string(b[fixed:])
	return nil
}

// parse reads a group's payload and returns the length of count and lengths.
func (g *group) parse(b []byte) (int, error) {
	if len(b) < 4 {
		return 0, fmt.Errorf("%w: group is cut off", errFrame)
	}
	count := int(binary.BigEndian.Uint32(b))
	head := 4 + 4*count
	if count < 1 || count > ledger.MaxRecords || head > len(b) {
		return 0, fmt.Errorf("%w: group of %d records", errFrame, count)
	}
	g.lines = b[head:]
	g.lengths, g.digests = make([]uint32, 0, count), make([]tree.Hash, 0, count)
	rest := g.lines
	for i := range count {
		n := binary.BigEndian.Uint32(b[4+4*i:])
		if n == 0 || int(n) > len(rest) || rest[n-1] != '\n' {
			return 0, fmt.Errorf("%w: a line is cut off", errFrame)
		}
		g.lengths = append(g.lengths, n)
		g.digests = append(g.digests, tree.Digest(rest[:n-1]))
		rest = rest[n:]
	}
	if len(rest) != 0 {
		return 0, fmt.Errorf("%w: bytes behind its lines", errFrame)
	}
	return head, nil
}
