package recovery

import (
	"errors"
	"strings"
	"time"

	"github.com/otelcol-custody/custody/internal/sealer"
	"github.com/otelcol-custody/custody/ledger/segment"
)

// A Report is what a recovery saw and did, or would do.
type Report struct {
	Log        string `json:"log"`
	Origin     string `json:"origin"`
	Size       uint64 `json:"size"` // of the head that is continued: sealed records
	Root       string `json:"root"`
	Found      string `json:"found"`            // what is the matter with the state directory
	Kept       int64  `json:"kept_records"`     // journalled records that keep their positions behind the head
	Resealed   int64  `json:"resealed_records"` // journalled or sealed elsewhere, and sealed again at other positions
	Unreadable int64  `json:"unreadable_bytes"` // of the state's journals

	Stores      []StoreReport      `json:"stores"`
	Checkpoints []CheckpointReport `json:"checkpoints"`
	Reasons     []string           `json:"reasons"` // what speaks against it

	AcceptedLoss bool      `json:"accepted_loss"`
	SetAside     string    `json:"set_aside,omitempty"` // where what was there before lies now
	DryRun       bool      `json:"dry_run"`
	Ended        bool      `json:"ended,omitempty"`      // the log has: nothing is added, and drain delivers what waits
	LastClosed   time.Time `json:"last_closed,omitzero"` // the last closed record that is kept: of when,
	NextBy       time.Time `json:"next_by,omitzero"`     // and until when it promises the next one
	Advice       []string  `json:"advice"`
}

// A StoreReport is what a recovery found in one store.
type StoreReport struct {
	Store   string `json:"store"`
	Size    uint64 `json:"size"`
	Root    string `json:"root,omitempty"`
	Seals   uint64 `json:"seals"`
	Missing uint64 `json:"missing_segments"` // of those that the log goes on from
	Error   string `json:"error,omitempty"`
	Notices int    `json:"notices,omitempty"` // squatters, shadows, markers: fetch tells of each
}

// A CheckpointReport is a checkpoint that somebody remembered.
type CheckpointReport struct {
	Source  string `json:"source"`
	Size    uint64 `json:"size"`
	Root    string `json:"root,omitempty"`
	Verdict string `json:"verdict"` // agrees, ahead, contradicts, or unchecked
	Note    string `json:"note,omitempty"`
}

// The verdicts on a checkpoint.
const (
	Agrees      = segment.CheckpointAgrees
	Ahead       = segment.CheckpointAhead
	Contradicts = segment.CheckpointContradicts
	Unchecked   = "unchecked" // the store that could tell was not read
)

var (
	// ErrNothingToDo means that the state directory is whole and no store that
	// could be read knows more: the collector starts with it. The report's advice
	// names stores that could not be read, or lack what was delivered.
	ErrNothingToDo = errors.New("nothing to recover: the state directory is whole, and no store that could be read knows more; start the collector")
	// ErrNoSeal means that there is nothing to go on from.
	ErrNoSeal = errors.New("no store has a seal of the log that its key signed, and the state directory holds nothing of it either")
	// ErrEnded means that the log has ended: nothing may follow.
	ErrEnded = sealer.ErrEnded
	// ErrCheckpoint means that a checkpoint that was given cannot be used.
	ErrCheckpoint = errors.New("this checkpoint cannot be used")
)

// A RefusedError means that evidence speaks against going on.
type RefusedError struct {
	Report  *Report
	Reasons []string // each with its way out
	Final   bool     // accepting loss does not help
	causes  []error
}

func (e *RefusedError) Error() string {
	return "not recovered, nothing was changed: " + strings.Join(e.Reasons, "; ")
}

// Unwrap are the errors of stores that could not be read.
func (e *RefusedError) Unwrap() []error { return e.causes }
