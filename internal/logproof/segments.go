package logproof

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tiles"
	"github.com/otelcol-custody/custody/store"
)

// A Segment is one segment of a log.
type Segment struct {
	Seal *seal.Verified
	// Lines are its record lines, each ended by a line feed, checked against the
	// seal and valid until the next segment. Nil if the store has them no more.
	Lines []byte
}

// ErrWithin means that a position lies within a segment.
var ErrWithin = errors.New("no segment begins")

// Segments reads the log's segments from a record on, at which one must begin
// ([ErrWithin] otherwise), up to the head. Seals follow each other, and every line is what was sealed. The
// first error ends it.
func (l *Log) Segments(ctx context.Context, from uint64) iter.Seq2[Segment, error] {
	return func(yield func(Segment, error) bool) {
		r, err := l.at(ctx)
		if err == nil {
			err = r.segments(from, func(s Segment) bool { return yield(s, nil) })
		}
		if err != nil {
			yield(Segment{}, err)
		}
	}
}

func (r *reading) segments(from uint64, yield func(Segment) bool) error {
	if from >= r.head.End() {
		return nil
	}
	var before *seal.Verified
	if from > 0 {
		v, err := r.proven(from - 1)
		if err != nil {
			return err
		}
		if v.End() != from {
			return fmt.Errorf("log %s: %w at record %d, one holds %d to %d", r.name, ErrWithin, from, v.First, v.End()-1)
		}
		before = v
	}
	dec := segment.NewDecoder()
	defer dec.Close()
	for h, err := range r.reader.Seals(r.ctx, before) {
		if err != nil {
			return err
		}
		s, err := r.segment(h.Seal, dec)
		if err != nil {
			return err
		}
		if from = h.Seal.End(); !yield(s) || from >= r.head.End() {
			return nil
		}
	}
	return fmt.Errorf("%w: store %s has seals of log %s up to record %d, yet its head has %d records; copy the log's objects from another store",
		tiles.ErrBroken, r.store.ID(), r.name, from, r.head.End())
}

// segment reads a segment, which is read once: it is not remembered.
func (r *reading) segment(v *seal.Verified, dec *segment.Decoder) (Segment, error) {
	b, _, err := r.reader.Segment(r.ctx, v)
	if errors.Is(err, store.ErrNotFound) {
		return Segment{Seal: v}, nil
	}
	if err != nil {
		return Segment{}, err
	}
	seed, lines, err := inflate(v, b, dec)
	if err != nil {
		return Segment{}, err
	}
	v.Check(&seed, lines, func(_ uint64, bad error) {
		if err == nil {
			err = fmt.Errorf("%w: %s/%s: %w", tiles.ErrBroken, v.Log, v.SegmentName(), bad)
		}
	})
	return Segment{v, lines}, err
}
