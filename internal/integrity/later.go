package integrity

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"time"

	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/internal/logstore"
)

// A segment that cannot be read holds up nobody: after a few tries the log is
// followed without it, an incident is open, and it is tried again and again.

// maxLater is how many segments are passed over; then the log waits.
const maxLater = 1000

// passOver counts that a segment could not be read, and says whether it was tried
// often enough to go on without it.
func (l *logWatch) passOver(ctx context.Context, p position, err *segmentError) bool {
	const tries = 3
	l.mu.Lock()
	l.failed[p.First]++
	there := slices.Contains(l.st.Later, p.First)
	over := l.failed[p.First] >= tries && (there || len(l.st.Later) < maxLater)
	if over {
		delete(l.failed, p.First)
	}
	if over && (len(l.st.Later) == 0 || l.waits.IsZero()) {
		l.waits = l.known
	}
	if over && !there {
		l.st.Later = append(l.st.Later, p.First)
	}
	l.mu.Unlock()
	if over {
		l.remember(ctx, p, err)
	}
	return over
}

// remember says that a segment was passed over.
func (l *logWatch) remember(ctx context.Context, p position, err *segmentError) {
	f := incident.Finding{Kind: incident.Unread, Place: incident.Place{First: p.First, End: p.End}, Message: err.Error() + "; it is tried again"}
	l.mu.Lock()
	l.over, l.said[incident.Unread] = &f, there
	l.mu.Unlock()
	l.find(ctx, f)
}

// remind says it again, as long as it is so.
func (l *logWatch) remind(ctx context.Context) {
	l.mu.Lock()
	f := l.over
	if len(l.st.Later) == 0 {
		f, l.over = nil, nil
	}
	l.mu.Unlock()
	if f != nil {
		l.find(ctx, *f)
	}
}

// wasRead forgets that a segment could not be read.
func (l *logWatch) wasRead(first uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.failed, first)
}

// retryLater looks again at segments that were passed over.
func (l *logWatch) retryLater(ctx context.Context) {
	l.mu.Lock()
	due := time.Since(l.retried) >= thorough
	if due {
		l.retried = time.Now()
	}
	later := slices.Clone(l.st.Later)
	l.mu.Unlock()
	if !due {
		return
	}
	for _, first := range later {
		t, err := l.lookAt(ctx, first)
		one := (*segmentError)(nil)
		switch {
		case errors.As(err, &one):
			l.remember(ctx, t.entries[0].position, one)
		case err != nil:
			return // The store is away.
		default:
			l.keepState(ctx, func(s *state) {
				s.Read = t.covered(s.Read)
				s.Later = slices.DeleteFunc(s.Later, func(n uint64) bool { return n == first })
			})
		}
	}
}

// lookAt looks once more at the segment of one seal.
func (l *logWatch) lookAt(ctx context.Context, first uint64) (*stretch, error) {
	t := l.newStretch(ctx, l.urgent, true)
	t.from = first
	f, err := t.reader.At(ctx, first)
	if err != nil && !flooded(err) {
		return nil, fmt.Errorf("seal of record %d: %w", first, err)
	}
	if len(f.Seals) == 0 {
		return t, nil // Gone: the pass says so.
	}
	h := f.Seals[0]
	t.entries = []entry{t.entryOf(h.Seal)}
	e := &t.entries[0]
	if err := t.check(&logstore.Held{Object: h.Object, Seal: h.Seal}); err != nil {
		return t, &segmentError{path.Join(l.name, segmentName(e)), err}
	}
	e.ok = true
	return t, t.settle()
}
