// Package logstore reads one log from any store, and believes only what
// verifies.
//
// A store's listing, its newest versions and its largest names are what anybody
// with the right to write can change. So a seal counts when a trusted key signed
// it for its place, under whatever name and below whatever version it lies; a
// segment or tile when it hashes to what its seal says. What else is met is
// told as a [Notice], never taken for the log and never an error of the read.
// Errors of the store come through as they are; that a log contradicts itself is
// a [ForkError], a [GapError] or an [AlteredError], never an error of the store.
package logstore

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sync/semaphore"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/tree"
	"github.com/otelcol-custody/custody/store"
)

// MaxBeside is the most names that a writer tries for one seal, beside what is
// not a seal. More squatters at one position are an attack that needs an operator.
const MaxBeside = 64

// A Reader reads one log from one store. It keeps nothing; its methods may be
// called by many goroutines.
type Reader struct {
	store     store.Store
	versioned store.Versioned // nil: the store has one version of a name at most
	log       string
	keys      *checkpoint.Keys
	tell      func(Notice)
	room      *semaphore.Weighted // bytes of what is being read
}

// New returns a reader of the log of this name. Nothing is believed that keys
// do not vouch for. tell takes what [Reader.Seals], [Reader.Head] and
// [Reader.Segment] meet and do not take, in the goroutine of their caller;
// nil drops it.
func New(s store.Store, log string, keys *checkpoint.Keys, tell func(Notice)) *Reader {
	if tell == nil {
		tell = func(Notice) {}
	}
	versioned, _ := s.(store.Versioned)
	return &Reader{s, versioned, log, keys, tell, semaphore.NewWeighted(aheadBytes)}
}

// A Held is a valid seal as it lies in a store.
type Held struct {
	// Object is where it lies. Its Retention is what the store says when it
	// lists, which for some stores is nothing.
	Object store.Info
	Seal   *seal.Verified
	// Tiles are the full tiles of level 1 and above that its segment completes,
	// computed, in the order of completion; only [Reader.Seals] sets them.
	Tiles []tree.Tile
}

// EncodedTiles are the tiles' bytes, as they travel with the segment.
func (h *Held) EncodedTiles() [][]byte {
	var encoded [][]byte
	for _, t := range h.Tiles {
		encoded = append(encoded, t.Bytes())
	}
	return encoded
}

// Kind says what a notice is about.
type Kind string

// What is met in a store and should not be there.
const (
	Squatter Kind = "squatter" // not the log's seal, at a seal's name
	Copy     Kind = "copy"     // the log's seal once more, beside or above itself
	Shadow   Kind = "shadow"   // a later version that hides a genuine object
	Marker   Kind = "marker"   // a delete marker on an object of the log
	Flood    Kind = "flood"    // more versions at an object's names than are read, or more squatters than are told of
)

// A Notice is something that stops nobody and that somebody should know of.
type Notice struct {
	Kind    Kind
	Object  string
	Version string // of what is told of; empty on stores without versions
}

func (n Notice) String() string {
	text := map[Kind]string{
		Squatter: "what is not a validly signed seal of the log lies at the name of a seal",
		Copy:     "a copy of a seal lies beside it",
		Shadow:   "a later version hides the genuine object",
		Marker:   "a delete marker lies on an object of the log",
		Flood:    "so much lies there that not all of it is read or told of",
	}[n.Kind]
	if n.Version != "" {
		return fmt.Sprintf("%s (version %s): %s", n.Object, n.Version, text)
	}
	return n.Object + ": " + text
}

// ErrNoLog means that the store was read and holds no valid seal of the log.
var ErrNoLog = errors.New("the store holds no validly signed seal of the log")

// A ForkError means that a store holds two histories of one log, both signed by
// trusted keys.
type ForkError struct {
	Store, Log  string
	One, Other  *Held // the evidence; One's Object is empty if the caller gave it
	Explanation error // why Other does not follow One; nil if both begin at one place
}

func (e *ForkError) Error() string {
	one := e.One.Object.Name
	if one == "" {
		one = "the seal known before"
	}
	text := fmt.Sprintf("log %s is forked in store %s: %s (size %d, root %v) and %s (size %d, root %v) are both validly signed",
		e.Log, e.Store, one, e.One.Seal.End(), e.One.Seal.After().Root,
		e.Other.Object.Name, e.Other.Seal.End(), e.Other.Seal.After().Root)
	if e.Explanation == nil {
		return text + " and begin at one place"
	}
	return fmt.Sprintf("%s, and the second does not continue the first: %v", text, e.Explanation)
}

func (e *ForkError) Unwrap() error { return e.Explanation }

// A GapError means that a store lacks a seal that a later one proves.
type GapError struct {
	Store, Log string
	First      uint64 // where the missing seal begins
	Next       *Held  // a valid seal behind it
	// Flooded is not nil if too much lies at the place to read all of it: a seal
	// may be among it, hidden by whoever wrote the rest.
	Flooded *FloodedError
}

func (e *GapError) Error() string {
	text := fmt.Sprintf("store %s has no seal of log %s for record %d, yet %s, which is validly signed, proves that there was one: copy the log's objects from another store",
		e.Store, e.Log, e.First, e.Next.Object.Name)
	if e.Flooded != nil {
		text += "; the place is " + e.Flooded.Why()
	}
	return text
}

// Unwrap is Flooded, if that is not nil.
func (e *GapError) Unwrap() error {
	if e.Flooded == nil {
		return nil
	}
	return e.Flooded
}

// An AlteredError means that only other bytes lie where a segment belongs.
type AlteredError struct {
	Object string
	Log    string
	First  uint64
	Want   [32]byte   // the SHA-256 that the seal names
	Got    [][32]byte // those of the versions that were read; not of those whose size differs
	Unread int        // versions of the segment's length that were not read, since there are too many
}

func (e *AlteredError) Error() string {
	got := make([]string, len(e.Got))
	for i, sum := range e.Got {
		got[i] = fmt.Sprintf("%x", sum)
	}
	have := strings.Join(got, ", ")
	if have == "" {
		have = "bytes of another length"
	}
	if e.Unread > 0 {
		have += fmt.Sprintf(", and %d more versions of its length that were not read", e.Unread)
	}
	return fmt.Sprintf("%s is altered: the seal at record %d of log %s names SHA-256 %x, the store has %s", e.Object, e.First, e.Log, e.Want, have)
}

// SealName is the n-th name in a store for the seal of a log at first; n is 0
// but beside squatters.
func SealName(log string, first uint64, n int) string {
	if n == 0 {
		return ObjectName(log, ledger.SealName(first))
	}
	return ObjectName(log, ledger.BesideSealName(first, n))
}

// ObjectName is the name in a store of an object of a log.
func ObjectName(log, inLog string) string { return log + "/" + inLog }
