package awstest

import (
	"bufio"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// MotoAccount is the account of everything in moto.
const MotoAccount = "123456789012"

const (
	motoStart = 60 * time.Second // Python on a loaded machine
	motoStop  = 15 * time.Second
	motoLog   = 200 // lines of its output in a failed test's log
)

// motoProgram runs moto at a port of its choice. It ends with its standard input, so that
// it never outlives the test's process, however that ends.
const motoProgram = `
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
from moto.server import main
main(["-H", "127.0.0.1", "-p", "0"])
`

const motoMissing = "the test needs moto, which is missing: install python3 and, for it, " +
	"`python3 -m pip install 'moto[server]==5.2.1'`; what python3 said: %s"

// Moto is a running moto server: S3, SQS, SNS and EventBridge, in memory, for any
// credentials. It locks nothing that matters; see docs/conformance.md.
type Moto struct {
	// Endpoint is http://127.0.0.1:PORT, for every service.
	Endpoint string

	t      testing.TB
	client *http.Client

	mu  sync.Mutex
	log []string // guarded by mu
}

// StartMoto runs moto until the test ends. Where it is missing the test fails, as it does
// without any other server. The caller's environment is not seen by it, except PATH and
// what python3 needs to find its modules.
func StartMoto(t testing.TB) *Moto {
	t.Helper()
	m := &Moto{t: t, client: newClient()}
	cmd := exec.Command("python3", "-c", motoProgram)
	cmd.Dir = t.TempDir()
	cmd.Env = append(motoEnvironment(), "HOME="+cmd.Dir, "TMPDIR="+cmd.Dir, "AWS_ACCESS_KEY_ID="+AccessKey, "AWS_SECRET_ACCESS_KEY="+SecretKey)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf(motoMissing, err)
	}
	up, ended := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(ended)
		m.read(bufio.NewScanner(output), up)
		_ = cmd.Wait() // How it ended is of no interest: the test ends it.
	}()
	t.Cleanup(func() {
		_ = stdin.Close()
		m.end(cmd, ended)
	})
	m.await(up, ended)
	return m
}

// motoEnvironment is what of ours moto sees. Python's user site lies below HOME, which
// is another one for moto: its base is passed on.
func motoEnvironment() []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "PYTHONDONTWRITEBYTECODE=1"}
	for _, name := range []string{"PYTHONPATH", "VIRTUAL_ENV", "LANG", "PYENV_ROOT", "PYENV_VERSION"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	if home, err := os.UserHomeDir(); err == nil && os.Getenv("PYTHONUSERBASE") == "" {
		env = append(env, "PYTHONUSERBASE="+filepath.Join(home, ".local"))
	}
	return env
}

var motoRuns = regexp.MustCompile(`Running on (http://127\.0\.0\.1:[0-9]+)`)

// read keeps the end of what moto says and finds its address in it.
func (m *Moto) read(lines *bufio.Scanner, up chan<- string) {
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if found := motoRuns.FindStringSubmatch(lines.Text()); found != nil {
			select {
			case up <- found[1]:
			default:
			}
		}
		m.mu.Lock()
		m.log = append(m.log, lines.Text())
		m.log = m.log[max(0, len(m.log)-motoLog):]
		m.mu.Unlock()
	}
}

func (m *Moto) output() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return strings.Join(m.log, "\n")
}

func (m *Moto) await(up <-chan string, ended <-chan struct{}) {
	m.t.Helper()
	select {
	case m.Endpoint = <-up:
	case <-ended:
		if said := m.output(); strings.Contains(said, "ModuleNotFoundError") {
			m.t.Fatalf(motoMissing, said)
		}
		m.t.Fatalf("moto does not start:\n%s", m.output())
	case <-time.After(motoStart):
		m.t.Fatalf("moto does not start within %v:\n%s", motoStart, m.output())
	}
}

func (m *Moto) end(cmd *exec.Cmd, ended <-chan struct{}) {
	m.client.CloseIdleConnections()
	select {
	case <-ended:
	case <-time.After(motoStop):
		if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			m.t.Errorf("moto cannot be ended: %v", err)
			return
		}
		<-ended
	}
	if m.t.Failed() {
		m.t.Logf("the output of moto:\n%s", m.output())
	}
}

// Config is that of a client for any of moto's services. S3 wants UsePathStyle besides.
func (m *Moto) Config() aws.Config {
	return aws.Config{
		Region: Region, BaseEndpoint: aws.String(m.Endpoint), HTTPClient: m.client,
		Credentials: credentials.NewStaticCredentialsProvider(AccessKey, SecretKey, ""),
	}
}
