package transfer

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/otelcol-custody/custody/store"
)

// Stores try again by themselves; this is for what lasts longer than that.
const (
	attempts   = 4
	firstDelay = 500 * time.Millisecond
)

// definite are errors that come again however often one asks.
var definite = []error{
	store.ErrExists, store.ErrNotFound, store.ErrFull, store.ErrDenied, store.ErrUnfit, store.ErrReadOnly,
	store.ErrRetention, store.ErrName, store.ErrClosed, context.Canceled, errTooLarge,
}

// ending are errors that every other object would meet, too.
var ending = []error{store.ErrFull, store.ErrReadOnly, store.ErrClosed}

func isAny(err error, targets []error) bool {
	for _, t := range targets {
		if errors.Is(err, t) {
			return true
		}
	}
	return false
}

// pause waits before the next attempt, the n-th from 0; ctx ends it.
func pause(ctx context.Context, n int) {
	d := firstDelay << n
	timer := time.NewTimer(d/2 + rand.N(d))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// retry calls f until it succeeds, fails for good, or has failed often enough.
func retry(ctx context.Context, f func() error) error {
	for n := 0; ; n++ {
		err := f()
		if _, found := finding(err); err == nil || found || isAny(err, definite) || n == attempts-1 || ctx.Err() != nil {
			return err
		}
		pause(ctx, n)
	}
}
