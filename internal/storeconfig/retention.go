package storeconfig

import (
	"fmt"
	"time"

	"github.com/otelcol-custody/custody/store"
)

// Retention says how long stored objects cannot be deleted.
type Retention struct {
	// Mode is the cloud's own word: governance or compliance on S3, unlocked
	// or locked on Cloud Storage and Azure. Empty leaves it to the bucket.
	Mode string `mapstructure:"mode"`
	// Days count from the closing of the segment. 0 leaves it to the bucket.
	Days int `mapstructure:"days"`
	// LegalHold keeps objects without an end, until somebody lifts it.
	LegalHold bool `mapstructure:"legal_hold"`
}

// A Policy is a [Retention] as the exporters need it.
type Policy struct {
	Mode        store.Mode    // ModeNone: the bucket's default decides
	For         time.Duration // from the closing of the segment; 0: the bucket's default decides
	LegalHold   bool
	RequireLock bool // a store that cannot retain is refused
}

const day = 24 * time.Hour

// A lock is how a cloud names the modes, and how far ahead it can retain.
type lock struct {
	governance, compliance string
	maxDays                int
}

var (
	s3Lock  = lock{"governance", "compliance", 36500} // 100 years, PutObjectLockConfiguration
	gcsLock = lock{"unlocked", "locked", 36500}       // 100 years, "Object Retention Lock"
	// Azure takes 146,000 days ("Immutable storage for blob data"). This is
	// 292 years, the longest time that the port can express.
	azureLock = lock{"unlocked", "locked", 106751}
)

// foreignWords are the words of another cloud for the same mode.
var foreignWords = map[string]store.Mode{
	"governance": store.ModeGovernance, "unlocked": store.ModeGovernance,
	"compliance": store.ModeCompliance, "locked": store.ModeCompliance,
}

func (l lock) word(m store.Mode) string {
	if m == store.ModeGovernance {
		return l.governance
	}
	return l.compliance
}

// mode returns the mode that a word means here.
func (l lock) mode(word string) (store.Mode, error) {
	switch word {
	case "":
		return store.ModeNone, nil
	case l.governance:
		return store.ModeGovernance, nil
	case l.compliance:
		return store.ModeCompliance, nil
	}
	hint := ""
	if m, ok := foreignWords[word]; ok {
		hint = fmt.Sprintf(", which is another cloud's word for %s", l.word(m))
	}
	return store.ModeNone, fmt.Errorf("must be %s or %s, got %q%s", l.governance, l.compliance, word, hint)
}

func (r Retention) check(f *faults, l lock, requireLock bool) {
	if _, err := l.mode(r.Mode); err != nil {
		f.add("retention::mode", "%w", err)
	}
	switch {
	case r.Days < 0:
		f.add("retention::days", "must not be negative, got %d; leave it out to get the bucket's default", r.Days)
	case r.Days > l.maxDays:
		f.add("retention::days", "must be at most %d, got %d", l.maxDays, r.Days)
	case r.Days > 0 && r.Mode == "":
		f.add("retention::mode", "required with retention::days: %s (nobody can shorten it) or %s (the specially privileged can)", l.compliance, l.governance)
	}
	if r.LegalHold && r.Mode == "" && requireLock {
		f.add("retention::legal_hold", "a hold alone is no lock, since who may set it may lift it: add retention::mode, or set require_lock: false")
	}
}

func (r Retention) policy(l lock, requireLock bool) Policy {
	mode, _ := l.mode(r.Mode) // check reports a wrong word.
	return Policy{Mode: mode, For: time.Duration(r.Days) * day, LegalHold: r.LegalHold, RequireLock: requireLock}
}

// weaker says what is given up when nothing demands a lock.
func (p Policy) weaker() []string {
	if p.RequireLock || p.Mode != store.ModeNone || p.LegalHold {
		return nil // The exporter says itself when it cannot do as it is told.
	}
	return []string{"nothing is asked to be retained: require_lock is false and retention is not set, so who can write to the store may be able to delete what lies there"}
}
