package servers

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	startLimit = 60 * time.Second // Node on a loaded machine
	stopLimit  = 15 * time.Second
	shownLog   = 8 << 10 // bytes of a server's output in a failed test's log
)

// Process is a running server. Its methods fail the test, and belong to the
// test's own goroutine.
type Process struct {
	t       testing.TB
	command func(port string) []string
	env     []string
	alive   string // path that answers any status once the server is up
	port    string
	log     string
	client  *http.Client // closed with the server, so that tests leave no goroutine

	cmd   *exec.Cmd
	ended chan struct{} // closed when cmd has ended
}

// start runs a server until the test ends. command makes its command line.
func start(t testing.TB, alive string, env []string, command func(port string) []string) *Process {
	t.Helper()
	dir := t.TempDir() // Made first, so that it is removed after the server stopped.
	p := &Process{
		t: t, command: command, alive: alive, log: filepath.Join(dir, "log"),
		client: &http.Client{Transport: &http.Transport{}},
		env:    append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir}, env...),
	}
	t.Cleanup(p.end)
	// Somebody else may take the free port before the server does.
	for range 3 {
		p.port = freePort(t)
		if p.run() {
			return p
		}
	}
	t.Fatalf("%s does not start:\n%s", p.name(), p.output())
	return nil
}

// Address is the server's host and port.
func (p *Process) Address() string { return "127.0.0.1:" + p.port }

// URL is the server's address as http://HOST:PORT.
func (p *Process) URL() string { return "http://" + p.Address() }

// Kill ends the server at once, as a crash does, and returns when it is gone.
func (p *Process) Kill() {
	p.t.Helper()
	p.signal(syscall.SIGKILL)
}

// Stop ends the server in order and returns when it is gone.
func (p *Process) Stop() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
}

// Restart starts a server again that was stopped or killed, on the same port
// and data, and returns when it answers.
func (p *Process) Restart() {
	p.t.Helper()
	p.Stop()
	for range 3 {
		if p.run() {
			return
		}
	}
	p.t.Fatalf("%s does not start again on port %s:\n%s", p.name(), p.port, p.output())
}

func (p *Process) name() string { return filepath.Base(p.command(p.port)[0]) }

// run starts the server and waits until it answers. It returns false if the
// server ended before that.
func (p *Process) run() bool {
	p.t.Helper()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	defer log.Close()
	args := p.command(p.port)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = p.env, filepath.Dir(p.log), log, log
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		p.t.Fatalf("start %s: %v", args[0], err)
	}
	p.cmd, p.ended = cmd, make(chan struct{})
	go func(ended chan struct{}) {
		defer close(ended)
		_ = cmd.Wait() // How it ended is of no interest: the test ends it.
	}(p.ended)
	return p.answers()
}

// answers waits until the server answers, and is not another one at its port.
func (p *Process) answers() bool {
	p.t.Helper()
	client := *p.client
	client.Timeout = time.Second
	for deadline := time.Now().Add(startLimit); time.Now().Before(deadline); {
		select {
		case <-p.ended:
			return false
		case <-time.After(20 * time.Millisecond):
		}
		resp, err := client.Get(p.URL() + p.alive)
		if err != nil {
			continue
		}
		_, err = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if err == nil && resp.StatusCode != http.StatusServiceUnavailable {
			return p.running()
		}
	}
	p.t.Fatalf("%s does not answer within %v:\n%s", p.name(), startLimit, p.output())
	return false
}

func (p *Process) running() bool {
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

func (p *Process) signal(s syscall.Signal) {
	p.t.Helper()
	if !p.running() {
		return
	}
	defer p.client.CloseIdleConnections()
	signalGroup(p.cmd, s)
	select {
	case <-p.ended:
	case <-time.After(stopLimit):
		signalGroup(p.cmd, syscall.SIGKILL)
		<-p.ended
		p.t.Errorf("%s did not end within %v and was killed", p.name(), stopLimit)
	}
}

// end stops the server for good. Nothing of it is wanted any more.
func (p *Process) end() {
	p.Kill()
	if p.t.Failed() {
		p.t.Logf("the output of %s:\n%s", p.name(), p.output())
	}
}

// output returns the end of what the server said.
func (p *Process) output() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return fmt.Sprint("no output: ", err)
	}
	return strings.ToValidUTF8(string(text[max(0, len(text)-shownLog):]), "?")
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}
