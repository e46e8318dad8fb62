// Package seal is the object that proves a segment's place in its log without
// the segment's content (spec §8). Its head is a signed note that pins all the
// rest; behind it lie the checkpoints before and after, the closed line, the
// tree's right edge, the anchors, and a commitment for each record.
package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// Errors of [Open]; each wraps one of these, or checkpoint.ErrUntrusted or
// checkpoint.ErrSignature.
var (
	// ErrMalformed means that the bytes are not a seal.
	ErrMalformed = errors.New("malformed seal")
	// ErrInvalid means that a seal is signed and yet contradicts itself.
	ErrInvalid = errors.New("invalid seal")
	// ErrChain means that a valid seal does not follow the one before it.
	ErrChain = errors.New("seal does not follow")
	// ErrVersion means that the seal has a version that this code does not know.
	ErrVersion = errors.New("unknown version of the format")
)

const version = "custody-seal/v1"

// A Head names a segment and its place; its signature pins the parts too.
type Head struct {
	Log        string
	Origin     string
	VKey       string // at genesis
	Nonce      [32]byte
	First      uint64
	Count      int
	Previous   tree.Hash // the link before First
	Segment    [32]byte  // SHA-256 of the segment object
	Size       int64     // of the segment object, in bytes
	ClosedSalt tree.Salt
	Parts      Lengths
	PartsSum   [32]byte
}

// Lengths are the parts' lengths in bytes, in their order.
type Lengths struct{ Before, After, Closed, Edge, Anchors, Commitments int }

func (l Lengths) all() []int {
	return []int{l.Before, l.After, l.Closed, l.Edge, l.Anchors, l.Commitments}
}

func (l Lengths) total() int {
	n := 0
	for _, part := range l.all() {
		n += part
	}
	return n
}

// End is the log's size behind the segment.
func (h *Head) End() uint64 { return h.First + uint64(h.Count) }

// SegmentName is the segment object's name within the log's folder.
func (h *Head) SegmentName() string { return ledger.SegmentName(h.First, h.Segment) }

// Name is the seal's usual name within the log's folder.
func (h *Head) Name() string { return ledger.SealName(h.First) }

// AnchorsAt is the offset, behind the head, at which the anchors begin.
func (h *Head) AnchorsAt() int {
	return h.Parts.Before + h.Parts.After + h.Parts.Closed + h.Parts.Edge
}

func (h *Head) text() string {
	l := h.Parts
	return fmt.Sprintf("%s\nlog %s\norigin %s\nvkey %s\nnonce %x\nfirst %d\ncount %d\nprevious %x\nsegment_sha256 %x\nsegment_size %d\nclosed_salt %x\nparts %d %d %d %d %d %d\nparts_sha256 %x\n",
		version, h.Log, h.Origin, h.VKey, h.Nonce, h.First, h.Count, h.Previous[:], h.Segment, h.Size, h.ClosedSalt,
		l.Before, l.After, l.Closed, l.Edge, l.Anchors, l.Commitments, h.PartsSum)
}

// splitNote separates a seal's head, a signed note, from its parts.
func splitNote(b []byte) (noted, parts []byte, err error) {
	limit := b[:min(len(b), ledger.MaxSealHead)]
	text := bytes.Index(limit, []byte("\n\n"))
	if text < 0 {
		return nil, nil, fmt.Errorf("%w: the head does not end", ErrMalformed)
	}
	sigs := bytes.Index(limit[text+2:], []byte("\n\n"))
	if sigs < 0 {
		return nil, nil, fmt.Errorf("%w: the signatures do not end", ErrMalformed)
	}
	end := text + 2 + sigs + 1
	return b[:end], b[end+1:], nil
}

// OpenHead checks the signature of a seal's head, whose note begins b, and
// returns it with the offset at which the parts begin. It says nothing about the
// parts; b may end anywhere behind the head.
func OpenHead(b []byte, keys *checkpoint.Keys) (*Head, int, error) {
	h, at, signed, err := openHead(b, keys)
	if err == nil {
		err = signed
	}
	if err != nil {
		return nil, 0, err
	}
	return h, at, nil
}

// openHead parses a head; signed is what is wrong with its signature. That it
// parses comes first (spec §8), but only a signed head can be of a later version.
func openHead(b []byte, keys *checkpoint.Keys) (h *Head, at int, signed, err error) {
	note, rest, err := splitNote(b)
	if err != nil {
		return nil, 0, nil, err
	}
	h, err = parseHead(string(note[:bytes.Index(note, []byte("\n\n"))+1]))
	if err == nil {
		keys = keys.Of(h.Origin)
	}
	_, signed = checkpoint.OpenNote(note, keys)
	switch {
	case errors.Is(signed, checkpoint.ErrMalformed):
		return nil, 0, nil, fmt.Errorf("%w: head: %w", ErrMalformed, signed)
	case signed != nil && errors.Is(err, ErrVersion):
		return nil, 0, nil, fmt.Errorf("%w: %v, %v", ErrMalformed, err, signed)
	case err != nil:
		return nil, 0, nil, err
	case signed != nil:
		signed = fmt.Errorf("head: %w", signed)
	}
	return h, len(b) - len(rest), signed, nil
}

func parseHead(text string) (*Head, error) {
	if first, _, _ := strings.Cut(text, "\n"); first != version {
		if ledger.IsVersion(first, "custody-seal") {
			return nil, fmt.Errorf("%w: %s, this reader knows %s", ErrVersion, first, version)
		}
		return nil, fmt.Errorf("%w: head begins with %q", ErrMalformed, first)
	}
	h := &Head{}
	if err := h.scan(strings.Split(text, "\n")[1:]); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if h.text() != text {
		return nil, fmt.Errorf("%w: head is not in canonical form", ErrMalformed)
	}
	return h, h.check()
}

func (h *Head) scan(lines []string) error {
	fields := []struct {
		name string
		set  func(string) error
	}{
		{"log", text(&h.Log)}, {"origin", text(&h.Origin)}, {"vkey", text(&h.VKey)}, {"nonce", hexBytes(h.Nonce[:])},
		{"first", decimal(&h.First)}, {"count", decimal(&h.Count)}, {"previous", hexBytes(h.Previous[:])},
		{"segment_sha256", hexBytes(h.Segment[:])}, {"segment_size", decimal(&h.Size)}, {"closed_salt", hexBytes(h.ClosedSalt[:])},
		{"parts", h.Parts.scan}, {"parts_sha256", hexBytes(h.PartsSum[:])},
	}
	if len(lines) != len(fields)+1 {
		return fmt.Errorf("head has %d lines, want %d", len(lines), len(fields)+1)
	}
	for i, f := range fields {
		value, ok := strings.CutPrefix(lines[i], f.name+" ")
		if !ok {
			return fmt.Errorf("head line %d does not begin with %q", i+2, f.name)
		}
		if err := f.set(value); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

func text(dst *string) func(string) error {
	return func(s string) error { *dst = s; return nil }
}

func hexBytes(dst []byte) func(string) error {
	return func(s string) error {
		if len(s) != hex.EncodedLen(len(dst)) {
			return fmt.Errorf("%d characters, want %d", len(s), hex.EncodedLen(len(dst)))
		}
		_, err := hex.Decode(dst, []byte(s))
		return err
	}
}

func decimal[T int | int64 | uint64](dst *T) func(string) error {
	return func(s string) error {
		n, err := strconv.ParseUint(s, 10, 63)
		*dst = T(n)
		return err
	}
}

func (l *Lengths) scan(s string) error {
	fields := strings.Split(s, " ")
	dsts := []*int{&l.Before, &l.After, &l.Closed, &l.Edge, &l.Anchors, &l.Commitments}
	if len(fields) != len(dsts) {
		return fmt.Errorf("%d lengths, want %d", len(fields), len(dsts))
	}
	for i, dst := range dsts {
		if err := decimal(dst)(fields[i]); err != nil {
			return err
		}
		if *dst > ledger.MaxSeal {
			return fmt.Errorf("a part of %d bytes, the limit is %d", *dst, ledger.MaxSeal)
		}
	}
	return nil
}

// check holds the head against the limits and its lengths against each other.
func (h *Head) check() error {
	if h.Count < 1 || h.Count > ledger.MaxRecords || h.First > ledger.MaxSize-uint64(h.Count) {
		return fmt.Errorf("%w: %d records from %d on", ErrMalformed, h.Count, h.First)
	}
	if h.Size < 1 || h.Size > ledger.MaxSegment {
		return fmt.Errorf("%w: segment of %d bytes", ErrMalformed, h.Size)
	}
	if err := errors.Join(ledger.CheckLogName(h.Log), checkpoint.CheckOrigin(h.Origin), checkpoint.CheckVerifierKey(h.VKey, h.Origin)); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if key, err := note.NewVerifier(h.VKey); err != nil || key.Name() != h.Origin {
		return fmt.Errorf("%w: vkey is not a verifier key of %q", ErrMalformed, h.Origin)
	}
	l := h.Parts
	switch {
	case l.Before > ledger.MaxCheckpoint, l.After > ledger.MaxCheckpoint, l.Closed > ledger.MaxClosed,
		(l.Before == 0) != (h.First == 0),
		l.Edge != tree.EdgeLen(h.End()),
		l.Anchors != anchors(h.First, h.Count)*tree.HashSize,
		l.Commitments != h.Count*tree.HashSize:
		return fmt.Errorf("%w: parts of %v bytes do not fit %d records from %d on", ErrMalformed, l.all(), h.Count, h.First)
	}
	return nil
}

// anchors is the number of multiples of 256 from first on among count positions.
func anchors(first uint64, count int) int {
	return int((first+uint64(count)+tree.TileWidth-1)/tree.TileWidth - (first+tree.TileWidth-1)/tree.TileWidth)
}

func sum(b []byte) [32]byte { return sha256.Sum256(b) }
