package integrity

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/otelcol-custody/custody/internal/integrity/incident"
	mem "github.com/otelcol-custody/custody/internal/integrity/memory"
	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tiles"
	"github.com/otelcol-custody/custody/ledger/tree"
)

const (
	// maxBackoff is the longest time between two tries.
	maxBackoff = 5 * time.Minute
	// thorough is how often the head itself is read again, and the listing; in
	// between only the next seal is asked for.
	thorough = time.Minute
	// lateGrace is how long behind next_by a closed record may come to be seen.
	lateGrace = time.Minute
)

// follow checks what is new, until ctx ends.
func (l *logWatch) follow(ctx context.Context) {
	var looked time.Time
	for errs := 0; ; {
		full := time.Since(looked) >= thorough
		l.looks(time.Now())
		err := l.catchUp(ctx, full || errs > 0)
		l.looks(time.Time{})
		if ctx.Err() != nil {
			return
		}
		switch errs++; {
		case errors.Is(err, mem.ErrUnsure):
			errs = 1 // It is looked at again soon.
		case err == nil:
			errs = 0
			if full {
				looked = time.Now()
			}
		}
		l.polled(ctx, errs, err)
		if sleep(ctx, backoff(l.set.Poll, errs)) != nil {
			return
		}
	}
}

// backoff is d, and longer after errors in a row.
func backoff(d time.Duration, errs int) time.Duration {
	for ; errs > 1 && d < maxBackoff; errs-- {
		d *= 2
	}
	return max(min(d, maxBackoff), time.Millisecond)
}

// catchUp goes on to the end of the log, and judges what is there then.
func (l *logWatch) catchUp(ctx context.Context, full bool) error {
	head, err := l.stand(ctx, full)
	if err != nil {
		return err
	}
	if !full && head != nil {
		if f, err := l.reader(l.urgent, nil).At(ctx, head.End()); err == nil && len(f.Seals) == 0 {
			return l.arrived(ctx, head)
		}
	}
	for {
		res, err := l.look(ctx, l.urgent, head, false)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		l.advance(ctx, head, res)
		if err != nil && !flooded(err) {
			return err
		}
		if res.n == 0 { // Behind a flood nobody knows: what is before it is judged.
			return errors.Join(l.arrived(ctx, head), err)
		}
		if head = res.seal; head == nil {
			if head, err = l.resolve(ctx, l.urgent, res.at); err != nil {
				return err
			}
		}
	}
}

// stand returns the seal up to which the log was looked at, read again if full.
func (l *logWatch) stand(ctx context.Context, full bool) (*seal.Verified, error) {
	l.mu.Lock()
	head, at := l.head, l.st.Seen
	l.mu.Unlock()
	if head != nil && !full {
		return head, nil
	}
	head, err := l.resolve(ctx, l.urgent, at)
	if errors.Is(err, errLost) {
		return nil, l.lost(ctx)
	}
	if err == nil {
		l.mu.Lock()
		l.head = head
		l.mu.Unlock()
	}
	return head, err
}

// lost judges what the store shows in place of what it showed before. Unless that
// may pass, it then has all of it read from its beginning.
func (l *logWatch) lost(ctx context.Context) error {
	h, err := l.reader(l.urgent, nil).Head(ctx)
	var flood *logstore.FloodedError
	switch {
	case errors.As(err, &flood):
		l.find(ctx, incident.Finding{Kind: incident.Squatter, Place: incident.Place{Object: flood.Object, First: flood.First}, Message: flood.Error()})
	case errors.Is(err, logstore.ErrNoLog):
		h = &logstore.Held{}
	case err != nil:
		if !contradicts(err) {
			return err
		}
		h = nil // The walk says it.
	}
	if h != nil {
		if err := l.judgeHead(ctx, h.Seal); err != nil {
			return err
		}
	}
	l.mu.Lock()
	l.head, l.atEnd = nil, false
	l.mu.Unlock()
	l.keepState(ctx, func(s *state) {
		s.Seen, s.Stored, s.Read, s.Later = position{}, 0, nil, nil
		s.Pass = pass{Ended: s.Pass.Ended}
	})
	return nil
}

// advance keeps how far a look from a seal on has come.
func (l *logWatch) advance(ctx context.Context, from *seal.Verified, res result) {
	if res.n == 0 {
		return
	}
	l.keepState(ctx, func(s *state) {
		s.Seen, s.Stored, s.Read = res.at, s.Stored+res.size, res.read(s.Read)
		l.head = res.seal
		if l.trail = l.trail.on(positionOf(from), res.path); res.torn {
			l.trail = nil
		}
	})
}

// arrived is called at the end of the log.
func (l *logWatch) arrived(ctx context.Context, head *seal.Verified) error {
	began := l.set.Now()
	l.retryLater(ctx)
	if err := l.judgeHead(ctx, head); err != nil {
		return err
	}
	l.keepHead(ctx)
	l.mu.Lock()
	l.atEnd, l.known = true, time.Time{}
	l.mu.Unlock()
	if head == nil {
		return l.nothing()
	}
	l.judgeTime(ctx, head, began)
	select {
	case <-l.caught:
	default:
		close(l.caught)
	}
	return nil
}

// nothing is said of a folder that was never a log, unless it was to be one.
func (l *logWatch) nothing() error {
	if slices.Contains(l.set.Logs, l.name) || slices.Contains(l.set.Heads.Logs(l.src), l.name) {
		return logstore.ErrNoLog
	}
	return nil
}

// judgeHead holds the head against what was seen before.
func (l *logWatch) judgeHead(ctx context.Context, head *seal.Verified) error {
	if l.doubted(head) {
		return nil
	}
	began := l.set.Now()
	var signed *checkpoint.Signed
	if head != nil {
		after := head.After()
		signed = &after
	}
	var unread error // of the store, and not of the memory
	f, err := l.set.Heads.Judge(ctx, l.src, l.name, signed, func(ctx context.Context, size uint64) (root tree.Hash, err error) {
		root, err = l.rootAt(ctx, head, size)
		unread = err
		return root, err
	})
	switch {
	case contradicts(unread), errors.Is(unread, tiles.ErrBroken):
		// What lies before head is not what leads to it: the walk says what it is.
		// Nothing is remembered until that is mended.
		l.mu.Lock()
		l.unproven, l.unprovenAt = positionOf(head), time.Now()
		l.mu.Unlock()
		return nil
	case unread != nil:
		return unread
	case errors.Is(err, mem.ErrUnsure):
		return err
	case err != nil:
		return fmt.Errorf("whether the log was rolled back is not known, since the memory of heads cannot be used: %w", err)
	case f != nil:
		l.mu.Lock()
		l.fine = 0
		l.mu.Unlock()
		l.find(ctx, *f)
		return nil
	}
	l.mu.Lock()
	l.fine++
	news := l.fine <= 2 // Twice: the book's clock may not have moved since the report.
	l.mu.Unlock()
	if news {
		l.swept(ctx, l.place(), began, incident.Rollback)
	}
	return nil
}

// doubted says whether the store's own seals did not lead to a head, a short time
// ago: finding that out can take reading all of them.
func (l *logWatch) doubted(head *seal.Verified) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return head != nil && l.unproven == positionOf(head) && time.Since(l.unprovenAt) < maxBackoff
}

// judgeTime is what the last closed record promises.
func (l *logWatch) judgeTime(ctx context.Context, head *seal.Verified, began time.Time) {
	closed, last := head.Closed(), head.End()-1
	place := incident.Place{First: head.First, End: head.End(), Record: &last}
	var late, unfenced *incident.Finding
	now := l.clock.now()
	if due := closed.NextBy; !due.IsZero() && now.After(due.Add(lateGrace+2*l.set.Poll)) {
		why := "the collector does not run or cannot reach the store"
		if closed.Reason == segment.Shutdown {
			why = "its collector was stopped as planned, and has not been started again or cannot reach the store (a log that is not needed any more is ended with `otelcol-custody drain`)"
		}
		late = &incident.Finding{Place: place, Want: "a closed record by " + stamp(due), Got: "none by " + stamp(now),
			Message: fmt.Sprintf("the log promised its next closed record by %s, and the store has none: %s, or somebody keeps what is new from being stored. Nothing proves that no record is missing since %s", stamp(due), why, stamp(closed.At))}
	}
	if closed.Unfenced {
		unfenced = &incident.Finding{Place: place, Message: fmt.Sprintf("since its writer started, no store had confirmed the log's place when record %d was sealed: a second writer would not be noticed", last)}
	}
	l.say(ctx, incident.Late, late, began)
	l.say(ctx, incident.Unfenced, unfenced, began)
}
