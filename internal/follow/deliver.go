package follow

import (
	"context"
	"errors"
	"os"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// errWait means that the file may be worth another look later.
var errWait = errors.New("not yet")

// readAndDeliver reads a due file, and delivers its content unless that was done.
func (f *Follower) readAndDeliver(ctx context.Context, root *os.Root, c candidate) error {
	found, err := f.readStored(ctx, root, c.path, c.open.print)
	if err != nil {
		return err
	}
	if !f.state.claim(found.digest) {
		return errWait
	}
	defer f.state.release(found.digest)

	pos, err := f.position(ctx, c.path, found.digest)
	if err != nil {
		return err
	}
	if pos.Done && !f.readableNow(pos) {
		return f.recognise(ctx, c, pos)
	}
	if pos.Done {
		pos = position{Path: pos.Path}
	}
	file := &File{Path: c.path, Digest: found.digest, Size: found.size, Acked: pos.Events}
	file.Data, file.Fault = inflate(found, f.cfg.MaxInflated)
	if errors.Is(file.Fault, ErrTooLarge) {
		// The limit was lowered in between: what is left to deliver is the gap, which
		// must not be taken for one of the records that were acknowledged.
		file.Acked = 0
	}
	if f.mayMend(file.Fault, c) {
		return errWait
	}
	return f.deliver(ctx, c, file, pos)
}

// position returns how far the delivery of a content has come.
func (f *Follower) position(ctx context.Context, path string, digest [32]byte) (position, error) {
	var pos position
	_, err := recall(ctx, f.positions, contentKey(digest), &pos)
	if errors.Is(err, errDamaged) {
		f.observer.Trouble(path, err)
		return position{Path: path}, nil
	}
	if err != nil {
		return pos, err
	}
	if pos.Path == "" {
		pos.Path = path
	}
	return pos, nil
}

// readableNow reports whether a content that was too large is within the limit by now,
// which the operator raised. Then it is delivered after all.
func (f *Follower) readableNow(pos position) bool {
	return pos.Limit != 0 && f.cfg.MaxInflated > pos.Limit
}

// recognise notes that the content at a path was delivered earlier.
func (f *Follower) recognise(ctx context.Context, c candidate, pos position) error {
	if err := f.finish(ctx, c, pos); err != nil {
		return err
	}
	if pos.Path == c.path {
		return nil
	}
	records := pos.Events
	if pos.Limit != 0 {
		records = 0 // The gap record stands for what was never read.
	}
	f.observer.Duplicate(c.path, pos.Path, records)
	return nil
}

// mayMend reports whether the file may still become whole, and puts off the next
// reading until that can be told.
func (f *Follower) mayMend(fault error, c candidate) bool {
	if fault == nil || errors.Is(fault, ErrTooLarge) {
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

// deliver hands the file to the handler and remembers each acknowledged batch.
func (f *Follower) deliver(ctx context.Context, c candidate, file *File, pos position) error {
	content := contentKey(file.Digest)
	ack := func(total int) error {
		pos.Events = total
		return f.save(ctx, set(content, pos))
	}
	total, err := f.handler.Deliver(ctx, file, ack)
	if err != nil {
		return err
	}
	// Commit point. Before: the last batch is delivered again after a crash.
	// After: the content is never delivered again.
	pos.Events, pos.Done = total, true
	if errors.Is(file.Fault, ErrTooLarge) {
		pos.Limit = f.cfg.MaxInflated
	}
	if err := f.finish(ctx, c, pos, set(content, pos)); err != nil {
		return err
	}
	f.observer.Done(file)
	return nil
}

// finish remembers that the file at a path is done, together with ops. Of a file that
// is too large only the content is remembered, so that it is looked at again when the
// limit may have been raised.
func (f *Follower) finish(ctx context.Context, c candidate, pos position, ops ...*storage.Operation) error {
	key := keyOf(c.path)
	if pos.Limit == 0 {
		ops = append(ops, set(key.String(), c.open.print))
	}
	if err := f.save(ctx, ops...); err != nil {
		return err
	}
	f.state.markDone(c.path, key, c.open.print)
	return nil
}
