package wormexport

import (
	"errors"
	"fmt"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/tree"
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

// What an operator is told behind a fork, by what was found.
const (
	recoverAdvice = "otelcol-custody recover --config FILE --log %s goes on from the longest history and seals again what only this state directory holds. Keep both the store and the state directory as they are until then; docs/operations.md, \"A fork\""

	genesisAdvice = "This state directory has no seal, so it is not the log's, or a copy from its first moments: either on_missing_head: genesis was said for a log that exists, since its state was lost or state_dir names another place, or another collector writes this log. Put the right state directory back; if it is lost, " + recoverAdvice
	aheadAdvice   = "This state is older than the store: it was restored from a backup, or another collector went on with a copy of it. Stop the other collector, or put the newer state directory back; if there is neither, " + recoverAdvice
	forkAdvice    = "Another collector writes this log, or this state was restored from an old backup and went on while the store was away. Find the other collector and stop it; then " + recoverAdvice
)

// nameAdvice is for two logs of one name, each with a key that is trusted.
const nameAdvice = "Another log with origin %s has this name in the store, and ours has origin %s: give one of the two another name or a prefix of its own, and let each exporter's log_keys name only the logs that it is to keep; docs/operations.md, \"A fork\", says how to go on"

func altered(err error) error { return &delivery.AlteredError{Reason: err} }

// pending marks an error that another attempt may get over.
func (e *Exporter) pending(err error) error {
	return fmt.Errorf("store %s: %w: %w", e.set.ID, delivery.ErrPending, err)
}

// fork accuses: the store holds h, which does not belong to the history of v
// whose checkpoint is ours.
func (e *Exporter) fork(v *seal.Verified, ours string, h *held) error {
	f := e.forked(h)
	f.Ours, f.Shared = ours, shared(v, h.seal)
	// The last record of v is the log's own, made when v was closed.
	f.Ahead = f.Shared >= v.End()-1 && h.seal.End() > f.Shared
	advice := forkAdvice
	if f.Ahead {
		advice = aheadAdvice
	}
	return e.accuse(f, v.Origin, h, advice)
}

// begun accuses a genesis: the store holds h of the log already.
func (e *Exporter) begun(origin string, h *held) error {
	return e.accuse(e.forked(h), origin, h, genesisAdvice)
}

func (e *Exporter) forked(h *held) *delivery.ForkError {
	return &delivery.ForkError{Store: e.set.ID, Log: h.seal.Log, Object: h.name, Size: h.seal.First, Theirs: string(h.seal.After().Note())}
}

func (e *Exporter) accuse(f *delivery.ForkError, origin string, h *held, advice string) error {
	if h.seal.Origin != origin {
		return fmt.Errorf("%w. %s", f, fmt.Sprintf(nameAdvice, h.seal.Origin, origin))
	}
	return fmt.Errorf("%w. %s", f, fmt.Sprintf(advice, f.Log))
}

// shared is with how many same records the histories of two seals begin, as far
// as these alone tell: the link at a position is that of all records before it.
func shared(a, b *seal.Verified) uint64 {
	for end := min(a.End(), b.End()); end > 0 && end >= max(a.First, b.First); end-- {
		if linkAt(a, end) == linkAt(b, end) {
			return end
		}
	}
	return 0
}

// linkAt is the link of the record before end, which v's first follows or v holds.
func linkAt(v *seal.Verified, end uint64) tree.Hash {
	if end == v.First {
		return v.Previous
	}
	return v.Link(int(end - v.First - 1))
}
