package e2e

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A life is one run of the collector under strace, with a fault, and how it is
// ended if the fault does not end it.
type life struct {
	injection
	reload bool
	end    syscall.Signal // unless the fault ends it
}

func (l life) String() string {
	if l.reload {
		return fmt.Sprintf("%v, reload, %v", l.injection, l.end)
	}
	return fmt.Sprintf("%v, %v", l.injection, l.end)
}

// A trial is a log that lives through faults, one life after the other, and then
// must be whole.
type trial struct {
	*home
	book  *book
	base  *base // nil: a log that begins here
	ack   string
	lives []life
	calls [][]call // of each life that has ended
	exits []int
	bad   bool

	objects map[string][sha256.Size]byte // in the store, after the last life
	kept    []string                     // checkpoints that were signed
}

// torn is the configuration of a log whose every step comes often.
func (h *home) torn(ack string) string {
	return fmt.Sprintf(`
receivers: {otlp: {protocols: {http: {endpoint: %q}}}}
processors:
  hash_chain:
    log: %s
    state_dir: %s
    key: {file: %s}
    on_missing_head: genesis
    segment: {max_size_mib: 1, max_age: 100ms}
    checkpoint_interval: 100ms
    ack: %s
    emit: [segments, records]
exporters:
  file_worm: {path: %s, log_keys: [%s], immutable: "off"}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {logs: {receivers: [otlp], processors: [hash_chain], exporters: [file_worm]}}
`, h.http, logName, h.path("state"), h.path("keys/log.key"), ack, h.store(), h.pub())
}

// try lets the log live and judges it.
func (tr *trial) try(t *testing.T) {
	t.Helper()
	defer func() {
		if tr.bad = t.Failed(); tr.bad {
			tr.tell(t)
		}
	}()
	tr.home, tr.book = newHome(t, ""), newBook()
	if tr.base != nil {
		tr.base.copyTo(t, tr)
	}
	for i, l := range tr.lives {
		tr.live(t, i, l)
		tr.look(t)
	}
	tr.recover(t)
	t.Logf("ack %s, lives %q, exits %v", tr.ack, tr.lives, tr.exits)
}

// A base is a log that is about to fill its first tile.
type base struct {
	*home
	book *book
}

// nearlyFull leaves room for closed records below the 65,536 of a tile, and for
// those that the first life brings.
const nearlyFull = 65_400

func newBase(t *testing.T) *base {
	t.Helper()
	b := &base{newHome(t, ""), newBook()}
	config := b.path("collector.yaml")
	done(t, os.WriteFile(config, []byte(b.torn("local")), 0o600))
	c := launchAs(t, b.home, collectorBin, []string{"--plain", "--config", config})
	s := byHTTP(t, b.http)
	for first := 0; first < nearlyFull; first += 654 {
		var ids []string
		for i := range 654 {
			ids = append(ids, fmt.Sprint("base-", first+i))
		}
		eventually(t, "an answer", func() bool { return b.book.deliver(t.Context(), s, ids, 1) == nil })
	}
	c.stop(t)
	return b
}

// copyTo has a trial go on with a copy of the log, with its key.
func (b *base) copyTo(t *testing.T, tr *trial) {
	t.Helper()
	for _, name := range []string{"keys", "state", "store"} {
		done(t, os.RemoveAll(tr.path(name)))
		done(t, os.CopyFS(tr.path(name), os.DirFS(b.path(name))))
	}
	done(t, os.Chmod(tr.path("keys/log.key"), 0o600))
	tr.book.join(b.book)
}

// live runs the collector once, with the fault, under load.
func (tr *trial) live(t *testing.T, n int, l life) {
	t.Helper()
	config := tr.path("collector.yaml")
	done(t, os.WriteFile(config, []byte(tr.torn(tr.ack)), 0o600))
	dir := tr.path(fmt.Sprintf("trace-%d", n))
	c := traced(t, tr.home, dir, l.injection, config)
	load := tr.send(t, fmt.Sprintf("life%d", n))
	tr.await(c, l.reload)
	if l.nth == l.last { // Else every thread fails for long, and a store rests between tries.
		tr.delivers(t, c)
	}
	_ = c.cmd.Process.Signal(l.end) // The fault may have ended it.
	code := c.exit(t)
	load.stop()
	tr.exits, tr.calls = append(tr.exits, code), append(tr.calls, readTrace(t, dir, tr.home))
	tr.said(t, c)
	if !l.mayEnd(code, c.log.String()) {
		t.Errorf("%v: exit status %d", tr.lives, code)
	}
}

func (tr *trial) send(t *testing.T, prefix string) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &load{cancel: cancel, pause: 5 * time.Millisecond}
	for i := range 2 {
		s := byHTTP(t, tr.http)
		l.wg.Go(func() { l.sendFor(ctx, tr.book, s, fmt.Sprintf("%s-%d", prefix, i)) })
	}
	t.Cleanup(l.stop)
	return l
}

const (
	lifetime = 400 * time.Millisecond // from the first answer on
	unborn   = 5 * time.Second        // without any answer
)

// await waits until the collector has had enough of a life.
func (tr *trial) await(c *collector, reload bool) {
	before := tr.book.answers()
	for begun := time.Now(); c.alive() && tr.book.answers() == before && time.Since(begun) < unborn; {
		time.Sleep(10 * time.Millisecond)
	}
	c.passes(lifetime / 2)
	if reload {
		_ = c.cmd.Process.Signal(syscall.SIGHUP) // The fault may have ended it.
	}
	c.passes(lifetime / 2)
}

// delivers waits until the store has what is in the spool now. A fault that
// passes costs no restart.
func (tr *trial) delivers(t *testing.T, c *collector) {
	t.Helper()
	names, err := filepath.Glob(tr.path("state/spool/*.seal"))
	if err != nil {
		t.Fatal(err)
	}
	answers := tr.book.answers()
	eventually(t, fmt.Sprintf("%v: an answer, and %q in the store", tr.lives, names), func() bool {
		through := tr.book.answers() > answers && !slices.ContainsFunc(names, tr.waits)
		return through || !c.alive()
	})
}

// waits says whether a spooled seal is still to be delivered.
func (tr *trial) waits(seal string) bool {
	_, spooled := os.Stat(seal)
	_, stored := os.Stat(filepath.Join(tr.store(), logName, "seals", filepath.Base(seal)))
	return spooled == nil || stored != nil
}

// passes waits, or until the collector has exited.
func (c *collector) passes(d time.Duration) {
	select {
	case <-c.done:
	case <-time.After(d):
	}
}

// mayEnd says whether a life may end so: killed if somebody killed it (to be told
// to reload kills a process that is not ready for it), else with 0 or 1.
func (l *life) mayEnd(code int, said string) bool {
	switch {
	case code < 0:
		return l.end == syscall.SIGKILL || l.fault == killed || l.reload
	case code == 2: // Go's runtime cannot do without its own pipe, nor say so without any.
		return l.call == "write" && (l.last == forever || strings.Contains(said, "netpollBreak"))
	}
	return code <= 1
}

func (c *collector) alive() bool {
	select {
	case <-c.done:
		return false
	default:
		return true
	}
}

// said wants words that a fault may not call forth: a failed call is not
// damage, and nobody else writes this log.
func (tr *trial) said(t *testing.T, c *collector) {
	t.Helper()
	for _, word := range []string{"state is damaged", "is forked", "store is ahead", "another history", "panic:", "no head"} {
		if strings.Contains(c.log.String(), word) {
			t.Errorf("%v: the collector says %q", tr.lives, word)
		}
	}
}

// look holds the store against what it held before, and remembers it, with what
// was signed.
func (tr *trial) look(t *testing.T) {
	t.Helper()
	now := map[string][sha256.Size]byte{}
	if _, err := os.Stat(filepath.Join(tr.store(), logName)); err == nil {
		now = objectSums(t, tr.store())
	}
	for name, sum := range tr.objects {
		if now[name] != sum {
			t.Errorf("%v: %s is not what it was", tr.lives, name)
		}
	}
	tr.objects = now
	note, err := os.ReadFile(tr.path("state/checkpoint"))
	if err != nil {
		return // None was signed yet.
	}
	file := tr.path(fmt.Sprintf("kept-%d.checkpoint", len(tr.kept)))
	done(t, os.WriteFile(file, note, 0o600))
	tr.kept = append(tr.kept, file)
}

// recover starts the collector without a fault, has everything sent again that
// was not answered, and judges the log.
func (tr *trial) recover(t *testing.T) {
	t.Helper()
	s, pending := byHTTP(t, tr.http), append(tr.book.unanswered(), "last")
	c := launchAs(t, tr.home, collectorBin, []string{"--plain", "--config", tr.path("collector.yaml")})
	eventually(t, "an answer after the faults", func() bool {
		if !c.alive() {
			t.Fatalf("%v: after the faults the collector exits with %d", tr.lives, c.exit(t))
		}
		return tr.book.deliver(t.Context(), s, pending, 400) == nil
	})
	c.stop(t)
	tr.said(t, c)
	tr.look(t)
	tr.one(t, "seals", ".seal")
	tr.one(t, "segments", ".jsonl.zst")
	for _, file := range tr.kept {
		verify(t, 0, tr.store(), tr.pub(), "--since", file)
	}
	tr.book.check(t, readStore(t, tr.store()))
}

// one wants one object for each first: two would be two histories.
func (tr *trial) one(t *testing.T, folder, ext string) {
	t.Helper()
	seen := map[string]bool{}
	for name := range tr.objects {
		if filepath.Base(filepath.Dir(name)) != folder {
			continue
		}
		first := filepath.Base(name)[:20]
		if seen[first] || !strings.HasSuffix(name, ext) {
			t.Errorf("%v: %s is not the only object for its place", tr.lives, name)
		}
		seen[first] = true
	}
}

func (b *book) unanswered() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var ids []string
	for id := range b.sent {
		if !b.answered[id] {
			ids = append(ids, id)
		}
	}
	return ids
}

// tell shows what was hit.
func (tr *trial) tell(t *testing.T) {
	t.Helper()
	for i, calls := range tr.calls {
		t.Logf("life %d, %v, exit %d:", i, tr.lives[i], tr.exits[i])
		for _, c := range calls {
			if c.injected || c.cut {
				t.Logf("%s %s %s (%d)", c.at, c.step.call, c.role, c.nth)
			}
		}
	}
}
