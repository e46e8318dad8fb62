package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// clockEnv names a file whose modification time, in seconds, is by how much the
// clock of a program of [withClock] is ahead.
const clockEnv = "CUSTODY_CLOCK"

// The runtime calls Now where there is no room for a system call, so the file is
// looked at elsewhere.
const shift = `package time

import (
	"sync/atomic"
	"syscall"
)

var by atomic.Int64

func shifted() int64 { return by.Load() }

func init() {
	file, found := syscall.Getenv("` + clockEnv + `")
	if !found {
		return
	}
	look := func() {
		var st syscall.Stat_t
		if syscall.Stat(file, &st) == nil {
			by.Store(st.Mtim.Sec)
		}
	}
	look()
	go func() {
		for ; ; Sleep(100 * Millisecond) {
			look()
		}
	}()
}
`

// withClock builds the collector with another time.Now, which a test can set while
// it runs. The Go library is laid over, no source of ours knows of it.
func withClock(t *testing.T) string {
	t.Helper()
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir, lib := t.TempDir(), filepath.Join(string(bytes.TrimSpace(goroot)), "src/time")
	source, err := os.ReadFile(filepath.Join(lib, "time.go"))
	if err != nil {
		t.Fatal(err)
	}
	const call = "sec, nsec, mono := runtimeNow()\n"
	if bytes.Count(source, []byte("func Now() Time {\n\t"+call)) != 1 {
		t.Fatal("time.Now of this Go is another one: mend withClock")
	}
	source = bytes.Replace(source, []byte(call), []byte(call+"\tsec += shifted()\n"), 1)
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(lib, "time.go"): write(t, dir, "time.go", source), filepath.Join(lib, "shifted.go"): write(t, dir, "shifted.go", []byte(shift)),
	}})
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(dir, "otelcol-custody")
	cmd := exec.Command("go", "build", "-overlay", write(t, dir, "overlay.json", overlay), "-o", bin, ".")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return bin
}

func write(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A clock is what a program takes for the time.
type clock struct{ file string }

func newClock(t *testing.T, dir string) clock {
	t.Helper()
	c := clock{write(t, dir, "clock", nil)}
	c.set(t, 0)
	return c
}

// set puts the clock ahead, or back.
func (c clock) set(t *testing.T, by time.Duration) {
	t.Helper()
	at := time.Unix(int64(by/time.Second), 0)
	if err := os.Chtimes(c.file, at, at); err != nil {
		t.Fatal(err)
	}
}
