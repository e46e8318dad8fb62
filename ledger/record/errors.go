package record

import (
	"errors"
	"fmt"
)

var (
	// ErrTooLong means that the line would exceed [MaxLine]; such a record is
	// sealed as what is known of it (spec §3.6).
	ErrTooLong = errors.New("record line longer than 16777216 bytes: seal the record as oversize")
	// ErrTooDeep means that a value lies deeper than [MaxDepth]; such a record
	// is sealed as what is known of it (spec §3.6), whatever its length.
	ErrTooDeep = errors.New("record nests deeper than 10000: seal the record as oversize")
	// ErrKind means that a [Value] has none of the kinds of this package.
	ErrKind = errors.New("value of unknown kind: use the constructors of package record")
	// ErrNotCanonical means that bytes are not the canonical line of any record.
	ErrNotCanonical = errors.New("record line not canonical")
)

// A FormError says where a line departs from the canonical form, and how.
// It is an [ErrNotCanonical].
type FormError struct {
	Offset int    // bytes before the fault
	Fault  string // what is wrong there
}

func (e *FormError) Error() string {
	return fmt.Sprintf("record line not canonical at byte %d: %s", e.Offset, e.Fault)
}

// Unwrap returns [ErrNotCanonical].
func (e *FormError) Unwrap() error { return ErrNotCanonical }
