package segment

import (
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/record"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// A Recovery record is what a recovery saw and did (spec §7.1): the first record
// that the log seals behind the journal records it could keep.
type Recovery struct {
	At           time.Time
	Software     string
	Size         uint64    // of the head that the log goes on from: its sealed records
	Root         tree.Hash // of that head
	Kept         int64     // records of the state that keep their positions behind the head
	Unreadable   int64     // bytes of the state that hold no readable record
	Found        string    // what was the matter with the state
	AcceptedLoss bool      // an operator overrode Reasons
	Reasons      []string  // what spoke against the recovery
	Stores       []RecoveryStore
	Checkpoints  []RecoveryCheckpoint
	Resealed     []RecoveryRange
	LastClosed   time.Time // when the last closed record before was written; zero: there is none
	NextBy       time.Time // what that one says; zero: nothing
}

// A RecoveryStore is what a recovery found in one store.
type RecoveryStore struct {
	Store string
	Size  uint64
	Root  tree.Hash // zero: not known
	Error string    // empty: all of it was read
}

// The verdicts of a [RecoveryCheckpoint].
const (
	CheckpointAgrees      = "agrees"      // the head that is continued extends it
	CheckpointAhead       = "ahead"       // the log was longer
	CheckpointContradicts = "contradicts" // the log was another one
)

// A RecoveryCheckpoint is a checkpoint that somebody remembered.
type RecoveryCheckpoint struct {
	Source  string
	Size    uint64
	Root    tree.Hash // zero: not known
	Verdict string
	Note    string // the whole note when it does not agree
}

// A RecoveryRange says that Count records from First of this log on were
// acknowledged before at other positions, and where.
type RecoveryRange struct {
	First, Count uint64
	Former       uint64 // the first one's former position; counts only with FormerKnown
	FormerKnown  bool
	Previous     tree.Hash // the link before Former; zero: not known
	Source       string
}

// IsRecovery says whether a line is a recovery record; no other canonical line
// begins so, and none that a producer sends becomes one.
func IsRecovery(line []byte) bool { return isOwn(line, "recovery") }

// Line is the recovery record's line.
func (r *Recovery) Line() ([]byte, error) {
	return ownLine("recovery", r.At, r.members(), ledger.MaxRecovery)
}

func (r *Recovery) members() []record.KeyValue {
	w := writer{}
	w.text("at", formatTime(r.At))
	w.text("software", r.Software)
	w.count("size", r.Size)
	w.text("root", r.Root.String())
	w.count("kept", uint64(r.Kept))
	w.count("unreadable", uint64(r.Unreadable))
	w.text("found", r.Found)
	if r.AcceptedLoss {
		w.value("accepted_loss", record.BoolValue(true))
	}
	w.value("reasons", listOf(r.Reasons, record.StringValue))
	w.value("stores", listOf(r.Stores, RecoveryStore.value))
	w.value("checkpoints", listOf(r.Checkpoints, RecoveryCheckpoint.value))
	w.value("resealed", listOf(r.Resealed, RecoveryRange.value))
	w.time("last_closed", r.LastClosed)
	w.time("next_by", r.NextBy)
	return w
}

func (s RecoveryStore) value() record.Value {
	w := writer{}
	w.text("store", s.Store)
	w.count("size", s.Size)
	w.root(s.Root)
	w.unlessEmpty("error", s.Error)
	return record.MapValue(w...)
}

func (c RecoveryCheckpoint) value() record.Value {
	w := writer{}
	w.text("source", c.Source)
	w.count("size", c.Size)
	w.root(c.Root)
	w.text("verdict", c.Verdict)
	w.unlessEmpty("note", c.Note)
	return record.MapValue(w...)
}

func (r RecoveryRange) value() record.Value {
	w := writer{}
	w.count("first", r.First)
	w.count("count", r.Count)
	if r.FormerKnown {
		w.count("former", r.Former)
	}
	if r.Previous != (tree.Hash{}) {
		w.text("previous", hex.EncodeToString(r.Previous[:]))
	}
	w.text("source", r.Source)
	return record.MapValue(w...)
}

var errRecovery = errors.New("not a recovery record")

// ParseRecovery reads a recovery record's line, which must be canonical. It
// accepts members that it does not know.
func ParseRecovery(line []byte) (*Recovery, error) {
	m, err := parseOwn(line, "recovery", ledger.MaxRecovery)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errRecovery, err)
	}
	r := &Recovery{
		At: m.time("at", true), Software: m.string("software"), Size: m.count("size"), Root: m.root(true),
		Kept: int64(m.count("kept")), Unreadable: int64(m.count("unreadable")), Found: m.string("found"),
		AcceptedLoss: m.flag("accepted_loss"), LastClosed: m.time("last_closed", false), NextBy: m.time("next_by", false),
		Stores:      eachMap(m, "stores", recoveryStore),
		Checkpoints: eachMap(m, "checkpoints", recoveryCheckpoint),
		Resealed:    eachMap(m, "resealed", recoveryRange),
		Reasons:     m.texts("reasons"),
	}
	if err := m.done(r.At); err != nil {
		return nil, fmt.Errorf("%w: %w", errRecovery, err)
	}
	return r, nil
}

func recoveryStore(m *members) RecoveryStore {
	return RecoveryStore{Store: m.string("store"), Size: m.count("size"), Root: m.root(false), Error: m.optional("error")}
}

func recoveryCheckpoint(m *members) RecoveryCheckpoint {
	return RecoveryCheckpoint{Source: m.string("source"), Size: m.count("size"), Root: m.root(false),
		Verdict: m.string("verdict"), Note: m.optional("note")}
}

func recoveryRange(m *members) RecoveryRange {
	r := RecoveryRange{First: m.count("first"), Count: m.count("count"), Previous: m.link("previous"), Source: m.string("source")}
	if r.FormerKnown = m.get("former") != nil; r.FormerKnown {
		r.Former = m.count("former")
	}
	return r
}
