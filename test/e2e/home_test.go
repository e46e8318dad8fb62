package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

const (
	logName = "quickstart"
	origin  = "custody.local/quickstart"
)

// A home is a CUSTODY_HOME with a key, an input folder and ports of its own.
type home struct {
	dir, in             string
	grpc, http          string // endpoints
	health, metricsPort string
}

// newHome makes a home whose receiver reads the folder in; "" is an empty one.
func newHome(t *testing.T, in string) *home {
	t.Helper()
	return homeIn(t, t.TempDir(), in)
}

func homeIn(t *testing.T, dir, in string) *home {
	t.Helper()
	if err := lookAtSources(); err != nil {
		t.Fatal(err)
	}
	if in == "" {
		in = filepath.Join(dir, "in")
		if err := os.MkdirAll(in, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	h := &home{dir: dir, in: in}
	h.newPorts(t)
	custody(t, "keygen", "--name", origin, "--out", h.path("keys/log")).want(t, 0)
	return h
}

func (h *home) newPorts(t *testing.T) {
	t.Helper()
	h.grpc, h.http, h.health = freeEndpoint(t), freeEndpoint(t), freeEndpoint(t)
	_, h.metricsPort, _ = net.SplitHostPort(freeEndpoint(t))
}

func (h *home) path(name string) string { return filepath.Join(h.dir, name) }
func (h *home) store() string           { return h.path("store") }
func (h *home) pub() string             { return h.path("keys/log.pub") }

// overlay moves the quickstart to the home's ports and makes it quick.
func (h *home) overlay() string {
	return fmt.Sprintf(`
receivers:
  aws_cloudtrail: {directory: {poll_interval: 100ms, stable_for: 100ms}}
  otlp: {protocols: {grpc: {endpoint: %q}, http: {endpoint: %q}}}
processors:
  hash_chain: {segment: {max_age: 300ms}}
extensions:
  health_check: {http: {endpoint: %q}, component_health: {recovery_duration: 200ms}}
service:
  telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: %s}}}}]}}
`, h.grpc, h.http, h.health, h.metricsPort)
}

// args writes the overlays to files and returns the flags that name them all.
func (h *home) args(t *testing.T, overlays ...string) []string {
	t.Helper()
	args := []string{"--config", fromRoot(t, "config/quickstart.yaml")}
	for i, text := range append([]string{h.overlay()}, overlays...) {
		file := h.path(fmt.Sprintf("overlay-%d.yaml", i))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", file)
	}
	return args
}

func (h *home) env() []string {
	return append(os.Environ(), "CUSTODY_HOME="+h.dir, "CUSTODY_IN="+h.in)
}

var ports struct {
	sync.Mutex
	given map[string]bool
}

// freeEndpoint returns an address on which nobody listens; no other test gets it
// before this one has ended.
func freeEndpoint(t *testing.T) string {
	t.Helper()
	ports.Lock()
	defer ports.Unlock()
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := l.Addr().String()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if !ports.given[address] {
			if ports.given == nil {
				ports.given = map[string]bool{}
			}
			ports.given[address] = true
			t.Cleanup(func() {
				ports.Lock()
				defer ports.Unlock()
				delete(ports.given, address)
			})
			return address
		}
	}
	t.Fatal("no free port")
	return ""
}
