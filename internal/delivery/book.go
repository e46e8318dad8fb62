package delivery

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// A Book collects receipts. hash_chain puts one into the context of each
// delivery and probe, since an answer of nil proves nothing: a debug exporter
// gives it too.
type Book struct {
	mu     sync.Mutex
	stores map[string]bool // asked; true once it has given its receipt
}

type bookKey struct{}

// WithBook returns a context that carries a new book.
func WithBook(ctx context.Context) (context.Context, *Book) {
	b := &Book{stores: map[string]bool{}}
	return context.WithValue(ctx, bookKey{}, b), b
}

// Asked is called by a WORM exporter as soon as a delivery or probe reaches it,
// and Receipt once store has it durably, or has answered the probe. Without a
// book in the context (segments that came over OTLP) both do nothing.
func Asked(ctx context.Context, store string) { enter(ctx, store, false) }

// Receipt says that store has durably what was delivered under ctx.
func Receipt(ctx context.Context, store string) { enter(ctx, store, true) }

// Booked says whether ctx comes from a hash_chain of this process.
func Booked(ctx context.Context) bool {
	_, ok := ctx.Value(bookKey{}).(*Book)
	return ok
}

func enter(ctx context.Context, store string, done bool) {
	b, ok := ctx.Value(bookKey{}).(*Book)
	if !ok {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stores[store] = b.stores[store] || done
}

type wakeKey struct{}

// WithWake lets exporters say, after they answered [ErrPending], that there is
// something new to ask for: the sender need not wait until its pause is over.
// wake must return at once; it may be called at any later time.
func WithWake(ctx context.Context, wake func()) context.Context {
	return context.WithValue(ctx, wakeKey{}, wake)
}

// Waker returns what to call when work that was answered with [ErrPending] is
// done. Without one in the context it is a function that does nothing.
func Waker(ctx context.Context) func() {
	if wake, ok := ctx.Value(wakeKey{}).(func()); ok {
		return wake
	}
	return func() {}
}

// Complete says whether every store that was asked gave its receipt, and at
// least min did.
func (b *Book) Complete(min int) bool {
	given, asked := b.Count()
	return given == asked && given >= min
}

// Count is the number of receipts, and of stores that were asked.
func (b *Book) Count() (given, asked int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, ok := range b.stores {
		if ok {
			given++
		}
	}
	return given, len(b.stores)
}

// ErrPending means that a store's own workers are still at it, or that the
// store is away: ask again. It is never a fork.
var ErrPending = errors.New("not stored yet")

// A ForkError means that a store holds another history of the log than its
// writer has: a validly signed seal that does not belong to it. The writer
// stops. Only a WORM exporter makes one, from bytes that it has verified.
type ForkError struct {
	Store  string
	Log    string
	Object string // the seal found
	Size   uint64 // at which the found seal begins
	Ours   string // the checkpoint that we hold, "" at genesis
	Theirs string // the checkpoint found
	// Ahead: the store holds all records of the seal that the writer showed, and
	// goes on behind them.
	Ahead bool
	// Shared is how many records both histories are known to begin with.
	Shared uint64
}

func (e *ForkError) Error() string {
	found := fmt.Sprintf("store %s holds a validly signed seal %s", e.Store, e.Object)
	ours, theirs := brief(e.Ours), brief(e.Theirs)
	switch {
	case e.Ours == "":
		return fmt.Sprintf("log %s is forked: %s, and this collector, which has sealed nothing, was about to begin the log; the store's checkpoint has %s", e.Log, found, theirs)
	case e.Ahead:
		return fmt.Sprintf("log %s: the store is ahead: %s that continues the log behind the newest record of this collector; this collector's checkpoint has %s, the store's has %s", e.Log, found, ours, theirs)
	case e.Shared > 0:
		found += fmt.Sprintf(" of another history: both begin with the same %d records and part there", e.Shared)
	default:
		found += " that is not of this collector's history"
	}
	return fmt.Sprintf("log %s is forked: %s; this collector's checkpoint has %s, the store's has %s", e.Log, found, ours, theirs)
}

// brief is a checkpoint's size and root; the rest of the note is evidence, and
// too long for a sentence.
func brief(note string) string {
	lines := strings.SplitN(note, "\n", 4)
	if len(lines) < 4 {
		return fmt.Sprintf("%q", note)
	}
	return fmt.Sprintf("size %s and root %s", lines[1], lines[2])
}

// An AlteredError means that what arrived at a WORM exporter is not what
// hash_chain sealed, or was sealed with a key that the exporter does not trust.
type AlteredError struct{ Reason error }

func (e *AlteredError) Error() string {
	return fmt.Sprintf("refused to store a segment: %v. Either a component between hash_chain and this exporter changed it, or the exporter's log_keys do not hold the key that hash_chain signs with", e.Reason)
}

func (e *AlteredError) Unwrap() error { return e.Reason }
