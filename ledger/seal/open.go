package seal

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// A Verified seal is valid (spec §8) for the keys that it was opened with. Only
// [Open] makes one. That it follows another seal is a question of its own.
type Verified struct {
	Head
	raw         []byte
	before      []byte
	after       checkpoint.Signed
	closed      *segment.Closed
	closedLine  []byte
	edge        *tree.Edge
	commitments []byte
	links       []tree.Hash
}

// Bytes are the seal object; the caller does not change them.
func (v *Verified) Bytes() []byte { return v.raw }

// After is the checkpoint behind the segment.
func (v *Verified) After() checkpoint.Signed { return v.after }

// Before is the note of the checkpoint before the segment, nil at genesis.
func (v *Verified) Before() []byte { return v.before }

// Closed is the segment's closed record.
func (v *Verified) Closed() *segment.Closed { return v.closed }

// ClosedLine is the closed record's line.
func (v *Verified) ClosedLine() []byte { return v.closedLine }

// Edge is the tree's right edge behind the segment; the caller does not change it.
func (v *Verified) Edge() *tree.Edge { return v.edge }

// Commitment is that of the i-th record of the segment, counted from 0.
func (v *Verified) Commitment(i int) tree.Hash {
	return tree.Hash(v.commitments[i*tree.HashSize:][:tree.HashSize])
}

// Link is that of the i-th record of the segment, counted from 0.
func (v *Verified) Link(i int) tree.Hash { return v.links[i] }

// LastLink is the link that the next segment continues.
func (v *Verified) LastLink() tree.Hash { return v.links[len(v.links)-1] }

// Open reads a seal and checks that it is valid (spec §8, conditions 1 to 7).
// The seal refers to b.
func Open(b []byte, keys *checkpoint.Keys) (*Verified, error) {
	if len(b) > ledger.MaxSeal {
		return nil, fmt.Errorf("%w: %d bytes, the limit is %d", ErrMalformed, len(b), ledger.MaxSeal)
	}
	h, at, signed, err := openHead(b, keys)
	if err != nil {
		return nil, err
	}
	parts := b[at:]
	if len(parts) != h.Parts.total() {
		return nil, fmt.Errorf("%w: %d bytes of parts, want %d", ErrMalformed, len(parts), h.Parts.total())
	}
	if signed != nil {
		return nil, signed
	}
	if sum(parts) != h.PartsSum {
		return nil, fmt.Errorf("%w: the parts do not hash to what the head says", ErrInvalid)
	}
	v := &Verified{Head: *h, raw: b}
	cut := func(n int) []byte { p := parts[:n:n]; parts = parts[n:]; return p }
	before, after, closed, edge, anchors := cut(h.Parts.Before), cut(h.Parts.After), cut(h.Parts.Closed), cut(h.Parts.Edge), cut(h.Parts.Anchors)
	v.commitments = cut(h.Parts.Commitments)
	if v.edge, err = tree.ParseEdge(h.End(), edge); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	for _, check := range []func() error{
		func() error { return v.openCheckpoints(before, after, keys) },
		func() error { return v.checkGenesis() },
		func() error { return v.checkLinks(anchors) },
		func() error { return v.checkClosed(closed) },
	} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// openCheckpoints is conditions 2, 3 and 6.
func (v *Verified) openCheckpoints(before, after []byte, keys *checkpoint.Keys) (err error) {
	if v.after, err = v.openCheckpoint("after", after, v.End(), keys); err != nil {
		return err
	}
	if root := v.edge.Root(); root != v.after.Root {
		return fmt.Errorf("%w: the edge's root is %v, the checkpoint's %v", ErrInvalid, root, v.after.Root)
	}
	if v.First == 0 {
		return nil
	}
	v.before = before
	_, err = v.openCheckpoint("before", before, v.First, keys)
	return err
}

func (v *Verified) openCheckpoint(which string, note []byte, size uint64, keys *checkpoint.Keys) (checkpoint.Signed, error) {
	c, err := checkpoint.Open(note, keys.Of(v.Origin))
	switch {
	case errors.Is(err, checkpoint.ErrMalformed), errors.Is(err, checkpoint.ErrUntrusted) && v.signed(note, keys):
		return c, fmt.Errorf("%w: checkpoint %s: %v", ErrInvalid, which, err)
	case err != nil:
		return c, fmt.Errorf("checkpoint %s: %w", which, err)
	case c.Size != size:
		return c, fmt.Errorf("%w: checkpoint %s is of size %d, want %d", ErrInvalid, which, c.Size, size)
	}
	return c, nil
}

// signed says whether a trusted key of the seal's origin signed a note, whatever
// its text.
func (v *Verified) signed(note []byte, keys *checkpoint.Keys) bool {
	_, err := checkpoint.OpenNote(note, keys.Of(v.Origin))
	return err == nil
}

// checkGenesis is condition 4.
func (v *Verified) checkGenesis() error {
	if v.First == 0 && v.Previous != tree.Genesis(v.Origin, v.VKey, v.Nonce) {
		return fmt.Errorf("%w: the first link does not come from origin, key and nonce", ErrInvalid)
	}
	return nil
}

// checkLinks is condition 5.
func (v *Verified) checkLinks(anchors []byte) error {
	v.links = make([]tree.Hash, v.Count)
	prev := v.Previous
	for i := range v.links {
		if (v.First+uint64(i))%tree.TileWidth == 0 {
			if !bytes.Equal(anchors[:tree.HashSize], prev[:]) {
				return fmt.Errorf("%w: the anchor at record %d is not the link before it", ErrInvalid, v.First+uint64(i))
			}
			anchors = anchors[tree.HashSize:]
		}
		prev = tree.Link(prev, v.Commitment(i))
		v.links[i] = prev
	}
	if level, ok := v.edge.Covers(v.First, v.links); !ok {
		return fmt.Errorf("%w: the edge's level %d does not come from the commitments", ErrInvalid, level)
	}
	return nil
}

// checkClosed is condition 7.
func (v *Verified) checkClosed(line []byte) error {
	if tree.Commitment(v.ClosedSalt, tree.Digest(line)) != v.Commitment(v.Count-1) {
		return fmt.Errorf("%w: the closed line is not that of the last commitment", ErrInvalid)
	}
	c, err := segment.ParseClosed(line)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if c.First != v.First || c.Count != v.Count {
		return fmt.Errorf("%w: the closed record speaks of %d records from %d on, the head of %d from %d on", ErrInvalid, c.Count, c.First, v.Count, v.First)
	}
	v.closed, v.closedLine = c, line
	return nil
}

// Same says whether both seals say the same. Their bytes may differ: anybody can
// add a signature line that no reader knows. The head pins everything else.
func (v *Verified) Same(o *Verified) bool { return v.Head == o.Head }

// SameLog says whether both seals belong to one log, from one genesis.
func (v *Verified) SameLog(o *Verified) bool {
	return v.Log == o.Log && v.Origin == o.Origin && v.VKey == o.VKey && v.Nonce == o.Nonce
}

// Follows checks that v follows prev (spec §8), or, with a nil prev, that it is
// a log's first seal. It returns the full tiles, of all levels, that the segment
// completes. Its error is an [ErrChain].
func (v *Verified) Follows(prev *Verified) ([]tree.Tile, error) {
	if prev == nil {
		if v.First != 0 {
			return nil, fmt.Errorf("%w: it begins at record %d", ErrChain, v.First)
		}
		return v.extends(&tree.Edge{})
	}
	switch {
	case v.First != prev.End():
		return nil, fmt.Errorf("%w: it begins at record %d, the seal before ends at %d", ErrChain, v.First, prev.End())
	case !v.SameLog(prev):
		return nil, v.otherLog()
	case v.Previous != prev.LastLink():
		return nil, fmt.Errorf("%w: it continues link %v, the seal before ends in %v", ErrChain, v.Previous, prev.LastLink())
	case !bytes.Equal(v.before, prev.after.Note()):
		return nil, fmt.Errorf("%w: its checkpoint before is not the one that the seal before ends in", ErrChain)
	}
	return v.extends(prev.edge)
}

// FollowsGap checks what can be checked behind a stretch of records whose seals
// are not valid: that v belongs to the log of prev. Its error is an [ErrChain].
func (v *Verified) FollowsGap(prev *Verified) error {
	if !v.SameLog(prev) {
		return v.otherLog()
	}
	return nil
}

func (v *Verified) otherLog() error {
	return fmt.Errorf("%w: it belongs to another log, %q of %s with nonce %x", ErrChain, v.Log, v.Origin, v.Nonce)
}

func (v *Verified) extends(edge *tree.Edge) ([]tree.Tile, error) {
	e := edge.Clone()
	var tiles []tree.Tile
	for _, link := range v.links {
		e.Append(link, func(t tree.Tile) { tiles = append(tiles, t.Clone()) })
	}
	if !e.Equal(v.edge) {
		return nil, fmt.Errorf("%w: appending its records to the tree at size %d gives root %v at size %d, its own is %v", ErrChain,
			edge.Size(), e.Root(), e.Size(), v.after.Root)
	}
	return tiles, nil
}
