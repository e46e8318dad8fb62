package distro

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store/dirstore"
)

// lost is a site whose log is in its stores, and whose state is not there.
type lost struct {
	t     *testing.T
	dir   string
	chain []ledgertest.Segment
	kept  string // a checkpoint's file
}

func newLost(t *testing.T) *lost {
	t.Helper()
	l := &lost{t: t, dir: site(t), chain: segments(t)}
	for _, name := range []string{"a", "b"} {
		s, err := dirstore.Open(l.path(name), dirstore.Options{Immutable: dirstore.ImmutableOff})
		if err != nil {
			t.Fatal(err)
		}
		fill(t, s, l.chain...)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	l.kept = l.write("kept.checkpoint", string(l.chain[2].Seal.After().Note()))
	return l
}

func (l *lost) path(name string) string { return filepath.Join(l.dir, name) }

func (l *lost) write(name, text string) string {
	l.t.Helper()
	if err := os.WriteFile(l.path(name), []byte(text), 0o600); err != nil {
		l.t.Fatal(err)
	}
	return l.path(name)
}

// want runs recover, and wants an exit code and what it says.
func (l *lost) want(code int, flags []string, says ...string) (stdout string) {
	l.t.Helper()
	args := append([]string{"recover", "--config", "yaml:" + siteConfig(l.dir), "--log", "test"}, flags...)
	got, out, notes := logCommand(l.t, l.t.Context(), args...)
	if got != code {
		l.t.Fatalf("%q: exit %d, want %d:\n%s%s", flags, got, code, out, notes)
	}
	wantSays(l.t, out+notes, says...)
	l.t.Logf("%q:\n%s%s", flags, out, notes)
	return out
}

func (l *lost) wantNoState() {
	l.t.Helper()
	entries, err := os.ReadDir(l.path("state"))
	if err == nil && len(entries) > 1 || err != nil && !os.IsNotExist(err) {
		l.t.Errorf("state directory: %v, %v", entries, err)
	}
}

func TestRecoverCommand(t *testing.T) {
	l := newLost(t)
	l.want(exitTampered, nil, "log test (custody.example/test)", "store file://"+l.path("a")+": 304 records in 3 seals",
		"against it:", "--checkpoint", "REFUSED; nothing was changed")
	l.wantNoState()
	kept := []string{"--checkpoint", l.kept}
	l.want(exitDone, append(kept, "--dry-run"), "remembered by kept.checkpoint: 304 records: agrees",
		"the log goes on behind 304 sealed records", "CAN BE RECOVERED; nothing was changed", "1. run the same command without --dry-run")
	l.wantNoState()
	out := l.want(exitDone, append(kept, "--json"))
	var doc recoverDocument
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatalf("%v in\n%s", err, out)
	}
	if doc.Version != 1 || doc.Command != "recover" || doc.Verdict != "recovered" || doc.Report == nil || doc.Report.Size != 304 || len(doc.Report.Stores) != 2 {
		t.Errorf("document is\n%s", out)
	}
	l.want(exitDone, kept, "NOTHING TO RECOVER")
	if out := l.want(exitDone, append(kept, "--quiet")); strings.Count(out, "\n") != 1 {
		t.Errorf("quiet, it says %q", out)
	}
}

func TestRecoverSaysWhatIsLeftToDo(t *testing.T) {
	l := newLost(t)
	out := l.want(exitDone, []string{"--checkpoint", l.kept}, "RECOVERED", "\n1. ", "start the collector", "a reader sees this gap")
	wantSays(t, out, "state:")
}

// What was truncated is not laundered, and what cannot be read may remember more.
func TestRecoverRefusals(t *testing.T) {
	l := newLost(t)
	if err := os.Rename(l.path("b"), l.path("away")); err != nil {
		t.Fatal(err)
	}
	l.want(exitTampered, []string{"--checkpoint", l.kept}, "store file://"+l.path("b")+": COULD NOT BE READ", "against it:", "REFUSED")
	if err := os.Rename(l.path("away"), l.path("b")); err != nil {
		t.Fatal(err)
	}
	last := l.chain[2].Seal
	for _, store := range []string{"a", "b"} {
		for _, name := range []string{last.Name(), last.SegmentName()} {
			if err := os.Remove(filepath.Join(l.path(store), "test", name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	l.want(exitTampered, []string{"--checkpoint", l.kept}, "remembered by kept.checkpoint: 304 records: ahead", "REFUSED")
	l.want(exitDone, []string{"--checkpoint", l.kept, "--accept-loss"}, "ACCEPTED LOSS", "RECOVERED")
}

func TestRecoverUsage(t *testing.T) {
	l := newLost(t)
	l.want(exitUsage, []string{"--checkpoint", l.path("missing")}, "--checkpoint:", "no such file")
	l.want(exitUsage, []string{"--checkpoint", l.write("garbage", "no checkpoint\n")}, "garbage")
	l.want(exitUsage, []string{"--store", "ftp://x"}, "--store:")
	l.want(exitUsage, []string{"--set", "service.pipelines.logs.exporters=[debug]"}, "--store is missing")
	l.want(exitUsage, []string{"extra"}, "unexpected argument")
}

// A store that is named twice is read once.
func TestRecoverFromOtherStores(t *testing.T) {
	l := newLost(t)
	l.want(exitDone, []string{"--checkpoint", l.kept, "--dry-run", "--set", "service.pipelines.logs.exporters=[debug]", "--store", l.path("a"), "--store", "file://" + l.path("a")},
		"store file://"+l.path("a")+": 304 records in 3 seals", "CAN BE RECOVERED")
}

func TestRecoverWhileCollectorRuns(t *testing.T) {
	l := newLost(t)
	if err := os.Mkdir(l.path("state"), 0o700); err != nil {
		t.Fatal(err)
	}
	lock, err := durable.OS.Lock(filepath.Join(l.path("state"), "lock"))
	if err != nil {
		t.Fatal(err)
	}
	l.want(exitUnfinished, []string{"--checkpoint", l.kept}, "still runs", "stop it first", "NOT RECOVERED")
	if err := lock.Close(); err != nil {
		t.Error(err)
	}
}

// The state directory is whole, and it is not said that stores are.
func TestRecoverNothingButStores(t *testing.T) {
	l := newLost(t)
	kept := []string{"--checkpoint", l.kept}
	l.want(exitDone, kept, "RECOVERED")
	if out := l.want(exitDone, kept, "the stores do not know more"); strings.Contains(out, "YET") {
		t.Errorf("all is well, and it says %s", out)
	}
	for _, name := range []string{"seals", "segments"} {
		if err := os.RemoveAll(filepath.Join(l.path("b"), "test", name)); err != nil {
			t.Fatal(err)
		}
	}
	out := l.want(exitDone, kept, "NOTHING TO RECOVER", "YET A STORE", "holds 0 of 304 records", "replicate brings them there from store file://"+l.path("a"))
	if strings.Contains(out, "do not know more") {
		t.Errorf("it says %s", out)
	}
	var doc recoverDocument
	if err := json.Unmarshal([]byte(l.want(exitDone, append(kept, "--json"))), &doc); err != nil || doc.Verdict != "whole" || len(doc.Report.Advice) != 2 {
		t.Errorf("document is %+v, %v", doc, err)
	}
}
