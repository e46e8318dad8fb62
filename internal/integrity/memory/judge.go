package memory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// RootAt computes the root, at a smaller size, of the history that a store shows.
type RootAt = func(ctx context.Context, size uint64) (tree.Hash, error)

// Judge holds the head that a store shows of a log against the highest that it
// showed before. A higher one of the same history is remembered durably before
// it returns. A nil head means that the store answers and has no valid seal of
// the log. The finding is a rollback or a fork; both signed heads are its
// evidence, and the one before stays remembered. A store that shows less than
// before is accused when each of several calls has met that for a minute, until
// then it is [ErrUnsure]. Any other error is that of the memory's disk or of
// rootAt: then nothing was judged.
func (m *Memory) Judge(ctx context.Context, store, log string, head *checkpoint.Signed, rootAt RootAt) (*incident.Finding, error) {
	at := place{store, log}
	m.mu.Lock()
	before, known := m.known[at]
	m.mu.Unlock()
	switch {
	case !known && head == nil:
		return nil, nil
	case !known:
		return nil, m.rise(at, nil, *head)
	case head == nil:
		return m.lower(at, before, nil)
	case head.Origin != before.Origin:
		return otherOrigin(at, before, *head), nil
	case head.Size < before.Size:
		return m.lower(at, before, head)
	}
	m.mu.Lock()
	delete(m.less, at)
	m.mu.Unlock()
	root := head.Root
	if head.Size > before.Size {
		var err error
		if root, err = rootAt(ctx, before.Size); err != nil {
			return nil, err
		}
	}
	if root != before.Root {
		return forked(at, before, *head, root), nil
	}
	return nil, m.rise(at, &before, *head)
}

// rise remembers a head that is higher than before, unless another call has
// remembered more meanwhile.
func (m *Memory) rise(at place, before *checkpoint.Signed, head checkpoint.Signed) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now, known := m.known[at]
	if known && (before == nil || now.Size != before.Size || head.Size <= now.Size) {
		return nil
	}
	return m.remember(at, head)
}

// ErrUnsure means that a store shows less than before, which a store that shows an
// old state for a while does, too: nobody is accused yet.
var ErrUnsure = errors.New("the store shows less of the log than before; it is looked at again before anybody is accused")

const (
	// minDoubt is for how long a store must show less, and minLooks how often it
	// must be looked at, before it is accused. Replicas, caches and mounts need
	// seconds.
	minDoubt = time.Minute
	minLooks = 3
)

// doubt is how long and often a store has shown less.
type doubt struct {
	since time.Time
	looks int
}

// lower notes that a store shows less, and accuses it once it has done so for long
// enough.
func (m *Memory) lower(at place, before checkpoint.Signed, head *checkpoint.Signed) (*incident.Finding, error) {
	m.mu.Lock()
	d := m.less[at]
	if d.looks++; d.looks == 1 {
		d.since = time.Now()
	}
	m.less[at] = d
	m.mu.Unlock()
	if d.looks < minLooks || time.Since(d.since) < minDoubt {
		return nil, ErrUnsure
	}
	f := finding(incident.Rollback, at, before, head)
	f.Place.End = before.Size
	f.Want = fmt.Sprintf("at least %d records", before.Size)
	const alike = "A directory that is not mounted, one that was emptied, and a replica that stays behind look the same: look there first"
	if head == nil {
		f.Got = "no valid seal"
		f.Message = fmt.Sprintf("the store held %d records of the log, and holds no valid seal of it any more. %s", before.Size, alike)
		return f, nil
	}
	f.Place.First = head.Size
	f.Got = fmt.Sprintf("%d records, root %v", head.Size, head.Root)
	f.Message = fmt.Sprintf("the store held %d records of the log, and holds %d: it was rolled back, or its end was deleted. %s", before.Size, head.Size, alike)
	return f, nil
}

func forked(at place, before, head checkpoint.Signed, root tree.Hash) *incident.Finding {
	f := finding(incident.Fork, at, before, &head)
	f.Place.End = before.Size
	f.Want, f.Got = fmt.Sprintf("root %v at size %d", before.Root, before.Size), fmt.Sprintf("root %v", root)
	f.Message = fmt.Sprintf("of the first %d records not all are those that the store held before: the log's key signed two histories", before.Size)
	return f
}

func otherOrigin(at place, before, head checkpoint.Signed) *incident.Finding {
	f := finding(incident.Fork, at, before, &head)
	f.Place.End = before.Size
	f.Want, f.Got = "a log of origin "+before.Origin, "one of origin "+head.Origin
	f.Message = fmt.Sprintf("where the store held %d records of %s, it holds another log, of %s", before.Size, before.Origin, head.Origin)
	return f
}

// finding has both heads as evidence, or the one that there is.
func finding(kind incident.Kind, at place, before checkpoint.Signed, head *checkpoint.Signed) *incident.Finding {
	f := &incident.Finding{Kind: kind, Place: incident.Place{Store: at.store, Log: at.log},
		Evidence: []incident.Evidence{{Name: "head before", Bytes: before.Note()}}}
	if head != nil {
		f.Evidence = append(f.Evidence, incident.Evidence{Name: "head now", Bytes: head.Note()})
	}
	return f
}
