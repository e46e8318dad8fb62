package e2e

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

const namespaceEnv = "CUSTODY_E2E_NAMESPACE"

// A full disk presses back and says so, and loses nothing; with space everything
// goes on by itself. The disks are small tmpfs mounts, which only a mount
// namespace of its own lets anybody make without leaving a trace.
func TestFullDisk(t *testing.T) {
	if os.Getenv(namespaceEnv) == "" {
		t.Parallel()
		inNamespace(t)
		return
	}
	t.Run("of the store", fullStore)
	t.Run("of the state", fullState)
	t.Run("of everything", fullHome)
	t.Run("without inodes for the store", storeWithoutInodes)
	t.Run("without inodes for the state", stateWithoutInodes)
	t.Run("read-only store", readOnlyStore)
}

// inNamespace runs this very test in a mount namespace, as its root.
func inNamespace(t *testing.T) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestFullDisk$", "-test.v")
	cmd.Env = append(os.Environ(), namespaceEnv+"=1", binEnv+"="+filepath.Dir(collectorBin))
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if uid := os.Geteuid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("in a mount namespace (not root? then user namespaces have to be permitted): %v", err)
	}
	t.Logf("%s", out)
}

// A disk is a small file system that can be filled up: with bytes, or with names
// if it has few inodes.
type disk struct {
	dir    string
	inodes bool
}

func newDisk(t *testing.T, dir string, mib int) *disk {
	t.Helper()
	mount(t, "tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", mib))
	return &disk{dir: dir}
}

func newDiskOfInodes(t *testing.T, dir string) *disk {
	t.Helper()
	mount(t, "tmpfs", dir, "tmpfs", 0, "size=64m,nr_inodes=200")
	return &disk{dir: dir, inodes: true}
}

func mount(t *testing.T, source, dir, kind string, flags uintptr, options string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount(source, dir, kind, flags, options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// fill leaves no byte, or no inode.
func (d *disk) fill(t *testing.T) {
	t.Helper()
	err := error(nil)
	for n := 0; err == nil; n++ {
		err = d.ballast(n)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

func (d *disk) ballast(n int) error {
	f, err := os.Create(filepath.Join(d.dir, fmt.Sprint("ballast-", n)))
	if err != nil {
		return err
	}
	block := make([]byte, 4096)
	for err == nil && !d.inodes {
		_, err = f.Write(block)
	}
	return errors.Join(err, f.Close())
}

func (d *disk) free(t *testing.T) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(d.dir, "ballast-*"))
	done(t, err)
	for _, name := range names {
		done(t, os.Remove(name))
	}
}

// largeIDs are names that make a request large, whatever compresses it.
func largeIDs(n int) []string {
	var ids []string
	for range 64 {
		b := make([]byte, 1024)
		_, _ = rand.Read(b)
		ids = append(ids, fmt.Sprintf("%d-%s", n, hex.EncodeToString(b)))
	}
	return ids
}

// sendUntilRefused sends until the collector presses back, and returns its words.
func sendUntilRefused(t *testing.T, b *book, s send) string {
	t.Helper()
	for n := range 1000 {
		if err := b.deliver(t.Context(), s, largeIDs(n), 1); err != nil {
			return err.Error()
		}
	}
	t.Fatal("a full disk took everything")
	return ""
}

const smallSpool = `processors: {hash_chain: {segment: {max_size_mib: 1}, spool: {max_size_mib: 4}}}`

func fullStore(t *testing.T) {
	h := newHome(t, "")
	d := newDisk(t, h.store(), 64)
	c := start(t, h, smallSpool)
	b, s := newBook(), byGRPC(t, h.grpc)
	if err := b.deliver(t.Context(), s, []string{"first"}, 10); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a seal", func() bool { return sealCount(h.store()) > 0 })
	d.fill(t)
	refusal := sendUntilRefused(t, b, s)
	if lost := missing(refusal, []string{"Unavailable", "the spool is full"}); len(lost) > 0 {
		t.Errorf("the sender is not told %q: %s", lost, refusal)
	}
	t.Logf("the sender was told: %s", h.said(refusal))
	body := c.awaitHealth(t, http.StatusInternalServerError)
	wantSaid(t, reasons(h.said(body)), "exporter:file_worm", "no space left on device")
	c.counts(t, `reason="full"`, `what="intake"`, `what="delivery"`)
	taken := b.answers()
	if taken < 500 {
		t.Errorf("only %d records were taken before the spool was full", taken)
	}
	d.free(t)
	recovers(t, c, b, s)
}

func fullState(t *testing.T) {
	h := newHome(t, "")
	d := newDisk(t, h.path("state"), 64)
	c := start(t, h, smallSpool)
	b, s := newBook(), byGRPC(t, h.grpc)
	if err := b.deliver(t.Context(), s, []string{"first"}, 10); err != nil {
		t.Fatal(err)
	}
	d.fill(t)
	refusal := sendUntilRefused(t, b, s)
	if lost := missing(refusal, []string{"Unavailable", "no space left on device"}); len(lost) > 0 {
		t.Errorf("the sender is not told %q: %s", lost, refusal)
	}
	t.Logf("the sender was told: %s", h.said(refusal))
	wantSaid(t, reasons(h.said(c.awaitHealth(t, http.StatusInternalServerError))), "processor:hash_chain", "no space left on device")
	c.counts(t, `reason="journal"`, `what="journal"`)
	d.free(t)
	recovers(t, c, b, s)
}

// counts wants records counted as refused for a reason, and faults as retried.
func (c *collector) counts(t *testing.T, reason string, whats ...string) {
	t.Helper()
	eventually(t, "refusals with "+reason, func() bool { return c.counter(t, "otelcol_hash_chain_refused", reason) > 0 })
	for _, what := range whats {
		eventually(t, "troubles with "+what, func() bool { return c.counter(t, "otelcol_hash_chain_troubles", what) > 0 })
	}
}

// storeWithoutInodes has space, and no name can be made.
func storeWithoutInodes(t *testing.T) {
	h := newHome(t, "")
	pressed(t, h, newDiskOfInodes(t, h.store()), "the spool is full", `reason="full"`, `what="intake"`, `what="delivery"`)
}

func stateWithoutInodes(t *testing.T) {
	h := newHome(t, "")
	pressed(t, h, newDiskOfInodes(t, h.path("state")), "no space left on device", `reason="journal"`, `what="journal"`)
}

// pressed fills the disk under a collector, which says why it refuses, and wants
// it to recover.
func pressed(t *testing.T, h *home, d *disk, why, reason string, whats ...string) {
	t.Helper()
	c := start(t, h, smallSpool)
	b, s := newBook(), byGRPC(t, h.grpc)
	b.mustDeliver(t, s, "first")
	d.fill(t)
	refusal := sendUntilRefused(t, b, s)
	wantSaid(t, h.said(refusal), "Unavailable", why)
	wantSaid(t, reasons(h.said(c.awaitHealth(t, http.StatusInternalServerError))), "no space left on device")
	c.counts(t, reason, whats...)
	d.free(t)
	recovers(t, c, b, s)
}

// readOnlyStore is what a file system becomes that has seen errors.
func readOnlyStore(t *testing.T) {
	h := newHome(t, "")
	c := start(t, h, smallSpool)
	b, s := newBook(), byGRPC(t, h.grpc)
	b.mustDeliver(t, s, "first")
	eventually(t, "a seal", func() bool { return sealCount(h.store()) > 0 })
	// Laid over itself: what is open for writing keeps others from being remounted.
	done(t, syscall.Mount(h.store(), h.store(), "", syscall.MS_BIND, ""))
	done(t, syscall.Mount("", h.store(), "", syscall.MS_REMOUNT|syscall.MS_BIND|syscall.MS_RDONLY, ""))
	refusal := sendUntilRefused(t, b, s)
	wantSaid(t, h.said(refusal), "Unavailable", "the spool is full")
	wantSaid(t, reasons(h.said(c.awaitHealth(t, http.StatusInternalServerError))), "exporter:file_worm", "read-only file system")
	c.counts(t, `reason="full"`, `what="intake"`, `what="delivery"`)
	done(t, syscall.Unmount(h.store(), syscall.MNT_DETACH))
	recovers(t, c, b, s)
}

// The spool's limit is reached though the disk has space, since the store is away.
func TestSpoolLimit(t *testing.T) {
	t.Parallel()
	h := newHome(t, "")
	c := start(t, h, smallSpool)
	b, s := newBook(), byGRPC(t, h.grpc)
	b.mustDeliver(t, s, "first")
	eventually(t, "a seal", func() bool { return sealCount(h.store()) > 0 })
	away := h.path("away")
	done(t, os.Rename(h.store(), away))
	refusal := sendUntilRefused(t, b, s)
	wantSaid(t, h.said(refusal), "Unavailable", "the spool is full", "$CUSTODY_HOME/state", "the limit is 4 MiB", "empties by itself")
	wantSaid(t, reasons(h.said(c.awaitHealth(t, http.StatusInternalServerError))), "exporter:file_worm", "is gone")
	c.counts(t, `reason="full"`, `what="intake"`, `what="delivery"`)
	done(t, os.Rename(away, h.store()))
	recovers(t, c, b, s)
}

// fullHome has state, positions and store on one disk, and files to read.
func fullHome(t *testing.T) {
	dir := t.TempDir()
	d := newDisk(t, dir, 64)
	h := homeIn(t, dir, "")
	done(t, os.Rename(h.in, h.path("unused")))
	h.in = t.TempDir()
	c := start(t, h)
	d.fill(t)
	examples := fromRoot(t, "examples/cloudtrail")
	done(t, os.CopyFS(h.in, os.DirFS(examples)))
	wantSaid(t, reasons(h.said(c.awaitHealth(t, http.StatusInternalServerError))),
		"receiver:aws_cloudtrail", "reading waits", "no space left on device")
	d.free(t)
	events := readEvents(t, examples)
	awaitEvents(t, h, len(events))
	c.awaitHealth(t, http.StatusOK)
	c.stop(t)
	verify(t, 0, h.store(), h.pub())
	wantEvents(t, h, events)
	t.Logf("said:\n%s", h.said(c.log.String()))
}

// recovers wants everything to go on without a restart.
func recovers(t *testing.T, c *collector, b *book, s send) {
	t.Helper()
	eventually(t, "an answer", func() bool {
		return b.deliver(t.Context(), s, []string{fmt.Sprint("after-", time.Now().UnixNano())}, 10) == nil
	})
	c.awaitHealth(t, http.StatusOK)
	c.stop(t)
	verify(t, 0, c.home.store(), c.home.pub())
	b.check(t, readStore(t, c.home.store()))
	t.Logf("said:\n%s", c.home.said(c.log.String()))
}
