package incident

import (
	"fmt"
	"slices"
)

// A Kind says what was found. Those of ledger/verify have its codes.
type Kind string

// The kinds that ledger/verify knows, too (spec §11).
const (
	SealMissing      Kind = "seal-missing"
	SealMalformed    Kind = "seal-malformed"
	SealSignature    Kind = "seal-signature"
	SealInvalid      Kind = "seal-invalid"
	SealChain        Kind = "seal-chain"
	SegmentMissing   Kind = "segment-missing"
	SegmentAltered   Kind = "segment-altered"
	SegmentMalformed Kind = "segment-malformed"
	RecordAltered    Kind = "record-altered"
	RecordMalformed  Kind = "record-malformed"
	AfterEnd         Kind = "after-end"
	OrphanSegment    Kind = "orphan-segment"
	ForeignObject    Kind = "foreign-object"
	Rollback         Kind = "rollback"
	Fork             Kind = "fork"
)

// The kinds that only somebody finds who watches a store.
const (
	Shadow           Kind = "shadow"            // a newer version hides the genuine one
	DeleteMarker     Kind = "delete-marker"     // a marker hides the genuine version
	Squatter         Kind = "squatter"          // an object that no key signed, where a seal belongs
	Copy             Kind = "copy"              // a genuine object under a name that is not its own
	TileMissing      Kind = "tile-missing"      // a full tile is not there
	TileAltered      Kind = "tile-altered"      // a full tile is not what the tree says
	RetentionMissing Kind = "retention-missing" // an object without the lock that is expected
	RetentionShort   Kind = "retention-short"   // a lock that ends too early
	RetentionMode    Kind = "retention-mode"    // a weaker lock than expected
	LegalHoldMissing Kind = "legal-hold-missing"
	LockConfig       Kind = "lock-config"   // the bucket's own settings have drifted
	StoresDiffer     Kind = "stores-differ" // two stores hold different histories
	StoreBehind      Kind = "store-behind"  // a store lacks what another has, for too long
	PeerAhead        Kind = "peer-ahead"    // another judge saw more than a store of ours shows, for too long
	Late             Kind = "late"          // a closed record's next_by has passed
	ClockBack        Kind = "clock-back"    // the log's clock went back
	Unfenced         Kind = "unfenced"      // sealed without having reached a store
	Losses           Kind = "losses"        // the log counts lost records
	PassLate         Kind = "pass-late"     // not everything is read again in time
	StateDamaged     Kind = "state-damaged" // a file of the judge's own was damaged
	Undelivered      Kind = "undelivered"   // a channel does not take incidents
	Unread           Kind = "unread"        // could not be read: no verdict
)

// A Severity says what a finding means for the evidence. The greater is worse.
type Severity int

// The severities.
const (
	Trouble   Severity = iota + 1 // something could not be looked at
	Concern                       // a promise is not kept, or protection is weaker
	Tampering                     // evidence that somebody touched what was sealed
)

var severityNames = []string{Trouble: "trouble", Concern: "concern", Tampering: "tampering"}

func (s Severity) String() string {
	if s < Trouble || s > Tampering {
		return fmt.Sprintf("severity %d", int(s))
	}
	return severityNames[s]
}

// MarshalText writes the severity's name.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the severity's name.
func (s *Severity) UnmarshalText(text []byte) error {
	i := slices.Index(severityNames, string(text))
	if i < int(Trouble) {
		return fmt.Errorf("no severity is called %q: trouble, concern, tampering", text)
	}
	*s = Severity(i)
	return nil
}

// severities of all kinds that are not Tampering.
var severities = map[Kind]Severity{
	Copy:        Concern,
	TileMissing: Concern, RetentionMissing: Concern, RetentionShort: Concern, RetentionMode: Concern,
	LegalHoldMissing: Concern, LockConfig: Concern, StoreBehind: Concern, PeerAhead: Concern, Late: Concern,
	ClockBack: Concern, Unfenced: Concern, Losses: Concern, PassLate: Concern, StateDamaged: Concern,
	Undelivered: Trouble, Unread: Trouble,
}

// Severity is that of all findings of a kind. A kind that nobody knows is
// Tampering, so that a misspelt one is not overlooked.
func (k Kind) Severity() Severity {
	if s, ok := severities[k]; ok {
		return s
	}
	return Tampering
}
