package awscloudtrailreceiver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"go.uber.org/zap"

	"github.com/otelcol-custody/custody/internal/contents"
	"github.com/otelcol-custody/custody/internal/s3read"
)

// walk goes through a stream day by day, the oldest first, and moves its mark over the
// days that are done. It returns nil if all of them are.
func (b *bucket) walk(ctx context.Context, s *stream) error {
	begin, done := b.begin(s.mark), s.mark.Day
	logs, digests := b.open(s.logs, begin), b.open(s.digests, begin)
	all := slices.Concat(logs, digests)
	defer closeAll(all)
	for _, c := range all {
		if err := c.next(ctx); err != nil {
			return err
		}
	}
	var left error
	for day := earliest(all); day != ""; day = earliest(all) {
		for _, part := range [][]*cursor{logs, digests} {
			err := b.day(ctx, day, part)
			if ctx.Err() != nil || errors.As(err, new(*listingError)) {
				return cmp.Or(ctx.Err(), err)
			}
			left = cmp.Or(left, err)
		}
		if left != nil || day <= done {
			continue
		}
		// Commit point. Before: the day is listed again, and its objects are recognised.
		// After: it is listed only as far as the overlap reaches.
		if err := b.objects.book.Save(ctx, contents.Set(b.markKey(s), mark{Day: day})); err != nil {
			return err
		}
		done = day
	}
	return left
}

// day brings the objects of one day to their end, and returns when none is in hand. Its
// error says why some did not come there.
func (b *bucket) day(ctx context.Context, day string, folders []*cursor) error {
	var work sync.WaitGroup
	var mu sync.Mutex
	var failed []error
	var listing error
	for _, c := range folders {
		for listing == nil && !c.over && c.day == day {
			if !b.enter(ctx) {
				listing = ctx.Err()
				break
			}
			ref := c.ref
			work.Go(func() {
				defer func() { <-b.room }()
				if err := b.object(ctx, ref, day); err != nil {
					mu.Lock()
					failed = append(failed, err)
					mu.Unlock()
				}
			})
			listing = c.next(ctx)
		}
	}
	work.Wait()
	if listing != nil {
		return listing
	}
	return some(failed)
}

// object brings one object to its end. One that was delivered before is passed over
// without a word: the overlap names it at every look.
func (b *bucket) object(ctx context.Context, ref s3read.Ref, day string) error {
	var was entry
	if _, err := b.objects.book.Recall(ctx, entryKey(ref), &was); err == nil && was.Done {
		b.tally.done(ref, day, recognised, 0)
		return nil
	}
	if b.isParked(ref) {
		b.tally.trouble()
		return fmt.Errorf("%s: the pipeline refused it for good; it is tried again after a restart", ref)
	}
	var what fate
	err := b.persist(ctx, func() (err error) {
		what, err = b.objects.take(ctx, ref)
		return err
	})
	switch {
	case err == nil:
		b.tally.done(ref, day, what, b.events(ctx, ref, what))
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, contents.ErrParked):
		b.park(ref)
		b.health.fail(err)
		b.log.Error("object cannot be delivered; it is tried again after a restart", zap.Stringer("object", ref), zap.Error(err))
	}
	b.tally.trouble()
	return err
}

// events is how many records an object had that was delivered just now, if anybody asks.
func (b *bucket) events(ctx context.Context, ref s3read.Ref, what fate) int {
	var is entry
	if b.cfg.Progress == nil || what != delivered {
		return 0
	}
	if _, err := b.objects.book.Recall(ctx, entryKey(ref), &is); err != nil {
		return 0
	}
	return is.Events
}

func (b *bucket) isParked(ref s3read.Ref) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.parked[ref]
}

func (b *bucket) park(ref s3read.Ref) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.parked[ref] = true
}

// A cursor goes through one folder of a stream, a page of the listing at a time.
type cursor struct {
	b      *bucket
	folder string
	after  string // the last key that was seen

	pull func() (s3read.Listed, error, bool) // nil: the listing is to be begun behind after
	stop func()

	ref  s3read.Ref // the object it stands at
	day  string     // of that object
	over bool       // it stands behind the last one
}

// open returns cursors that stand before the first object of a day.
func (b *bucket) open(folders []string, begin string) []*cursor {
	var list []*cursor
	for _, f := range folders {
		list = append(list, &cursor{b: b, folder: f, after: f + begin})
	}
	return list
}

func closeAll(list []*cursor) {
	for _, c := range list {
		c.close()
	}
}

func (c *cursor) close() {
	if c.pull != nil {
		c.stop()
		c.pull = nil
	}
}

// earliest is the first day at which a cursor stands; "" when all are over.
func earliest(list []*cursor) (day string) {
	for _, c := range list {
		if !c.over && (day == "" || c.day < day) {
			day = c.day
		}
	}
	return day
}

// A listingError is why a listing cannot go on.
type listingError struct{ error }

func (e *listingError) Unwrap() error { return e.error }

// next goes to the next object that is CloudTrail's and within the bounds.
func (c *cursor) next(ctx context.Context) error {
	last := c.b.bounds.last()
	for {
		err := c.b.persist(ctx, func() error { return c.advance(ctx) })
		if err != nil {
			return &listingError{err}
		}
		if c.over {
			return nil
		}
		if c.day = dayIn(c.ref.Key[len(c.folder):]); c.day == "" || !isCloudTrails(c.ref.Key) {
			c.b.log.Debug("an object is not CloudTrail's and is left alone", zap.Stringer("object", c.ref))
			continue
		}
		if last != "" && c.day > last {
			c.over = true
			return nil
		}
		if c.b.bounds.include(c.ref.Key) {
			return nil
		}
	}
}

// advance goes to the next key. After an error the listing is begun anew behind the last
// key that was seen.
func (c *cursor) advance(ctx context.Context) error {
	if c.pull == nil {
		c.pull, c.stop = iter.Pull2(c.b.objects.reader.List(ctx, c.b.cfg.Name, c.folder, c.after))
	}
	item, err, ok := c.pull()
	switch {
	case !ok:
		c.over = true
	case err != nil:
		c.close()
		return err
	default:
		c.ref, c.after = item.Ref, item.Ref.Key
	}
	return nil
}

// dayIn is the day of a key, given from behind its folder: YYYY/MM/DD/…; "" for another
// form.
func dayIn(rest string) string {
	if len(rest) <= len(dayLayout) || rest[len(dayLayout)] != '/' || strings.Contains(rest[len(dayLayout)+1:], "/") {
		return ""
	}
	day := rest[:len(dayLayout)]
	if day[4] != '/' || day[7] != '/' {
		return ""
	}
	for i, r := range day {
		if i != 4 && i != 7 && (r < '0' || r > '9') {
			return ""
		}
	}
	return day
}
