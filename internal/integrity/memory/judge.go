package memory

import (
	"context"
	"fmt"

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
// before is accused when it does so twice in a row. The error is that of the
// memory's disk or of rootAt: then nothing was judged.
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
		return m.lower(at, before, nil), nil
	case head.Origin != before.Origin:
		return otherOrigin(at, before, *head), nil
	case head.Size < before.Size:
		return m.lower(at, before, head), nil
	}
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
	delete(m.less, at)
	now, known := m.known[at]
	if known && (before == nil || now.Size != before.Size || head.Size <= now.Size) {
		return nil
	}
	return m.remember(at, head)
}

// lower notes that a store shows less, and accuses it the second time.
func (m *Memory) lower(at place, before checkpoint.Signed, head *checkpoint.Signed) *incident.Finding {
	m.mu.Lock()
	twice := m.less[at]
	m.less[at] = true
	m.mu.Unlock()
	if !twice {
		return nil
	}
	f := finding(incident.Rollback, at, before, head)
	f.Place.End = before.Size
	f.Want = fmt.Sprintf("at least %d records", before.Size)
	if head == nil {
		f.Got = "no valid seal"
		f.Message = fmt.Sprintf("the store held %d records of the log, and holds no valid seal of it any more", before.Size)
		return f
	}
	f.Place.First = head.Size
	f.Got = fmt.Sprintf("%d records", head.Size)
	f.Message = fmt.Sprintf("the store held %d records of the log, and holds %d: it was rolled back, or its end was deleted", before.Size, head.Size)
	return f
}

func forked(at place, before, head checkpoint.Signed, root tree.Hash) *incident.Finding {
	f := finding(incident.Fork, at, before, &head)
	f.Place.End = before.Size
	f.Want, f.Got = fmt.Sprintf("root %v at size %d", before.Root, before.Size), fmt.Sprintf("root %v", root)
	f.Message = fmt.Sprintf("the first %d records are others than the store held before: the log's key signed two histories", before.Size)
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
