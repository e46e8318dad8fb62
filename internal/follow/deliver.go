package follow

import (
	"context"
	"errors"
	"os"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-custody/custody/internal/contents"
)

// readAndDeliver reads a due file, and delivers its content unless that was done.
func (f *Follower) readAndDeliver(ctx context.Context, root *os.Root, c candidate) error {
	stored, err := f.readStored(ctx, root, c.path, c.open.print)
	if err != nil {
		return err
	}
	key := keyOf(c.path)
	res, err := f.book.Deliver(ctx, contents.Found{
		Path:   c.path,
		Stored: stored,
		Limit:  f.cfg.MaxInflated,
		Wait:   func(fault error) bool { return f.mayMend(fault, c) },
		// Of a file that is too large only the content is remembered, so that it is
		// looked at again when the limit may have been raised.
		Also: func(end contents.End) []*storage.Operation {
			if end.TooLarge {
				return nil
			}
			return []*storage.Operation{contents.Set(key.String(), c.open.print)}
		},
	}, f.handler, func(err error) { f.observer.Trouble(c.path, err) })
	if err != nil {
		return err
	}
	f.state.markDone(c.path, key, c.open.print)
	switch {
	case res.File != nil:
		f.observer.Done(res.File)
	case res.Original != c.path:
		f.observer.Duplicate(c.path, res.Original, res.Records)
	}
	return nil
}

// mayMend reports whether the file may still become whole, and puts off the next
// reading until that can be told.
func (f *Follower) mayMend(fault error, c candidate) bool {
	if errors.Is(fault, contents.ErrTooLarge) {
		return false
	}
	now := time.Now()
	left := f.cfg.IncompleteAfter - c.open.quiet(now)
	if left <= 0 {
		return false
	}
	f.state.postpone(c, now.Add(left))
	return true
}
