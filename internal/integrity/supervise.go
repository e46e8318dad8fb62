package integrity

import (
	"context"
	"fmt"
	"time"

	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/ledger"
)

// standstill is how long a look may get nowhere before that is said. No call need
// fail for it: a store can give just enough each time.
const standstill = 10 * time.Minute

// patience is standstill, and what a segment takes at the limit.
func (c *Config) patience() time.Duration {
	if c.BytesPerSecond <= 0 {
		return standstill
	}
	return standstill + time.Duration(2*float64(ledger.MaxSegment)/float64(c.BytesPerSecond)*float64(time.Second))
}

// supervise says what does not come to an end, until ctx ends.
func (w *watch) supervise(ctx context.Context) {
	for sleep(ctx, thorough) == nil {
		w.mu.Lock()
		listing := w.listing
		w.mu.Unlock()
		if !listing.IsZero() && time.Since(listing) > w.set.patience() {
			w.away(ctx, fmt.Errorf("listing its logs takes longer than %v", w.set.patience()))
		}
		for _, l := range w.all() {
			l.judgePass(ctx)
			l.judgeLook(ctx)
		}
	}
}

// judgeLook says that a look at what is new gets nowhere.
func (l *logWatch) judgeLook(ctx context.Context) {
	l.mu.Lock()
	moved := l.moved
	l.mu.Unlock()
	if moved.IsZero() || time.Since(moved) <= l.set.patience() {
		return
	}
	l.say(ctx, incident.Unread, &incident.Finding{Message: fmt.Sprintf("log %s in store %s cannot be judged: for longer than %v no segment of it could be read to its end", l.name, l.src, l.set.patience())}, time.Time{})
}

// lists notes since when the store's logs are listed; zero: they are not.
func (w *watch) lists(since time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listing = since
}
