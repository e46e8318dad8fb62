package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// wantRefusal wants the collector to stop by itself with an error, and its last
// words to name the place of the fault and the way out.
func wantRefusal(t *testing.T, h *home, overlay string, words ...string) {
	t.Helper()
	c := launch(t, h, overlay)
	if code := c.exit(t); code == 0 {
		t.Error("exit status 0")
	}
	wantSaid(t, h.said(c.log.String()), words...)
}

// said names the home by its variable: the folder of a test bears the test's
// name, in which any word may occur.
func (h *home) said(text string) string { return strings.ReplaceAll(text, h.dir, "$CUSTODY_HOME") }

func wantSaid(t *testing.T, said string, words ...string) {
	t.Helper()
	if lost := missing(said, words); len(lost) > 0 {
		t.Errorf("it does not say %q:\n%s", lost, said)
	}
	t.Logf("said:\n%s", lastError(said))
}

// lastError is what stands from the first error on.
func lastError(said string) string {
	if i := strings.Index(said, "Error:"); i >= 0 {
		return said[i:]
	}
	return tail(said)
}

// Faults that are seen before anything is taken in.
var faults = map[string]struct {
	prepare func(t *testing.T, h *home) (overlay string)
	words   []string
}{
	"key file that others may read": {
		func(t *testing.T, h *home) string { return done(t, os.Chmod(h.path("keys/log.key"), 0o644)) },
		[]string{"hash_chain", "key::file", "keys/log.key", "0644", "chmod 600"},
	},
	"key file missing": {
		func(t *testing.T, h *home) string { return done(t, os.Remove(h.path("keys/log.key"))) },
		[]string{"hash_chain", "key::file", "keys/log.key", "no such file", "custody keygen"},
	},
	"public key missing": {
		func(t *testing.T, h *home) string { return done(t, os.Remove(h.pub())) },
		[]string{"file_worm", "log_keys[0]", "keys/log.pub", "no such file", "custody keygen"},
	},
	"port in use": {
		func(t *testing.T, h *home) string { return occupy(t, h.grpc) },
		[]string{"otlp", "listen", "address already in use", "set another endpoint"},
	},
	"port of the health check in use": {
		func(t *testing.T, h *home) string { return occupy(t, h.health) },
		[]string{"extension", "listen", "address already in use", "set another endpoint"},
	},
	"port of the metrics in use": {
		func(t *testing.T, h *home) string { return occupy(t, "127.0.0.1:"+h.metricsPort) },
		[]string{"Prometheus exporter", "address already in use", "set another endpoint"},
	},
	"unknown key": {
		func(*testing.T, *home) string { return `processors: {hash_chain: {on_mising_head: genesis}}` },
		[]string{"processors", "hash_chain", "invalid keys: on_mising_head"},
	},
	"wrong value": {
		func(*testing.T, *home) string {
			return `processors: {hash_chain: {ack: later, segment: {max_age: 0s}}}`
		},
		[]string{`ack: must be one of ["local" "stored"], got "later"`, "segment::max_age: must be at least 100ms"},
	},
	"YAML that is none": {
		func(*testing.T, *home) string { return "processors: {hash_chain: {log: a" },
		[]string{"overlay-1.yaml", "not valid YAML", "line 1"},
	},
	"store below a file": {
		storeBelowFile, []string{"file_worm", "path:", "not a directory"},
	},
	"state directory below a file": {
		stateBelowFile, []string{"hash_chain", "state directory", "$CUSTODY_HOME/file", "not a directory"},
	},
	"no head and nobody says genesis": {
		func(*testing.T, *home) string { return `processors: {hash_chain: {on_missing_head: fail}}` },
		[]string{"hash_chain", "state", "holds no history of log quickstart", "on_missing_head: genesis"},
	},
	"something changes data behind hash_chain": {
		func(*testing.T, *home) string { return mutating },
		[]string{"hash_chain", "behind hash_chain changes the data", "in front of hash_chain"},
	},
}

func TestRefusedAtStart(t *testing.T) {
	for name, c := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t, "")
			wantRefusal(t, h, c.prepare(t, h), c.words...)
		})
	}
}

const mutating = `
processors:
  attributes/late: {actions: [{key: seen, value: yes, action: insert}]}
service: {pipelines: {logs: {processors: [memory_limiter, hash_chain, attributes/late]}}}
`

func done(t *testing.T, err error) (overlay string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return ""
}

func occupy(t *testing.T, endpoint string) (overlay string) {
	t.Helper()
	l, err := net.Listen("tcp", endpoint)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return ""
}

func storeBelowFile(t *testing.T, h *home) string {
	return fmt.Sprintf("exporters: {file_worm: {path: %q}}", belowFile(t, h))
}

func stateBelowFile(t *testing.T, h *home) string {
	return fmt.Sprintf("processors: {hash_chain: {state_dir: %q}}", belowFile(t, h))
}

// belowFile is a path that nobody can write to, root included.
func belowFile(t *testing.T, h *home) string {
	t.Helper()
	file := h.path("file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(file, "folder")
}

// What validate can see it says, and with it what start refuses.
func TestValidate(t *testing.T) {
	t.Parallel()
	h := newHome(t, "")
	validate := func(overlay string) result {
		args := []string{"CUSTODY_HOME=" + h.dir, "CUSTODY_IN=" + h.in, collectorBin, "validate"}
		return command(t, "env", append(args, h.args(t, overlay)...)...)
	}
	validate("").want(t, 0)
	wantSaid(t, h.said(validate(mutating).want(t, 1).stderr), "behind hash_chain changes the data", "in front of hash_chain")
	done(t, os.Chmod(h.path("keys/log.key"), 0o640))
	wantSaid(t, h.said(validate("").want(t, 1).stderr), "key::file", "chmod 600")
}

// The configurations that are shipped as examples are valid, given a key.
func TestShippedConfigurations(t *testing.T) {
	t.Parallel()
	for file, log := range map[string]string{"gateway-files.yaml": "gateway-1", "gateway.yaml": "gateway-0", "judge.yaml": "gateway-0",
		"aws.yaml": "gateway-0", "aws-bucket.yaml": "quickstart", "aws-lookup.yaml": "quickstart"} {
		dir := t.TempDir()
		custody(t, "keygen", "--name", "logs.example.com/"+log, "--out", filepath.Join(dir, log)).want(t, 0)
		command(t, "env", "CUSTODY_KEYS="+dir, "CUSTODY_STATE="+dir, "CUSTODY_IN="+dir, "POD_NAME="+log,
			collectorBin, "validate", "--config", fromRoot(t, "config/"+file)).want(t, 0)
	}
	r := command(t, "env", "CUSTODY_KEYS="+t.TempDir(), collectorBin, "validate", "--config", fromRoot(t, "config/judge.yaml")).want(t, 1)
	wantSaid(t, r.stderr, "extensions::integrity: log_keys: ", "`custody keygen`")
	r = command(t, "env", "CUSTODY_KEYS="+t.TempDir(), collectorBin, "validate", "--config", fromRoot(t, "config/judge.yaml"),
		"--set", "receivers.integrity_events.extension=integrity/x").want(t, 1)
	wantSaid(t, r.stderr, `receivers::integrity_events: extension: there is no extension "integrity/x"`)
}

// A second writer of one log is refused, and the first goes on.
func TestSecondProcess(t *testing.T) {
	t.Parallel()
	h := newHome(t, "")
	c := start(t, h)
	second := *h
	second.newPorts(t)
	// All that two processes of one home could share is moved apart, except the state.
	wantRefusal(t, &second, `extensions: {file_storage/positions: {directory: "`+h.path("other-positions")+`"}}`,
		"hash_chain", "state", "One log has one writer", "run one process")
	if err := newBook().deliver(t.Context(), byGRPC(t, h.grpc), []string{"still-there"}, 10); err != nil {
		t.Errorf("the first process: %v", err)
	}
	c.stop(t)
	verify(t, 0, h.store(), h.pub())
}

// A state directory belongs to one log and one key.
func TestStateOfAnotherLog(t *testing.T) {
	t.Parallel()
	h := newHome(t, "")
	start(t, h).stop(t)
	wantRefusal(t, h, `processors: {hash_chain: {log: another}}`,
		"hash_chain", "state directory belongs to another log", "$CUSTODY_HOME/state", "state_dir of its own")

	custody(t, "keygen", "--name", origin, "--out", h.path("keys/other")).want(t, 0)
	wantRefusal(t, h, fmt.Sprintf(`processors: {hash_chain: {key: {file: %q}}}`, h.path("keys/other.key")),
		"hash_chain", "state directory belongs to another log", "give each log a state_dir of its own")
	verify(t, 0, h.store(), h.pub())
}

// An exporter that trusts another key stores nothing and says who may be to
// blame; the segments wait, and nothing is lost once the key is right.
func TestForeignKey(t *testing.T) {
	t.Parallel()
	h := newHome(t, "")
	custody(t, "keygen", "--name", origin, "--out", h.path("keys/other")).want(t, 0)
	c := start(t, h, fmt.Sprintf(`exporters: {file_worm: {log_keys: [%q]}}`, h.path("keys/other.pub")))
	b := newBook()
	if err := b.deliver(t.Context(), byGRPC(t, h.grpc), []string{"waits"}, 10); err != nil {
		t.Fatal(err)
	}
	c.awaitSaid(t, "refused to store a segment", "a component between hash_chain and this exporter", "log_keys")
	wantSaid(t, reasons(h.said(c.awaitHealth(t, http.StatusInternalServerError))), "log_keys", "exporter:file_worm")
	c.stop(t)
	if n := sealCount(h.store()); n > 0 {
		t.Errorf("%d seals were stored under a key that is not trusted", n)
	}
	t.Logf("said:\n%s", h.said(c.log.String()))

	c = start(t, h)
	eventually(t, "a seal", func() bool { return sealCount(h.store()) > 0 })
	c.stop(t)
	verify(t, 0, h.store(), h.pub())
	b.check(t, readStore(t, h.store()))
}

// Who lost the state and says genesis beside a store with a history has forked:
// the collector stops and leaves the store as it is.
func TestLostState(t *testing.T) {
	t.Parallel()
	h := newHome(t, "")
	c := start(t, h)
	b := newBook()
	if err := b.deliver(t.Context(), byGRPC(t, h.grpc), []string{"before"}, 10); err != nil {
		t.Fatal(err)
	}
	c.stop(t)
	before := readStore(t, h.store())
	done(t, os.Rename(h.path("state"), h.path("state.lost")))
	wantRefusal(t, h, "", "log quickstart is forked", "$CUSTODY_HOME/store", "was about to begin the log", "on_missing_head: genesis",
		"its state was lost", "otelcol-custody recover", "--log quickstart", "Keep both", `docs/operations.md, "A fork"`)
	verify(t, 0, h.store(), h.pub())
	if after := readStore(t, h.store()); len(after) != len(before) {
		t.Errorf("the store had %d records and has %d", len(before), len(after))
	}

	// With its state back the log goes on.
	done(t, os.RemoveAll(h.path("state")))
	done(t, os.Rename(h.path("state.lost"), h.path("state")))
	start(t, h).stop(t)
	verify(t, 0, h.store(), h.pub())
	b.check(t, readStore(t, h.store()))
}

// Health tells the truth about the store, and records wait for it to come back.
func TestStoreAway(t *testing.T) {
	t.Parallel()
	h := newHome(t, "")
	c := start(t, h)
	b, s := newBook(), byGRPC(t, h.grpc)
	deliver := func(id string) {
		if err := b.deliver(t.Context(), s, []string{id}, 10); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	deliver("before")
	eventually(t, "a seal", func() bool { return sealCount(h.store()) > 0 })

	away := h.path("away")
	done(t, os.Rename(h.store(), away))
	deliver("meanwhile")
	wantSaid(t, reasons(h.said(c.awaitHealth(t, http.StatusInternalServerError))), "exporter:file_worm", "store directory", "is gone")
	time.Sleep(500 * time.Millisecond)
	if _, err := os.Stat(h.store()); err == nil {
		t.Fatal("the collector made a new store in the place of the one that is away")
	}
	done(t, os.Rename(away, h.store()))
	c.awaitHealth(t, http.StatusOK)
	deliver("after")
	c.stop(t)
	verify(t, 0, h.store(), h.pub())
	b.check(t, readStore(t, h.store()))
	t.Logf("said:\n%s", h.said(c.log.String()))
}

// reasons takes what is not healthy out of the health document.
func reasons(body string) string {
	var out []string
	for part := range strings.SplitSeq(body, "},") {
		if strings.Contains(part, `"error"`) {
			out = append(out, part)
		}
	}
	return strings.Join(out, "\n")
}
