package follow

import (
	"context"
	"time"

	"github.com/otelcol-custody/custody/internal/contents"
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
	Retry           contents.Backoff
}

// A Handler turns files into records and delivers them. An error of its Deliver that
// wraps [contents.ErrParked] means that the file is left alone until it changes or the
// follower is started again; its position stays where it is.
type Handler interface {
	contents.Handler
	// Idle is called after each look through the tree, once what was due has been
	// worked off, and a last time when the follower stops and ctx has ended.
	Idle(ctx context.Context)
}

// An Observer is told what happens. Its methods may be called concurrently and must
// return soon.
type Observer interface {
	// Done: every record of f is acknowledged and that is remembered.
	Done(f *contents.File)
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
