package delivery

import (
	"context"
	"fmt"
	"time"
)

// An Ending asks hash_chain to end its log. It travels in the context of an empty
// message, from the command that drains a log; nothing that comes over a network
// can carry one. ConsumeLogs then returns nil once all of the log has left the
// machine, or an error that says what has not.
type Ending struct {
	// Progress is told now and then what still waits.
	Progress func(Waiting)
	// Checkpoint is the last one of the log; set before ConsumeLogs returns nil.
	Checkpoint string
}

// Waiting is what of a log has not left the machine.
type Waiting struct {
	Ended    bool          // the log's last word is durable
	Segments int           // closed, and not in all stores
	Oldest   time.Duration // since the first record of the oldest of them, or since the start
	Records  int           // segments whose records have not been passed on
	Why      error         // what is in trouble, nil: nothing known
}

func (w Waiting) String() string {
	noun := "segments wait"
	if w.Segments == 1 {
		noun = "segment waits"
	}
	s := fmt.Sprintf("%d %s", w.Segments, noun)
	if w.Segments > 0 {
		s += fmt.Sprintf(", the oldest for %v", w.Oldest.Round(time.Second))
	}
	if w.Records > 0 {
		s += fmt.Sprintf("; records of %d are still to be passed on", w.Records)
	}
	if !w.Ended {
		s += "; the log has not ended yet"
	}
	return s
}

type endingKey struct{}

// WithEnding returns a context that carries e.
func WithEnding(ctx context.Context, e *Ending) context.Context {
	return context.WithValue(ctx, endingKey{}, e)
}

// EndingOf is the ending that ctx carries, or nil.
func EndingOf(ctx context.Context) *Ending {
	e, _ := ctx.Value(endingKey{}).(*Ending)
	return e
}
