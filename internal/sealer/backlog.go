package sealer

import (
	"fmt"
	"time"
)

// A Backlog is what waits on this machine.
type Backlog struct {
	Bytes  int64         // of journals and spool
	Limit  int64         // at which records are refused; 0: none
	Oldest time.Duration // how long the oldest closed segment has waited for the stores, since its first record
}

// Backlog says what waits now.
func (s *Sealer) Backlog() Backlog {
	return Backlog{Bytes: s.used.Load(), Limit: s.cfg.SpoolLimit, Oldest: s.oldest()}
}

// oldest is how long the oldest unstored segment has waited.
func (s *Sealer) oldest() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	var age time.Duration
	for _, t := range s.since {
		age = max(age, time.Since(t))
	}
	return age
}

// sync makes the journal durable and tells how long that took.
func (p *pool) sync() error {
	began := time.Now()
	defer func() { p.s.obs.Synced(time.Since(began)) }()
	return p.journal.sync()
}

// began is when the first record of an unstored segment was acknowledged, or the
// start of this process, if that was later.
func (s *Sealer) began(first uint64) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.since[first]
}

// room says why no record may enter now, if that is so, and makes it known.
func (s *Sealer) room() error {
	var err error
	if used := s.used.Load(); s.cfg.SpoolLimit > 0 && used >= s.cfg.SpoolLimit {
		err = fmt.Errorf("%w: %d MiB wait in %s, the limit is %d MiB (spool::max_size_mib); it empties by itself once the stores take segments again", ErrFull, used>>20, s.cfg.Dir, s.cfg.SpoolLimit>>20)
	} else if age := s.behind(); age > 0 {
		err = fmt.Errorf("%w: the oldest segment has waited %v for its receipts, longer than ack_timeout; it goes on by itself once the stores have it", ErrBehind, age.Round(time.Second))
	}
	if err != nil {
		s.obs.Trouble(Intake, err)
		s.eased() // Something may have left meanwhile.
	}
	return err
}

// behind is how long the oldest segment has waited, if that is too long.
func (s *Sealer) behind() time.Duration {
	if !s.cfg.AckStored {
		return 0
	}
	if age := s.oldest(); age > s.cfg.AckTimeout {
		return age
	}
	return 0
}

// eased makes known that records may enter again. It is called when something has
// left, since nobody may come to try. An eighth has to be free: with a store that
// is merely slow the state would change with every segment.
func (s *Sealer) eased() {
	if limit := s.cfg.SpoolLimit; limit > 0 && s.used.Load() > limit-limit/8 {
		return
	}
	if s.behind() == 0 {
		s.obs.Better(Intake)
	}
}
