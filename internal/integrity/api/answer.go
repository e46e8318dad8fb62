package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/otelcol-custody/custody/ledger"
)

// json answers with a document. Records in it stay as they were sealed.
func (r *request) json(doc any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(doc); err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	return r.send("application/json", b.Bytes())
}

// send sends an answer whole, so that one that is cut short is known to be. What
// clients are slow to take is in memory meanwhile, and no more than maxSending.
func (r *request) send(kind string, b []byte) error {
	size := min(int64(len(b)), maxSending)
	if r.a.sending.Acquire(r.ctx, size) != nil {
		return busy()
	}
	defer r.a.sending.Release(size)
	h := r.w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = r.w.Write(b) // Who asked has gone.
	return nil
}

// log is the log that the path names.
func (r *request) log() (string, error) {
	name := r.r.PathValue("log")
	if ledger.CheckLogName(name) != nil {
		return "", noLog()
	}
	return name, nil
}

func noLog() *Problem {
	return problemf(http.StatusNotFound, "log", "no log of this name is known; /v1/logs names those that are")
}

// some makes a missing list an empty one: readers of JSON need no case for null.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// moment is nil for a time that is not known.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
