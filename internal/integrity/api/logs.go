package api

import (
	"github.com/otelcol-custody/custody/internal/logproof"
	"github.com/otelcol-custody/custody/internal/recordindex"
)

// Logs finds what proves logs. Who opens stores and indexes keeps them open until
// no request runs any more.
type Logs interface {
	// Log is a log in a store, by the names that the guard has for both; nil: the
	// store is not open yet. Its head may be older than the guard's: it is
	// refreshed here when a question needs more.
	Log(store, log string) *logproof.Log
	// Index finds a log's records; nil: there is none.
	Index(log string) *recordindex.Index
}
