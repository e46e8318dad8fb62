package contents

import (
	"context"
	"math/rand/v2"
	"time"
)

// A Backoff is a growing wait between attempts: Initial, doubled each time up to Max,
// and spread by a quarter so that several receivers do not knock together.
type Backoff struct {
	Initial time.Duration
	Max     time.Duration
}

// Delay is the wait after the given number of failed attempts, 1 for the first.
func (b Backoff) Delay(failed int) time.Duration {
	d := b.Initial
	for ; failed > 1 && d < b.Max; failed-- {
		d *= 2
	}
	d = min(d, b.Max)
	return d - time.Duration(rand.Int64N(int64(d)/4+1))
}

// Wait waits for Delay and reports whether ctx is still alive then.
func (b Backoff) Wait(ctx context.Context, failed int) bool {
	return Rest(ctx, b.Delay(failed))
}

// Rest waits for d and reports whether ctx is still alive then.
func Rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// Grace is how long a call that is under way when its caller is stopped may go on.
// Cancelling it at once would leave its outcome unknown, and the batch would be
// delivered again after the restart.
const Grace = 5 * time.Second

// Outlast returns a context that ends [Grace] after ctx does. It is for calls whose
// outcome matters too much to abandon them the moment a stop is asked for. The
// returned function must be called.
func Outlast(ctx context.Context) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	release := context.AfterFunc(ctx, func() {
		if Rest(out, Grace) {
			cancel()
		}
	})
	return out, func() {
		release()
		cancel()
	}
}
