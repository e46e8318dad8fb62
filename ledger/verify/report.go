// Package verify judges a whole log against the keys that a reader trusts (spec
// §11). It streams: memory is bounded whatever the log's length, apart from a
// few bytes for each object's name. Seals are walked in order; the segments that
// they name are checked beside the walk, on all cores.
package verify

import (
	"fmt"
	"time"

	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/segment"
)

// A Code names what broke (spec §11).
type Code string

// The codes of findings.
const (
	SealMissing      Code = "seal-missing"
	SealMalformed    Code = "seal-malformed"
	SealSignature    Code = "seal-signature"
	SealInvalid      Code = "seal-invalid"
	SealChain        Code = "seal-chain"
	SegmentMissing   Code = "segment-missing"
	SegmentAltered   Code = "segment-altered"
	SegmentMalformed Code = "segment-malformed"
	RecordAltered    Code = "record-altered"
	RecordMalformed  Code = "record-malformed"
	AfterEnd         Code = "after-end"
	OrphanSegment    Code = "orphan-segment"
	ForeignObject    Code = "foreign-object"
	Rollback         Code = "rollback"
	Fork             Code = "fork"
)

// A Finding is evidence that something was tampered with. A failed read is
// never a finding.
type Finding struct {
	Code    Code    `json:"code"`
	Log     string  `json:"log"`
	Object  string  `json:"object,omitempty"`  // name within the store
	First   uint64  `json:"first"`             // first record of the segment concerned
	End     uint64  `json:"end,omitempty"`     // behind its last record; 0 when not known
	Record  *uint64 `json:"record,omitempty"`  // the first record that is touched, when it can be told
	Records uint64  `json:"records,omitempty"` // how many are touched, when it can be told
	Message string  `json:"message"`
	Want    string  `json:"want,omitempty"`
	Got     string  `json:"got,omitempty"`
}

func (f Finding) String() string {
	where := "log " + f.Log
	if f.Code != ForeignObject {
		where += fmt.Sprintf(", segment %d", f.First)
	}
	if f.Record != nil {
		where += fmt.Sprintf(", record %d", *f.Record)
	}
	return fmt.Sprintf("%s: %s: %s", f.Code, where, f.Message)
}

// A Report is the verdict on one log.
type Report struct {
	Log      string
	Origin   string
	Records  uint64             // whose place is proven
	Checked  uint64             // whose content was read and is what was sealed
	Segments uint64             // sealed
	Intact   uint64             // segments that were read and are what was sealed
	Expired  uint64             // segments gone after their time
	Bytes    uint64             // of checked record lines
	Stored   uint64             // bytes of checked segment objects
	Head     *checkpoint.Signed // nil: no valid seal

	// CompleteUntil is when the last closed record was written, by the log's
	// clock; NextBy when the next one was due, zero when it does not say.
	CompleteUntil, NextBy time.Time
	Ended                 bool // the last closed record ends the log

	Recoveries []Recovery // in order; of checked segments only

	Findings []Finding
	Notices  []string // not tampering, yet worth a sentence
	Unread   []string // could not be read: the verdict is not complete
}

// A Recovery is what the log says of a recovery of its writer (spec §7.1). It is
// shown and never a finding.
type Recovery struct {
	Record uint64 // its position
	*segment.Recovery
}

// Tampered says whether something was found.
func (r *Report) Tampered() bool { return len(r.Findings) > 0 }

// Complete says whether everything could be read.
func (r *Report) Complete() bool { return len(r.Unread) == 0 }

// Progress says how far a verification has come.
type Progress struct {
	Log      string
	Records  uint64 // checked so far
	Segments uint64
	Stored   uint64 // bytes read
	Total    uint64 // segment objects that were listed
}
