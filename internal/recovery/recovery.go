// Package recovery goes on with a log whose state directory is lost, damaged or
// older than its stores. It reads every store and every remembered checkpoint,
// takes the longest history that holds, and builds a state directory that goes
// on from there, with a record of what it saw and did as the first thing sealed.
//
// It believes no store to be complete: a store that an attacker truncated is a
// valid, shorter log. So it refuses when somebody remembers more than the stores
// hold, and when nobody remembers anything. Only an operator may accept that.
package recovery

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/sealer"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/store"
)

// A Store is one that may hold the log.
type Store struct {
	ID    string
	Store store.Store // nil if it could not be opened
	Err   error       // why
}

// A Checkpoint was kept elsewhere.
type Checkpoint struct {
	Source string // what is shown and sealed of where it comes from
	Note   []byte
}

// Options say what to recover. Stores are read and never written.
type Options struct {
	Log         string
	Signer      *checkpoint.Signer
	StateDir    string
	Stores      []Store
	Checkpoints []Checkpoint
	AcceptLoss  bool // go on although evidence speaks against it; it is sealed
	DryRun      bool // change nothing
	Software    string
	FS          durable.FS                       // nil: the machine's
	Now         func() time.Time                 // nil: the machine's clock
	Progress    func(store string, seals uint64) // nil: none; called from several goroutines
}

func (o *Options) defaults() error {
	if o.FS == nil {
		o.FS = durable.OS
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Progress == nil {
		o.Progress = func(string, uint64) {}
	}
	return ledger.CheckLogName(o.Log)
}

func (o *Options) config() sealer.Config {
	return sealer.Config{Log: o.Log, Signer: o.Signer, Dir: o.StateDir, Software: o.Software, FS: o.FS, Now: o.Now}
}

// Recover looks at everything and builds the state directory anew, unless it
// refuses or o.DryRun is set. What was there before is set aside, never removed.
// A recovery that was interrupted is finished by calling it again.
//
// Its errors are [ErrNothingToDo], a [*RefusedError], [ErrEnded], [ErrNoSeal],
// [ErrCheckpoint], sealer.ErrOtherLog, durable.ErrLocked, and those of stores and
// file system as they are. With a [*RefusedError], [ErrEnded] and [ErrNothingToDo]
// the report is there, too. A log that has ended, and waits, gets its state directory
// again without a recovery record: nothing may follow its end.
func Recover(ctx context.Context, o Options) (*Report, error) {
	if err := o.defaults(); err != nil {
		return nil, err
	}
	unlock, err := lock(&o)
	if err != nil {
		return nil, err
	}
	report, err := recoverLocked(ctx, &o)
	return report, errors.Join(err, unlock())
}

// lock makes the state directory its caller's. A dry run makes none.
func lock(o *Options) (unlock func() error, err error) {
	if _, err := o.FS.Stat(o.StateDir); o.DryRun && errors.Is(err, fs.ErrNotExist) {
		return func() error { return nil }, nil
	}
	if err := durable.MkdirAll(o.FS, o.StateDir, 0o700); err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	l, err := o.FS.Lock(filepath.Join(o.StateDir, sealer.LockFile))
	if err != nil {
		return nil, fmt.Errorf("state directory %s: %w. Stop the collector that writes the log first", o.StateDir, err)
	}
	return l.Close, nil
}
