package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/ledger/tiles"
	"github.com/otelcol-custody/custody/store"
)

// A Problem is an answer that is not what was asked for (RFC 9457). Its code is
// stable; title and detail are for people, and the detail says what to do.
type Problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`

	// Records are those that the question fits, when it fits several.
	Records []uint64 `json:"records,omitempty"`

	after time.Duration // how long to wait before asking again; 0: not said
}

func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

func problemf(status int, code, format string, args ...any) *Problem {
	return &Problem{Title: http.StatusText(status), Status: status, Code: code, Detail: fmt.Sprintf(format, args...)}
}

func (p *Problem) retryAfter(d time.Duration) *Problem {
	p.after = d
	return p
}

func (p *Problem) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Del("Content-Disposition")
	if p.after > 0 {
		h.Set("Retry-After", strconv.Itoa(int((p.after+time.Second-1)/time.Second)))
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // Who asked has gone.
}

// problemOf says what a handler's error means to a client. Of an error that is not
// a [Problem] it tells the class alone: a store's text can hold addresses,
// account names and credentials.
func problemOf(err error) *Problem {
	if p := (*Problem)(nil); errors.As(err, &p) {
		return p
	}
	switch classOf(err) {
	case broken:
		return problemf(http.StatusBadGateway, "store-broken",
			"no store has this as it was sealed; see /v1/findings, and run custody verify on a copy of the store")
	case gone:
		return problemf(http.StatusGone, "gone",
			"the segment that holds this is in no store any more; if its retention has not passed, see /v1/findings")
	case slow:
		return problemf(http.StatusGatewayTimeout, "store-slow",
			"the store did not answer in time; ask again, and look at the collector's log if it stays so").retryAfter(retryStore)
	default:
		return problemf(http.StatusServiceUnavailable, "store-unread",
			"the store could not be read, which says nothing about the evidence; ask again, the reason is in the collector's log").retryAfter(retryStore)
	}
}

// class is what an error says about a store. Of several stores the first class
// counts: one that could not be read may hold what the others lack.
type class int

const (
	unread class = iota
	slow
	broken
	gone
	absent // of a record that was asked for by its id
)

func classOf(err error) class {
	if all := (unanswered)(nil); errors.As(err, &all) {
		least := absent
		for _, one := range all {
			least = min(least, classOf(one))
		}
		return least
	}
	var (
		fork    *logstore.ForkError
		gap     *logstore.GapError
		altered *logstore.AlteredError
	)
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return slow
	case errors.Is(err, tiles.ErrBroken), errors.Is(err, tiles.ErrBeyond), errors.Is(err, logstore.ErrNoLog),
		errors.As(err, &fork), errors.As(err, &gap), errors.As(err, &altered):
		return broken
	case errors.Is(err, store.ErrNotFound):
		return gone
	case errors.Is(err, errNoRecord):
		return absent
	}
	return unread
}

// unanswered are the errors of all stores that were asked.
type unanswered []error

func (u unanswered) Error() string { return errors.Join(u...).Error() }

func busy() *Problem {
	return problemf(http.StatusServiceUnavailable, "busy", "too many requests that read stores are under way; ask again").retryAfter(retryStore)
}
