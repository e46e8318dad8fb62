package wormexport

import (
	"errors"
	"fmt"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/logstore"
)

// A SegmentError means that a segment object is not the one that its seal names.
type SegmentError struct {
	Log           string
	First         uint64 // of the seal
	What          string // what differs, with its unit
	Sealed, Found string
}

func (e *SegmentError) Error() string {
	return fmt.Sprintf("segment %d of log %s: its seal says %s %s, what arrived has %s", e.First, e.Log, e.What, e.Sealed, e.Found)
}

// A PredecessorError means that a seal has to wait: the store does not hold the
// one that it follows. It always comes with [delivery.ErrPending].
type PredecessorError struct {
	Log   string
	First uint64 // of the seal that waits
	Near  uint64 // where the newest seal before it ends, 0 if none was found
}

func (e *PredecessorError) Error() string {
	has := "has no earlier seal of this log"
	if e.Near > 0 {
		has = fmt.Sprintf("has its seals only up to record %d", e.Near)
	}
	return fmt.Sprintf("the seal at record %d of log %s waits for the one before it: the store %s. It follows by itself when hash_chain delivers what is missing; if the store is new, was emptied or was replaced, fill it from another one: otelcol-custody replicate FROM TO --key LOG.pub (docs/operations.md, \"Store away\")",
		e.First, e.Log, has)
}

// An ObstructedError means that other bytes lie where an object must go. It
// always comes with [delivery.ErrPending]: storing goes on once they are gone.
type ObstructedError struct {
	Name string
	Why  string
}

func (e *ObstructedError) Error() string {
	return fmt.Sprintf("%s: %s. Somebody else writes to the store: find out who, and move what lies there away", e.Name, e.Why)
}

// errStopped answers deliveries that come while the exporter shuts down.
var errStopped = errors.New("the exporter is shutting down; the segment stays with hash_chain")

// errBusy answers when all workers have segments in hand.
var errBusy = errors.New("all workers have segments in hand")

// errSlow answers when a worker needs longer than the timeout.
var errSlow = errors.New("still being stored")

const forkAdvice = "The state directory is new, or was restored from an old backup, or another collector writes this log. Stop it and keep both the store and the state directory as they are; docs/operations.md, \"A fork\", says how to go on"

// nameAdvice is for two logs of one name, each with a key that is trusted.
const nameAdvice = "Another log with origin %s has this name in the store, and ours has origin %s: give one of the two another name or a prefix of its own, and let each exporter's log_keys name only the logs that it is to keep; docs/operations.md, \"A fork\", says how to go on"

func altered(err error) error { return &delivery.AlteredError{Reason: err} }

// another accuses: a seal that was read from the store is of another history.
func (e *Exporter) another(origin, ours string, h *logstore.Held) error {
	return e.fork(origin, ours, heldAs(h))
}

// pending marks an error that another attempt may get over.
func (e *Exporter) pending(err error) error {
	return fmt.Errorf("store %s: %w: %w", e.set.ID, delivery.ErrPending, err)
}

// fork accuses: the store holds h, which does not belong to the history of origin
// whose checkpoint, "" at genesis, is ours.
func (e *Exporter) fork(origin, ours string, h *held) error {
	advice := forkAdvice
	if h.seal.Origin != origin {
		advice = fmt.Sprintf(nameAdvice, h.seal.Origin, origin)
	}
	return fmt.Errorf("%w. %s", &delivery.ForkError{
		Store: e.set.ID, Log: h.seal.Log, Object: h.name, Size: h.seal.First,
		Ours: ours, Theirs: string(h.seal.After().Note()),
	}, advice)
}
