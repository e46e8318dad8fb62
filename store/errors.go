package store

import "errors"

// Errors that stores wrap. Test with errors.Is.
var (
	// ErrExists means that the name holds other bytes. It is definite: a
	// store returns it only after comparing.
	ErrExists = errors.New("object exists with other content")
	// ErrNotFound means that the store was reached and has no such object.
	ErrNotFound = errors.New("object not found")
	// ErrUnavailable means that the store cannot be reached or cannot
	// answer now; trying later may help. It says nothing about any object.
	ErrUnavailable = errors.New("store unavailable")
	// ErrFull means that the store has no room; trying again helps only
	// after somebody made some.
	ErrFull = errors.New("store full")
	// ErrDenied means that the store was reached and refused the caller:
	// wrong, expired or too weak credentials. Trying again helps once
	// somebody has mended them.
	ErrDenied = errors.New("access denied")
	// ErrUnfit means that the store was reached and cannot do what evidence
	// needs, or that it isn't there at all: a definite no, whose message names the setting.
	ErrUnfit = errors.New("store unfit")
	// ErrReadOnly means that the store was opened for reading only.
	ErrReadOnly = errors.New("store is read-only")
	// ErrRetention means that the store cannot express or would weaken the
	// retention that was asked for.
	ErrRetention = errors.New("retention not possible")
	// ErrName means that a name breaks the rules of CheckName.
	ErrName = errors.New("invalid object name")
	// ErrClosed means that the store was closed before.
	ErrClosed = errors.New("store is closed")
)
