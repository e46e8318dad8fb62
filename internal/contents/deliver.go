package contents

import (
	"context"
	"encoding/hex"
	"errors"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// A Handler turns a file into records and delivers them.
type Handler interface {
	// Deliver delivers the file's records from number f.Acked on, in an order that
	// depends on its content and Fault alone. After each acknowledged batch but the
	// last it calls ack with the number of records acknowledged so far, and goes
	// on only if that returns nil. It returns how many are acknowledged, also with an
	// error: those are not asked for again.
	// Retryable errors are its own business; ctx ends when reading is to stop. It may
	// be called concurrently.
	Deliver(ctx context.Context, f *File, ack func(total int) error) (total int, err error)
}

// ErrStopped is wrapped by an error of [Handler.Deliver] that stopped between two batches,
// since ctx has ended: nothing is in flight that could come again.
var ErrStopped = errors.New("stopped between two batches")

// A Found is a content at a place.
type Found struct {
	Path   string // what to call the place
	Stored Stored
	Limit  int64 // bytes: a content that is larger, inflated or stored, is not read
	// Wait is asked whether a content that is not whole may still become so; nil
	// for what does not change.
	Wait func(fault error) bool
	// Again is told of a content that was delivered before, ahead of what becomes durable
	// with that; nil for nothing. Its error is Deliver's.
	Again func(end End) error
	// Also is what becomes durable together with the content's end; nil for nothing.
	Also func(end End) []*storage.Operation
}

// An End is what is known of a content of which every record is acknowledged.
type End struct {
	TooLarge bool // it was not read
	Records  int
	Inflated [32]byte // SHA-256 of the inflated content; zero if it was not read
}

// ErrBusy means that another caller has the same content in work, or that Wait said so:
// it is worth another attempt later.
var ErrBusy = errors.New("not yet")

// A Result says what became of a content.
type Result struct {
	File *File // delivered just now; nil if it was before
	// Of a content that was delivered before: where it was found then, and how many
	// records it held, 0 if it could not be read.
	Original string
	Records  int
}

// Deliver brings a content to its end, unless it came there before. A position that is
// damaged is told to trouble, and the content delivered from its start.
func (b *Book) Deliver(ctx context.Context, in Found, h Handler, trouble func(error)) (Result, error) {
	digest := in.Stored.Digest
	if !b.claim(digest) {
		return Result{}, ErrBusy
	}
	defer b.release(digest)
	pos, err := b.position(ctx, in.Path, digest, trouble)
	if err != nil {
		return Result{}, err
	}
	if pos.Done && (pos.Limit == 0 || in.Limit <= pos.Limit) {
		return b.recognise(ctx, in, pos)
	}
	if pos.Done { // The operator raised the limit that it was over.
		pos = position{Path: pos.Path}
	}
	file := &File{Path: in.Path, Acked: pos.Events, Repeat: pos.Begun && !b.ownBeginning(digest)}
	file.inflate(in.Stored, in.Limit)
	if errors.Is(file.Fault, ErrTooLarge) {
		// The limit was lowered in between: what is left to deliver is the gap, which
		// must not be taken for one of the records that were acknowledged.
		file.Acked = 0
	}
	if file.Fault != nil && in.Wait != nil && in.Wait(file.Fault) {
		return Result{}, ErrBusy
	}
	return Result{File: file}, b.deliver(ctx, in, file, pos, h)
}

// position returns how far the delivery of a content has come.
func (b *Book) position(ctx context.Context, path string, digest [32]byte, trouble func(error)) (position, error) {
	var pos position
	_, err := b.Recall(ctx, contentKey(digest), &pos)
	if errors.Is(err, ErrDamaged) {
		trouble(err)
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

// recognise notes that a content was delivered before.
func (b *Book) recognise(ctx context.Context, in Found, pos position) (Result, error) {
	if in.Again != nil {
		if err := in.Again(pos.end()); err != nil {
			return Result{}, err
		}
	}
	if err := b.Save(ctx, in.also(pos)...); err != nil {
		return Result{}, err
	}
	records := pos.Events
	if pos.Limit != 0 {
		records = 0 // The gap record stands for what was never read.
	}
	return Result{Original: pos.Path, Records: records}, nil
}

func (in Found) also(pos position) []*storage.Operation {
	if in.Also == nil {
		return nil
	}
	return in.Also(pos.end())
}

func (pos position) end() End {
	end := End{TooLarge: pos.Limit != 0, Records: pos.Events}
	if sum, err := hex.DecodeString(pos.Inflated); err == nil {
		copy(end.Inflated[:], sum)
	}
	return end
}

// deliver hands the file to the handler and remembers each acknowledged batch.
func (b *Book) deliver(ctx context.Context, in Found, file *File, pos position, h Handler) error {
	key := contentKey(file.Digest)
	if !pos.Begun {
		pos.Begun = true
		if err := b.Save(ctx, Set(key, pos)); err != nil {
			return err
		}
	}
	b.setBegun(file.Digest, true)
	ack := func(total int) error {
		pos.Events = total
		return b.Save(ctx, Set(key, pos))
	}
	total, err := h.Deliver(ctx, file, ack)
	if err != nil {
		stopped := errors.Is(err, ErrStopped)
		if !stopped && (total <= pos.Events || errors.Is(file.Fault, ErrTooLarge)) {
			return err // A gap's number is that of a record, should the limit be raised.
		}
		// What is acknowledged does not come again only because something behind it failed.
		pos.Events, pos.Begun = max(total, pos.Events), !stopped
		b.setBegun(file.Digest, pos.Begun)
		return errors.Join(err, b.Save(ctx, Set(key, pos)))
	}
	// Commit point. Before: the last batch is delivered again after a crash.
	// After: the content is never delivered again.
	pos.Events, pos.Done, pos.Begun = total, true, false
	pos.Inflated = hex.EncodeToString(file.Inflated[:])
	if errors.Is(file.Fault, ErrTooLarge) {
		pos.Limit, pos.Inflated = in.Limit, ""
	}
	if err := b.Save(ctx, append(in.also(pos), Set(key, pos))...); err != nil {
		return err
	}
	b.setBegun(file.Digest, false)
	return nil
}
