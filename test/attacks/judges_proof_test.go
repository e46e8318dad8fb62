package attacks

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/ledger/proof"
)

// proofJudge is the auditor's command on an evidence file or pack. The kind of
// refusal is that of the functions below it.
type proofJudge struct{}

func (proofJudge) name() string                 { return proofChecker }
func (proofJudge) takes(_ trial, s *scene) bool { return s.file != nil }
func (proofJudge) due(tr trial) (string, bool)  { return tr.want, true }

func (proofJudge) judge(t testing.TB, tr trial, s *scene) ([]finding, time.Duration) {
	file, keys := s.handed(t)
	out, exit, took := run(t, custody(t), "check-proof", file, "--key", keys, "--json")
	if exit == 3 && out == "" {
		return byExit(exit), took
	}
	var doc struct {
		Verdict, Error string
		Unproven       []struct{ Index uint64 }
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatalf("%s: %v\n%s", tr.id, err, out)
	}
	if proven := doc.Verdict == "proven"; proven != (exit == 0) {
		t.Errorf("%s: exit %d, verdict %q", tr.id, exit, doc.Verdict)
	}
	if exit != 1 {
		return byExit(exit), took
	}
	var all []finding
	for _, u := range doc.Unproven {
		all = append(all, finding{"broken", fmt.Sprint(u.Index)})
	}
	if all == nil {
		all = []finding{proofFinding(doc.Error)}
	}
	return all, took
}

// handed writes what the bearer handed over, and the auditor's keys.
func (s *scene) handed(t testing.TB) (file, keys string) {
	t.Helper()
	_, keys, _ = s.dir(t)
	file = filepath.Join(t.TempDir(), "evidence")
	must(t, os.WriteFile(file, s.file, 0o644))
	return file, keys
}

var provenRecord = regexp.MustCompile(`record (\d+)`)

func proofFinding(text string) finding {
	switch {
	case strings.Contains(text, proof.ErrMalformed.Error()):
		return finding{"malformed", ""}
	case strings.Contains(text, "the pack names"):
		return finding{"key", ""}
	case strings.Contains(text, proof.ErrBroken.Error()):
		if m := provenRecord.FindStringSubmatch(text); m != nil {
			return finding{"broken", m[1]}
		}
		return finding{"broken", ""}
	}
	return finding{"signature", ""}
}

// packJudge is one of the two readers of evidence packs beside the
// specification, which share no code with the project.
type packJudge struct{ file, with string }

func (p packJudge) name() string                 { return p.file }
func (p packJudge) takes(_ trial, s *scene) bool { return s.packed }
func (p packJudge) due(tr trial) (string, bool)  { return tr.want, true }

// refusal is a line about the pack, which ends with the condition of spec §12.1
// that does not hold; or about a record.
var refusal = regexp.MustCompile(`(?m)^not proven: (?:record (\d+).*|.*§12\.1, ([123])\))$`)

func (p packJudge) judge(t testing.TB, tr trial, s *scene) (all []finding, took time.Duration) {
	file, keys := s.handed(t)
	out, exit, took := run(t, p.with, filepath.Join(top, "docs/spec/readers", p.file), file, keys)
	for _, m := range refusal.FindAllStringSubmatch(out, -1) {
		if m[1] != "" {
			all = append(all, finding{"broken", m[1]})
			continue
		}
		all = append(all, finding{map[string]string{"1": "malformed", "2": "signature", "3": "key"}[m[2]], ""})
	}
	if (exit == 1) != (len(all) > 0) {
		t.Errorf("%s: %s: exit %d with findings %v\n%s", tr.id, p.file, exit, all, out)
	}
	if len(all) == 0 {
		all = byExit(exit)
	}
	return all, took
}
