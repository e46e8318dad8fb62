package wormexport

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/store"
)

// parallelPuts is how many objects of one segment are uploaded at a time.
const parallelPuts = 4

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
	if e.memory.isStored(d.id) {
		return nil // By a job that ended just before this one began.
	}
	e.promised(s, d.seal)
	e.retain(d)
	done, err := e.begin(ctx, s, d)
	if done || err != nil {
		return err
	}
	if !e.memory.isPlaced(d.id) {
		if err := e.putContent(ctx, s, d, false); err != nil {
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
	name, err := e.putSeal(ctx, s, d)
	if err != nil {
		return err
	}
	e.stored(ctx, d, &held{name: name, seal: d.seal, newest: true})
	e.telemetry.stored(ctx, d)
	e.unretained(ctx, d)
	return nil
}

func (e *Exporter) stored(ctx context.Context, d *sealed, h *held) {
	e.memory.store(d.id, h)
	e.telemetry.until.Store(d.keep.Until.Unix())
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
// is a fork. A seal proves only itself: whoever copied or planted it may have left
// the rest out. So all that it names, and its retention, is made sure of here.
func (e *Exporter) known(ctx context.Context, s store.Store, d *sealed) (bool, error) {
	found, err := e.at(ctx, s, d.seal.Log, d.seal.First)
	if err != nil {
		return false, err
	}
	if h := found.Conflict(d.seal); h != nil {
		return false, e.fork(d.seal, string(d.seal.After().Note()), heldAs(h))
	}
	h := found.Same(d.seal)
	if h == nil {
		return false, nil
	}
	e.hidden(ctx, found)
	if err := e.putContent(ctx, s, d, true); err != nil {
		return false, err
	}
	if err := extend(ctx, s, h.Object.Name, h.Object.Version, d.least); err != nil {
		return false, err
	}
	e.stored(ctx, d, heldAs(h))
	e.telemetry.duplicate(ctx)
	return true, nil
}

// putContent stores all but the seal, some objects at a time. With look it first
// looks whether they are there, which spares uploads where they mostly are.
func (e *Exporter) putContent(ctx context.Context, s store.Store, d *sealed, look bool) error {
	var g errgroup.Group // One's failure does not undo the others' work.
	g.SetLimit(parallelPuts)
	put := func(kind Kind, inLog string, data []byte, taken func(name string) error) {
		g.Go(func() error {
			name := logstore.ObjectName(d.seal.Log, inLog)
			if look && e.has(ctx, s, name, data, d.least) {
				return nil
			}
			_, err := e.put(ctx, s, kind, name, data, d.keep)
			if errors.Is(err, store.ErrExists) {
				return taken(name)
			}
			return err
		})
	}
	if d.segment != nil {
		put(KindSegment, d.seal.SegmentName(), d.segment, func(string) error { return e.below(ctx, s, d) })
	}
	for _, t := range d.tiles {
		put(KindTile, ledger.TileName(t.Level, t.Index), t.Bytes(), func(name string) error {
			// Tiles are derived: readers compute what is not right (spec §9).
			e.notice(ctx, noticeTile, name)
			return nil
		})
	}
	return g.Wait()
}

// has says whether the store has an object as it should be. One that does not
// know its digests is read: that is cheaper than to upload.
func (e *Exporter) has(ctx context.Context, s store.Store, name string, data []byte, least store.Retention) bool {
	info, err := s.Stat(ctx, name)
	if err != nil || info.Size != int64(len(data)) || !info.Retention.Covers(least) {
		return false
	}
	if info.SHA256 != [sha256.Size]byte{} {
		return info.SHA256 == sha256.Sum256(data)
	}
	r, _, err := s.Get(ctx, name)
	if err != nil {
		return false
	}
	defer r.Close()
	hash := sha256.New()
	_, err = io.Copy(hash, io.LimitReader(r, info.Size+1))
	sum := sha256.Sum256(data)
	return err == nil && bytes.Equal(hash.Sum(nil), sum[:])
}

// below looks for a segment under what shadows it. Its name holds its hash, so
// other bytes there are nobody's segment.
func (e *Exporter) below(ctx context.Context, s store.Store, d *sealed) error {
	_, info, err := e.reader(ctx, s, d.seal.Log).Segment(ctx, d.seal)
	var other *logstore.AlteredError
	if errors.As(err, &other) {
		return &ObstructedError{other.Object, "other bytes lie where a segment of that hash belongs"}
	}
	if err != nil {
		return err
	}
	return extend(ctx, s, info.Name, info.Version, d.keep)
}

// putSeal stores the seal at its name, or beside squatters, and returns the
// name. This write is what fences: another valid seal there is a fork.
func (e *Exporter) putSeal(ctx context.Context, s store.Store, d *sealed) (string, error) {
	v := d.seal
	for n := range logstore.MaxBeside {
		name := logstore.SealName(v.Log, v.First, n)
		info, putErr := e.put(ctx, s, KindSeal, name, v.Bytes(), d.keep)
		if putErr != nil && !errors.Is(putErr, store.ErrExists) {
			return "", putErr
		}
		stored, err := e.alone(ctx, s, d, name, info, putErr == nil)
		if stored || err != nil {
			return name, err
		}
	}
	return "", &ObstructedError{logstore.SealName(v.Log, v.First, 0), fmt.Sprintf("what is not a seal lies there and at %d names beside it", logstore.MaxBeside-1)}
}

// alone says whether the seal lies at name; squatters may share or hold it, another
// valid seal may not. With versions a delete marker can make way for a second
// seal, and a later write can hide the first: unless what was written is the
// only version, all of them are read.
func (e *Exporter) alone(ctx context.Context, s store.Store, d *sealed, name string, put store.Info, wrote bool) (bool, error) {
	v := d.seal
	if wrote {
		if only, err := only(ctx, s, put); only || err != nil {
			return only, err
		}
	}
	found, err := e.reader(ctx, s, v.Log).ReadName(ctx, v.First, name)
	if err != nil {
		return false, err
	}
	if h := found.Conflict(v); h != nil {
		return false, e.fork(v, string(v.After().Note()), heldAs(h))
	}
	if found.Gone != nil {
		// What cannot be read may be another seal: to write beside it would lay
		// two histories into one store.
		return false, fmt.Errorf("%s: the store lists a version there and does not show it: %w", name, found.Gone)
	}
	e.tellAll(ctx, found)
	h := found.Same(v)
	if h == nil {
		if len(found.Seals) > 0 {
			e.notice(ctx, string(logstore.Copy), name)
		}
		return false, nil
	}
	return true, extend(ctx, s, name, h.Object.Version, d.keep)
}

// only says whether what was written is the only version of its name.
func only(ctx context.Context, s store.Store, put store.Info) (bool, error) {
	if _, versioned := s.(store.Versioned); !versioned {
		return true, nil
	}
	all, err := s.Versions(ctx, put.Name)
	return err == nil && len(all) == 1 && all[0].Version == put.Version && !all[0].DeleteMarker, err
}

func (e *Exporter) put(ctx context.Context, s store.Store, kind Kind, name string, data []byte, r store.Retention) (store.Info, error) {
	began := time.Now()
	info, err := s.PutOnce(ctx, name, data, store.PutOptions{Retention: r})
	if err == nil {
		e.telemetry.object(ctx, kind, len(data), time.Since(began), r)
	}
	return info, err
}
