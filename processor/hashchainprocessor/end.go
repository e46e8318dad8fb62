package hashchainprocessor

import (
	"context"
	"time"

	"github.com/otelcol-custody/custody/internal/delivery"
)

// progressEvery is how often whoever ends the log hears what still waits.
const progressEvery = 2 * time.Second

// end ends the log, for the command that drains it.
func (p *hashChain) end(ctx context.Context, e *delivery.Ending) error {
	ended := make(chan error, 1)
	go func() { ended <- p.sealer.End(ctx) }()
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			e.Progress(p.sealer.Waiting())
			if err != nil {
				return err
			}
			head, err := p.sealer.Head()
			if err == nil {
				e.Checkpoint = string(head.After().Note())
			}
			return err
		case <-tick.C:
			e.Progress(p.sealer.Waiting())
		}
	}
}

// grace is how long a stop waits for stores. Who ended the log has waited already,
// or was told not to.
func (p *hashChain) grace() time.Duration {
	if p.cfg.Drain {
		return 0
	}
	return stopGrace
}
