package wormexport

import (
	"errors"
	"regexp"
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
	// mostReasons is how many reasons of one outage are told.
	mostReasons = 16
)

// health is what is known of the store, and what the collector is told: a
// recoverable error while the store is away or full, and for what was refused,
// until something is stored again; a permanent one for a fork of a log of this
// process, which no retry gets over. Who sends over OTLP, with a key that is
// trusted for a log of its own, cannot cause that: this exporter keeps other logs,
// too. Fatal is for hash_chain to say, which owns the log.
type health struct {
	logger *zap.Logger
	host   component.Host // nil before start

	mu    sync.Mutex // guards what follows
	rest  time.Duration
	until time.Time
	err   error           // why the store is away
	told  map[string]bool // reasons of the recoverable errors reported
	fork  bool            // a permanent error has been reported
	said  string          // the refusal that was logged last
	again time.Time       // when what was said is worth saying again
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
	if len(h.told) > 0 {
		h.told = nil
		h.tell(componentstatus.NewEvent(componentstatus.StatusOK))
	}
}

// failed says that the store did not.
func (h *health) failed(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.recoverable(err) {
		h.logger.Warn("cannot store now; segments stay with hash_chain and are tried again", zap.Error(err))
	}
	h.rest = min(max(2*h.rest, shortestRest), longestRest)
	h.err, h.until = err, time.Now().Add(h.rest)
}

// waits says that the store works and yet cannot take what was delivered.
func (h *health) waits(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.recoverable(err)
}

// refused says that a delivery was not taken for what it is. That is for good if
// it is a fork of a log of ours.
func (h *health) refused(err error, ours bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if text, now := err.Error(), time.Now(); text != h.said || !now.Before(h.again) {
		h.logger.Error("refused a delivery", zap.Error(err))
		h.said, h.again = text, now.Add(repeat)
	}
	if fork := (*delivery.ForkError)(nil); ours && errors.As(err, &fork) {
		h.fork = true
		h.tell(componentstatus.NewPermanentErrorEvent(err))
		return
	}
	h.recoverable(err)
}

// volatile are the words of a message that differ from one attempt to the next:
// numbers, addresses, names of objects and of requests.
var volatile = regexp.MustCompile(`\S*[0-9]\S*`)

// recoverable reports an error, each reason once until the store works again, and
// says whether it did. More reports would begin the health check's
// recovery_duration anew. The caller holds mu.
func (h *health) recoverable(err error) bool {
	reason := failure(err) + ": " + volatile.ReplaceAllString(err.Error(), "#")
	if h.told[reason] || len(h.told) == mostReasons {
		return false
	}
	if h.told == nil {
		h.told = map[string]bool{}
	}
	h.told[reason] = true
	h.tell(componentstatus.NewRecoverableErrorEvent(err))
	return true
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
