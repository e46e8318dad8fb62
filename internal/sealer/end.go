package sealer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
)

// ErrEnded means that the log's last closed record says that it has ended.
var ErrEnded = errors.New("the log has ended")

// End ends the log: no more records are taken, and the open segment is closed
// with the log's own word that nothing follows. It returns nil once every segment
// has left the spool, and the records that are passed on are gone, too; then the
// log is complete in all stores. A log that has ended already is only delivered.
//
// An error says what still waits. Whatever was reached is durable: End, after an
// [Open] with Config.Drain, goes on from there. Close is to be called in any case.
func (s *Sealer) End(ctx context.Context) error {
	// As with records: no word more before the stores were asked for the head.
	select {
	case <-s.ready:
	case <-s.stop:
	case <-ctx.Done():
		return s.unended(ctx.Err())
	}
	s.stopping.Do(func() {
		s.mu.Lock()
		s.ending = ctx
		s.mu.Unlock()
		close(s.stop)
	})
	poll := time.NewTicker(endPoll)
	defer poll.Stop()
	for {
		if fatal := s.Fatal(); fatal != nil {
			return s.stopped()
		}
		if reason, _ := s.lastWord(); reason != segment.Ended && !s.ended.Load() {
			return s.stopped() // Close came first.
		}
		if w := s.Waiting(); w.Ended && w.Segments == 0 && w.Records == 0 {
			return nil
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return s.unended(ctx.Err())
		}
	}
}

// endPoll is how often End looks whether all is delivered.
const endPoll = 50 * time.Millisecond

func (s *Sealer) unended(cause error) error {
	w := s.Waiting()
	if w.Why != nil {
		cause = fmt.Errorf("%w: %w", cause, w.Why)
	}
	return fmt.Errorf("log %s: %s: %w", s.cfg.Log, w, cause)
}

// lastWord is what the log says when it stops, and who may still end the tries
// to say it.
func (s *Sealer) lastWord() (segment.Reason, context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending != nil {
		return segment.Ended, s.ending
	}
	return segment.Shutdown, s.running
}

// Waiting is what has not left this machine.
func (s *Sealer) Waiting() delivery.Waiting {
	w := delivery.Waiting{Ended: s.ended.Load(), Oldest: s.oldest(), Why: s.watch.why()}
	s.mu.Lock()
	w.Segments = len(s.since)
	s.mu.Unlock()
	if s.emitter != nil {
		s.emitter.mu.Lock()
		w.Records = len(s.emitter.queue)
		s.emitter.mu.Unlock()
	}
	return w
}

// Head is the newest seal, nil at genesis.
func (s *Sealer) Head() (*seal.Verified, error) {
	s.courier.mu.Lock()
	b := s.courier.head
	s.courier.mu.Unlock()
	if b == nil {
		return nil, nil
	}
	keys, err := checkpoint.ParseKeys(s.cfg.Signer.VerifierKey())
	if err != nil {
		return nil, err
	}
	return seal.Open(b, keys)
}

// checkEnd refuses a log that has ended, unless it is opened to be drained; then
// it takes no records.
func (s *Sealer) checkEnd(st *state) error {
	reason, err := st.lastReason(&s.cfg)
	if err != nil || reason != segment.Ended {
		return err
	}
	if len(st.groups) > 0 {
		return damaged(st.open.path, errors.New("it holds records behind the one that ended the log"))
	}
	if s.cfg.Drain {
		s.ended.Store(true)
		s.stopping.Do(func() { close(s.stop) })
		return nil
	}
	err = fmt.Errorf("%w: log %s was ended by its operator with record %d. A log that has ended is never continued; a new log needs a new name, key and state_dir", ErrEnded, s.cfg.Log, st.at.edge.Size()-1)
	if n := len(st.pending) + len(st.closed); n > 0 {
		err = fmt.Errorf("%w. Of this one %d segments still wait in %s: otelcol-custody drain delivers them", err, n, s.cfg.Dir)
	}
	return err
}

// lastReason is why the newest closed segment was closed, "" at genesis.
func (st *state) lastReason(c *Config) (segment.Reason, error) {
	if len(st.closed) == 0 {
		if st.head == nil {
			return "", nil
		}
		return st.head.Closed().Reason, nil
	}
	path := journalPath(c.Dir, st.closed[len(st.closed)-1])
	content, err := readJournal(c.FS, path)
	if err != nil {
		return "", err
	}
	last := content.groups[len(content.groups)-1]
	closed, err := segment.ParseClosed(bytes.TrimSuffix(last.lines, []byte("\n")))
	if err != nil {
		return "", damaged(path, err)
	}
	return closed.Reason, nil
}

// watch passes on what an observer is told, and remembers what is in trouble.
type watch struct {
	Observer

	mu       sync.Mutex
	troubles map[string]error
}

func (w *watch) Trouble(what string, err error) {
	w.mu.Lock()
	w.troubles[what] = err
	w.mu.Unlock()
	w.Observer.Trouble(what, err)
}

func (w *watch) Better(what string) {
	w.mu.Lock()
	delete(w.troubles, what)
	w.mu.Unlock()
	w.Observer.Better(what)
}

// why is the trouble that holds up what comes before the others, or nil.
func (w *watch) why() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, what := range []string{Journal, Spool, Delivery, Fence, Records} {
		if err := w.troubles[what]; err != nil {
			return err
		}
	}
	return nil
}
