package durable_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/durable/durabletest"
)

// lockHelper names the lock that a child process takes and holds until its
// standard input ends.
const lockHelper = "DURABLE_TEST_LOCK"

func TestMain(m *testing.M) {
	if path := os.Getenv(lockHelper); path != "" {
		l, err := durable.Lock(path)
		fmt.Println("locked:", err)
		_, _ = os.Stdin.Read(make([]byte, 1))
		if err == nil {
			l.Close()
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestFailedSyncSticks(t *testing.T) {
	m := begin(t, nil)
	f, err := m.OpenFile("/d/f", os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(ignore(f.Write([]byte("safe "))), f.Sync(), m.SyncDir("/d"), ignore(f.Write([]byte("lost")))); err != nil {
		t.Fatal(err)
	}
	m.Inject(durabletest.Fault{Op: durabletest.OpSync})
	if err := f.Sync(); !errors.Is(err, durable.ErrFailed) || !errors.Is(err, syscall.EIO) {
		t.Fatalf("Sync: %v, want ErrFailed and EIO", err)
	}
	calls := len(m.Calls())
	for name, err := range map[string]error{
		"Sync": f.Sync(), "Write": ignore(f.Write([]byte("x"))), "WriteAt": ignore(f.WriteAt([]byte("x"), 0)),
		"Read": ignore(f.Read(make([]byte, 1))), "ReadAt": ignore(f.ReadAt(make([]byte, 1), 0)),
		"Seek": ignore(f.Seek(0, 0)), "Truncate": f.Truncate(0), "Stat": ignore(f.Stat()),
	} {
		if !errors.Is(err, durable.ErrFailed) {
			t.Errorf("%s after a failed Sync: %v, want ErrFailed", name, err)
		}
	}
	if after := len(m.Calls()); after != calls {
		t.Errorf("%d calls reached the file after a failed Sync", after-calls)
	}
	if err := f.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}

	// Another handle syncs without an error, but the pages are lost.
	g, err := m.OpenFile("/d/f", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Sync(); err != nil {
		t.Fatal(err)
	}
	if got := read(t, m, "/d/f"); string(got) != "safe lost" {
		t.Errorf("before the crash it reads %q", got)
	}
	if got := read(t, m.Crash(), "/d/f"); string(got) != "safe " {
		t.Errorf("after the crash it reads %q, want what the first Sync wrote", got)
	}
}

func ignore[T any](_ T, err error) error { return err }

func TestOS(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	if err := durable.MkdirAll(durable.OS, dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "f")
	if err := durable.CreateOnly(durable.OS, path, content, 0o444); err != nil {
		t.Fatal(err)
	}
	if err := durable.CreateOnly(durable.OS, path, content, 0o444); !errors.Is(err, fs.ErrExist) {
		t.Errorf("again: %v, want %v", err, fs.ErrExist)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o444 {
		t.Errorf("mode %v, %v; want 0444", info.Mode(), err)
	}
	if err := durable.WriteFile(durable.OS, path, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "new" {
		t.Errorf("after WriteFile: %q, %v", got, err)
	}
	tmp := durable.TempName(path)
	if err := os.WriteFile(tmp, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := durable.SweepTemp(durable.OS, dir); n != 1 || err != nil {
		t.Errorf("SweepTemp: %d, %v; want 1", n, err)
	}
	if err := durable.Remove(durable.OS, path); err != nil {
		t.Fatal(err)
	}
	if err := durable.Remove(durable.OS, path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Remove again: %v, want %v", err, fs.ErrNotExist)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestOSRenameNoReplace(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	for _, p := range []string{a, b} {
		if err := os.WriteFile(p, []byte(filepath.Base(p)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	err := durable.OS.RenameNoReplace(a, b)
	if !errors.Is(err, fs.ErrExist) && !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("error %v, want %v", err, fs.ErrExist)
	}
	if got, _ := os.ReadFile(b); string(got) != "b" {
		t.Errorf("b now holds %q", got)
	}
}

func TestOSRacingCreators(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	var won atomic.Int64
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			err := durable.CreateOnly(durable.OS, path, bytes.Repeat([]byte{byte(i)}, 5000), 0o444)
			if err == nil {
				won.Add(1)
			} else if !errors.Is(err, fs.ErrExist) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got, err := os.ReadFile(path)
	if err != nil || won.Load() != 1 || len(got) != 5000 || !bytes.Equal(got, bytes.Repeat(got[:1], 5000)) {
		t.Errorf("%d winners, %d bytes, %v", won.Load(), len(got), err)
	}
}

func TestLockWithinOneProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	for range 3 { // as reloads do
		l, err := durable.Lock(path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = durable.Lock(path)
		var held *durable.LockedError
		if !errors.As(err, &held) || !errors.Is(err, durable.ErrLocked) || held.PID != os.Getpid() {
			t.Errorf("second Lock: %v, want a LockedError naming %d", err, os.Getpid())
		} else if !strings.Contains(err.Error(), "use one component for all") || !strings.Contains(err.Error(), path) {
			t.Errorf("the message gives no way out: %v", err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLockAcrossProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), lockHelper+"="+path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	if n, err := out.Read(b); err != nil || !strings.HasPrefix(string(b[:n]), "locked: <nil>") {
		t.Fatalf("the child says %q, %v", b[:n], err)
	}
	_, err = durable.Lock(path)
	var held *durable.LockedError
	if !errors.As(err, &held) || held.PID != cmd.Process.Pid || !strings.Contains(err.Error(), fmt.Sprint("process ", held.PID)) {
		t.Errorf("Lock: %v, want a LockedError naming %d", err, cmd.Process.Pid)
	}
	if err := cmd.Process.Kill(); err != nil { // the lock ends however the process ends
		t.Fatal(err)
	}
	in.Close()
	_ = cmd.Wait() // killed
	l, err := durable.Lock(path)
	if err != nil {
		t.Fatalf("after the holder died: %v", err)
	}
	l.Close()
}

func TestIsTemp(t *testing.T) {
	if name := filepath.Base(durable.TempName("/x/y")); !durable.IsTemp(name) {
		t.Errorf("IsTemp(%q) is false for a name that TempName gave", name)
	}
	for _, name := range []string{"", ".durable-tmp", ".0123456789abcdeg.durable-tmp", "0123456789abcdef.durable-tmp", ".0123456789abcdef.tmp", "head"} {
		if durable.IsTemp(name) {
			t.Errorf("IsTemp(%q) is true", name)
		}
	}
}

func TestSweepTempLeavesOthers(t *testing.T) {
	m := begin(t, []byte("x"))
	if err := m.Mkdir(durable.TempName("/d/x"), 0o755); err != nil {
		t.Fatal(err)
	}
	if n, err := durable.SweepTemp(m, "/d"); n != 0 || err != nil {
		t.Errorf("SweepTemp: %d, %v; want 0", n, err)
	}
}
