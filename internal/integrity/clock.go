package integrity

import (
	"sync"
	"time"
)

// clock is the clock by which logs and promises are judged. Clocks are set, by
// hand and by mistake, and for a moment only: what it says goes on from where it
// was, and follows a clock that was set once that has stayed so for a while. So a
// jump neither makes a log late nor a segment expired.
type clock struct {
	wall  func() time.Time
	began time.Time // by the clock that nobody can set

	mu     sync.Mutex // guards what follows
	anchor time.Time  // what it said
	at     time.Duration
	off    bool // the wall says something else
	since  time.Duration
}

const (
	// jump is how far the wall may be off without being doubted.
	jump = time.Minute
	// stays is how long a new time must last to be believed.
	stays = 10 * time.Minute
)

func newClock(wall func() time.Time) *clock {
	return &clock{wall: wall, began: time.Now(), anchor: wall().Round(0)}
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	wall, elapsed := c.wall().Round(0), time.Since(c.began)
	steady := c.anchor.Add(elapsed - c.at)
	switch off := wall.Sub(steady).Abs() > jump; {
	case off && !c.off:
		c.off, c.since = true, elapsed
		return steady
	case off && elapsed-c.since < stays:
		return steady
	}
	c.off, c.anchor, c.at = false, wall, elapsed
	return wall
}
