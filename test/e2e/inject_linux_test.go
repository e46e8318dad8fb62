package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// fileCalls are the calls by which the collector changes files, with those that
// make a name or a change durable. That strace knows them all is seen at once:
// it refuses a name that it does not know.
var fileCalls = []string{
	"openat", "mkdirat", "write", "pwrite64", "ftruncate", "fsync", "fdatasync", "renameat", "linkat", "unlinkat", "close",
}

// Faults. A killed call is not made: strace sends the signal on entering it.
const (
	killed = "SIGKILL"
	ioFail = "EIO"
	full   = "ENOSPC"
)

var diskFaults = []string{ioFail, full, killed}

// An injection is what strace does to calls: to the nth of each thread, or to all
// from the nth to the last one. So several calls of one run may be hit.
type injection struct {
	call, fault string
	nth, last   int
	path        string // within the home; only calls on it count. "": on any file
}

// forever is the last call of a fault that only a restart mends.
const forever = 1 << 30

func (i injection) when() string {
	switch i.last {
	case i.nth:
		return strconv.Itoa(i.nth)
	case forever:
		return fmt.Sprintf("%d+", i.nth)
	}
	return fmt.Sprintf("%d..%d", i.nth, i.last)
}

func (i injection) String() string {
	if i.fault == "" {
		return "no fault"
	}
	return strings.TrimSpace(fmt.Sprintf("%s at %s %s %s", i.fault, i.call, i.when(), i.path))
}

// flags are strace's. Without a filter in the kernel every call stops, which is
// slow; with one, strace 6.1 does not send signals.
func (i injection) flags() []string {
	switch i.fault {
	case "":
		return []string{"--seccomp-bpf"}
	case killed:
		return []string{"--inject=" + i.call + ":signal=" + killed + ":when=" + i.when()}
	}
	return []string{"--seccomp-bpf", "--inject=" + i.call + ":error=" + i.fault + ":when=" + i.when()}
}

// needStrace fails a test that cannot trace, and says what is missing.
func needStrace(t *testing.T) {
	t.Helper()
	out, err := exec.Command("strace", "-f", "-o", "/dev/null", "--seccomp-bpf", "/bin/true").CombinedOutput()
	if err != nil {
		t.Fatalf("strace: %v: %s\nInstall strace 6.1 or newer (Debian: apt-get install strace); in a container permit ptrace (--cap-add=SYS_PTRACE)", err, out)
	}
}

// traced launches the collector under strace, from its first instruction to its
// last. Strace writes a file for each thread below dir, and is the collector's
// child, not its parent: signals and exit status are the collector's.
func traced(t *testing.T, h *home, dir string, i injection, config string) *collector {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	args := []string{"-D", "-f", "-ff", "-y", "-ttt", "-o", dir + "/thread", "--trace=" + strings.Join(fileCalls, ","), "--signal=none"}
	args = append(args, i.flags()...)
	if i.path != "" {
		args = append(args, "-P", h.path(i.path))
	}
	return launchAs(t, h, "strace", append(args, collectorBin, "--plain", "--config", config))
}
