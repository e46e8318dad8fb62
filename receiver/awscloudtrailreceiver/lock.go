package awscloudtrailreceiver

import "context"

// A lock is a mutex for which nobody waits longer than his context lives: who holds it may
// be waiting for the pipeline or for AWS.
type lock chan struct{}

func newLock() lock { return make(lock, 1) }

// take fails only when ctx ends.
func (l lock) take(ctx context.Context) error {
	select {
	case l <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l lock) free() { <-l }
