package recordindex

import (
	"context"
	"errors"
	"fmt"

	"github.com/otelcol-custody/custody/internal/logproof"
	"github.com/otelcol-custody/custody/ledger/tiles"
	"github.com/otelcol-custody/custody/ledger/tree"
	"github.com/otelcol-custody/custody/store"
)

// maxDoubtful is how many records are read beyond those that are asked for: one
// in 2^48 has the hash of another by chance.
const maxDoubtful = 16

// Find returns the records that have an id, in order, limit of them at most. Each
// was read and proven; what the store has no more, or the log's head does not
// reach, is left out. Nothing is known of records outside [Index.Range].
func (x *Index) Find(ctx context.Context, l *logproof.Log, kind Kind, text string, limit int) ([]uint64, error) {
	return x.find(kind, text, limit, func(position uint64) (bool, error) {
		line, err := l.Line(ctx, position)
		return err == nil && says(line, kind, text), err
	})
}

// Leaf finds the record with a leaf hash; !ok: none has it. It needs
// [Options.Leaves].
func (x *Index) Leaf(ctx context.Context, l *logproof.Log, hash tree.Hash) (index uint64, ok bool, err error) {
	found, err := x.find(leaf, string(hash[:]), 1, func(position uint64) (bool, error) {
		got, err := l.Leaf(ctx, position)
		return err == nil && got == hash, err
	})
	if err != nil || len(found) == 0 {
		return 0, false, err
	}
	return found[0], true, nil
}

func (x *Index) find(kind Kind, text string, limit int, confirm func(uint64) (bool, error)) ([]uint64, error) {
	positions, err := x.candidates(kind, text, limit+maxDoubtful)
	if err != nil {
		return nil, err
	}
	var found []uint64
	for _, p := range positions {
		ok, err := confirm(p)
		if err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, tiles.ErrBeyond) {
			return nil, fmt.Errorf("record %d, which the index has for this %s: %w", p, kind, err)
		}
		if ok {
			found = append(found, p)
		}
		if len(found) == limit {
			break
		}
	}
	return found, nil
}

// candidates are positions that may have an id, in order, limit of them at most.
func (x *Index) candidates(kind Kind, text string, limit int) ([]uint64, error) {
	positions, key, err := x.lookUp(kind, text, limit)
	if !errors.Is(err, errDamaged) {
		return positions, err
	}
	return nil, x.abandon(key, err)
}

func (x *Index) lookUp(kind Kind, text string, limit int) (positions []uint64, key [32]byte, err error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.closed {
		return nil, x.key, errClosed
	}
	hash := x.hash(kind, text)
	for _, r := range x.open {
		for p, err := range r.find(hash) {
			if err != nil {
				return nil, x.key, err
			}
			if positions = append(positions, p); len(positions) == limit {
				return positions, x.key, nil
			}
		}
	}
	for _, e := range x.recent {
		if e.hash() == hash && len(positions) < limit {
			positions = append(positions, e.position())
		}
	}
	return positions, x.key, nil
}

// abandon begins the index anew, unless somebody has since damage was met in the
// one with this key.
func (x *Index) abandon(key [32]byte, damage error) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	return x.anew(key, damage)
}

// anew is abandon for who holds writing.
func (x *Index) anew(key [32]byte, damage error) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed || x.key != key {
		return ErrRebuilding
	}
	x.opt.Tell(fmt.Errorf("index of records in %s begins anew: %w", x.dir, damage))
	if err := x.begin(x.log); err != nil {
		return fmt.Errorf("index of records: %w", err)
	}
	return ErrRebuilding
}

// Fill adds the log's records up to its head: what waits ([Index.Offer]) where it
// continues the index, and from the store what is missing in between.
func (x *Index) Fill(ctx context.Context, l *logproof.Log) error {
	for {
		if err := x.Take(); err != nil {
			return err
		}
		if more, err := x.readOn(ctx, l); !more || err != nil {
			return err
		}
	}
}

// readOn adds segments from the store, to the head or to where others wait.
func (x *Index) readOn(ctx context.Context, l *logproof.Log) (waits bool, err error) {
	x.mu.RLock()
	key := x.key
	x.mu.RUnlock()
	for s, err := range l.Segments(ctx, x.Through()) {
		if err == nil {
			err = x.AddSegment(s.Seal, s.Lines)
		}
		if errors.Is(err, logproof.ErrWithin) {
			err = x.abandon(key, fmt.Errorf("it was made of another history: %w", err))
		}
		if err != nil {
			return false, err
		}
		// Take may have gone on meanwhile.
		if through := x.Through(); through > s.Seal.End() || x.ahead.has(through) {
			return true, nil
		}
	}
	return false, nil
}
