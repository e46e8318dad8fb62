package sealer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrHangs means that a stop gave up waiting: a disk or what follows in the
// pipeline does not come back from a call.
var ErrHangs = errors.New("does not come to an end")

// errHurry is why a caller's wait was cut short.
var errHurry = errors.New("the process is about to stop")

// hangs is how long a part of the sealer may take to end once it is told to.
// Nothing that works takes so long; the longest is to seal one segment.
const hangs = 5 * time.Second

// Hurry prepares a stop: once limit is over no caller waits for an answer, so
// that a graceful stop of those who call is not held up by stores that hang. Who
// waits then gets [ErrUnanswered], new ones [ErrStopped].
func (s *Sealer) Hurry(limit time.Duration) { time.AfterFunc(limit, s.hurryUp) }

func (s *Sealer) hurryUp() { s.hurrying.Do(func() { close(s.hurry) }) }

// Close stops taking records, closes and seals the open segment, tries to
// deliver what is in the spool until ctx or grace ends, and lets go of the state
// directory. What is not delivered is delivered after the next start.
//
// It returns at most a few seconds after ctx or grace has ended. If something
// hangs even then, its error is [ErrHangs] and the state directory stays locked
// until the process ends: whatever hangs may still write to it.
func (s *Sealer) Close(ctx context.Context, grace time.Duration) error {
	s.stopping.Do(func() { close(s.stop) })
	timer := time.AfterFunc(grace, s.endRetries)
	defer timer.Stop()
	defer context.AfterFunc(ctx, s.endRetries)()
	if err := s.end(); err != nil {
		s.endRetries()
		s.dismiss()
		s.hurryUp() // Those whom only the pool knows.
		return err
	}
	s.endRetries()
	s.dismiss()
	return s.lock.Close()
}

// end waits for one part after the other.
func (s *Sealer) end() error {
	disk := fmt.Sprintf("the disk under %s, which does not answer", s.cfg.Dir)
	// Every accepted record is journalled and the segment closed.
	if !s.await(&s.owner) {
		return s.hanging("the journal", disk)
	}
	if !s.await(&s.presser) {
		return s.hanging("sealing", disk)
	}
	s.courier.finish()
	if s.emitter != nil {
		s.emitter.finish()
	}
	const next = "a component behind hash_chain, which does not return from a call, or "
	if !s.await(&s.couriers) {
		return s.hanging("delivery to the stores", next+disk)
	}
	if !s.await(&s.emitters) {
		return s.hanging("passing records on", next+disk)
	}
	return nil
}

// await waits for a part until a moment after retries have ended, and says
// whether it has ended.
func (s *Sealer) await(part *sync.WaitGroup) bool {
	ended := make(chan struct{})
	go func() { part.Wait(); close(ended) }()
	select {
	case <-ended:
		return true
	case <-s.quit:
	}
	t := time.NewTimer(hangs)
	defer t.Stop()
	select {
	case <-ended:
		return true
	case <-t.C:
		return false
	}
}

func (s *Sealer) hanging(part, cause string) error {
	return fmt.Errorf("stop of log %s: %s %w: look at %s. Nothing that was answered is lost; the next start finishes the work", s.cfg.Log, part, ErrHangs, cause)
}

// dismiss answers the callers whose segment is sealed and not stored.
func (s *Sealer) dismiss() {
	err := s.stopped()
	s.mu.Lock()
	defer s.mu.Unlock()
	for first, callers := range s.waiting {
		for _, r := range callers {
			r.done <- fmt.Errorf("%w: %w", ErrUnanswered, err)
		}
		delete(s.waiting, first)
	}
}
