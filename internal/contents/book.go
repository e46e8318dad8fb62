package contents

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// Positions is what a book needs of a storage client. Get returns nil without an error
// for an unknown key. Batch applies all operations or none, and returns nil once they
// are durable.
type Positions interface {
	Get(ctx context.Context, key string) ([]byte, error)
	Batch(ctx context.Context, ops ...*storage.Operation) error
}

// ErrDamaged means that a stored value cannot be read. What it stood for is delivered
// from the start: twice is mendable, never is not.
var ErrDamaged = errors.New("stored position is damaged; the file is read again from the start")

// ErrPositions means that positions cannot be read at present, which concerns all contents.
var ErrPositions = errors.New("the storage extension does not answer")

// A Book remembers which contents were delivered. Its methods may be called concurrently.
type Book struct {
	positions Positions
	retry     Backoff
	// written is told the outcome of each attempt to write a position.
	written func(error)

	mu      sync.Mutex
	claimed map[[32]byte]bool
	begun   map[[32]byte]bool // by this process, and not done
}

// NewBook returns a book over positions, which stay the caller's. written is told the
// outcome of each attempt to write; it may be called concurrently.
func NewBook(positions Positions, retry Backoff, written func(error)) *Book {
	return &Book{positions: positions, retry: retry, written: written,
		claimed: make(map[[32]byte]bool), begun: make(map[[32]byte]bool)}
}

// Recall reads the value at key into v, as JSON, and reports whether there was one. A
// value that is none of v's is [ErrDamaged], a storage that fails [ErrPositions].
func (b *Book) Recall(ctx context.Context, key string, v any) (bool, error) {
	data, err := b.positions.Get(ctx, key)
	if err != nil {
		return false, fmt.Errorf("read position %s: %w: %w", key, ErrPositions, err)
	}
	if data == nil {
		return false, nil
	}
	if err := json.Unmarshal(data, v); err != nil {
		return false, fmt.Errorf("%w: %s: %w", ErrDamaged, key, err)
	}
	return true, nil
}

// Set is the operation that stores v at key, as JSON.
func Set(key string, v any) *storage.Operation {
	data, err := json.Marshal(v)
	if err != nil {
		panic("contents: position cannot be encoded: " + err.Error())
	}
	return storage.SetOperation(key, data)
}

// Save makes ops durable, however often it takes. It fails only when ctx ends.
func (b *Book) Save(ctx context.Context, ops ...*storage.Operation) error {
	if len(ops) == 0 {
		return nil
	}
	for failed := 1; ; failed++ {
		err := b.saveOnce(ctx, ops)
		b.written(err)
		if err == nil {
			return nil
		}
		if !b.retry.Wait(ctx, failed) {
			return err
		}
	}
}

func (b *Book) saveOnce(ctx context.Context, ops []*storage.Operation) error {
	call, cancel := Outlast(ctx)
	defer cancel()
	if err := b.positions.Batch(call, ops...); err != nil {
		return fmt.Errorf("write position (is the storage extension's disk full?): %w", err)
	}
	return nil
}

func contentKey(digest [32]byte) string {
	return "follow/1/content/" + hex.EncodeToString(digest[:])
}

// A position is how far the delivery of one content has come.
type position struct {
	Events int    `json:"events"`
	Done   bool   `json:"done"`
	Path   string `json:"path"`
	Begun  bool   `json:"begun,omitempty"`
	Limit  int64  `json:"limit,omitempty"` // the limit that the content was over
	// Inflated is the SHA-256 of the inflated content, in hex, once it is done.
	Inflated string `json:"inflated,omitempty"`
}

// claim reserves a content for one worker; false means another has it in work.
func (b *Book) claim(digest [32]byte) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.claimed[digest] {
		return false
	}
	b.claimed[digest] = true
	return true
}

func (b *Book) release(digest [32]byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.claimed, digest)
}

// ownBeginning reports whether this process has begun the content; what it has then
// acknowledged it knows.
func (b *Book) ownBeginning(digest [32]byte) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.begun[digest]
}

func (b *Book) setBegun(digest [32]byte, begun bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if begun {
		b.begun[digest] = true
	} else {
		delete(b.begun, digest)
	}
}
