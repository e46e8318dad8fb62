package integrity

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/otelcol-custody/custody/store"
)

const (
	// maxSilence is how long a store may say nothing before a call is given up.
	maxSilence = time.Minute
	// perByte and perName are for how much longer it may be waited for each that
	// came: who gives less than 8 KiB or ten names a second is as good as silent.
	perByte = time.Second / (8 << 10)
	perName = time.Second / 10
	// grace is how long a call may take to heed that its context has ended. Then it
	// is left behind, with the goroutine that it hangs in.
	grace = 2 * time.Second
	// maxCalls of a store are under way at a time, those left behind included: so
	// many goroutines can hang in it. While they do, nothing else is asked there.
	maxCalls = 64
)

// calls are places for a store's calls. A place is held until the call returns.
type calls chan struct{}

func newCalls() calls { return make(calls, maxCalls) }

// silence ends a context when nothing was heard for maxSilence, or too little for
// all the time that was waited.
type silence struct {
	calls
	parent, within context.Context
	cancel         context.CancelCauseFunc
	timer          *time.Timer

	since time.Time     // when this wait began
	left  time.Duration // for which may be waited
}

var errSilent = fmt.Errorf("%w: it said nothing for %v, or next to nothing for longer", store.ErrUnavailable, maxSilence)

func (c calls) listen(ctx context.Context) *silence {
	within, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(maxSilence, func() { cancel(errSilent) })
	return &silence{calls: c, parent: ctx, within: within, cancel: cancel, timer: timer, since: time.Now(), left: maxSilence}
}

// heard begins to wait anew.
func (s *silence) heard() {
	s.since = time.Now()
	s.timer.Reset(max(min(s.left, maxSilence), 0))
}

// busy stops the clock while it is not the store that is waited for. What came
// earns time.
func (s *silence) busy(earned time.Duration) {
	s.timer.Stop()
	s.left += earned - time.Since(s.since)
}

func (s *silence) end() {
	s.timer.Stop()
	s.cancel(nil)
}

// why is the error of a call: silence and not that a context ended.
func (s *silence) why(err error) error {
	if err != nil && s.parent.Err() == nil && errors.Is(context.Cause(s.within), errSilent) {
		return errSilent
	}
	return err
}

// enter takes a place for a call. The error says that there was none in time.
func (s *silence) enter() error {
	if s.within.Err() == nil {
		select {
		case s.calls <- struct{}{}:
			return nil
		case <-s.within.Done():
		}
	}
	return s.why(s.within.Err())
}

func (c calls) leave() { <-c }

// ask has a store asked, in a goroutine that is left behind if it hangs.
func ask[T any](ctx context.Context, c calls, f func(context.Context) (T, error)) (T, error) {
	s := c.listen(ctx)
	defer s.end()
	return wait(s, func() (T, error) { return f(s.within) }, nil)
}

// wait is ask within a silence. late, if there is one, takes what comes of a call
// that was left behind, unless that is an error.
func wait[T any](s *silence, f func() (T, error), late func(T)) (none T, err error) {
	if err := s.enter(); err != nil {
		return none, err
	}
	type answer struct {
		t   T
		err error
	}
	answers, gone := make(chan answer), make(chan struct{})
	go func() {
		t, err := f()
		s.leave()
		select {
		case answers <- answer{t, err}:
		case <-gone:
			if late != nil && err == nil {
				late(t)
			}
		}
	}()
	a, ok := receive(s, answers)
	if !ok {
		close(gone)
		return none, s.why(s.within.Err())
	}
	return a.t, s.why(a.err)
}

// receive waits for an answer; !ok: none came though the context has ended.
func receive[T any](s *silence, from <-chan T) (t T, ok bool) {
	select {
	case t = <-from:
		return t, true
	case <-s.within.Done():
	}
	over := time.NewTimer(grace)
	defer over.Stop()
	select {
	case t = <-from:
		return t, true
	case <-over.C:
		return t, false
	}
}

// listed is a step of a listing; the zero value is its end.
type listed struct {
	info store.Info
	err  error
	more bool
}

// listing passes a listing on. It holds a place while the store looks for the next
// name, so that whoever lists may ask the store meanwhile.
func (c calls) listing(ctx context.Context, list func(context.Context) iter.Seq2[store.Info, error]) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		s := c.listen(ctx)
		if err := s.enter(); err != nil {
			s.end()
			yield(store.Info{}, err)
			return
		}
		steps := make(chan listed)
		go s.list(list, steps)
		defer func() {
			s.end()
			for step, ok := receive(s, steps); ok && step.more; step, ok = receive(s, steps) {
			}
		}()
		for {
			step, ok := receive(s, steps)
			if !step.more && (!ok || s.within.Err() != nil) {
				yield(store.Info{}, s.why(s.within.Err()))
				return
			}
			s.busy(perName)
			if !step.more || !yield(step.info, s.why(step.err)) {
				return
			}
			s.heard()
		}
	}
}

// list hands over what a listing yields; it has a place.
func (s *silence) list(list func(context.Context) iter.Seq2[store.Info, error], to chan<- listed) {
	defer close(to)
	for info, err := range list(s.within) {
		s.leave()
		select {
		case to <- listed{info, err, true}:
		case <-s.within.Done():
			return
		}
		if s.enter() != nil {
			return
		}
	}
	s.leave()
}
