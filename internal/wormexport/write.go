package wormexport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/store"
)

// maxBeside is the most names that are tried for one seal. More squatters than
// this at one position are an attack that needs an operator.
const maxBeside = 64

// A Kind says what an object is.
type Kind string

// The kinds of objects.
const (
	KindSegment Kind = "segment"
	KindTile    Kind = "tile"
	KindSeal    Kind = "seal"
)

// keep stores a segment's objects. Each step may be repeated.
func (e *Exporter) keep(ctx context.Context, s store.Store, d *sealed) error {
	done, err := e.begin(ctx, s, d)
	if done || err != nil {
		return err
	}
	if !e.memory.isPlaced(d.id) {
		if err := e.putContent(ctx, s, d); err != nil {
			return err
		}
		e.memory.place(d.id)
	}
	// The one before may be in hand right now: then it is worth waiting for.
	if err := e.jobs.awaitBefore(ctx, d.seal); err != nil {
		return err
	}
	if err := e.checkOrder(ctx, s, d.seal); err != nil {
		return err
	}
	// Commit point of the segment in this store. Before: objects that no seal
	// names. After: evidence.
	name, err := e.putSeal(ctx, s, d.seal)
	if err != nil {
		return err
	}
	e.memory.store(d.id, &held{name: name, seal: d.seal, newest: true})
	e.telemetry.stored(ctx, time.Since(d.seal.Closed().At))
	return nil
}

// begin finds out, before anything is written, whether the store holds the
// segment already, and whether it has another history. Where the segment is the
// one to come after what was written last, that takes no request.
func (e *Exporter) begin(ctx context.Context, s store.Store, d *sealed) (done bool, err error) {
	if head := e.memory.head(d.seal.Log); head != nil && head.newest && head.seal.End() == d.seal.First {
		return false, e.follows(d.seal, head)
	}
	if done, err = e.known(ctx, s, d); done || err != nil {
		return done, err
	}
	var lags *PredecessorError
	if err := e.checkOrder(ctx, s, d.seal); !errors.As(err, &lags) {
		return false, err
	}
	return false, nil // Content may go ahead of its turn.
}

// known says whether the store holds the seal already; another one in its place
// is a fork.
func (e *Exporter) known(ctx context.Context, s store.Store, d *sealed) (bool, error) {
	found, err := e.at(ctx, s, d.seal.Log, d.seal.First)
	if err != nil {
		return false, err
	}
	if h := conflicting(found, d.seal); h != nil {
		return false, e.fork(string(d.seal.After().Note()), h)
	}
	h := same(found, d.seal)
	if h == nil {
		return false, nil
	}
	e.memory.store(d.id, h)
	e.telemetry.duplicate(ctx)
	return true, nil
}

func (e *Exporter) putContent(ctx context.Context, s store.Store, d *sealed) error {
	name := objectName(d.seal.Log, d.seal.SegmentName())
	err := e.put(ctx, s, KindSegment, name, d.segment, d.seal)
	if errors.Is(err, store.ErrExists) {
		err = e.below(ctx, s, name, d.segment)
	}
	if err != nil {
		return err
	}
	for _, t := range d.tiles {
		name := objectName(d.seal.Log, ledger.TileName(t.Level, t.Index))
		err := e.put(ctx, s, KindTile, name, t.Bytes(), d.seal)
		if errors.Is(err, store.ErrExists) {
			// Tiles are derived: readers compute what is not right (spec §9).
			e.notice(ctx, noticeTile, name)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// below looks for a segment under what shadows it. Its name holds its hash, so
// other bytes there are nobody's segment.
func (e *Exporter) below(ctx context.Context, s store.Store, name string, data []byte) error {
	all, err := bodies(ctx, s, name, ledger.MaxSegment)
	if err != nil {
		return err
	}
	for _, b := range all {
		if bytes.Equal(b, data) {
			e.notice(ctx, noticeShadow, name)
			return nil
		}
	}
	return &ObstructedError{name, "other bytes lie where a segment of that hash belongs"}
}

// putSeal stores the seal at its name, or beside squatters, and returns the
// name. This write is what fences: another valid seal there is a fork.
func (e *Exporter) putSeal(ctx context.Context, s store.Store, v *seal.Verified) (string, error) {
	for n := range maxBeside {
		name := sealName(v.Log, v.First, n)
		putErr := e.put(ctx, s, KindSeal, name, v.Bytes(), v)
		if putErr != nil && !errors.Is(putErr, store.ErrExists) {
			return "", putErr
		}
		if _, versioned := s.(store.Versioned); putErr == nil && !versioned {
			return name, nil
		}
		// With versions a delete marker can make way for a second seal, and a
		// later write can hide the first: look at all of them.
		stored, err := e.alone(ctx, s, v, name)
		if stored || err != nil {
			return name, err
		}
	}
	return "", &ObstructedError{sealName(v.Log, v.First, 0), fmt.Sprintf("what is not a seal lies there and at %d names beside it", maxBeside-1)}
}

// alone says whether v lies at name; squatters may share or hold it, another
// valid seal may not.
func (e *Exporter) alone(ctx context.Context, s store.Store, v *seal.Verified, name string) (bool, error) {
	valid, squatters, err := e.look(ctx, s, v.Log, v.First, name)
	if err != nil {
		return false, err
	}
	if h := conflicting(valid, v); h != nil {
		return false, e.fork(string(v.After().Note()), h)
	}
	stored := same(valid, v) != nil
	switch {
	case !stored:
		e.notice(ctx, noticeSquatter, name)
	case squatters > 0 || len(valid) > 1:
		e.notice(ctx, noticeShadow, name)
	}
	return stored, nil
}

func (e *Exporter) put(ctx context.Context, s store.Store, kind Kind, name string, data []byte, v *seal.Verified) error {
	var opt store.PutOptions
	if e.set.Retain != nil {
		opt.Retention = e.set.Retain(kind, v)
	}
	began := time.Now()
	_, err := s.PutOnce(ctx, name, data, opt)
	if err == nil {
		e.telemetry.object(ctx, kind, len(data), time.Since(began))
	}
	return err
}
