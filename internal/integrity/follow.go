package integrity

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/seal"
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
		err := l.catchUp(ctx, full || errs > 0)
		if ctx.Err() != nil {
			return
		}
		if errs++; err == nil {
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
		l.advance(ctx, res)
		if err != nil {
			return err
		}
		if res.n == 0 {
			return l.arrived(ctx, head)
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

// lost judges what the store shows in place of what it showed before, and then
// has all of it read from its beginning.
func (l *logWatch) lost(ctx context.Context) error {
	h, err := l.reader(l.urgent, nil).Head(ctx)
	switch {
	case errors.Is(err, logstore.ErrNoLog):
		h = &logstore.Held{}
	case err != nil:
		if !contradicts(err) {
			return err
		}
		h = nil // The walk says it.
	}
	if h != nil {
		// Twice: memory does not accuse on a first answer.
		for range 2 {
			if err := l.judgeHead(ctx, h.Seal); err != nil {
				return err
			}
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

// advance keeps how far a look has come.
func (l *logWatch) advance(ctx context.Context, res result) {
	if res.n == 0 {
		return
	}
	l.keepState(ctx, func(s *state) {
		s.Seen, s.Stored, s.Read = res.at, s.Stored+res.size, res.read(s.Read)
		l.head = res.seal
	})
}

// arrived is called at the end of the log.
func (l *logWatch) arrived(ctx context.Context, head *seal.Verified) error {
	began := l.set.Now()
	l.retryLater(ctx)
	if err := l.judgeHead(ctx, head); err != nil {
		return err
	}
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
	case unread != nil:
		return unread
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
	first := l.fine == 2 // It does not accuse on a first answer.
	l.mu.Unlock()
	if first {
		l.swept(ctx, l.place(), began, incident.Rollback)
	}
	return nil
}

// rootAt computes the root at a size of the history that ends in head. Where a
// seal begins, that is the checkpoint before it.
func (l *logWatch) rootAt(ctx context.Context, head *seal.Verified, size uint64) (tree.Hash, error) {
	if head == nil || size > head.End() {
		return tree.Hash{}, fmt.Errorf("log %s in store %s does not reach size %d", l.name, l.src, size)
	}
	if size == head.End() {
		return head.After().Root, nil
	}
	r := l.reader(l.urgent, nil)
	f, err := r.At(ctx, size)
	if err == nil && len(f.Seals) == 1 && f.Seals[0].Seal.SameLog(head) {
		before, err := checkpoint.Open(f.Seals[0].Seal.Before(), l.set.Keys)
		return before.Root, err
	}
	edge := &tree.Edge{}
	for h, err := range r.Seals(ctx, nil) {
		if err != nil {
			return tree.Hash{}, err
		}
		if h.Seal.End() < size {
			edge = h.Seal.Edge()
			continue
		}
		edge = edge.Clone()
		for i := 0; edge.Size() < size; i++ {
			edge.Append(h.Seal.Link(i), nil)
		}
		return edge.Root(), nil
	}
	return tree.Hash{}, fmt.Errorf("log %s in store %s does not reach size %d", l.name, l.src, size)
}

// judgeTime is what the last closed record promises.
func (l *logWatch) judgeTime(ctx context.Context, head *seal.Verified, began time.Time) {
	closed, last := head.Closed(), head.End()-1
	place := incident.Place{First: head.First, End: head.End(), Record: &last}
	var late, unfenced *incident.Finding
	now := l.clock.now()
	if due := closed.NextBy; !due.IsZero() && now.After(due.Add(lateGrace+2*l.set.Poll)) {
		late = &incident.Finding{Place: place, Want: "a closed record by " + stamp(due), Got: "none by " + stamp(now),
			Message: fmt.Sprintf("the log promised its next closed record by %s, and the store has none: the collector does not run or cannot reach the store, or somebody keeps what is new from being stored. Nothing proves that no record is missing since %s", stamp(due), stamp(closed.At))}
	}
	if closed.Unfenced {
		unfenced = &incident.Finding{Place: place, Message: fmt.Sprintf("since its writer started, no store had confirmed the log's place when record %d was sealed: a second writer would not be noticed", last)}
	}
	l.say(ctx, incident.Late, late, began)
	l.say(ctx, incident.Unfenced, unfenced, began)
}
