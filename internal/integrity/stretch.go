package integrity

import (
	"context"
	"errors"
	"fmt"
	"path"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/verify"
	"github.com/otelcol-custody/custody/store"
)

const (
	// stretchSeals is how many segments are looked at before progress is kept: as
	// many as [logstore.Reader.Seals] has read when it reads on, so none is read
	// for nothing.
	stretchSeals = 1 + 2 + 4 + 8 + 16 + 16 + 16
	// stretchBytes of segments end a stretch, too.
	stretchBytes = 256 << 20
	// perListing is by how much longer a stretch is where there are no versions: a
	// directory is listed as a whole each time.
	perListing = 16
	// roomBytes is how much of segments is held at a time, for each store, of what
	// is new and again of the schedule, which may wait for the limit.
	roomBytes = 256 << 20
)

// A stretch is a part of a log that is looked at in one go: seals in order, what
// they name beside that, then the names that lie there.
type stretch struct {
	*logWatch
	ctx    context.Context
	store  store.Store
	reader *logstore.Reader
	again  bool // the schedule, and not what is new
	began  time.Time
	from   uint64

	// The walking goroutine owns these.
	entries []entry
	walked  []entry                   // entries, and those behind one that could not be read
	named   map[string]bool           // segments that the other seal of a fork names
	gaps    map[uint64]bool           // places without a valid seal
	signed  map[uint64]*seal.Verified // valid seals within sealed segments
	torn    bool                      // not each seal follows the one before
	bytes   int64

	mu      sync.Mutex // guards what follows
	notices []logstore.Notice
	about   map[string]int // how many are about a place
}

// entry is a sealed segment of a stretch.
type entry struct {
	position
	segment [32]byte
	size    int64 // of segment and seal
	object  int64 // of the segment
	expired bool  // its segment may be deleted
	ok      bool  // it was looked at to its end
	err     error
}

func (t *stretch) entryOf(v *seal.Verified) entry {
	return entry{position: positionOf(v), segment: v.Segment, size: v.Size + int64(len(v.Bytes())), object: v.Size,
		expired: verify.MissingSegment(v, t.clock.now()) == nil}
}

// result is where a stretch ended.
type result struct {
	at   position
	seal *seal.Verified // of at; nil: to be read again
	path []position     // those that were looked at, up to at
	torn bool           // they are not one history
	n    int            // segments that were looked at
	size int64
	part bool // something was passed over
	read func(spans) spans
}

// look looks at the next part of the log behind a seal. Segments that could not be
// read end it, with the error; those before them count. An end without an error
// and without segments is the end of the log.
func (l *logWatch) look(ctx context.Context, s store.Store, after *seal.Verified, again bool) (result, error) {
	t := l.newStretch(ctx, s, again)
	t.from = size(after)
	last, err := t.walk(after)
	return t.result(positionOf(after), last, err)
}

func (l *logWatch) newStretch(ctx context.Context, s store.Store, again bool) *stretch {
	t := &stretch{logWatch: l, ctx: ctx, store: s, again: again, began: l.clock.now(), named: map[string]bool{}, gaps: map[uint64]bool{}, signed: map[uint64]*seal.Verified{}, about: map[string]int{}}
	t.reader = l.reader(s, t.told)
	return t
}

func (t *stretch) room() *semaphore.Weighted {
	if t.again {
		return t.of.slow
	}
	return t.of.quick
}

// walk goes along the seals and has each looked at.
func (t *stretch) walk(after *seal.Verified) (*seal.Verified, error) {
	var jobs errgroup.Group
	jobs.SetLimit(t.set.Workers)
	most, bytes := stretchSeals, int64(stretchBytes)
	if _, versioned := t.store.(store.Versioned); !versioned {
		most, bytes = perListing*most, perListing*bytes
	}
	// Room for the entries, since jobs write to theirs.
	t.entries = make([]entry, 0, most)
	last := after
	var err error
	for h, broken := range t.seals(after) {
		if broken != nil {
			err = broken
			break
		}
		t.news()
		t.judge(last, h)
		if err = t.room().Acquire(t.ctx, h.Seal.Size); err != nil {
			break
		}
		t.entries = append(t.entries, t.entryOf(h.Seal))
		e := &t.entries[len(t.entries)-1]
		jobs.Go(func() error {
			defer t.room().Release(h.Seal.Size)
			e.err = t.check(h)
			e.ok = e.err == nil
			t.moves()
			return nil
		})
		last, t.bytes = h.Seal, t.bytes+e.size
		if len(t.entries) == most || t.bytes >= bytes {
			break
		}
	}
	_ = jobs.Wait() // Each entry has its own error.
	return last, err
}

// result sums up: everything before the first segment that could not be read, and
// was not tried often enough to be passed over, counts.
func (t *stretch) result(from position, last *seal.Verified, err error) (result, error) {
	res := result{at: from, seal: last, torn: t.torn, read: t.covered}
	t.walked = t.entries
	for i := range t.entries {
		e := &t.entries[i]
		one := &segmentError{path.Join(t.name, segmentName(e)), e.err}
		if !e.ok && (t.ctx.Err() != nil || !t.passOver(t.ctx, e.position, one)) {
			t.entries, res.seal, err = t.entries[:i], nil, one
			break
		}
		if res.part = res.part || !e.ok; e.ok {
			t.wasRead(e.First)
		}
		res.at, res.n, res.size = e.position, res.n+1, res.size+e.size
		res.path = append(res.path, e.position)
	}
	rest := errors.Join(t.names(), t.strays(), t.settle())
	res.part = res.part || rest != nil
	if t.ctx.Err() != nil {
		return res, t.ctx.Err()
	}
	return res, errors.Join(err, rest)
}

// A segmentError says that one segment could not be read, or what belongs to it.
type segmentError struct {
	name string
	err  error
}

func (e *segmentError) Error() string { return fmt.Sprintf("%s cannot be read: %v", e.name, e.err) }
func (e *segmentError) Unwrap() error { return e.err }

// told takes what the reader meets, in the goroutines of the jobs, too.
func (t *stretch) told(n logstore.Notice) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if at := placeOf(n.Object); t.about[at] < maxNotices {
		t.about[at]++
		t.notices = append(t.notices, n)
	}
}

// maxNotices about one place are looked into; who writes more there is known by
// these, and hides nothing elsewhere.
const maxNotices = 64

// placeOf is what the names of seals have in common that begin at one record, and
// so the names of segments.
func placeOf(name string) string {
	dir, base := path.Split(name)
	const digits = 20
	return dir + base[:min(len(base), digits)]
}

// covered enters what was read. A gap before a segment counts: nothing is there to
// be read, and it has a finding.
func (t *stretch) covered(read spans) spans {
	from := t.from
	for _, e := range t.entries {
		if e.ok && e.End > from {
			read = read.set(from, e.End, t.began)
		}
		from = max(from, e.End)
	}
	return read
}

// judge is what a closed record says, and how it stands to the one before.
func (t *stretch) judge(prev *seal.Verified, h *logstore.Held) {
	at := incident.Place{First: h.Seal.First, End: h.Seal.End()}
	last := h.Seal.End() - 1
	at.Record = &last
	closed := h.Seal.Closed()
	if prev != nil && prev.Closed().Ends() {
		t.find(t.ctx, incident.Finding{Kind: incident.AfterEnd, Place: incident.Place{Object: h.Object.Name, First: at.First, End: at.End},
			Message:  fmt.Sprintf("the log said at %s that it has ended, with record %d as its last, and goes on", stamp(prev.Closed().At), prev.End()-1),
			Evidence: heads(prev, h.Seal)})
	}
	if prev != nil && closed.At.Before(prev.Closed().At) {
		t.find(t.ctx, incident.Finding{Kind: incident.ClockBack, Place: at, Want: "not before " + stamp(prev.Closed().At), Got: stamp(closed.At),
			Message: fmt.Sprintf("the segment at record %d was closed at %s by the log's clock, before the one at record %d: the clock went back, so times of records around it prove no order", h.Seal.First, stamp(closed.At), prev.First)})
	}
	for receiver, counts := range closed.Counts {
		if n := counts["lost"]; n > 0 {
			t.find(t.ctx, incident.Finding{Kind: incident.Losses, Place: at,
				Message: fmt.Sprintf("the log says in record %d that receiver %s has lost %d records", last, receiver, n)})
		}
	}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// heads are signed heads as evidence.
func heads(seals ...*seal.Verified) []incident.Evidence {
	var all []incident.Evidence
	for _, v := range seals {
		after := v.After()
		all = append(all, incident.Evidence{Name: fmt.Sprintf("checkpoint of size %d", after.Size), Bytes: after.Note()})
	}
	return all
}
