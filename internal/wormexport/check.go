package wormexport

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tree"
	"github.com/otelcol-custody/custody/store"
)

// A sealed segment has been checked against its seal, and the seal against the
// exporter's keys. Only [check] makes one.
type sealed struct {
	id      sealID
	seal    *seal.Verified
	segment []byte // nil: it has expired, and only what proves it is stored
	tiles   []tree.Tile
	fresh   bool      // hash_chain delivers it; else somebody copies what may be old
	began   time.Time // when its first record was acknowledged; zero: not known
	// Both are set when it is taken in hand.
	keep  store.Retention // for what is written
	least store.Retention // enough for what lies there already
}

// A sealID is the SHA-256 of a seal's bytes. A seal pins its segment, so this
// identifies everything that was delivered with it. What comes without its
// segment has another one, so that it never passes for the whole.
type sealID [sha256.Size]byte

func idOf(seal []byte) sealID { return sha256.Sum256(seal) }

func expiredID(seal []byte) sealID { return sha256.Sum256(append([]byte("expired\n"), seal...)) }

// check verifies a delivery. It does not inflate the segment nor recompute the
// commitments: the seal's signed head pins the segment's SHA-256, so these are
// the very bytes that hash_chain sealed, and whether it sealed right is for the
// verifiers to judge (spec §11).
func check(o *delivery.Objects, keys *checkpoint.Keys) (*sealed, error) {
	d, err := checkExpired(o, keys)
	if err != nil {
		return nil, err
	}
	if err := checkSegment(o.Segment, d.seal); err != nil {
		return nil, altered(err)
	}
	d.id, d.segment = idOf(o.Seal), o.Segment
	return d, nil
}

// checkExpired verifies what proves a segment that is gone.
func checkExpired(o *delivery.Objects, keys *checkpoint.Keys) (*sealed, error) {
	v, err := openSeal(o.Seal, keys)
	if err != nil {
		return nil, err
	}
	tiles, err := v.CheckTiles(o.Tiles)
	if err != nil {
		return nil, altered(fmt.Errorf("segment %d of log %s: %w", v.First, v.Log, err))
	}
	return &sealed{id: expiredID(o.Seal), seal: v, tiles: tiles}, nil
}

func openSeal(b []byte, keys *checkpoint.Keys) (*seal.Verified, error) {
	v, err := seal.Open(b, keys)
	if errors.Is(err, seal.ErrVersion) {
		return nil, fmt.Errorf("refused to store a segment: %w; update this collector, or run the same version as the one that seals", err)
	}
	if err != nil {
		return nil, altered(fmt.Errorf("its seal: %w", err))
	}
	return v, nil
}

func checkSegment(b []byte, v *seal.Verified) error {
	differs := func(what string, sealed, found any) error {
		return &SegmentError{v.Log, v.First, what, fmt.Sprint(sealed), fmt.Sprint(found)}
	}
	if int64(len(b)) != v.Size {
		return differs("size in bytes", v.Size, len(b))
	}
	if sum := sha256.Sum256(b); sum != v.Segment {
		return differs("SHA-256", fmt.Sprintf("%x", v.Segment), fmt.Sprintf("%x", sum))
	}
	s, err := segment.Parse(b)
	if err != nil {
		return fmt.Errorf("segment %d of log %s: %w", v.First, v.Log, err)
	}
	switch {
	case s.Origin != v.Origin:
		return differs("origin", v.Origin, s.Origin)
	case s.First != v.First:
		return differs("first record", v.First, s.First)
	case s.Count != v.Count:
		return differs("number of records", v.Count, s.Count)
	}
	return nil
}
