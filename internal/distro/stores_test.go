package distro

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/otelcol-custody/custody/internal/storeconfig"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/verify"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

const logOrigin = "custody.example/test"

// memoryConfig is the configuration of a store in memory.
type memoryConfig struct {
	store.Store
	policy storeconfig.Policy
	err    error
}

func (c memoryConfig) Weaker() []string                                { return nil }
func (c memoryConfig) Validate() error                                 { return nil }
func (c memoryConfig) Policy() storeconfig.Policy                      { return c.policy }
func (c memoryConfig) Open(context.Context, bool) (store.Store, error) { return c.Store, c.err }

// shop is a command line with stores in memory, named by their IDs.
type shop struct {
	t      *testing.T
	stores map[string]memoryConfig
	now    time.Time
	stdout bytes.Buffer
	stderr bytes.Buffer
}

func newShop(t *testing.T) *shop {
	return &shop{t: t, stores: map[string]memoryConfig{}, now: ledgertest.Began.Add(time.Hour)}
}

func (s *shop) memory(id string) *storetest.Memory {
	m := storetest.NewMemory(id)
	s.stores[m.ID()] = memoryConfig{Store: m}
	return m
}

func (s *shop) parse(arg string) (storeconfig.Store, error) {
	if c, ok := s.stores[arg]; ok {
		return c, nil
	}
	return storeconfig.Parse(arg)
}

// run returns the exit code.
func (s *shop) run(args ...string) int {
	s.t.Helper()
	s.stdout.Reset()
	s.stderr.Reset()
	root := &cobra.Command{Use: name, SilenceUsage: true}
	root.AddCommand((&stores{parse: s.parse, now: func() time.Time { return s.now }, software: "test v1"}).commands()...)
	root.SetOut(&s.stdout)
	root.SetErr(&s.stderr)
	root.SetArgs(args)
	return ExitCode(root.ExecuteContext(s.t.Context()))
}

// want checks a run's exit code, and what it says.
func (s *shop) want(code int, args []string, says ...string) {
	s.t.Helper()
	got := s.run(args...)
	all := s.stdout.String() + s.stderr.String()
	if got != code {
		s.t.Errorf("%q: exit %d, want %d:\n%s", args, got, code, all)
	}
	for _, text := range says {
		if !strings.Contains(all, text) {
			s.t.Errorf("%q does not say %q:\n%s", args, text, all)
		}
	}
}

func segments(t *testing.T) []ledgertest.Segment {
	t.Helper()
	return ledgertest.Chain(t, ledgertest.Signer(t, logOrigin), 3, 1, 300)
}

func fill(t *testing.T, s store.Store, list ...ledgertest.Segment) {
	t.Helper()
	for _, seg := range list {
		_, err := s.PutOnce(t.Context(), "test/"+seg.Seal.SegmentName(), seg.Object, store.PutOptions{})
		if err == nil {
			_, err = s.PutOnce(t.Context(), "test/"+seg.Seal.Name(), seg.Seal.Bytes(), store.PutOptions{})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func keyFile(t *testing.T, who string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log.pub")
	if err := os.WriteFile(path, []byte(ledgertest.ImpostorOf(t, logOrigin, who).VerifierKey()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func wantVerified(t *testing.T, dir string) {
	t.Helper()
	r, err := verify.Log(t.Context(), os.DirFS(filepath.Join(dir, "test")), "test",
		verify.Options{Keys: ledgertest.Keys(t, ledgertest.Signer(t, logOrigin)), Now: time.Now()})
	if err != nil || r.Tampered() || !r.Complete() || r.Checked != 304 {
		t.Errorf("verify: %v, %+v", err, r)
	}
}

func TestFetchCommand(t *testing.T) {
	s := newShop(t)
	m := s.memory("a")
	chain := segments(t)
	fill(t, m, chain[:2]...)
	dir := filepath.Join(t.TempDir(), "new", "evidence")
	s.want(exitDone, []string{"fetch", "memory://a", dir}, "test: 4 objects copied", "done\n")
	fill(t, m, chain[2])
	m.Hide("test/" + chain[0].Seal.Name())
	s.want(exitDone, []string{"fetch", "memory://a", dir}, "test: 2 objects copied", "4 already there",
		"note: test/"+chain[0].Seal.Name()+" (version 2): a delete marker hides it")
	wantVerified(t, dir)
	s.want(exitDone, []string{"fetch", "memory://a", dir, "--quiet"})
	if s.stdout.Len()+s.stderr.Len() > 0 {
		t.Errorf("quiet, it says %q %q", s.stdout.String(), s.stderr.String())
	}
	altered := "test/" + chain[1].Seal.SegmentName()
	m.Erase(altered)
	m.Shadow(altered, []byte("x\x1b[2J"))
	s.want(exitTampered, []string{"fetch", "memory://a", dir}, "segment-altered: log test, segment 3: "+altered, "TAMPERING FOUND")
}

func TestFetchJSON(t *testing.T) {
	s := newShop(t)
	m := s.memory("a")
	fill(t, m, segments(t)...)
	m.Hide("test/" + segments(t)[0].Seal.Name())
	dir := t.TempDir()
	if code := s.run("fetch", "memory://a", dir, "--json"); code != exitDone || s.stderr.Len() > 0 {
		t.Fatalf("exit %d: %s", code, s.stderr.String())
	}
	var d map[string]any
	if err := json.Unmarshal(s.stdout.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	log := d["logs"].([]any)[0].(map[string]any)
	for member, want := range map[string]any{
		"version": 1.0, "command": "fetch", "verdict": "done", "software": "test v1", "from": "memory://a", "to": "file://" + dir,
	} {
		if d[member] != want {
			t.Errorf("%s is %v, want %v", member, d[member], want)
		}
	}
	if log["log"] != "test" || log["objects"] != 6.0 || len(log["findings"].([]any)) != 0 || len(log["failures"].([]any)) != 0 {
		t.Errorf("log: %v", log)
	}
	if n := log["notices"].([]any)[0].(map[string]any); n["code"] != "hidden" || n["version"] != "2" || n["object"] == "" {
		t.Errorf("notice: %v", n)
	}
	if strings.Contains(s.stdout.String(), "null") {
		t.Errorf("a list is null:\n%s", s.stdout.String())
	}
}

func TestFetchUsage(t *testing.T) {
	s := newShop(t)
	fill(t, s.memory("a"), segments(t)...)
	dir, other := t.TempDir(), t.TempDir()
	if err := errors.Join(os.MkdirAll(filepath.Join(dir, "test", "seals"), 0o755), os.WriteFile(filepath.Join(other, "letter.txt"), nil, 0o600),
		os.Symlink(dir, filepath.Join(other, "link"))); err != nil {
		t.Fatal(err)
	}
	for says, args := range map[string][]string{
		"STORE is missing":                     {"fetch"},
		"DIR is missing":                       {"fetch", "memory://a"},
		"unexpected argument":                  {"fetch", "memory://a", dir, "x"},
		"unknown flag":                         {"fetch", "memory://a", dir, "--frobnicate"},
		"--workers must be":                    {"fetch", "memory://a", dir, "--workers", "0"},
		"--log: log name":                      {"fetch", "memory://a", dir, "--log", "../x"},
		"has no log \"other\"":                 {"fetch", "memory://a", dir, "--log", "other"},
		"is no kind of store":                  {"fetch", "ftp://a", dir},
		"directory on this machine":            {"fetch", "memory://a", "s3://x"},
		"letter.txt":                           {"fetch", "memory://a", other},
		dir + " lies in " + dir:                {"fetch", dir, dir},
		"lies in " + dir:                       {"fetch", dir, filepath.Join(dir, "copy", "deep")},
		filepath.Join(other, "link") + " lies": {"fetch", dir, filepath.Join(other, "link")},
		"lies in " + filepath.Dir(dir):         {"fetch", dir, filepath.Dir(dir)},
	} {
		s.want(exitUsage, args, says)
		if s.stdout.Len() > 0 {
			t.Errorf("%q writes to stdout: %s", args, s.stdout.String())
		}
	}
}

func TestFetchUnfinished(t *testing.T) {
	s := newShop(t)
	s.memory("empty")
	s.want(exitUnfinished, []string{"fetch", "memory://empty", t.TempDir()}, "holds none", "NOT FINISHED")
	s.want(exitUnfinished, []string{"fetch", filepath.Join(t.TempDir(), "missing"), t.TempDir()}, "does not exist")
	m := storetest.NewMemory("away")
	fill(t, m, segments(t)...)
	faulty := storetest.NewFaulty(t, m)
	faulty.Inject(storetest.Fault{Method: storetest.List, UntilHeal: true, Err: fmt.Errorf("%w: no such key id", store.ErrDenied)})
	s.stores["memory://away"] = memoryConfig{Store: faulty}
	s.want(exitUnfinished, []string{"fetch", "memory://away", t.TempDir()}, "no such key id", "docs/stores.md")
	s.stores["memory://gone"] = memoryConfig{err: fmt.Errorf("%w: refused", store.ErrUnavailable), Store: m}
	s.want(exitUnfinished, []string{"fetch", "memory://gone", t.TempDir(), "--json"}, `"verdict": "incomplete"`, "refused")
}

// plain is a directory whose files a test can remove.
func plain(dir string) string { return "file://" + dir + "?immutable=off" }

func TestReplicateCommand(t *testing.T) {
	s := newShop(t)
	a, b := s.memory("a"), s.memory("b")
	s.stores["memory://b"] = memoryConfig{Store: b, policy: storeconfig.Policy{Mode: store.ModeCompliance, For: 50 * 365 * 24 * time.Hour, RequireLock: true}}
	chain := segments(t)
	fill(t, a, chain...)
	key := keyFile(t, "")
	s.want(exitDone, []string{"replicate", "memory://a", "memory://b", "--key", key}, "test: 6 objects copied", "done")
	info, err := b.Stat(t.Context(), "test/"+chain[0].Seal.Name())
	if err != nil || info.Retention.Mode != store.ModeCompliance {
		t.Errorf("the copy is retained by %+v, %v", info.Retention, err)
	}
	s.want(exitDone, []string{"replicate", "memory://a", "memory://b", "--key", key, "--json"}, `"command": "replicate"`, `"skipped": 6`)
	dir := filepath.Join(t.TempDir(), "copy")
	s.want(exitDone, []string{"replicate", "memory://a", plain(dir), "--key", key})
	wantVerified(t, dir)
	s.want(exitTampered, []string{"replicate", "memory://a", plain(t.TempDir()), "--key", keyFile(t, "x")}, "seal-signature: log test, segment 0", "TAMPERING FOUND")
	a.Erase("test/" + chain[1].Seal.SegmentName())
	s.memory("c")
	s.want(exitTampered, []string{"replicate", "memory://a", "memory://c", "--key", key}, "segment-missing: log test, segment 3: test/"+chain[1].Seal.SegmentName(), "2 objects copied")
}

func TestReplicateUsage(t *testing.T) {
	s := newShop(t)
	fill(t, s.memory("a"), segments(t)...)
	s.stores["memory://b"] = memoryConfig{Store: storetest.NewMemory("b"), policy: storeconfig.Policy{RequireLock: true}}
	dir := t.TempDir()
	key := keyFile(t, "")
	for says, args := range map[string][]string{
		"TO is missing":       {"replicate", "memory://a"},
		"--key is missing":    {"replicate", "memory://a", plain(dir)},
		"same store":          {"replicate", "memory://a", "memory://a", "--key", key},
		"missing.pub":         {"replicate", "memory://a", plain(dir), "--key", "missing.pub"},
		"TO: " + dir:          {"replicate", filepath.Dir(dir), plain(dir), "--key", key},
		"?require_lock=false": {"replicate", "memory://a", "memory://b", "--key", key},
	} {
		s.want(exitUsage, args, says)
	}
}

func TestRetainCommand(t *testing.T) {
	s := newShop(t)
	m := s.memory("a")
	fill(t, m, segments(t)...)
	name := "test/" + segments(t)[0].Seal.Name()
	retained := func() store.Retention {
		info, err := m.Stat(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		return info.Retention
	}
	until := time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	s.want(exitDone, []string{"retain", "memory://a", "--until", "2031-01-01", "--dry-run"}, "6 objects would be extended")
	if !retained().IsZero() {
		t.Errorf("a dry run retains: %+v", retained())
	}
	s.want(exitDone, []string{"retain", "memory://a", "--until", "2031-01-01"}, "6 objects extended")
	if want := (store.Retention{Mode: store.ModeGovernance, Until: until}); retained() != want {
		t.Errorf("retained by %+v, want %+v", retained(), want)
	}
	s.want(exitDone, []string{"retain", "memory://a", "--days", "10", "--mode", "locked", "--json"}, `"mode": "compliance"`, `"until": "2026-03-11T13:00:00Z"`)
	if want := (store.Retention{Mode: store.ModeCompliance, Until: until}); retained() != want {
		t.Errorf("retained by %+v, want %+v", retained(), want)
	}
	s.want(exitDone, []string{"retain", "memory://a", "--legal-hold"}, "6 objects extended")
	for says, args := range map[string][]string{
		"say what to retain for": {"retain", "memory://a"},
		"exclude each other":     {"retain", "memory://a", "--days", "1", "--until", "2031-01-01"},
		"must be positive":       {"retain", "memory://a", "--days", "-1"},
		"has passed":             {"retain", "memory://a", "--until", "2020-01-01"},
		"neither a day":          {"retain", "memory://a", "--until", "tomorrow"},
		"--mode must be":         {"retain", "memory://a", "--days", "1", "--mode", "none"},
		"only object stores can": {"retain", t.TempDir(), "--days", "1"},
	} {
		s.want(exitUsage, args, says)
	}
}

// The commands are in the collector's binary, and have its exit codes.
func TestStoreCommandsAreThere(t *testing.T) {
	cmd := NewCommand(factoriesWith(&reporter{}), "v1.2.3")
	var names []string
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	for _, want := range []string{"fetch", "replicate", "retain"} {
		if !slices.Contains(names, want) {
			t.Errorf("there is no command %s: %v", want, names)
		}
	}
	cmd.SetArgs([]string{"fetch"})
	cmd.SetErr(new(bytes.Buffer))
	if code := ExitCode(cmd.Execute()); code != exitUsage {
		t.Errorf("exit %d, want %d", code, exitUsage)
	}
	if code := ExitCode(errors.New("any")); code != 1 {
		t.Errorf("exit %d after an error of the collector, want 1", code)
	}
}
