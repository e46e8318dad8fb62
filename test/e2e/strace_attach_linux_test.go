package e2e

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// attach puts faults on a running collector until the function that it returns
// is called.
func attach(t *testing.T, c *collector, injections ...string) (detach func()) {
	t.Helper()
	args := []string{"-f", "-o", "/dev/null", "--signal=none"}
	for _, i := range injections {
		args = append(args, "--inject="+i)
	}
	cmd := exec.Command("strace", append(args, "-p", strconv.Itoa(c.cmd.Process.Pid))...)
	said := &output{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	detach = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // It may have ended with the collector.
		select {
		case <-ended:
		case <-time.After(5 * time.Second): // It keeps a dead process until its delay is over.
			_ = cmd.Process.Kill()
			<-ended
		}
	}
	t.Cleanup(detach)
	eventually(t, "strace", func() bool {
		select {
		case <-ended:
			t.Fatalf("strace cannot attach to a process (not root? then kernel.yama.ptrace_scope has to be 0): %s", said)
		default:
		}
		return strings.Contains(said.String(), "attached")
	})
	return detach
}

// readOnly are faults as of a disk that became read-only. What opens and what
// writes is left out: strace cannot tell files to read, or sockets, from others.
var readOnly = []string{"pwrite64,fdatasync,fsync,renameat,linkat,unlinkat,mkdirat,ftruncate:error=EROFS"}

// A disk that becomes read-only presses back, and health and metrics say why; once
// it is writable everything goes on by itself, and nothing is lost.
func TestReadOnlyDisk(t *testing.T) {
	t.Parallel()
	needStrace(t)
	h := newHome(t, "")
	c := start(t, h)
	b, s := newBook(), byHTTP(t, h.http)
	if err := b.deliver(t.Context(), s, []string{"before"}, 10); err != nil {
		t.Fatal(err)
	}
	detach := attach(t, c, readOnly...)
	var refusal string
	for range 10 {
		refusal = refused(t, b, s)
	}
	if lost := missing(refusal, []string{"503", "journal", "read-only file system"}); len(lost) > 0 {
		t.Errorf("the sender is not told %q: %s", lost, refusal)
	}
	t.Logf("the sender was told: %s", h.said(refusal))
	wantSaid(t, reasons(h.said(c.awaitHealth(t, http.StatusInternalServerError))), "processor:hash_chain", "read-only file system")
	for name, label := range map[string]string{"otelcol_hash_chain_troubles": `what="journal"`, "otelcol_hash_chain_refused": `reason="journal"`} {
		if c.counter(t, name, label) == 0 {
			t.Errorf("%s does not count %s", name, label)
		}
	}
	detach()
	recovers(t, c, b, s)
}

// refused sends until a request is refused, and returns the words.
func refused(t *testing.T, b *book, s send) (words string) {
	t.Helper()
	eventually(t, "a refusal", func() bool {
		err := b.deliver(t.Context(), s, []string{fmt.Sprint("refused-", time.Now().UnixNano())}, 10)
		if err != nil {
			words = err.Error()
		}
		return err != nil
	})
	return words
}

// counter adds up the values of a metric that have a label.
func (c *collector) counter(t *testing.T, name, label string) (sum float64) {
	t.Helper()
	resp, err := http.Get("http://127.0.0.1:" + c.home.metricsPort + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		line := lines.Text()
		if !strings.HasPrefix(line, name) || !strings.Contains(line, label) {
			continue
		}
		value, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		sum += value
	}
	return sum
}

// A disk that never answers does not keep the collector from ending, and costs
// nothing that was answered.
func TestHungDisk(t *testing.T) {
	t.Parallel()
	needStrace(t)
	h := newHome(t, "")
	c := start(t, h)
	b, s := newBook(), byHTTP(t, h.http)
	if err := b.deliver(t.Context(), s, []string{"before"}, 10); err != nil {
		t.Fatal(err)
	}
	detach := attach(t, c, "fdatasync:delay_enter=3600s")
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := b.deliver(ctx, s, []string{"waits"}, 10); err == nil {
		t.Fatal("answered, though the disk did not")
	}
	asked := time.Now()
	c.signal(t, syscall.SIGTERM)
	c.awaitSaid(t, "othing that was answered is lost")
	t.Logf("%v after SIGTERM it said:\n%s", time.Since(asked).Round(time.Second), h.said(c.log.String()))
	detach()
	if code := c.exit(t); code != 1 {
		t.Errorf("exit status %d", code)
	}
	start(t, h).stop(t)
	verify(t, 0, h.store(), h.pub())
	b.check(t, readStore(t, h.store()))
}
