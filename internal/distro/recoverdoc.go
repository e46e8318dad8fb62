package distro

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/recovery"
	"github.com/otelcol-custody/custody/internal/sealer"
)

// A recoverDocument is what recover --json prints (docs/cli.md), and what its
// text is made of.
type recoverDocument struct {
	Version  int              `json:"version"`
	Command  string           `json:"command"`
	Verdict  string           `json:"verdict"`
	Software string           `json:"software"`
	Report   *recovery.Report `json:"report,omitempty"`
	Errors   []string         `json:"errors"`

	code int
}

func newRecoverDocument(software string, r *recovery.Report, err error) *recoverDocument {
	d := &recoverDocument{Version: documentVersion, Command: "recover", Software: software, Report: r, Errors: []string{}}
	d.Verdict, d.code = judgeRecovery(r, err)
	var refused *recovery.RefusedError
	if err != nil && d.Verdict != "whole" && (r == nil || !errors.As(err, &refused)) { // The report has the reasons.
		d.Errors = append(d.Errors, explainRecovery(err))
	}
	return d
}

func judgeRecovery(r *recovery.Report, err error) (verdict string, code int) {
	var refused *recovery.RefusedError
	switch {
	case err == nil && r.DryRun:
		return "recoverable", exitDone
	case err == nil:
		return "recovered", exitDone
	case errors.Is(err, recovery.ErrNothingToDo):
		return "whole", exitDone
	case errors.As(err, &refused), errors.Is(err, recovery.ErrEnded):
		return "refused", exitTampered
	case errors.Is(err, recovery.ErrCheckpoint), errors.Is(err, sealer.ErrOtherLog):
		return "", exitUsage
	}
	return "unfinished", exitUnfinished
}

func explainRecovery(err error) string {
	switch {
	case errors.Is(err, durable.ErrLocked):
		return "the log's collector still runs, or another recover or drain does: stop it first"
	case errors.Is(err, context.Canceled):
		return "interrupted; run the command again before you start the collector"
	case errors.Is(err, recovery.ErrNoSeal):
		return err.Error() + ": look whether stores, prefix and log are the right ones. A log that never was stored is begun with on_missing_head: genesis"
	}
	return explain(err)
}

func (d *recoverDocument) print(t *text, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(t.out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(d)
	}
	if d.Report != nil {
		d.sources(t)
		d.course(t)
	}
	for _, e := range d.Errors {
		t.say("%s", e)
	}
	t.say("%s", d.outcome())
	if d.Report != nil && d.code == exitDone && !t.quiet {
		for i, step := range d.steps() {
			t.say("%d. %s", i+1, step)
		}
	}
	return t.err
}

func (d *recoverDocument) outcome() string {
	if d.Verdict == "whole" && d.Report != nil && len(d.Report.Advice) > 0 {
		return "NOTHING TO RECOVER: the state directory is whole. YET A STORE could not be read, or lacks what was delivered to it"
	}
	return map[string]string{
		"recovered":   "RECOVERED",
		"recoverable": "CAN BE RECOVERED; nothing was changed",
		"whole":       "NOTHING TO RECOVER: the state directory is whole, and the stores do not know more; start the collector",
		"refused":     "REFUSED; nothing was changed",
		"unfinished":  "NOT RECOVERED",
	}[d.Verdict]
}

// sources says what was read.
func (d *recoverDocument) sources(t *text) {
	r := d.Report
	if !t.quiet {
		t.say("log %s (%s)", r.Log, r.Origin)
		t.say("state: %s", r.Found)
	}
	for _, s := range r.Stores {
		switch {
		case s.Error != "":
			t.say("store %s: COULD NOT BE READ: %s", s.Store, s.Error)
			continue
		case !t.quiet:
			t.say("store %s: %s in %s", s.Store, several(s.Size, "record"), several(s.Seals, "seal"))
		}
		if s.Missing > 0 {
			t.note("store %s lacks at least %s", s.Store, several(s.Missing, "segment"))
		}
		if s.Notices > 0 {
			t.note("store %s: %s about what lies in it; otelcol-custody fetch tells of each", s.Store, several(uint64(s.Notices), "notice"))
		}
	}
	for _, c := range r.Checkpoints {
		if !t.quiet || c.Verdict != recovery.Agrees {
			t.say("remembered by %s: %s: %s", c.Source, several(c.Size, "record"), c.Verdict)
		}
	}
	for _, reason := range r.Reasons {
		t.say("against it: %s", reason)
	}
}

// course says what was done, or would be.
func (d *recoverDocument) course(t *text) {
	r := d.Report
	if t.quiet || d.code != exitDone || d.Verdict == "whole" {
		return
	}
	if r.Ended {
		t.say("the log has ended; nothing is added to it, and what waits for stores is kept as it was")
	} else {
		t.say("the log goes on behind %s, root %s", several(r.Size, "sealed record"), r.Root)
	}
	if r.Kept > 0 {
		t.say("%s of the journal keep their positions behind them", several(uint64(r.Kept), "record"))
	}
	if r.Resealed > 0 {
		t.say("%s get new positions and are sealed again", several(uint64(r.Resealed), "record"))
	}
	if r.Unreadable > 0 {
		t.say("%s of the journal cannot be read", several(uint64(r.Unreadable), "byte"))
	}
	if r.AcceptedLoss {
		t.say("ACCEPTED LOSS: the log's own record says what spoke against it")
	}
}

// steps are what is left to do.
func (d *recoverDocument) steps() []string {
	if d.Verdict == "recoverable" {
		return append([]string{"run the same command without --dry-run"}, d.Report.Advice...)
	}
	return d.Report.Advice
}
