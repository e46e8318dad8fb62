package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/integrity/framed"
	"github.com/otelcol-custody/custody/internal/integrity/incident"
)

const (
	title = "custody-webhook/1"
	// maxItems wait at most. Updates make room first; when there are none, events
	// wait in the book.
	maxItems   = 1024
	minCompact = 1 << 20
)

// item is a post that waits. Its ID is the same for each attempt.
type item struct {
	ID    string         `json:"id"`
	Event incident.Event `json:"event"`
}

// change is a frame of the queue's file.
type change struct {
	Add  *item  `json:"add,omitempty"`
	Done string `json:"done,omitempty"`
}

// queue holds what waits, oldest first. It counts at once; store makes it
// durable.
type queue struct {
	file *framed.File

	mu      sync.Mutex
	items   []item
	fresh   []change // not in the file yet
	dropped uint64
	limit   int64 // the size in bytes from which the file is rewritten
}

// openQueue opens the queue's file. A damaged one is kept under another name,
// which the first error says.
func openQueue(fsys durable.FS, path string, now time.Time) (q *queue, damaged, err error) {
	q = &queue{}
	q.file, err = framed.Open(fsys, path, title, func(frame []byte) error {
		var c change
		err := json.Unmarshal(frame, &c)
		q.apply(c)
		return err
	})
	if errors.Is(err, framed.ErrDamaged) {
		aside, kerr := framed.Keep(fsys, path, now)
		if kerr != nil {
			return nil, nil, kerr
		}
		q.items = nil
		return q, fmt.Errorf("%w; it is kept as %s", err, aside), q.rewrite()
	}
	if err != nil {
		return nil, nil, err
	}
	return q, nil, q.store()
}

func (q *queue) apply(c change) {
	if c.Add != nil && !slices.ContainsFunc(q.items, func(i item) bool { return i.ID == c.Add.ID }) {
		q.items = append(q.items, *c.Add)
	}
	q.items = slices.DeleteFunc(q.items, func(i item) bool { return i.ID == c.Done })
}

// room is how many more events the queue takes.
func (q *queue) room() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	updates := 0
	for _, i := range q.items {
		if i.Event.What == incident.Updated {
			updates++
		}
	}
	return maxItems - len(q.items) + updates
}

// add takes an event. When the queue is full, the oldest update goes.
func (q *queue) add(e incident.Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) >= maxItems {
		if i := slices.IndexFunc(q.items, func(i item) bool { return i.Event.What == incident.Updated }); i >= 0 {
			q.change(change{Done: q.items[i].ID})
			q.dropped++
		}
	}
	q.change(change{Add: &item{ID: fmt.Sprintf("%s.%d", e.Incident.ID, e.Seq), Event: e}})
}

// done takes an item out.
func (q *queue) done(id string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.change(change{Done: id})
}

// change applies a change, whose place in the file is still to come; mu is held.
func (q *queue) change(c change) {
	q.apply(c)
	if q.file.Usable() {
		q.fresh = append(q.fresh, c) // else the file is written anew, with all
	}
}

// heads are the oldest items of each incident, oldest first.
func (q *queue) heads() (all []item) {
	q.mu.Lock()
	defer q.mu.Unlock()
	seen := map[string]bool{}
	for _, i := range q.items {
		if !seen[i.Event.Incident.ID] {
			seen[i.Event.Incident.ID] = true
			all = append(all, i)
		}
	}
	return all
}

// store makes everything durable. After an error it is all still to be done.
func (q *queue) store() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.file.Usable() || q.file.Size() > max(q.limit, minCompact) {
		return q.rewrite()
	}
	for len(q.fresh) > 0 {
		if err := q.file.Append(marshal(q.fresh[0])); err != nil {
			q.fresh = nil
			return fmt.Errorf("write the webhook's queue: %w", err)
		}
		q.fresh = q.fresh[1:]
	}
	return nil
}

func (q *queue) rewrite() error {
	err := q.file.Rewrite(func(yield func([]byte) bool) {
		for i := range q.items {
			if !yield(marshal(change{Add: &q.items[i]})) {
				return
			}
		}
	})
	if err != nil {
		return fmt.Errorf("write the webhook's queue: %w", err)
	}
	q.fresh, q.limit = nil, 2*q.file.Size()
	return nil
}

func marshal(c change) []byte {
	frame, err := json.Marshal(c)
	if err != nil {
		panic(fmt.Sprintf("webhook: marshal an event: %v", err)) // as the book's file has it
	}
	return frame
}
