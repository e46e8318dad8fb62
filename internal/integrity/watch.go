package integrity

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/store"
)

// watch watches one store.
type watch struct {
	*Guard
	src Source
	// quick and slow are room for segments that are read: new ones, and others.
	quick, slow *semaphore.Weighted
	store       store.Store // set before any log is watched
	earlier     []string    // logs that were judged by an earlier guard
	// calls are those of the store, opening has a place for one try to open it.
	calls, opening calls
	tells          bool

	mu      sync.Mutex // guards what follows
	logs    map[string]*logWatch
	listing time.Time // since when its logs are listed; zero: they are not
	err     error     // why the store cannot be opened or listed
	since   time.Time
	said    said
}

func newWatch(g *Guard, src Source) *watch {
	return &watch{Guard: g, src: src, earlier: g.set.states(src.ID), quick: semaphore.NewWeighted(roomBytes), slow: semaphore.NewWeighted(roomBytes), logs: map[string]*logWatch{}, said: said{},
		calls: newCalls(), opening: make(calls, 1)}
}

const (
	// discover is how often a store is asked for logs.
	discover = time.Minute
	// maxLogs of a store are watched: whoever can write there must not say how
	// much memory the guard needs.
	maxLogs = 1000
)

func (w *watch) run(ctx context.Context) {
	if !w.open(ctx) {
		return
	}
	defer w.close(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { w.followLock(ctx) })
	all.Go(func() { w.supervise(ctx) })
	for errs := 0; ctx.Err() == nil; {
		w.lists(time.Now())
		names, err := w.names(ctx)
		w.lists(time.Time{})
		for _, name := range names {
			l, failed := w.begin(ctx, name)
			if l != nil {
				all.Go(func() { l.follow(ctx) })
				all.Go(func() { l.roll(ctx) })
			}
			err = errors.Join(err, failed)
		}
		pause := discover
		if errs++; err == nil {
			errs = 0
		} else {
			pause = backoff(w.set.Poll, errs)
		}
		w.noted(ctx, errs, err)
		_ = sleep(ctx, pause)
	}
}

// open opens the store, and tries until it succeeds.
func (w *watch) open(ctx context.Context) bool {
	for errs := 1; ctx.Err() == nil; errs++ {
		one := w.opening.listen(ctx)
		s, err := wait(one, func() (store.Store, error) { return w.src.Open(one.within) }, func(s store.Store) { _ = s.Close() })
		one.end()
		if err == nil {
			w.store = s
			_, w.tells = s.(store.Retainer)
			return true
		}
		w.noted(ctx, errs, fmt.Errorf("open the store: %w", err))
		_ = sleep(ctx, backoff(w.set.Poll, errs))
	}
	return false
}

// close closes the store, unless a call hangs in it.
func (w *watch) close(ctx context.Context) {
	if len(w.calls) > 0 {
		return
	}
	s := w.opening.listen(context.WithoutCancel(ctx))
	defer s.end()
	s.timer.Reset(grace)
	_, _ = wait(s, func() (struct{}, error) { return struct{}{}, w.store.Close() }, nil) // It was only read from.
}

// names are the logs of the store.
func (w *watch) names(ctx context.Context) ([]string, error) {
	known := append(w.set.Heads.Logs(w.src.ID), w.earlier...)
	slices.Sort(known)
	known = slices.Compact(known)
	if len(w.set.Logs) > 0 {
		return w.set.Logs, nil
	}
	found, err := logstore.Logs(ctx, withPatience(w.store, w.calls, w.pace, true))
	if err != nil {
		return known, fmt.Errorf("list the logs: %w", err)
	}
	all := append(slices.Clone(known), found...) // First those that are logs for sure.
	w.mu.Lock()
	defer w.mu.Unlock()
	more := slices.DeleteFunc(all, func(name string) bool { return w.logs[name] != nil })
	if room := maxLogs - len(w.logs); len(more) > room {
		return more[:room], fmt.Errorf("more than %d folders that can be logs lie in it, and no more are watched: name the logs in the configuration", maxLogs)
	}
	return more, nil
}

// begin makes the watch of a log; nil if there is one.
func (w *watch) begin(ctx context.Context, name string) (*logWatch, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.logs[name] != nil {
		return nil, nil
	}
	st, damaged, err := w.set.load(w.src.ID, name)
	if err != nil {
		return nil, err
	}
	st.Read = st.Read.until(w.clock.now())
	l := newLogWatch(w, name, st)
	l.remindHeads(ctx)
	if damaged != nil {
		l.find(ctx, incident.Finding{Kind: incident.StateDamaged, Message: fmt.Sprintf("how far this log was read is not known any more, so it is read from its beginning; the memory of heads is elsewhere and not concerned: %v", damaged)})
	}
	w.logs[name] = l
	return l, nil
}

// noted notes whether the store can be opened and listed. One error alone of a
// listing is no news.
func (w *watch) noted(ctx context.Context, errs int, err error) {
	w.mu.Lock()
	if (err == nil) != (w.err == nil) || w.since.IsZero() {
		w.since = w.set.Now()
	}
	w.err = err
	w.mu.Unlock()
	switch {
	case err == nil:
		w.settle(ctx)
	case errs > 1 || w.store == nil:
		w.away(ctx, err)
	}
}

// away says that the store cannot be read.
func (w *watch) away(ctx context.Context, err error) {
	w.say(ctx, incident.Unread, &incident.Finding{Message: fmt.Sprintf("store %s cannot be read, so nothing is said about it: %v", w.src.ID, err)}, time.Time{})
}

// settle says that the store can be read, once all its logs were.
func (w *watch) settle(ctx context.Context) {
	if !w.readable() || !w.news(incident.Unread, false) {
		return
	}
	since := w.set.Now()
	for _, l := range w.all() {
		l.remind(ctx) // It lies in what is swept.
	}
	w.swept(ctx, incident.Place{Store: w.src.ID}, since, incident.Unread)
}

// readable says that the store and all its logs could be read when that was tried
// last.
func (w *watch) readable() bool {
	w.mu.Lock()
	all := w.err == nil && !w.since.IsZero()
	w.mu.Unlock()
	for _, l := range w.all() {
		all = all && l.readable()
	}
	return all
}

// news notes whether there is a finding of a kind about the store as a whole, and
// says whether that has changed.
func (w *watch) news(kind incident.Kind, found bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.said.news(kind, found)
}

// say is [logWatch.say] for the store as a whole.
func (w *watch) say(ctx context.Context, kind incident.Kind, f *incident.Finding, since time.Time) {
	switch {
	case !w.news(kind, f != nil):
	case f == nil:
		w.swept(ctx, incident.Place{Store: w.src.ID}, since, kind)
	default:
		f.Kind, f.Place.Store = kind, w.src.ID
		w.report(ctx, *f)
	}
}

// log is the watch of a log; nil: none.
func (w *watch) log(name string) *logWatch {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.logs[name]
}

func (w *watch) all() []*logWatch {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []*logWatch
	for _, name := range slices.Sorted(maps.Keys(w.logs)) {
		all = append(all, w.logs[name])
	}
	return all
}

func (w *watch) status() []LogStatus {
	var out []LogStatus
	for _, l := range w.all() {
		out = append(out, l.status())
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		out = append(out, LogStatus{Store: w.src.ID, Error: w.err.Error(), Since: w.since})
	}
	return out
}

// stored is how many bytes of segments and seals are known.
func (w *watch) stored() (n int64) {
	for _, l := range w.all() {
		l.mu.Lock()
		n += l.st.Stored
		l.mu.Unlock()
	}
	return n
}
