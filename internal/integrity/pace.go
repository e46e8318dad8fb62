package integrity

import (
	"context"
	"sync"
	"time"
)

// pace limits what is read from all stores together. Who is urgent goes first.
type pace struct {
	rate int64 // bytes a second; 0: no limit

	mu     sync.Mutex // guards what follows
	free   time.Time  // when what was read so far is paid for
	urgent int        // how many urgent readers wait
}

func newPace(rate int64) *pace { return &pace{rate: rate} }

// pay waits until n bytes that were read are paid for. Of what comes in at once
// it lets a tenth of a second's worth pass, so that small reads do not wait.
func (p *pace) pay(ctx context.Context, n int, urgent bool) error {
	if p.rate <= 0 {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.free.Before(now) {
		p.free = now
	}
	p.free = p.free.Add(time.Duration(float64(n) / float64(p.rate) * float64(time.Second)))
	mine := p.free.Add(-slack)
	if urgent {
		p.urgent++
		defer func() { p.urgent-- }()
	}
	for d := mine.Sub(now); d > 0 || !urgent && p.urgent > 0; d = time.Until(mine) {
		p.mu.Unlock()
		err := sleep(ctx, max(d, slack))
		p.mu.Lock()
		if err != nil {
			return err
		}
	}
	return nil
}

const slack = 100 * time.Millisecond

// sleep waits, or returns why ctx ended.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(max(d, 0))
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}
