// Package sealer turns records into a sealed log (design §6). It has two commit
// points: a record's place is fixed when its journal frame is durable, a
// segment's when its seal is in the spool. Between them and the stores lies
// nothing that can be lost.
//
// Three goroutines share the work, each owning its part of the state directory:
//
//	pool     owns the log: orders records, journals them, answers callers
//	press    turns closed journals into segments and seals in the spool
//	courier  delivers what the spool holds, and keeps the newest seal
package sealer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// AwaitedAge is the largest age of a segment for which callers wait
// ([Config.AckStored]); no answer comes before it is closed.
const AwaitedAge = time.Second

// Config says how a log is kept.
type Config struct {
	Log      string // name of the log's folder in stores
	Signer   *checkpoint.Signer
	Dir      string // state directory
	Genesis  bool   // a new log may begin when the state directory is new
	Drain    bool   // opened to be ended: a log that has ended is delivered, none is begun
	Software string // name and version, for closed records

	MaxBytes   int           // lines in a segment, at which it is closed
	MaxAge     time.Duration // of a segment's first record, at which it is closed
	Heartbeat  time.Duration // between closed records of an idle log
	Checkpoint time.Duration // between checkpoints under load
	RetainFor  time.Duration // stated in closed records; 0: nothing promised

	AckStored  bool          // answer when stored instead of when journalled
	AckTimeout time.Duration // how long a caller waits at most
	SpoolLimit int64         // bytes of journals and undelivered segments
	MinStores  int           // receipts that a segment needs before it leaves the spool

	EmitRecords  bool  // pass records on, too, once they are sealed
	RecordsLimit int64 // bytes of segments whose records wait to be passed on; the oldest are given up beyond it

	FS  durable.FS       // nil: the machine's
	Now func() time.Time // nil: the machine's clock
}

func (c *Config) defaults() error {
	c.Genesis = c.Genesis && !c.Drain
	if c.FS == nil {
		c.FS = durable.OS
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if err := ledger.CheckLogName(c.Log); err != nil {
		return err
	}
	if c.MaxBytes < 1 || c.MaxBytes > MaxSegmentBytes || c.MaxAge <= 0 || c.Heartbeat <= 0 || c.Checkpoint <= 0 || c.AckTimeout <= 0 {
		return fmt.Errorf("a size or interval is out of range: %d bytes, %v, %v, %v, %v", c.MaxBytes, c.MaxAge, c.Heartbeat, c.Checkpoint, c.AckTimeout)
	}
	return nil
}

// Downstream is what the sealer hands its objects to.
type Downstream interface {
	// Deliver passes a segment's objects on. It returns how many stores gave
	// their receipt and how many were asked. An error that is a
	// *delivery.ForkError ends the log's writing here.
	Deliver(ctx context.Context, o *delivery.Objects) (given, asked int, err error)
	// Probe asks all stores whether they hold another history; it answers like
	// Deliver.
	Probe(ctx context.Context, p *delivery.Probe) (given, asked int, err error)
	// Checkpoint passes a signed checkpoint on, as far as it goes.
	Checkpoint(ctx context.Context, note []byte) error
	// Records passes on the records of a sealed segment, whose lines these are,
	// each annotated with its place. It is called only if Config.EmitRecords.
	Records(ctx context.Context, v *seal.Verified, seed *tree.Seed, lines []byte) error
}

// Observer is told what happens. Its methods return quickly and may be called
// from several goroutines.
type Observer interface {
	// Sealed: a segment, whose journal had so many bytes, has passed its commit
	// point.
	Sealed(v *seal.Verified, journal int64)
	// Waiting: so many sealed segments are not confirmed by the stores.
	Waiting(segments int)
	// Stored: its objects are confirmed by so many stores.
	Stored(v *seal.Head, stores int, since time.Duration)
	// Trouble: something is retried; Better: it works again. Names are those of
	// the constants below.
	Trouble(what string, err error)
	Better(what string)
	// Fatal: the log cannot be continued by this process.
	Fatal(err error)
	// Notice: worth a line in the log.
	Notice(text string)
	// Synced: to make a group of records durable took so long (fdatasync).
	Synced(took time.Duration)
}

// What can be in trouble and recover.
const (
	Journal  = "journal"
	Spool    = "spool"
	Delivery = "delivery"
	Records  = "records"
	Fence    = "fence"
	Intake   = "intake" // records are refused: ErrFull or ErrBehind
)

// Errors of [Sealer.Append]. All but ErrStopped are worth a retry.
var (
	// ErrFull means that journal and spool have reached their limit: stores do
	// not take what is sealed.
	ErrFull = errors.New("the spool is full")
	// ErrBehind means that, with answers after storing, the oldest segment has
	// waited longer than callers do.
	ErrBehind = errors.New("stores are behind")
	// ErrUnanswered means that the record is journalled and not yet stored, and
	// its caller's time is over.
	ErrUnanswered = errors.New("not stored in time")
	// ErrStopped means that the sealer is shutting down or has failed for good.
	ErrStopped = errors.New("sealing has stopped")
)

// A Batch is a run of records that are sealed one behind the other.
type Batch struct {
	group
	Counts   map[string]Tally // by receiver
	upstream *Upstream
}

// A Tally is what a batch holds of one receiver's.
type Tally struct{ Records, Quarantined int64 }

// Add appends a record line, without line feed, to the batch. The line must be
// canonical; it is hashed here, in the caller's goroutine. The receiver is ""
// when the record does not name it.
func (b *Batch) Add(line []byte, receiver string, quarantined bool) {
	b.addLine(line)
	if b.Counts == nil {
		b.Counts = map[string]Tally{}
	}
	receiver = nameIn(b.Counts, receiver)
	t := b.Counts[receiver]
	t.Records++
	if quarantined {
		t.Quarantined++
	}
	b.Counts[receiver] = t
}

// Upstream is what a receiver counts besides the records that it hands over.
type Upstream struct {
	Receiver string
	// Take returns how many duplicate and lost records the receiver has counted
	// since it was last called. It returns at once.
	Take func() (duplicate, lost int64)
}

// Report lets the batch bring along what its receiver has counted. It is taken
// once, when the batch's records are in the log; a batch may have no records.
func (b *Batch) Report(u *Upstream) { b.upstream = u }

// Len is the number of records, Bytes that of their lines.
func (b *Batch) Len() int   { return b.count() }
func (b *Batch) Bytes() int { return len(b.lines) }

// Reset empties the batch and keeps its memory.
func (b *Batch) Reset() {
	b.group.reset()
	clear(b.Counts)
	b.upstream = nil
}

// Limits that make a segment fit the format (spec §14) whatever comes: it is
// closed once it has reached MaxSegmentBytes or half the records that the format
// permits; until then one more group may join, which is full at maxGroupBytes or
// maxGroupRecords, and may then still have taken one more batch. A batch is full
// at MaxBatchBytes or MaxBatchRecords, and may then still have taken one more
// line of 16 MiB.
const (
	MaxSegmentBytes = 32 << 20
	MaxBatchBytes   = 8 << 20
	MaxBatchRecords = 1 << 16
	maxGroupBytes   = 4 << 20
	maxGroupRecords = 1 << 16
)

// chain is where the log stands behind the last durable record.
type chain struct {
	link tree.Hash
	edge *tree.Edge
}
