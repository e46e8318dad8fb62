package follow

import (
	"errors"
	"sync"
	"time"

	"github.com/otelcol-custody/custody/internal/contents"
)

// An openFile is what is remembered of a path that is not done: one that changed a
// moment ago, may become whole, or gave trouble.
type openFile struct {
	print     fingerprint
	first     time.Time // when it was first remembered
	changed   time.Time // when print was last seen to change
	notBefore time.Time // no attempt before
	failed    int       // attempts that failed since print changed
	parked    bool      // no attempt until print changes
	scan      uint64    // the last scan that saw it
}

// quiet is how long the file has certainly not changed.
func (o *openFile) quiet(now time.Time) time.Duration {
	return max(now.Sub(o.changed), o.print.age(now))
}

type doneFile struct {
	print fingerprint
	scan  uint64
}

// A state is the follower's memory of the tree: some 100 bytes for each file that is
// there and done. Its methods may be called concurrently; the observer is called
// without mu.
type state struct {
	observer Observer

	mu      sync.Mutex
	scan    uint64
	done    map[pathKey]doneFile
	open    map[string]*openFile
	trouble map[string]error // by path; a subset of open
	storage error            // why the last write of a position failed
	backlog int
}

func newState(observer Observer) *state {
	return &state{
		observer: observer,
		done:     make(map[pathKey]doneFile),
		open:     make(map[string]*openFile),
		trouble:  make(map[string]error),
	}
}

// beginScan starts a new look through the tree.
func (s *state) beginScan() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scan++
}

// endScan forgets what the scan did not see: it is gone from the tree.
func (s *state) endScan(backlog int) {
	s.mu.Lock()
	for path, o := range s.open {
		if o.scan != s.scan {
			s.close(path)
		}
	}
	for key, d := range s.done {
		if d.scan != s.scan {
			delete(s.done, key)
		}
	}
	s.backlog = backlog
	s.mu.Unlock()
	s.report()
}

// close forgets an open path; mu is held.
func (s *state) close(path string) {
	delete(s.open, path)
	delete(s.trouble, path)
}

// isDone reports whether the file at key looks as it did when it was done.
func (s *state) isDone(key pathKey, print fingerprint) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.done[key]
	if !ok || d.print != print {
		return false
	}
	d.scan = s.scan
	s.done[key] = d
	return true
}

// glance notes that a path exists, without a look at its file, and reports whether it
// was done when it was last looked at.
func (s *state) glance(path string, key pathKey) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.open[path]; o != nil {
		o.scan = s.scan
	}
	d, ok := s.done[key]
	if ok {
		d.scan = s.scan
		s.done[key] = d
	}
	return ok
}

// markDone remembers a finished file and forgets its troubles.
func (s *state) markDone(path string, key pathKey, print fingerprint) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done[key] = doneFile{print: print, scan: s.scan}
	s.close(path)
}

// finished takes one file from the backlog.
func (s *state) finished() {
	s.mu.Lock()
	s.backlog = max(0, s.backlog-1)
	s.mu.Unlock()
	s.report()
}

// isOpen reports whether the path is remembered as not done.
func (s *state) isOpen(path string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open[path] != nil
}

// see remembers that path looks like print now and returns a copy of what is known.
func (s *state) see(path string, print fingerprint, now time.Time) openFile {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.ensure(path, print, now)
}

// ensure returns the open file at path; mu is held.
func (s *state) ensure(path string, print fingerprint, now time.Time) *openFile {
	o := s.open[path]
	if o == nil {
		o = &openFile{print: print, first: now, changed: now}
		s.open[path] = o
	}
	if o.print != print {
		o.print, o.changed = print, now
		o.failed, o.parked, o.notBefore = 0, false, time.Time{}
	}
	o.scan = s.scan
	return o
}

// postpone puts off the next attempt at a file that did not fail.
func (s *state) postpone(c candidate, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ensure(c.path, c.open.print, c.open.changed).notBefore = until
}

// failed puts off the next attempt at a file after an error.
func (s *state) failed(c candidate, err error, retry contents.Backoff, now time.Time) {
	s.mu.Lock()
	o := s.ensure(c.path, c.open.print, now)
	o.failed++
	o.parked = errors.Is(err, contents.ErrParked)
	o.notBefore = now.Add(retry.Delay(o.failed))
	s.mu.Unlock()
	s.setTrouble(c.path, err, now)
}

// setTrouble notes why path cannot be read or delivered now, and tells the observer if
// that is news. It is forgotten when the file is done, or a scan does not see the path.
func (s *state) setTrouble(path string, err error, now time.Time) {
	s.mu.Lock()
	o := s.open[path]
	if o == nil { // a folder, or the root
		o = s.ensure(path, fingerprint{}, now)
	}
	o.scan = s.scan
	was := s.trouble[path]
	s.trouble[path] = err
	s.mu.Unlock()
	if was == nil || was.Error() != err.Error() {
		s.observer.Trouble(path, err)
		s.report()
	}
}

// setStorage notes the outcome of writing a position.
func (s *state) setStorage(err error) {
	s.mu.Lock()
	changed := (err == nil) != (s.storage == nil)
	s.storage = err
	s.mu.Unlock()
	if !changed {
		return
	}
	if err != nil {
		s.observer.Trouble("", err)
	}
	s.report()
}

func (s *state) report() {
	s.observer.State(s.summary())
}

// summary tells the state, with the alphabetically first trouble as the example so
// that it does not flicker.
func (s *state) summary() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := State{Backlog: s.backlog, Troubled: len(s.trouble)}
	first := ""
	for path, err := range s.trouble {
		if first == "" || path < first {
			first, sum.Example = path, err
		}
	}
	if s.storage != nil {
		sum.Troubled++
		sum.Example = s.storage
	}
	return sum
}
