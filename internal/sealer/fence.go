package sealer

import (
	"context"
	"errors"

	"github.com/otelcol-custody/custody/internal/delivery"
)

// fence asks the stores whether they hold another history, before anybody is
// answered (design §6). It returns whether all of them have answered; those that
// could not be reached are asked again, and meanwhile closed records say that the
// log is unfenced.
func (c *courier) fence(ctx context.Context) bool {
	given, asked, err := c.s.down.Probe(ctx, c.probe())
	if fork := (*delivery.ForkError)(nil); errors.As(err, &fork) {
		c.s.fail(err)
		return false
	}
	if ctx.Err() != nil {
		return false // A stop; the stores have not failed.
	}
	if given > 0 {
		c.s.fenced.Store(true)
	}
	c.stores = max(c.stores, asked)
	complete := given == asked && given >= c.s.cfg.MinStores
	switch {
	case complete:
		c.s.obs.Better(Fence)
	case err != nil:
		c.s.obs.Trouble(Fence, err)
	default:
		c.s.obs.Trouble(Fence, errReceipts)
	}
	select {
	case <-c.s.ready:
	default:
		close(c.s.ready)
	}
	return complete
}

func (c *courier) probe() *delivery.Probe {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.head == nil {
		return &delivery.Probe{Log: c.s.cfg.Log, Origin: c.s.cfg.Signer.Name()}
	}
	stored := c.end
	if len(c.queue) > 0 {
		stored = c.queue[0].head.First
	}
	return &delivery.Probe{Seal: c.head, Stored: stored}
}
