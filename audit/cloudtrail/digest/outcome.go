package digest

import (
	"fmt"
	"time"
)

// A Kind says what an outcome is worth.
type Kind string

// The kinds.
const (
	Verified Kind = "verified" // a file is what CloudTrail signed
	Failed   Kind = "failed"   // a file is not what CloudTrail signed
	Gap      Kind = "gap"      // something is missing, or nothing vouches for what is there
)

// A Reason is what an outcome rests on.
type Reason string

// The reasons. Those of gaps that CloudTrail itself can cause, and that need no tampering,
// are the last group.
const (
	DigestVerified Reason = "digest-verified"
	LogVerified    Reason = "log-verified"

	DigestMalformed   Reason = "digest-malformed"   // not a digest file
	DigestMoved       Reason = "digest-moved"       // lies elsewhere than it says
	DigestSignature   Reason = "digest-signature"   // the signature does not fit
	KeyWeak           Reason = "key-weak"           // signed by a key that is too short
	KeyUnknown        Reason = "key-unknown"        // signed by a key that nobody gave
	PreviousHash      Reason = "previous-hash"      // the digest before is not what this one says
	PreviousSignature Reason = "previous-signature" // it was signed otherwise than this one says
	LogHash           Reason = "log-hash"           // a log file is not what its digest says
	LogUnlisted       Reason = "log-unlisted"       // no digest lists it, and one should

	DigestMissing Reason = "digest-missing" // the next digest names it
	LogMissing    Reason = "log-missing"    // a digest lists it
	DigestOverdue Reason = "digest-overdue" // digests came, and no more do: the newest may be deleted

	DigestUnsigned Reason = "digest-unsigned" // its signature was lost with its metadata
	NoDigests      Reason = "no-digests"      // log files come without any
	ChainRestarted Reason = "chain-restarted" // logging or validation was off, or says so
	ChainGap       Reason = "chain-gap"       // a digest begins later than the one before ended
	LogUncovered   Reason = "log-uncovered"   // of a time for which there is no digest
	LogNotListed   Reason = "log-not-listed"  // no digest lists it yet; one may, late
	LogNotDue      Reason = "log-not-due"     // newer than the newest digest
	LogOfOtherKind Reason = "log-other-kind"  // of a folder that CloudTrail lists in no digest of the chain
	Forgotten      Reason = "forgotten"       // too much was waiting; it was given up
)

var kinds = map[Reason]Kind{
	DigestVerified: Verified, LogVerified: Verified,
	DigestMalformed: Failed, DigestMoved: Failed, DigestSignature: Failed, KeyWeak: Failed, KeyUnknown: Failed,
	PreviousHash: Failed, PreviousSignature: Failed, LogHash: Failed, LogUnlisted: Failed,
}

// Kind is the reason's kind.
func (r Reason) Kind() Kind {
	if k, ok := kinds[r]; ok {
		return k
	}
	return Gap
}

// Contradicts says that CloudTrail's signed word stands against what is there, or that
// what is there was signed by nobody who is known.
func (r Reason) Contradicts() bool {
	return r.Kind() == Failed || r == DigestMissing || r == LogMissing
}

// An Outcome is what was found about one file, or about a time.
type Outcome struct {
	Reason Reason
	Chain  Chain  // without a trail where no digest vouches
	Object Object // the file; zero where there is none
	Digest Object // the digest that names or lists it; zero where there is none
	// Want is what CloudTrail signed and Got what was found: lower-case hex of hashes and
	// signatures, or a place.
	Want, Got string
	// From and To are the time without proof; From is zero when it is not known.
	From, To time.Time
	Detail   string // what else is known, or ""
}

// Kind is that of the reason.
func (o Outcome) Kind() Kind { return o.Reason.Kind() }

// Sentence says what was found, for people.
func (o Outcome) Sentence() string {
	s := o.sentence()
	if o.Detail != "" {
		s += ": " + o.Detail
	}
	return s
}

var sentences = map[Reason]string{
	DigestVerified:    "CloudTrail signed this digest",
	LogVerified:       "this log file is what CloudTrail delivered",
	DigestMalformed:   "this is not a digest file as CloudTrail writes it",
	DigestMoved:       "this digest does not lie where it was delivered",
	DigestSignature:   "this digest, or its signature, is not what CloudTrail signed",
	KeyWeak:           "this digest is signed with a key that is too short to prove anything",
	KeyUnknown:        "none of the given public keys signed this digest; were they asked for in its region and for its time?",
	PreviousHash:      "this digest says that the one before had another content",
	PreviousSignature: "this digest says that the one before had another signature",
	LogHash:           "this log file is not what CloudTrail delivered",
	LogUnlisted:       "no digest lists this log file, though digests cover its time: CloudTrail does not vouch for it",
	LogMissing:        "this log file is listed by a digest and is not there",
	DigestUnsigned:    "the signature of this digest is lost: it stands in the object's metadata, which was not copied",
	NoDigests:         "log files are delivered, but no digest: is log file validation turned on?",
	LogUncovered:      "no digest covers the time of this log file: nothing vouches for it",
	LogNotListed:      "no digest lists this log file so far; a backfill digest may still",
	LogNotDue:         "this log file is newer than the newest digest",
	LogOfOtherKind:    "CloudTrail lists log files of this folder in no digest here: nothing vouches for it",
	Forgotten:         "too much was waiting for its proof: this file's is not waited for any longer",
}

func (o Outcome) sentence() string {
	switch o.Reason {
	case DigestMissing:
		return "the digest that the next one names is not there" + o.period(", nothing vouches for what was delivered")
	case DigestOverdue:
		return fmt.Sprintf("digests come once an hour, also when nothing happens, and no genuine one has come since %s: the newest were deleted or not copied, or logging was stopped", stamp(o.From))
	case ChainRestarted:
		return "CloudTrail began a new chain of digests: logging or validation had been turned off" + o.period("; no digest speaks")
	case ChainGap:
		return "this digest begins later than the one before ended" + o.period("; no digest speaks")
	}
	return sentences[o.Reason]
}

func (o Outcome) period(what string) string {
	switch {
	case o.To.IsZero():
		return ""
	case o.From.IsZero():
		return what + " before " + stamp(o.To)
	}
	return what + " from " + stamp(o.From) + " to " + stamp(o.To)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
