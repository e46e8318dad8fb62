package awstest

import (
	"sync"
	"time"
)

// A Clock tells a server the time.
type Clock interface {
	Now() time.Time
	// After returns a channel that receives or is closed when d has passed.
	After(d time.Duration) <-chan time.Time
}

type realClock struct{}

func (realClock) Now() time.Time                         { return time.Now() }
func (realClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// A ManualClock stands still until the test moves it. It is safe for concurrent use.
type ManualClock struct {
	mu    sync.Mutex
	now   time.Time
	waits map[chan time.Time]time.Time
}

// NewClock returns a clock that stands at a time.
func NewClock(at time.Time) *ManualClock {
	return &ManualClock{now: at, waits: map[chan time.Time]time.Time{}}
}

// Now implements [Clock].
func (c *ManualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// After implements [Clock].
func (c *ManualClock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := make(chan time.Time, 1)
	if d <= 0 {
		ch <- c.now
		return ch
	}
	c.waits[ch] = c.now.Add(d)
	return ch
}

// Advance moves the clock and wakes those who waited for less.
func (c *ManualClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	for ch, at := range c.waits {
		if !at.After(c.now) {
			ch <- c.now
			delete(c.waits, ch)
		}
	}
}
