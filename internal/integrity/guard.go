// Package integrity judges what stores hold, all the time. It reads each new
// segment of each log in each store as soon as it is there, and everything again
// on a schedule with a stated guarantee; it holds stores against each other, and
// what they show now against what they showed before. It never writes to a store.
//
// What it finds goes to a [Book]. A failed read is a finding of its own, never
// tampering and never silence.
package integrity

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/tree"
	"github.com/otelcol-custody/custody/store"
)

// A Source is a store that is watched.
type Source struct {
	// ID names it in findings; that of [store.Store] is right.
	ID string
	// Open opens it for reading. It is called again, after a while, until it
	// succeeds; the guard closes what it opened.
	Open func(context.Context) (store.Store, error)
	// Retention is what every object there is to have at least; nil: it is not
	// judged.
	Retention *Retention
}

// Config says what is watched, and how.
type Config struct {
	Sources []Source
	// Logs are the logs that every source is to hold. None: in each source every
	// log that is found there, or ever was.
	Logs []string
	// Keys are what is trusted.
	Keys *checkpoint.Keys
	// Dir holds how far the guard has come; it makes it. FS is where it lies; nil
	// means [durable.OS]. Whoever opens a guard holds the folder's lock.
	Dir string
	FS  durable.FS
	// Poll is how often a store is asked for new segments; 0 means 5 s.
	Poll time.Duration
	// FullPassEvery is the guarantee: no byte is unread for longer. 0 means a week.
	FullPassEvery time.Duration
	// Behind is how long a store may lack what another one has; 0 means 15 min.
	Behind time.Duration
	// BytesPerSecond limits what is read from all sources together; 0 means no
	// limit. New segments go first.
	BytesPerSecond int64
	// Workers is how many segments are checked at once; 0 means one.
	Workers  int
	Book     Book
	Heads    Heads
	Observer Observer         // nil: nobody
	Now      func() time.Time // against which logs are judged; nil means [time.Now]
}

// Retention is what the objects of a segment are to have at least: until For
// behind the closing of the segment, or its retain_until if that is later. Once
// that time is over, nothing is demanded but the legal hold.
type Retention struct {
	Mode      store.Mode // ModeNone: no date is demanded
	For       time.Duration
	LegalHold bool
}

// Book takes what the guard finds, from many goroutines. It keeps one incident
// for each cause, however often that is met.
type Book interface {
	// Report enters a finding, or that it was met again. An error is that of the
	// book's own disk; what was reported counts all the same, and later calls try
	// to write it again.
	Report(incident.Finding) error
	// Swept says that everything within the scope was looked at since that time,
	// without an error, for these kinds of findings: what of these kinds lies in
	// the scope and was not reported since is not there any more. Empty members
	// of the scope mean all.
	Swept(scope incident.Place, since time.Time, kinds ...incident.Kind) error
}

// Heads remembers the highest head of each log in each store, durably.
type Heads interface {
	// Judge holds the head that a store shows against the highest that it showed
	// before, and remembers the higher one before it returns. A nil head means
	// that the store answers and holds no valid seal of the log. rootAt computes
	// the root of the history that the store shows now at a smaller size. The
	// finding is a rollback or a fork; the error that of a disk or of rootAt, or
	// memory.ErrUnsure: the store shows less, and not yet for long.
	Judge(ctx context.Context, store, log string, head *checkpoint.Signed, rootAt RootAt) (*incident.Finding, error)
	// Highest is the head that is remembered, nil if none is. known says whether
	// anything was ever kept of the log, if only that it is to be forgotten.
	Highest(store, log string) (head *checkpoint.Signed, known bool)
	// Logs are the logs that the store has ever shown.
	Logs(store string) []string
}

// RootAt computes the root of a history at a size.
type RootAt = func(ctx context.Context, size uint64) (tree.Hash, error)

// Observer is told of progress, from many goroutines; [Guard.Status] has the rest.
type Observer interface {
	// Checked tells of a segment whose bytes were read and are what was sealed,
	// with its record lines, valid until it returns. again: by the rolling
	// schedule, and not because it is new.
	Checked(store string, v *seal.Verified, lines []byte, again bool)
	// Passed tells that everything of a log was read again.
	Passed(store, log string, took time.Duration)
}

// A Guard watches logs in stores. Its methods may be called by many goroutines.
type Guard struct {
	set   Config
	clock *clock
	pace  *pace
	desk  *desk
	watch []*watch

	mu   sync.Mutex
	disk map[string]error // what cannot be kept now, by what it is
}

// New returns a guard, which does nothing until [Guard.Run].
func New(set Config) (*Guard, error) {
	set.defaults()
	var errs []error
	if len(set.Sources) == 0 {
		errs = append(errs, errors.New("no store to watch"))
	}
	if set.Keys == nil || set.Book == nil || set.Heads == nil {
		errs = append(errs, errors.New("keys, a book and a memory of heads are needed"))
	}
	seen := map[string]bool{}
	for _, s := range set.Sources {
		if seen[s.ID] {
			errs = append(errs, fmt.Errorf("store %s is named twice", s.ID))
		}
		seen[s.ID] = true
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("integrity: %w", err)
	}
	if err := durable.MkdirAll(set.FS, set.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("integrity: %w", err)
	}
	g := &Guard{set: set, clock: newClock(set.Now), pace: newPace(set.BytesPerSecond), desk: newDesk(set.Workers), disk: map[string]error{}}
	for _, s := range set.Sources {
		g.watch = append(g.watch, newWatch(g, s))
	}
	return g, nil
}

func (c *Config) defaults() {
	if c.FS == nil {
		c.FS = durable.OS
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Observer == nil {
		c.Observer = nobody{}
	}
	c.Poll = or(c.Poll, 5*time.Second)
	c.FullPassEvery = or(c.FullPassEvery, 7*24*time.Hour)
	c.Behind = or(c.Behind, 15*time.Minute)
	c.Workers = max(c.Workers, 1)
}

func or(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}

type nobody struct{}

func (nobody) Checked(string, *seal.Verified, []byte, bool) {}
func (nobody) Passed(string, string, time.Duration)         {}

// Run watches until ctx ends; it runs once. Each store has goroutines of its own,
// so that none waits for another. It does not end when something cannot be kept on
// disk: a judge that is silent is worse than one that forgets. See [Guard.Err].
func (g *Guard) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for _, w := range g.watch {
		all.Go(func() { w.run(ctx) })
	}
	all.Go(func() { g.compare(ctx) })
	all.Wait()
	g.desk.close()
	return g.Err()
}

// Err says what the guard could not keep on disk when it last tried: then a
// restart reads again what was read since, and may report it again.
func (g *Guard) Err() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	var errs []error
	for _, what := range slices.Sorted(maps.Keys(g.disk)) {
		errs = append(errs, g.disk[what])
	}
	return errors.Join(errs...)
}

// wrote notes how keeping something on disk went.
func (g *Guard) wrote(what string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if delete(g.disk, what); err != nil {
		g.disk[what] = fmt.Errorf("integrity: %s: %w", what, err)
	}
}

// booked says whether the book has everything on its disk.
func (g *Guard) booked() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.disk[theBook] == nil
}

const theBook = "book of incidents"

// report enters a finding. Once ctx has ended nothing is believed.
func (g *Guard) report(ctx context.Context, f incident.Finding) {
	if ctx.Err() == nil {
		g.wrote(theBook, g.set.Book.Report(f))
	}
}

func (g *Guard) swept(ctx context.Context, scope incident.Place, since time.Time, kinds ...incident.Kind) {
	if ctx.Err() == nil {
		g.wrote(theBook, g.set.Book.Swept(scope, since, kinds...))
	}
}

// LogStatus is what the guard knows of a log in a store.
type LogStatus struct {
	Store, Log string
	Origin     string             // empty: no valid seal was seen
	Head       *checkpoint.Signed // the last head that follows what came before; nil: none
	// Verified is the size up to which every segment was looked at; what could
	// not be read, or was found to be broken, has an incident.
	Verified uint64
	ClosedAt time.Time // of the newest closed record, by the log's clock
	NextBy   time.Time // when the next one is due; zero: it does not say
	Ended    bool      // the log says that it has ended
	// Lag is how long a segment that is not verified has been known, since this
	// start at most; 0: none.
	Lag      time.Duration
	Coverage Coverage
	// Error is why the store or the log could not be read last, since when; empty:
	// it was read.
	Error string
	Since time.Time
}

// Coverage says what the rolling schedule has done with a log in a store.
type Coverage struct {
	// Oldest is when that byte was read which has waited longest; zero: some were
	// never read.
	Oldest time.Time
	// Promise is how old that may be.
	Promise time.Duration
	Began   time.Time // of this pass; zero: none yet
	Passes  uint64    // that ended
	Done    int64     // bytes of segments and seals in this pass
	Total   int64
}

// Status describes each log in each store, in the order of sources and names.
func (g *Guard) Status() []LogStatus {
	var all []LogStatus
	for _, w := range g.watch {
		all = append(all, w.status()...)
	}
	return all
}
