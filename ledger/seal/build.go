package seal

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// A Place is where a log stands between two segments. The zero Place with the
// genesis inputs set is a log's beginning.
type Place struct {
	Log    string
	Origin string
	VKey   string // at genesis
	Nonce  [32]byte
	Link   tree.Hash // of the last record, or of genesis
	Edge   *tree.Edge
	Note   []byte // the checkpoint here, nil at genesis
}

// Genesis is the place before a log's first record.
func Genesis(log, origin, vkey string, nonce [32]byte) Place {
	return Place{Log: log, Origin: origin, VKey: vkey, Nonce: nonce, Link: tree.Genesis(origin, vkey, nonce), Edge: &tree.Edge{}}
}

// Place is where the log stands behind the seal.
func (v *Verified) Place() Place {
	return Place{v.Log, v.Origin, v.VKey, v.Nonce, v.LastLink(), v.edge, v.after.Note()}
}

// Content is what a seal says of its segment.
type Content struct {
	Object      []byte // the segment object
	Seed        tree.Seed
	Digests     []tree.Hash // of the record lines, in order
	ClosedLine  []byte      // the last record's line
	Checkpoints *checkpoint.Signer
}

// Build seals a segment at a place. It is a pure function: the same input gives
// the same bytes. It returns the seal, opened again with the signer's own key,
// and the full tiles of level 1 and above that the segment completes.
func Build(at Place, c Content) (*Verified, []tree.Tile, error) {
	n := len(c.Digests)
	if n == 0 || n > ledger.MaxRecords {
		return nil, nil, fmt.Errorf("cannot seal %d records in one segment", n)
	}
	h := Head{
		Log: at.Log, Origin: at.Origin, VKey: at.VKey, Nonce: at.Nonce,
		First: at.Edge.Size(), Count: n, Previous: at.Link,
		Segment: sum(c.Object), Size: int64(len(c.Object)),
	}
	h.ClosedSalt = c.Seed.Salt(h.End() - 1)
	edge := at.Edge.Clone()
	var anchors, commitments []byte
	var tiles []tree.Tile
	link := at.Link
	for i, digest := range c.Digests {
		index := h.First + uint64(i)
		if index%tree.TileWidth == 0 {
			anchors = append(anchors, link[:]...)
		}
		commitment := tree.Commitment(c.Seed.Salt(index), digest)
		commitments = append(commitments, commitment[:]...)
		link = tree.Link(link, commitment)
		edge.Append(link, func(t tree.Tile) {
			if t.Level > 0 {
				tiles = append(tiles, t.Clone())
			}
		})
	}
	after, err := checkpoint.Sign(checkpoint.Checkpoint{Origin: at.Origin, Size: edge.Size(), Root: edge.Root()}, c.Checkpoints)
	if err != nil {
		return nil, nil, fmt.Errorf("sign checkpoint: %w", err)
	}
	b, err := h.sign(c.Checkpoints, at.Note, after, c.ClosedLine, edge.AppendTo(nil), anchors, commitments)
	if err != nil {
		return nil, nil, err
	}
	v, err := reopen(b, c.Checkpoints)
	return v, tiles, err
}

// sign joins head and parts.
func (h *Head) sign(s *checkpoint.Signer, before, after, closed, edge, anchors, commitments []byte) ([]byte, error) {
	h.Parts = Lengths{len(before), len(after), len(closed), len(edge), len(anchors), len(commitments)}
	parts := make([]byte, 0, h.Parts.total())
	for _, p := range [][]byte{before, after, closed, edge, anchors, commitments} {
		parts = append(parts, p...)
	}
	h.PartsSum = sum(parts)
	if err := h.check(); err != nil {
		return nil, err
	}
	head, err := note.Sign(&note.Note{Text: h.text()}, s)
	if err != nil {
		return nil, fmt.Errorf("sign seal: %w", err)
	}
	return append(append(head, '\n'), parts...), nil
}

// reopen holds a new seal against every rule that its readers will hold it
// against.
func reopen(b []byte, s *checkpoint.Signer) (*Verified, error) {
	keys, err := checkpoint.ParseKeys(s.VerifierKey())
	if err != nil {
		return nil, err
	}
	v, err := Open(b, keys)
	if err != nil {
		return nil, fmt.Errorf("a seal just made is not valid: %w", err)
	}
	return v, nil
}

// ErrClosedEarly means that a segment has a closed record that is not its last.
var ErrClosedEarly = errors.New("a closed record stands in the middle of a segment")

// Check compares the lines of a segment with their seal: each line's
// commitment, and the closed record's place. It calls bad for each record that
// differs and goes on; lines that are missing or too many are reported once.
func (v *Verified) Check(seed *tree.Seed, lines []byte, bad func(index uint64, err error)) {
	n := 0
	for i, line := range segment.Lines(lines) {
		index := v.First + uint64(i)
		if i >= v.Count {
			bad(index, fmt.Errorf("a line that the seal does not have"))
			return
		}
		n++
		got := tree.Commitment(seed.Salt(index), tree.Digest(line))
		if want := v.Commitment(i); got != want {
			bad(index, &RecordError{index, want, got})
		} else if segment.IsClosed(line) != (i == v.Count-1) {
			bad(index, ErrClosedEarly)
		}
	}
	if n < v.Count {
		bad(v.First+uint64(n), &CutError{v.Count - n, v.Count})
	}
}

// A CutError means that the last records of a segment cannot be read.
type CutError struct {
	Missing, Count int // of how many
}

func (e *CutError) Error() string {
	return fmt.Sprintf("%d of the segment's %d records are missing", e.Missing, e.Count)
}

// A RecordError means that a record is not the one that was sealed.
type RecordError struct {
	Index     uint64
	Want, Got tree.Hash // commitments: the sealed one, and that of the stored line
}

func (e *RecordError) Error() string {
	return fmt.Sprintf("record %d was sealed with commitment %v, what is stored has %v", e.Index, e.Want, e.Got)
}
