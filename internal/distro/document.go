package distro

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/otelcol-custody/custody/internal/transfer"
	"github.com/otelcol-custody/custody/store"
)

// documentVersion changes when a member is taken away or changes its meaning.
const documentVersion = 1

// A document is what --json prints (docs/cli.md), and what the text is made of.
type document struct {
	Version   int                `json:"version"`
	Command   string             `json:"command"`
	Verdict   string             `json:"verdict"`
	Software  string             `json:"software"`
	From      string             `json:"from,omitempty"`
	To        string             `json:"to,omitempty"`
	Store     string             `json:"store,omitempty"`
	Retention *retentionJSON     `json:"retention,omitempty"`
	DryRun    bool               `json:"dry_run,omitempty"`
	Logs      []*transfer.Report `json:"logs"`
	Beside    []string           `json:"beside"`
	Errors    []string           `json:"errors"`
}

type retentionJSON struct {
	Mode      string     `json:"mode"`
	Until     *time.Time `json:"until"`
	LegalHold bool       `json:"legal_hold"`
}

func newRetentionJSON(r store.Retention) *retentionJSON {
	j := &retentionJSON{Mode: r.Mode.String(), LegalHold: r.LegalHold}
	if !r.Until.IsZero() {
		j.Until = &r.Until
	}
	return j
}

// fill enters what came of the work; err is what ended it early.
func (d *document) fill(r *transfer.Result, err error) {
	d.Version, d.Logs, d.Beside, d.Errors = documentVersion, []*transfer.Report{}, []string{}, []string{}
	tampered, complete := false, err == nil
	if r != nil {
		d.Logs, d.Beside = r.Logs, r.Beside
		tampered, complete = r.Tampered(), complete && r.Complete()
	}
	if err != nil {
		d.Errors = append(d.Errors, explain(err))
	}
	switch {
	case tampered:
		d.Verdict = "tampered"
	case complete:
		d.Verdict = "done"
	default:
		d.Verdict = "incomplete"
	}
}

func explain(err error) string {
	switch {
	case errors.Is(err, context.Canceled):
		return "interrupted"
	case errors.Is(err, store.ErrDenied):
		return fmt.Sprintf("%v; docs/stores.md lists what the credentials must permit", err)
	}
	return err.Error()
}

func (d *document) code() int {
	return map[string]int{"done": exitDone, "tampered": exitTampered, "incomplete": exitUnfinished}[d.Verdict]
}

// print writes what was found to out, the rest to notes.
func (d *document) print(out, notes io.Writer, f *common) error {
	if f.json {
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(d)
	}
	t := &text{out: out, notes: notes, quiet: f.quiet}
	for _, r := range d.Logs {
		t.log(d, r)
	}
	for _, name := range d.Beside {
		t.note("%s: not a log, left out", name)
	}
	for _, e := range d.Errors {
		t.warn("%s", e)
	}
	t.verdict(d)
	return t.err
}
