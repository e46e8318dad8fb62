package distro

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/keyfile"
	"github.com/otelcol-custody/custody/internal/sealer"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/tree"
	"github.com/otelcol-custody/custody/ledger/verify"
)

// away is what a sealer delivers to while all stores are away.
type away struct{}

var errAway = errors.New("all stores are away")

func (away) Deliver(context.Context, *delivery.Objects) (int, int, error) { return 0, 1, errAway }
func (away) Probe(context.Context, *delivery.Probe) (int, int, error)     { return 0, 1, errAway }
func (away) Checkpoint(context.Context, []byte) error                     { return errAway }
func (away) Records(context.Context, *seal.Verified, *tree.Seed, []byte) error {
	return errAway
}

// deaf is an observer that does nothing.
type deaf struct{}

func (deaf) Sealed(*seal.Verified, int64)          {}
func (deaf) Waiting(int)                           {}
func (deaf) Stored(*seal.Head, int, time.Duration) {}
func (deaf) Trouble(string, error)                 {}
func (deaf) Better(string)                         {}
func (deaf) Fatal(error)                           {}
func (deaf) Notice(string)                         {}
func (deaf) Synced(time.Duration)                  {}

// backlog leaves a state directory whose segments no store has.
func backlog(t *testing.T, dir string, records int) {
	t.Helper()
	signer, err := keyfile.ReadSigner(filepath.Join(dir, "log.key"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := sealer.Open(sealer.Config{
		Log: "test", Signer: signer, Dir: filepath.Join(dir, "state"), Genesis: true, Software: "test",
		MaxBytes: 100, MaxAge: time.Minute, Heartbeat: time.Hour, Checkpoint: time.Second, AckTimeout: time.Minute,
	}, away{}, deaf{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range records {
		b := &sealer.Batch{}
		b.Add(fmt.Appendf(nil, `{"body":"event %d"}`, i), "test", false)
		if err := s.Append(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
}

// logCommand runs recover or drain and returns the exit code and what it says.
func logCommand(t *testing.T, ctx context.Context, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := NewCommand(sealing, "v1.2.3")
	var out, notes bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&notes)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(ctx)
	return ExitCode(err), out.String(), notes.String()
}

func wantSays(t *testing.T, said string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(said, word) {
			t.Errorf("it does not say %q:\n%s", word, said)
		}
	}
}

func TestDrainCommand(t *testing.T) {
	dir := site(t)
	args := []string{"drain", "--config", "yaml:" + siteConfig(dir), "--log", "test"}
	code, _, notes := logCommand(t, t.Context(), args...)
	if code != exitUsage {
		t.Errorf("without a state directory: exit %d", code)
	}
	wantSays(t, notes, "state_dir:", "nothing to drain")

	backlog(t, dir, 20)
	code, out, notes := logCommand(t, t.Context(), args...)
	if code != exitDone {
		t.Fatalf("exit %d:\n%s%s", code, out, notes)
	}
	wantSays(t, out, "log test is drained and has ended with", "root ")
	size := uint64(0)
	for _, store := range []string{"a", "b"} {
		size = wantDrained(t, dir, store, 20)
	}
	wantSays(t, out, fmt.Sprintf("%d records", size))

	code, out, notes = logCommand(t, t.Context(), append(args, "--quiet")...)
	if code != exitDone || notes != "" {
		t.Errorf("drained again: exit %d:\n%s", code, notes)
	}
	wantSays(t, out, fmt.Sprintf("%d records", size))
}

// wantDrained wants a store to hold the whole log, and returns its size.
func wantDrained(t *testing.T, dir, store string, least uint64) uint64 {
	t.Helper()
	keys, err := keyfile.ReadKeys(filepath.Join(dir, "log.pub"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := verify.Log(t.Context(), os.DirFS(filepath.Join(dir, store, "test")), "test", verify.Options{Keys: keys, Now: time.Now()})
	if err != nil || r.Tampered() || !r.Complete() || !r.Ended || r.Records < least {
		t.Fatalf("store %s: %v, %+v", store, err, r)
	}
	return r.Records
}

// Interrupted, it stops in order and says what still waits.
func TestDrainInterrupted(t *testing.T) {
	dir := site(t)
	backlog(t, dir, 5)
	// The exporters trust another key: they take nothing.
	text := strings.ReplaceAll(siteConfig(dir), filepath.Join(dir, "log.pub"), keyFile(t, "other"))
	args := []string{"drain", "--config", "yaml:" + text, "--log", "test"}
	code, _, notes := logCommand(t, t.Context(), append(args, "--timeout", "3s")...)
	if code != exitUnfinished {
		t.Errorf("exit %d, want %d", code, exitUnfinished)
	}
	wantSays(t, notes, "not drained in 3s", "segments wait", "log_keys", "run the command again", "NOT DRAINED")

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if code, _, notes = logCommand(t, ctx, append(args, "--quiet")...); code != exitUnfinished {
		t.Errorf("exit %d, want %d", code, exitUnfinished)
	}
	wantSays(t, notes, "segments wait", "NOT DRAINED")

	args[2] = "yaml:" + siteConfig(dir)
	if code, _, notes = logCommand(t, t.Context(), args...); code != exitDone {
		t.Errorf("in the end: exit %d:\n%s", code, notes)
	}
	wantDrained(t, dir, "a", 5)
}

// Whoever has another history in its store is not drained into it.
func TestDrainIntoFork(t *testing.T) {
	dir := site(t)
	args := []string{"drain", "--config", "yaml:" + siteConfig(dir), "--log", "test"}
	for _, want := range []int{exitDone, exitTampered} { // The second log has the same name and key.
		backlog(t, dir, 20)
		code, _, notes := logCommand(t, t.Context(), args...)
		if code != want {
			t.Fatalf("exit %d, want %d:\n%s", code, want, notes)
		}
		if want == exitTampered {
			wantSays(t, notes, "is forked", "NOT DRAINED")
		}
		if err := os.RemoveAll(filepath.Join(dir, "state")); err != nil {
			t.Fatal(err)
		}
	}
}
