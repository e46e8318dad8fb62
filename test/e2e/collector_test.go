package e2e

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long anything may take on a slow machine.
const patience = 60 * time.Second

// A collector is a running otelcol-custody.
type collector struct {
	home *home
	cmd  *exec.Cmd
	log  *output
	done chan struct{} // closed when it has exited
}

// output is what a process wrote; it may be read while it writes.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// launch starts the collector and does not wait for it.
func launch(t *testing.T, h *home, overlays ...string) *collector {
	t.Helper()
	return launchAs(t, h, collectorBin, append([]string{"--plain"}, h.args(t, overlays...)...))
}

// launchAs starts a program that is the collector, or becomes it. What it said is
// shown when the test fails; it never outlives the test.
func launchAs(t *testing.T, h *home, bin string, args []string) *collector {
	t.Helper()
	c := &collector{home: h, log: &output{}, done: make(chan struct{})}
	c.cmd = exec.Command(bin, args...)
	c.cmd.Dir, c.cmd.Env = h.dir, h.env()
	c.cmd.Stdout, c.cmd.Stderr = c.log, c.log
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = c.cmd.Wait() // Its verdict is in ProcessState.
		close(c.done)
	}()
	t.Cleanup(func() {
		c.kill()
		if t.Failed() {
			t.Logf("collector in %s said:\n%s", h.dir, tail(c.log.String()))
		}
	})
	return c
}

// start launches the collector and waits until its health is good.
func start(t *testing.T, h *home, overlays ...string) *collector {
	t.Helper()
	c := launch(t, h, overlays...)
	c.awaitHealth(t, http.StatusOK)
	return c
}

func (c *collector) kill() {
	select {
	case <-c.done: // The process group may be somebody else's by now.
		return
	default:
	}
	_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL)
	<-c.done
}

func (c *collector) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		t.Fatalf("signal %v: %v", s, err)
	}
}

// stop sends SIGTERM and wants exit status 0.
func (c *collector) stop(t *testing.T) {
	t.Helper()
	c.signal(t, syscall.SIGTERM)
	if code := c.exit(t); code != 0 {
		t.Fatalf("exit status %d after SIGTERM", code)
	}
}

// exit waits for the exit status.
func (c *collector) exit(t *testing.T) int {
	t.Helper()
	select {
	case <-c.done:
		return c.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		t.Fatalf("still running after %v", patience)
		return 0
	}
}

// status asks the health extension; code 0 means no answer.
func (c *collector) status() (code int, body string) {
	resp, err := http.Get("http://" + c.home.health + "/status?verbose")
	if err != nil {
		return 0, err.Error()
	}
	b, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(b)
}

// awaitHealth waits for a status code and returns what came with it.
func (c *collector) awaitHealth(t *testing.T, want int) string {
	t.Helper()
	var body string
	eventually(t, "health "+http.StatusText(want), func() bool {
		select {
		case <-c.done:
			t.Fatalf("the collector exited with %d", c.cmd.ProcessState.ExitCode())
		default:
		}
		code, b := c.status()
		body = b
		return code == want
	})
	return body
}

// awaitSaid waits until the log has all the words, in any order.
func (c *collector) awaitSaid(t *testing.T, words ...string) {
	t.Helper()
	eventually(t, "the words "+strings.Join(words, ", "), func() bool { return len(missing(c.log.String(), words)) == 0 })
}

func missing(text string, words []string) []string {
	var out []string
	for _, w := range words {
		if !strings.Contains(text, w) {
			out = append(out, w)
		}
	}
	return out
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(25 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited %v in vain for %s", patience, what)
}

func tail(s string) string {
	const most = 20000
	if len(s) > most {
		return "…" + s[len(s)-most:]
	}
	return s
}
