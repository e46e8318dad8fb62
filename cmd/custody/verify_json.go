package main

import (
	"encoding/json"
	"io"
	"time"

	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/verify"
)

// jsonVersion is that of all JSON documents. It changes when a member is taken
// away or changes its meaning; readers accept members that they do not know.
const jsonVersion = 1

// verifyJSON is the document of `custody verify --json` (docs/cli.md).
type verifyJSON struct {
	Version   int              `json:"version"`
	Verdict   string           `json:"verdict"`
	CheckedAt time.Time        `json:"checked_at"`
	Software  string           `json:"software"`
	Store     string           `json:"store"`
	Keys      []string         `json:"keys"`
	Logs      []logJSON        `json:"logs"`
	Gone      []verify.Finding `json:"gone"`
	Notices   []string         `json:"notices"`
	Errors    []string         `json:"errors"`
	Saved     string           `json:"saved_checkpoint,omitempty"`
}

type logJSON struct {
	Log             string           `json:"log"`
	Verdict         string           `json:"verdict"`
	Origin          string           `json:"origin,omitempty"`
	Records         uint64           `json:"records"`
	Checked         uint64           `json:"records_checked"`
	Segments        uint64           `json:"segments"`
	Expired         uint64           `json:"segments_expired"`
	Bytes           uint64           `json:"bytes_checked"`
	Stored          uint64           `json:"stored_bytes_checked"`
	Head            *headJSON        `json:"head"`
	CompleteUntil   *time.Time       `json:"complete_until"`
	NextBy          *time.Time       `json:"next_by"` // null, too, when the last closed record does not say
	Overdue         bool             `json:"overdue"`
	Ended           bool             `json:"ended"`
	Recoveries      []recoveryJSON   `json:"recoveries"`
	TruncationCheck bool             `json:"truncation_checked"`
	Findings        []verify.Finding `json:"findings"`
	Notices         []string         `json:"notices"`
	Unread          []string         `json:"unread"`
}

type headJSON struct {
	Size uint64 `json:"size"`
	Root string `json:"root"`
	Note string `json:"note"`
}

func newHeadJSON(c checkpoint.Signed) *headJSON {
	return &headJSON{c.Size, c.Root.String(), string(c.Note())}
}

func verdictName(code int) string {
	return map[int]string{exitVerified: "verified", exitTampered: "tampered", exitUnfinished: "incomplete"}[code]
}

func (r *result) printJSON(w io.Writer) error {
	d := verifyJSON{
		Version: jsonVersion, Verdict: verdictName(r.code()), CheckedAt: r.now, Software: software(), Store: r.store,
		Keys: some(r.keys), Logs: []logJSON{}, Gone: some(r.gone), Notices: some(r.notices), Errors: some(r.errors), Saved: r.saved,
	}
	for _, l := range r.logs {
		d.Logs = append(d.Logs, r.logJSON(l))
	}
	return writeJSON(w, d)
}

func (r *result) logJSON(l *verify.Report) logJSON {
	one := result{logs: []*verify.Report{l}}
	d := logJSON{
		Log: l.Log, Verdict: verdictName(one.code()), Origin: l.Origin,
		Records: l.Records, Checked: l.Checked, Segments: l.Segments, Expired: l.Expired, Bytes: l.Bytes, Stored: l.Stored,
		Recoveries: []recoveryJSON{}, Findings: some(l.Findings), Notices: some(l.Notices), Unread: some(l.Unread),
	}
	for _, one := range l.Recoveries {
		d.Recoveries = append(d.Recoveries, newRecoveryJSON(one))
	}
	for _, c := range r.kept {
		d.TruncationCheck = d.TruncationCheck || c.Origin == l.Origin
	}
	if l.Head == nil {
		return d
	}
	d.Head = newHeadJSON(*l.Head)
	d.CompleteUntil, d.Ended = &l.CompleteUntil, l.Ended
	if !l.NextBy.IsZero() {
		d.NextBy, d.Overdue = &l.NextBy, l.NextBy.Before(r.now)
	}
	return d
}

// some makes a missing list an empty one: readers of JSON need no case for null.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func writeJSON(w io.Writer, doc any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(doc)
}
