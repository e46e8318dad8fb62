// Package logproof proves records of one log out of any store, with few reads
// and without a copy: inclusion, consistency, evidence files, the C2SP
// tlog-tiles view.
//
// Its root of trust is a head: a seal that a trusted key signed. Everything else
// that it reads is proven by the head before it is used or remembered, so a
// store can make an answer fail and never make it wrong. Errors of the store come
// through as they are; that it contradicts the head is a [tiles.ErrBroken] or one
// of logstore's errors.
//
// With the head known, a proof in a log of N records takes up to log256(N) reads
// of 8 KiB for tiles, a listing of one page to find a seal, and that seal;
// a second seal where two segments share the 256 records around.
package logproof

import (
	"context"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/tiles"
	"github.com/otelcol-custody/custody/store"
)

// maxInflating is how many segments are read and inflated at a time: each takes
// up to 144 MiB.
const maxInflating = 2

// A Log is one log in one store. Its methods may be called by many goroutines.
type Log struct {
	store  store.Store
	name   string
	reader *logstore.Reader
	cache  *Cache
	room   *semaphore.Weighted

	advancing *semaphore.Weighted // who holds it may move head; who waits may give up
	head      atomic.Pointer[seal.Verified]
	bounds    bounds
	listed    atomic.Pointer[page] // the last one: neighbours are asked for next
	step      atomic.Uint64        // how far before a record the last listing began
}

// New returns the log of this name. Nothing is believed that keys do not vouch
// for. It has no head yet: see [Log.Refresh] and [Log.Advance]. tell takes what
// [Log.Refresh] meets and does not take; nil drops it.
func New(s store.Store, name string, keys *checkpoint.Keys, cache *Cache, tell func(logstore.Notice)) *Log {
	return &Log{
		store: s, name: name, reader: logstore.New(s, name, keys, tell), cache: cache,
		room: semaphore.NewWeighted(maxInflating), advancing: semaphore.NewWeighted(1),
	}
}

// Name is the log's name.
func (l *Log) Name() string { return l.name }

// Head is the seal that everything is proven with, nil before there is one.
func (l *Log) Head() *seal.Verified { return l.head.Load() }

// Refresh goes on to the newest seal that the store has. From a head on, each
// seal must follow the one before: a [logstore.ForkError] or
// [logstore.GapError] says that one does not, and the head stays at the last that
// did. Without a head it takes [logstore.Reader.Head].
func (l *Log) Refresh(ctx context.Context) error {
	if err := l.advancing.Acquire(ctx, 1); err != nil {
		return err
	}
	defer l.advancing.Release(1)
	head := l.Head()
	if head == nil {
		h, err := l.reader.Head(ctx)
		if err == nil {
			l.move(h.Seal)
		}
		return err
	}
	for h, err := range l.reader.Seals(ctx, head) {
		if err != nil {
			return err
		}
		l.move(h.Seal)
	}
	return nil
}

// Advance takes a head that somebody else has verified, such as the guard. One
// that is not longer than the present one changes nothing. It must continue it:
// where it does not follow directly, that is proven from the store. The error
// for one that is of another history is a [tiles.ErrBroken].
func (l *Log) Advance(ctx context.Context, v *seal.Verified) error {
	if err := l.advancing.Acquire(ctx, 1); err != nil {
		return err
	}
	defer l.advancing.Release(1)
	head := l.Head()
	if v.Log != l.name {
		return fmt.Errorf("a head of log %s is none of log %s", v.Log, l.name)
	}
	if head == nil {
		l.move(v)
		return nil
	}
	if v.End() <= head.End() {
		return nil
	}
	if err := l.continues(ctx, v, head); err != nil {
		return fmt.Errorf("log %s in store %s: the head at size %d does not continue the one at size %d: %w",
			l.name, l.store.ID(), v.End(), head.End(), err)
	}
	l.move(v)
	return nil
}

func (l *Log) continues(ctx context.Context, v, head *seal.Verified) error {
	if v.First == head.End() {
		if _, err := v.Follows(head); err != nil {
			return fmt.Errorf("%w: %w", tiles.ErrBroken, err)
		}
		return nil
	}
	if !v.SameLog(head) {
		return fmt.Errorf("%w: it has another genesis", tiles.ErrBroken)
	}
	// Nothing of it is remembered before it is known to be of this history.
	root, err := tiles.Root(&reading{l, ctx, v, NewCache(0)}, head.End())
	if err == nil && root != head.After().Root {
		err = fmt.Errorf("%w: its tree had root %v at size %d, the head's is %v", tiles.ErrBroken, root, head.End(), head.After().Root)
	}
	return err
}

// move makes v the head. The caller holds advancing.
func (l *Log) move(v *seal.Verified) {
	l.keep(v)
	l.head.Store(v)
}

// at begins a reading with the present head.
func (l *Log) at(ctx context.Context) (*reading, error) {
	head := l.Head()
	if head == nil {
		return nil, fmt.Errorf("log %s in store %s: %w", l.name, l.store.ID(), ErrNoHead)
	}
	return &reading{l, ctx, head, l.cache}, nil
}
