package integrity

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/otelcol-custody/custody/internal/integrity/incident"
	mem "github.com/otelcol-custody/custody/internal/integrity/memory"
	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/store"
)

// logWatch watches one log in one store: one goroutine follows its end, another
// one reads everything again.
type logWatch struct {
	*Guard
	of   *watch // the store
	src  string // its name
	name string
	// urgent and patient are the store, for what is new and for the schedule.
	urgent, patient store.Store
	// tells says that the store can tell how objects are retained.
	tells bool

	// The pass owns these: when all names were listed last, and since when the seal
	// of its position is lost.
	listed, lostAt time.Time

	caught chan struct{} // closed when the end was reached for the first time

	writing sync.Mutex // of st to disk; taken before mu

	mu      sync.Mutex // guards what follows
	st      state
	head    *seal.Verified // of which st.Seen speaks; nil: none, or not read yet
	trail   trail          // behind head
	atEnd   bool           // the last time that somebody looked
	known   time.Time      // since when a segment is known that is not verified; zero: none
	moved   time.Time      // when a look at what is new got on; zero: nobody looks
	err     error          // of the last poll
	since   time.Time
	failed  map[uint64]int // how often a segment could not be read
	said    said
	passes  error             // of the pass's last try
	waits   time.Time         // since when the first that was passed over is known
	over    *incident.Finding // about the last segment that was passed over
	fine    int               // answers in a row that memory had nothing against
	retried time.Time         // when what was passed over was tried last

	unproven   position // a head that the store's own seals do not lead to
	unprovenAt time.Time
	kept       time.Time // when st.Head was written last; owned by who follows
}

func newLogWatch(w *watch, name string, st state) *logWatch {
	return &logWatch{
		Guard: w.Guard, of: w, src: w.src.ID, name: name, st: st, tells: w.tells,
		urgent: withPatience(w.store, w.calls, w.pace, true), patient: withPatience(w.store, w.calls, w.pace, false),
		caught: make(chan struct{}), failed: map[uint64]int{}, said: said{}, waits: w.clock.now(),
	}
}

// reader reads the log; nil drops what is told.
func (l *logWatch) reader(s store.Store, tell func(logstore.Notice)) *logstore.Reader {
	return logstore.New(s, l.name, l.set.Keys, tell)
}

func (l *logWatch) place() incident.Place { return incident.Place{Store: l.src, Log: l.name} }

// find reports a finding of this log. Its place lacks store and log.
func (l *logWatch) find(ctx context.Context, f incident.Finding) {
	f.Place.Store, f.Place.Log = l.src, l.name
	l.report(ctx, f)
}

// say reports a finding that is about the log as a whole, or with nil that there
// is none since that time; each when it changes.
func (l *logWatch) say(ctx context.Context, kind incident.Kind, f *incident.Finding, since time.Time) {
	l.mu.Lock()
	news := l.said.news(kind, f != nil)
	l.mu.Unlock()
	switch {
	case !news:
	case f != nil:
		f.Kind = kind
		l.find(ctx, *f)
	default:
		l.swept(ctx, l.place(), since, kind)
	}
}

var errLost = errors.New("the seal that was there is not there any more")

// flooded says whether a place was not read as a whole, since too much lies there.
// A seal that is not found among the oldest and the newest of that counts as gone.
func flooded(err error) bool {
	var flood *logstore.FloodedError
	return errors.As(err, &flood)
}

// resolve reads the seal of a position; nil at genesis.
func (l *logWatch) resolve(ctx context.Context, s store.Store, p position) (*seal.Verified, error) {
	if p.End == 0 {
		return nil, nil
	}
	var again error
	for try := range 2 {
		f, err := l.reader(s, nil).At(ctx, p.First)
		for _, h := range f.Seals {
			if positionOf(h.Seal) == p {
				return h.Seal, nil
			}
		}
		if err != nil && !flooded(err) {
			return nil, err
		}
		if try == 0 {
			again = sleep(ctx, secondRead)
		}
	}
	if again != nil {
		return nil, again
	}
	return nil, errLost
}

// secondRead is how long to wait before looking again at what seems not to be
// there, before anybody is accused.
const secondRead = time.Second

func positionOf(v *seal.Verified) position {
	if v == nil {
		return position{}
	}
	return position{v.First, v.End(), v.After().Root}
}

// keepState changes the state and stores it, unless the guard ends or the book is
// not on disk: then what was found up to there might be lost.
func (l *logWatch) keepState(ctx context.Context, change func(*state)) {
	l.writing.Lock() // So that the newer one is written last.
	defer l.writing.Unlock()
	l.mu.Lock()
	change(&l.st)
	st := l.st.clone()
	l.mu.Unlock()
	if ctx.Err() == nil && l.booked() {
		name := stateName(l.src, l.name)
		l.wrote(name, l.set.keep(name, st))
	}
}

// polled notes how a poll ended.
func (l *logWatch) polled(ctx context.Context, errs int, err error) {
	l.mu.Lock()
	if (err == nil) != (l.err == nil) || l.since.IsZero() {
		l.since = l.set.Now()
	}
	l.err = err
	l.mu.Unlock()
	l.tell(ctx, errs, err)
}

// tell says what could not be read, once it was tried twice: one error alone is
// common and no news. That the store is away is said of the store and not of each
// of its logs.
func (l *logWatch) tell(ctx context.Context, errs int, err error) {
	one := (*segmentError)(nil)
	const lasting = 8 // tries, about ten minutes
	short := errors.Is(err, errShort) || errors.Is(err, errLost)
	switch {
	case err == nil:
		if l.readable() && l.whole() {
			l.say(ctx, incident.Unread, nil, l.set.Now())
		}
		l.of.settle(ctx)
	case errs < 2, errors.As(err, &one): // A segment is passed over, and that is said.
	case short && errs < lasting, errors.Is(err, mem.ErrUnsure): // It comes back, or is accused.
	case short, ofLog(err):
		l.say(ctx, incident.Unread, &incident.Finding{Message: fmt.Sprintf("log %s in store %s cannot be judged: %v", l.name, l.src, err)}, time.Time{})
	default:
		l.of.away(ctx, fmt.Errorf("log %s: %w", l.name, err))
	}
}

// ofLog says whether an error is about one log, and not its store.
func ofLog(err error) bool {
	return errors.Is(err, logstore.ErrNoLog) || errors.Is(err, seal.ErrVersion) || errors.Is(err, segment.ErrVersion) || flooded(err)
}

// readable says that the log could be read when that was tried last.
func (l *logWatch) readable() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err == nil && !l.since.IsZero() && l.passes == nil
}

// whole says that no segment was passed over.
func (l *logWatch) whole() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.st.Later) == 0
}

// news notes that a seal was met: of what is new its segment waits from now on.
func (t *stretch) news() {
	t.moves()
	t.logWatch.mu.Lock()
	defer t.logWatch.mu.Unlock()
	if !t.again && t.known.IsZero() {
		t.known = t.began
	}
}

// moves notes that reading what is new gets on.
func (t *stretch) moves() {
	if !t.again {
		t.logWatch.looks(time.Now())
	}
}

func (l *logWatch) looks(at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.moved = at
}

// signed returns the last head, and whether it is where the store ends.
func (l *logWatch) signed() (head *checkpoint.Signed, end bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.head == nil {
		return nil, l.atEnd && l.err == nil
	}
	after := l.head.After()
	return &after, l.atEnd && l.err == nil
}

func (l *logWatch) status() LogStatus {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := LogStatus{Store: l.src, Log: l.name, Verified: l.st.Seen.End, Since: l.since, Coverage: Coverage{
		Oldest: l.st.Read.oldest(), Promise: l.set.FullPassEvery, Began: l.st.Pass.Began,
		Passes: l.st.Pass.Ended, Done: l.st.Pass.Done, Total: l.st.Stored,
	}}
	if l.head != nil {
		after, closed := l.head.After(), l.head.Closed()
		s.Origin, s.Head, s.ClosedAt, s.NextBy, s.Ended = l.head.Origin, &after, closed.At, closed.NextBy, closed.Ends()
	}
	since := l.known
	if len(l.st.Later) > 0 && !l.waits.IsZero() {
		since = l.waits
	}
	if !since.IsZero() {
		s.Lag = max(l.clock.now().Sub(since), 0)
	}
	if l.err != nil {
		s.Error = l.err.Error()
	}
	return s
}
