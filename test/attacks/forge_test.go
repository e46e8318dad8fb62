package attacks

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// header is that of a segment of the log.
func (s *scene) header(g ledgertest.Segment) segment.Header {
	s.Helper()
	parsed, err := segment.Parse(g.Object)
	must(s, err)
	return parsed.Header
}

// pack makes a well-formed object of lines, whatever they are.
func (s *scene) pack(h segment.Header, lines [][]byte) []byte {
	s.Helper()
	text := joined(lines)
	h.Count, h.Bytes = len(lines), len(text)
	b, err := segment.NewEncoder().Append(nil, h, text)
	must(s, err)
	return b
}

func joined(lines [][]byte) []byte {
	return append(bytes.Join(lines, []byte{'\n'}), '\n')
}

// rewrite packs the i-th segment anew with other lines, without touching its
// seal: all that can be done without the key.
func (s *scene) rewrite(i int, change func([][]byte) [][]byte) {
	s.Helper()
	g := s.log.Segments[i]
	s.store[s.segment(i)] = s.pack(s.header(g), change(copied(g.Lines)))
}

func copied(lines [][]byte) [][]byte {
	out := make([][]byte, len(lines))
	for i, line := range lines {
		out[i] = bytes.Clone(line)
	}
	return out
}

// reworded changes what a record says.
func reworded(line []byte) []byte {
	return bytes.Replace(line, []byte(`"event_name":"test"`), []byte(`"event_name":"best"`), 1)
}

// headerText is the text of a segment's header, which may lie.
func headerText(h segment.Header) string {
	return fmt.Sprintf("custody-segment/v1\norigin %s\nfirst %d\ncount %d\nbytes %d\nseed %x\n", h.Origin, h.First, h.Count, h.Bytes, h.Seed)
}

// framed is an object of any header text and any frames.
func framed(text string, frames ...[]byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, 0x184D2A5C)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(text)))
	return append(append(b, text...), bytes.Join(frames, nil)...)
}

// body are the frames behind an object's header.
func body(object []byte) []byte { return object[8+binary.LittleEndian.Uint32(object[4:]):] }

// rawFrame is a zstd frame of one uncompressed block.
func rawFrame(content []byte) []byte {
	return append(append(frameHead(len(content)), block(len(content), 0, true)...), content...)
}

// bomb is a zstd frame that says it holds so many bytes and holds that many
// blocks of 128 KiB, each a single byte that is repeated.
func bomb(says uint64, blocks int) []byte {
	b := append([]byte{0x28, 0xB5, 0x2F, 0xFD, 0xC0, 0x38}, binary.LittleEndian.AppendUint64(nil, says)...) // window 128 KiB
	for i := range blocks {
		b = append(append(b, block(128<<10, 1, i == blocks-1)...), 'x')
	}
	return b
}

func frameHead(size int) []byte {
	return binary.LittleEndian.AppendUint32([]byte{0x28, 0xB5, 0x2F, 0xFD, 0xA0}, uint32(size))
}

func block(size, kind int, last bool) []byte {
	n := uint32(size)<<3 | uint32(kind)<<1
	if last {
		n |= 1
	}
	return binary.LittleEndian.AppendUint32(nil, n)[:3]
}

// The parts of a seal.
const (
	before = iota
	after
	closedPart
	edgePart
	anchorsPart
	commitments
)

// forge signs the i-th seal again, by who, with another head and other parts;
// lengths and sum of the parts are made to fit.
func (s *scene) forge(i int, who *checkpoint.Signer, change func(head string, parts [][]byte) string) []byte {
	s.Helper()
	g := s.log.Segments[i].Seal
	b := g.Bytes()
	text := bytes.Index(b, []byte("\n\n"))
	end := text + 2 + bytes.Index(b[text+2:], []byte("\n\n")) + 2
	rest, parts := bytes.Clone(b[end:]), [][]byte{}
	l := g.Parts
	for _, n := range []int{l.Before, l.After, l.Closed, l.Edge, l.Anchors, l.Commitments} {
		parts, rest = append(parts, rest[:n:n]), rest[n:]
	}
	head := change(string(b[:text+1]), parts)
	lines, all := strings.SplitAfter(head, "\n"), bytes.Join(parts, nil)
	for n, line := range lines {
		switch name, _, _ := strings.Cut(line, " "); name {
		case "parts":
			lines[n] = fmt.Sprintf("parts %d %d %d %d %d %d\n", len(parts[0]), len(parts[1]), len(parts[2]), len(parts[3]), len(parts[4]), len(parts[5]))
		case "parts_sha256":
			lines[n] = fmt.Sprintf("parts_sha256 %x\n", sha256.Sum256(all))
		}
	}
	return append(append(s.sign(who, strings.Join(lines, "")), '\n'), all...)
}

// sign makes a signed note of any text.
func (s *scene) sign(who *checkpoint.Signer, text string) []byte {
	s.Helper()
	b, err := note.Sign(&note.Note{Text: text}, who)
	must(s, err)
	return b
}

// checkpointNote is a checkpoint of any size and root.
func (s *scene) checkpointNote(who *checkpoint.Signer, size uint64, root tree.Hash) []byte {
	return s.sign(who, checkpoint.Checkpoint{Origin: who.Name(), Size: size, Root: root}.Text())
}

// A lie is what the key's holder stores and what he seals, of one segment.
type lie struct {
	header segment.Header
	stored [][]byte // lines in the object
	sealed [][]byte // lines that the commitments are of
	seed   tree.Seed
	object func([]byte) []byte
}

// retell seals the log again from the i-th segment on, the way the holder of the
// key can, with a lie in that segment. What follows it is true.
func (s *scene) retell(i int, tell func(*lie)) {
	s.Helper()
	s.cut(i)
	at := s.log.Segments[i-1].Seal.Place()
	for n := i; n < len(s.log.Segments); n++ {
		g := s.log.Segments[n]
		l := &lie{header: s.header(g), stored: copied(g.Lines), sealed: copied(g.Lines), seed: g.Seed, object: func(b []byte) []byte { return b }}
		if n == i {
			tell(l)
		}
		at = s.tell(at, l)
	}
}

// tell seals a lie at a place and returns the one behind it.
func (s *scene) tell(at seal.Place, l *lie) seal.Place {
	s.Helper()
	object := l.object(framed(headerText(l.header), rawFrame(joined(l.stored))))
	c := seal.Content{Object: object, Seed: l.seed, ClosedLine: l.sealed[len(l.sealed)-1], Checkpoints: s.signer}
	for _, line := range l.sealed {
		c.Digests = append(c.Digests, tree.Digest(line))
	}
	v, _, err := seal.Build(at, c)
	must(s, err)
	s.store[at.Log+"/"+v.Name()], s.store[at.Log+"/"+v.SegmentName()] = v.Bytes(), object
	return v.Place()
}
