package e2e

import (
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fromConfig are the arguments of a command that reads the home's configuration.
func (h *home) fromConfig(t *testing.T, name string, overlays, flags []string) []string {
	t.Helper()
	return append(append([]string{name}, h.args(t, overlays...)...), flags...)
}

// onConfig runs such a command to its end.
func (h *home) onConfig(t *testing.T, name string, overlays, flags []string) result {
	t.Helper()
	args := append([]string{"CUSTODY_HOME=" + h.dir, "CUSTODY_IN=" + h.in, collectorBin}, h.fromConfig(t, name, overlays, flags)...)
	r := command(t, "env", args...)
	t.Logf("%s %q: exit %d\n%s", name, flags, r.exit, h.said(r.stdout+r.stderr))
	return r
}

// distrustful is a store that takes nothing: to its sender it is as good as away.
func distrustful(t *testing.T, h *home) (overlay string) {
	t.Helper()
	custody(t, "keygen", "--name", origin, "--out", h.path("keys/other")).want(t, 0)
	return fmt.Sprintf(`exporters: {file_worm: {log_keys: [%q]}}`, h.path("keys/other.pub"))
}

// loaded runs a collector under load and stops it.
func loaded(t *testing.T, h *home, b *book, prefix string, overlays ...string) {
	t.Helper()
	c := start(t, h, overlays...)
	l := startLoad(t, b, h, prefix)
	answers := b.answers()
	eventually(t, "answers", func() bool { return b.answers() > answers+500 })
	l.stop()
	c.stop(t)
}

// A log is drained in spite of a store that was away, crashes and interruptions;
// then it is complete, says that it has ended, and is never continued.
func TestDrain(t *testing.T) {
	t.Parallel()
	h := newHome(t, "")
	b := newBook()
	away := distrustful(t, h)
	loaded(t, h, b, "a", away)
	if n := sealCount(h.store()); n > 0 {
		t.Fatalf("%d seals are stored already", n)
	}

	r := h.onConfig(t, "drain", []string{away}, []string{"--timeout", "8s"}).want(t, 3)
	wantSaid(t, h.said(r.stderr), "not drained in 8s", "segments wait, the oldest for", "log_keys", "run the command again", "NOT DRAINED")
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
		h.interrupted(t, away, signal)
	}

	h.killed(t, 6)

	r = h.onConfig(t, "drain", nil, []string{"--log", logName}).want(t, 0)
	wantSaid(t, r.stdout, "log quickstart is drained and has ended with", "root ")
	records := readStore(t, h.store())
	b.check(t, records)
	h.wantEnded(t, h.store(), records)

	h.onConfig(t, "drain", nil, []string{"--quiet"}).want(t, 0) // Nothing is left to do.
	if again := readStore(t, h.store()); len(again) != len(records) {
		t.Errorf("drained again the log has %d records, it had %d", len(again), len(records))
	}
	wantRefusal(t, h, "", "log has ended", "quickstart was ended by its operator", "new name, key and state_dir")
}

// startDrain starts a drain; ended is closed when it has exited.
func (h *home) startDrain(t *testing.T, overlays ...string) (cmd *exec.Cmd, log *output, ended chan struct{}) {
	t.Helper()
	cmd, log, ended = exec.Command(collectorBin, h.fromConfig(t, "drain", overlays, nil)...), &output{}, make(chan struct{})
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = h.dir, h.env(), log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait() // Its verdict is in ProcessState.
		close(ended)
	}()
	return cmd, log, ended
}

// killed runs drains that could come to their end, and kills each at some moment.
func (h *home) killed(t *testing.T, drains int) {
	t.Helper()
	rng := dice(t)
	for range drains {
		cmd, _, ended := h.startDrain(t)
		time.Sleep(time.Duration(rng.IntN(600)) * time.Millisecond)
		_ = cmd.Process.Kill() // It may be over.
		<-ended
	}
}

// interrupted runs a drain that cannot come to its end, and ends it.
func (h *home) interrupted(t *testing.T, overlay string, s syscall.Signal) {
	t.Helper()
	cmd, log, ended := h.startDrain(t, overlay)
	eventually(t, "a drain that waits", func() bool { return strings.Contains(log.String(), "segments wait, the oldest for") })
	if err := cmd.Process.Signal(s); err != nil {
		t.Error(err)
	}
	<-ended
	if s == syscall.SIGKILL {
		return
	}
	if code := cmd.ProcessState.ExitCode(); code != 3 {
		t.Errorf("after %v: exit status %d, want 3", s, code)
	}
	wantSaid(t, h.said(log.String()), "interrupted", "segments wait", "run the command again", "NOT DRAINED")
}

// wantEnded wants a store to verify as complete, and its last record to say that
// the log has ended.
func (h *home) wantEnded(t *testing.T, store string, records []stored) {
	t.Helper()
	v := verify(t, 0, store, h.pub())
	if len(v.Logs) != 1 || v.Logs[0].RecordsChecked != len(records) {
		t.Errorf("verify checked %+v of %d records", v.Logs, len(records))
	}
	if last := string(records[len(records)-1].Custody); !strings.Contains(last, `"reason":"ended"`) || strings.Contains(last, "next_by") {
		t.Errorf("the last record says %s", last)
	}
}

// A drain waits for nobody who still writes, and begins no log.
func TestDrainRefuses(t *testing.T) {
	t.Parallel()
	h := newHome(t, "")
	r := h.onConfig(t, "drain", nil, nil).want(t, 2)
	wantSaid(t, h.said(r.stderr), "state_dir:", "$CUSTODY_HOME/state", "nothing to drain")
	c := start(t, h)
	r = h.onConfig(t, "drain", nil, nil).want(t, 3)
	wantSaid(t, h.said(r.stderr), "still runs", "stop it first")
	c.stop(t)
	r = h.onConfig(t, "drain", nil, []string{"--log", "other"}).want(t, 2)
	wantSaid(t, r.stderr, `no log "other"`, "it has quickstart")
}

// An agent hands its segments to a gateway over OTLP, and is drained through it.
func TestDrainAgent(t *testing.T) {
	t.Parallel()
	agent, gateway := newHome(t, ""), newHome(t, "")
	toGateway := fmt.Sprintf(`
exporters:
  otlp_grpc/gateway: {endpoint: %q, tls: {insecure: true}, sending_queue: {enabled: false}, retry_on_failure: {enabled: false}}
processors: {hash_chain: {min_stores: 0}}
service: {pipelines: {logs: {exporters: [otlp_grpc/gateway]}}}
`, gateway.grpc)
	fromAgents := fmt.Sprintf(`
exporters: {file_worm: {log_keys: [%q]}}
service: {pipelines: {logs: {processors: [memory_limiter]}}}
`, agent.pub())
	b := newBook()
	loaded(t, agent, b, "a", toGateway)
	r := agent.onConfig(t, "drain", []string{toGateway}, []string{"--timeout", "4s"}).want(t, 3)
	wantSaid(t, r.stderr, "not drained in 4s", "wait")

	c := start(t, gateway, fromAgents)
	agent.onConfig(t, "drain", []string{toGateway}, nil).want(t, 0)
	c.stop(t)
	records := readStore(t, gateway.store())
	b.check(t, records)
	agent.wantEnded(t, gateway.store(), records)
}

// Records that wait to be passed on are passed on, through a connector.
func TestDrainPassesRecordsOn(t *testing.T) {
	t.Parallel()
	h := newHome(t, "")
	away, taker := &siem{endpoint: "http://" + freeEndpoint(t)}, newSIEM(t)
	b := newBook()
	loaded(t, h, b, "a", away.overlay())
	r := h.onConfig(t, "drain", []string{away.overlay()}, []string{"--timeout", "4s"}).want(t, 3)
	wantSaid(t, r.stderr, "not drained in 4s", "0 segments wait; records of", "still to be passed on")
	h.onConfig(t, "drain", []string{taker.overlay()}, nil).want(t, 0)
	records := readStore(t, h.store())
	b.check(t, records)
	h.wantEnded(t, h.store(), records)
	taker.mu.Lock()
	defer taker.mu.Unlock()
	for id := range b.answered {
		if taker.ids[id] == 0 {
			t.Errorf("%s was not passed on", id)
		}
	}
}
