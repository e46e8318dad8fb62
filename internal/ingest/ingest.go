// Package ingest carries what a receiver counts besides the records that it hands
// over to the log that seals them: records that it recognised as duplicates, and
// such as it knows to be lost.
//
// A receiver keeps one [Account], adds to it, and puts it into the context of each
// ConsumeLogs. A log takes what is new to it at the moment when the records of
// that call are in the log; so nothing is lost or counted twice, whatever the
// answer was and however often a receiver tries again. A call that does not reach
// a log takes nothing, since a processor refused it or dropped it for being empty:
// the counts stay, and go with the next one. A receiver that has nothing to hand
// over may call with empty logs.
//
// Counts live in memory. Those that no log has taken when the process dies are
// known to nobody. They do not travel over a network: the log of a gateway does
// not know what its agents counted.
package ingest

import (
	"context"
	"sync"
)

// Counts are numbers of records.
type Counts struct {
	// Duplicate records were recognised by their source or content, and not
	// handed over again.
	Duplicate int64
	// Lost is what is known to be missing: records, and 1 for each gap of which
	// nobody knows how many it held.
	Lost int64
}

// An Account is what one receiver has counted since it was made. Its methods may
// be called concurrently.
type Account struct {
	receiver string

	mu    sync.Mutex
	total Counts
	taken map[any]Counts // by log
}

// NewAccount opens an account for the receiver of this name, which its records
// bear as audit.ingest.receiver.
func NewAccount(receiver string) *Account {
	return &Account{receiver: receiver, taken: map[any]Counts{}}
}

// Receiver is the name that the account was opened for.
func (a *Account) Receiver() string { return a.receiver }

// Add adds to the account.
func (a *Account) Add(c Counts) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.total.Duplicate += c.Duplicate
	a.total.Lost += c.Lost
}

// Take returns what was added since this log took the last time. Logs that share
// a receiver take all of it, each for itself. A log is whatever is comparable and
// its own.
func (a *Account) Take(log any) Counts {
	a.mu.Lock()
	defer a.mu.Unlock()
	had := a.taken[log]
	a.taken[log] = a.total
	return Counts{Duplicate: a.total.Duplicate - had.Duplicate, Lost: a.total.Lost - had.Lost}
}

// Untaken says whether something was added that not every log has taken that ever
// took, or that none has.
func (a *Account) Untaken() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, had := range a.taken {
		if had != a.total {
			return true
		}
	}
	return len(a.taken) == 0 && a.total != Counts{}
}

type key struct{}

// With returns a context that carries the account.
func With(ctx context.Context, a *Account) context.Context { return context.WithValue(ctx, key{}, a) }

// From returns the account that ctx carries, or nil.
func From(ctx context.Context) *Account {
	a, _ := ctx.Value(key{}).(*Account)
	return a
}
