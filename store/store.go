// Package store is the port through which immutable objects are kept and read
// back, whatever keeps them: a directory or a cloud's object store.
//
// A store holds bytes under names. Nothing is ever rewritten: an object is
// created once, whole and durable, or not at all. The port can neither delete
// nor shorten a retention. It knows nothing of what the bytes mean.
package store

import (
	"context"
	"io"
	"iter"
	"time"
)

// Store keeps objects. All methods may be called by many goroutines. Names
// satisfy [CheckName]; others fail with [ErrName]. No error message contains
// a credential. Errors satisfy errors.Is with the errors of this package where
// those apply, and with the context's error when it ended the call; then a
// write may or may not have happened.
type Store interface {
	// ID is a stable name for receipts and metrics, free of secrets, such as
	// "file:///var/lib/custody/store". Two configurations that reach the
	// same objects should have the same ID.
	ID() string

	// PutOnce stores data at name and returns once it is durable. The same
	// bytes again succeed, also when the first answer was lost or the
	// first attempt broke off half-way. Other bytes return [ErrExists] and
	// change nothing. No reader ever sees part of an object. PutOnce does
	// not keep data after it has returned. The Info has Size and SHA256 set.
	// What is asked for in opt.Retention binds when PutOnce returns nil, at
	// least so long and so strictly, also for an object that was there: its
	// retention is extended. After any error but ErrExists the object may or
	// may not be there; calling again with the same bytes is always right.
	PutOnce(ctx context.Context, name string, data []byte, opt PutOptions) (Info, error)

	// Get opens the newest version of an object, or returns [ErrNotFound].
	// The caller closes the reader, which ends with io.ErrUnexpectedEOF or
	// another error, never with io.EOF, if it could not deliver Info.Size
	// bytes. What is read proves nothing: check what it hashes to.
	Get(ctx context.Context, name string) (io.ReadCloser, Info, error)

	// GetRange reads at most n bytes from offset off on. The result is
	// shorter than n only where the object ends, so it is empty if off is
	// at the end or behind it. A negative off or n is an error.
	GetRange(ctx context.Context, name string, off, n int64) ([]byte, error)

	// List yields the objects whose names begin with prefix and come
	// strictly after the name after, in byte order of names. Neither needs
	// to be a valid name; empty means all. The first error ends the
	// sequence. Objects stored while it runs may or may not be seen; those
	// stored before are seen. A current delete marker hides an object here.
	// A name that [CheckName] refuses, since somebody else wrote it, is an
	// error or is shown as [Shown] says, where it belongs in the order; no
	// method takes it, but as after.
	List(ctx context.Context, prefix, after string) iter.Seq2[Info, error]

	// Stat describes the newest version of an object, with its retention as
	// the store reports it, or returns [ErrNotFound].
	Stat(ctx context.Context, name string) (Info, error)

	// Versions describes all versions and delete markers of a name, newest
	// first, or returns [ErrNotFound] if there are none; of more than
	// [MaxVersions] the newest and the oldest, half each. A store without
	// versions has one at most.
	Versions(ctx context.Context, name string) ([]Info, error)

	// Close releases what the store holds. No method may be called after.
	Close() error
}

// Versioned is a store that can read a version below the newest one. On such
// stores the genuine object may lie below a later write or a delete marker.
type Versioned interface {
	Store
	// GetVersion opens the version with the given [Info.Version].
	GetVersion(ctx context.Context, name, version string) (io.ReadCloser, Info, error)
	// ListVersions yields what [Store] List yields, but every version and
	// delete marker of each name, the newest first. So names appear that a
	// delete marker hides from List. Of one name with more than [MaxListed],
	// a store may leave out some that are neither the newest nor the oldest.
	ListVersions(ctx context.Context, prefix, after string) iter.Seq2[Info, error]
}

// Retainer is a store that can keep objects from being deleted.
type Retainer interface {
	Store
	// CheckLock finds out whether objects can be retained in this mode. It
	// asks for the settings and, on a store opened for writing, looks at
	// what really becomes of a small object that it stores below a hidden
	// name. It returns the retention that the store gives by itself.
	// [ErrRetention] is a definite no, and says which setting to change.
	CheckLock(ctx context.Context, mode Mode) (Default, error)
	// Extend makes a version, the newest if version is empty, retained at
	// least as r says, and returns what binds now. It never shortens,
	// weakens or lifts anything. It fails with [ErrRetention] where the
	// store cannot express the result.
	Extend(ctx context.Context, name, version string, r Retention) (Retention, error)
}

// Default is the retention that a store gives to objects by itself.
type Default struct {
	Mode Mode          // ModeNone: it gives none
	For  time.Duration // from the time that an object is stored
}

// PutOptions says how to store an object. The zero value is right for a store
// without retention.
type PutOptions struct {
	// Retention is set with the write, in one step. A store that cannot
	// express it refuses with [ErrRetention] and writes nothing.
	Retention Retention
}

// Mode says how strictly a retention binds.
type Mode uint8

// Modes. S3's governance and compliance correspond to unlocked and locked on
// Cloud Storage and Azure.
const (
	ModeNone       Mode = iota // the object is not retained
	ModeGovernance             // the specially privileged can shorten it
	ModeCompliance             // nobody can shorten it
)

// String returns the mode's name in configuration files and messages.
func (m Mode) String() string {
	switch m {
	case ModeNone:
		return "none"
	case ModeGovernance:
		return "governance"
	case ModeCompliance:
		return "compliance"
	}
	return "unknown"
}

// Retention says until when an object cannot be deleted.
type Retention struct {
	Mode      Mode
	Until     time.Time // UTC; zero with ModeNone
	LegalHold bool      // binds without an end, until it is lifted
}

// IsZero reports whether nothing retains the object.
func (r Retention) IsZero() bool { return r == Retention{} }

// Covers reports whether r binds at least as long and as strictly as other.
func (r Retention) Covers(other Retention) bool {
	return r.Mode >= other.Mode && !r.Until.Before(other.Until) && (r.LegalHold || !other.LegalHold)
}

// Join returns the least retention that covers both.
func (r Retention) Join(other Retention) Retention {
	j := Retention{Mode: max(r.Mode, other.Mode), Until: r.Until, LegalHold: r.LegalHold || other.LegalHold}
	if other.Until.After(j.Until) {
		j.Until = other.Until
	}
	return j
}

// Info describes one version of an object.
type Info struct {
	Name         string
	Size         int64     // bytes
	SHA256       [32]byte  // of the content; zero if the store doesn't know
	Version      string    // empty on stores without versions
	Modified     time.Time // when the store received it, by the store's clock
	Retention    Retention
	DeleteMarker bool // not an object: a mark that hides the versions below
	Latest       bool // the version that Get returns, or the mark that hides it
}
