package follow

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// Config says what to follow and how. Every field is required.
type Config struct {
	Root            string        // the directory; may be missing for a while
	Include         []string      // patterns, see [CheckPattern]
	PollInterval    time.Duration // rest between two looks through the tree
	StableFor       time.Duration // how long a file must not have changed before it is read
	IncompleteAfter time.Duration // how long a file that ends too early is waited for
	MaxInflated     int64         // bytes; a larger file is not read into memory
	Workers         int           // files in work at once; 1 keeps the order
	Retry           Backoff
}

// Positions is what the follower needs of a storage client. Get returns nil without
// an error for an unknown key. Batch applies all operations or none, and returns nil
// once they are durable.
type Positions interface {
	Get(ctx context.Context, key string) ([]byte, error)
	Batch(ctx context.Context, ops ...*storage.Operation) error
}

// Why a file's Data is not the whole of it.
var (
	// ErrTooLarge means the content is larger than MaxInflated. Data is empty.
	ErrTooLarge = errors.New("content is larger than the limit")
	// ErrIncomplete means the file ends too early and did not grow for
	// IncompleteAfter. Data is what there is.
	ErrIncomplete = errors.New("file ends too early")
	// ErrCorrupt means the compressed data is damaged. Data is what came before
	// the damage was noticed.
	ErrCorrupt = errors.New("compressed data is damaged")
)

// ErrParked is wrapped by an error of [Handler.Deliver] that no retry can mend. The
// file is left alone until it changes or the follower is started again; its position
// stays where it is.
var ErrParked = errors.New("not tried again before a restart")

// A File is one file's content on its way to the handler.
type File struct {
	Path   string   // relative to the root, with slashes
	Digest [32]byte // SHA-256 of the stored bytes
	Size   int64    // of the stored bytes
	Data   []byte   // inflated content; never reused by the follower
	Fault  error    // nil, or why Data is not the whole
	Acked  int      // records of this content that were acknowledged before
}

// A Handler turns a file into records and delivers them.
type Handler interface {
	// Deliver delivers the file's records from number f.Acked on, in an order that
	// depends on f.Data and f.Fault alone. After each acknowledged batch but the
	// last it calls ack with the number of records acknowledged so far, and goes
	// on only if that returns nil. It returns their number once every record is
	// acknowledged.
	// Retryable errors are its own business; ctx ends when the follower stops.
	// With several workers it is called concurrently.
	Deliver(ctx context.Context, f *File, ack func(total int) error) (total int, err error)
	// Idle is called after each look through the tree, once what was due has been
	// worked off, and a last time when the follower stops and ctx has ended.
	Idle(ctx context.Context)
}

// An Observer is told what happens. Its methods may be called concurrently and must
// return soon.
type Observer interface {
	// Done: every record of f is acknowledged and that is remembered.
	Done(f *File)
	// Duplicate: path holds content of so many records that was delivered from
	// original; 0 if it could not be read. It is called once for each path that
	// holds the content, and not at all if the process died right before.
	Duplicate(path, original string, records int)
	// Trouble: path cannot be read or delivered now; an empty path stands for the
	// positions, which cannot be written. It is called once for each new reason.
	Trouble(path string, err error)
	// State is called when it changed.
	State(s State)
}

// A State is a summary for health and metrics.
type State struct {
	Backlog  int   // files found and not done, troubled ones included
	Troubled int   // of these and of folders: those that Trouble named
	Example  error // one of the reasons; nil when Troubled is 0
}
