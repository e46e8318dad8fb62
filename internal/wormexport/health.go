package wormexport

import (
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"

	"github.com/otelcol-custody/custody/internal/delivery"
)

// After a failure of the store nothing is tried for a while, so that others in
// the same fan-out need not wait for a store that is known to be away.
const (
	shortestRest = 250 * time.Millisecond
	longestRest  = 10 * time.Second
	// repeat is how often a refusal that lasts is logged again; hash_chain
	// delivers what was refused for ever.
	repeat = time.Minute
)

// health is what is known of the store, and what the collector is told: a
// recoverable error while the store is away or full, and for what was refused,
// until something is stored again; a permanent one for a fork, which no retry
// gets over. Fatal is for hash_chain to say, which owns the log.
type health struct {
	logger *zap.Logger
	host   component.Host // nil before start

	mu    sync.Mutex // guards what follows
	rest  time.Duration
	until time.Time
	err   error     // why the store is away
	bad   bool      // a recoverable error has been reported
	fork  bool      // a permanent error has been reported
	said  string    // the refusal that was logged last
	again time.Time // when what was said is worth saying again
}

// away returns the reason while there is no use in asking the store.
func (h *health) away() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err != nil && time.Now().Before(h.until) {
		return h.err
	}
	return nil
}

// failing says whether the store's last word was a failure.
func (h *health) failing() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.err != nil
}

// worked says that the store did what it was asked.
func (h *health) worked() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err != nil {
		h.logger.Info("the store is back")
	}
	h.err, h.rest, h.said = nil, 0, ""
	if h.bad {
		h.bad = false
		h.tell(componentstatus.NewEvent(componentstatus.StatusOK))
	}
}

// failed says that the store did not.
func (h *health) failed(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err == nil {
		h.logger.Warn("cannot store now; segments stay with hash_chain and are tried again", zap.Error(err))
	}
	h.rest = min(max(2*h.rest, shortestRest), longestRest)
	h.err, h.until = err, time.Now().Add(h.rest)
	h.recoverable(err)
}

// waits says that the store works and yet cannot take what was delivered.
func (h *health) waits(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.recoverable(err)
}

// refused says that a delivery was not taken for what it is.
func (h *health) refused(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if text, now := err.Error(), time.Now(); text != h.said || !now.Before(h.again) {
		h.logger.Error("refused a delivery", zap.Error(err))
		h.said, h.again = text, now.Add(repeat)
	}
	if fork := (*delivery.ForkError)(nil); errors.As(err, &fork) {
		h.fork = true
		h.tell(componentstatus.NewPermanentErrorEvent(err))
		return
	}
	h.recoverable(err)
}

// recoverable reports an error. The caller holds mu.
func (h *health) recoverable(err error) {
	if h.bad {
		return // Each report begins the health check's recovery_duration anew.
	}
	h.bad = true
	h.tell(componentstatus.NewRecoverableErrorEvent(err))
}

// tell reports an event; after a permanent error there is none. The caller
// holds mu.
func (h *health) tell(ev *componentstatus.Event) {
	if h.host == nil || h.fork && ev.Status() != componentstatus.StatusPermanentError {
		return
	}
	componentstatus.ReportStatus(h.host, ev)
}

func (h *health) start(host component.Host) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.host = host
}
