package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// inbox keeps what a webhook was told.
type inbox struct {
	mu     sync.Mutex
	bodies []string
}

func (i *inbox) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	i.mu.Lock()
	defer i.mu.Unlock()
	if err == nil && strings.HasPrefix(r.Header.Get("webhook-signature"), "v1,") {
		i.bodies = append(i.bodies, string(b))
	}
}

func (i *inbox) has(words ...string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.ContainsFunc(i.bodies, func(b string) bool { return len(missing(b, words)) == 0 })
}

// judged adds the integrity extension to the quickstart: it reads everything again
// every few seconds, answers at address, and posts to hook.
func (h *home) judged(t *testing.T, address, hook string) string {
	t.Helper()
	secret := h.path("webhook.secret")
	if err := os.WriteFile(secret, []byte("whsec_"+strings.Repeat("A", 43)+"=\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`
receivers: {integrity_events: {}}
extensions:
  integrity:
    state_dir: %q
    log_keys: [%q]
    poll_interval: 200ms
    full_pass_every: 6s
    stores: {file: {path: %q}}
    http: {endpoint: %q}
    webhook: {endpoint: %q, secret: {file: %q}}
service:
  extensions: [health_check, file_storage/positions, integrity]
  pipelines: {logs: {receivers: [aws_cloudtrail, otlp, integrity_events]}}
`, h.path("integrity"), h.pub(), h.store(), address, hook, secret)
}

// answer asks the extension and decodes what it says.
func answer(t *testing.T, address, path string, doc any) bool {
	t.Helper()
	resp, err := http.Get("http://" + address + path)
	if err != nil {
		return false
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return err == nil && resp.StatusCode == http.StatusOK && json.Unmarshal(b, doc) == nil
}

type openIncidents struct {
	Findings []struct {
		ID, Kind, Severity string
		Place              struct{ Store, Log, Object string }
	}
}

// passes is how often everything of the log was read again.
func passes(t *testing.T, address string) (n int) {
	t.Helper()
	var doc struct {
		Coverage []struct{ Passes int }
	}
	if answer(t, address, "/v1/coverage", &doc) && len(doc.Coverage) == 1 {
		n = doc.Coverage[0].Passes
	}
	return n
}

// While the collector runs somebody alters what is stored. Every channel says so,
// names the segment, and the log itself seals that it was found; before that none
// says anything.
func TestTamperingWhileRunning(t *testing.T) {
	told := &inbox{}
	hook := httptest.NewServer(told)
	defer hook.Close()
	h, address := newHome(t, ""), freeEndpoint(t)
	start(t, h).stop(t) // A log that is new is found within a minute, one that exists at once.
	c := start(t, h, h.judged(t, address, hook.URL))
	s, b := byGRPC(t, h.grpc), newBook()
	for n := range 3 {
		before := sealCount(h.store())
		if err := b.deliver(t.Context(), s, []string{fmt.Sprintf("a-%d", n), fmt.Sprintf("b-%d", n)}, 200); err != nil {
			t.Fatal(err)
		}
		eventually(t, "a seal", func() bool { return sealCount(h.store()) > before })
	}
	eventually(t, "two passes over everything", func() bool { return passes(t, address) >= 2 })
	c.awaitHealth(t, http.StatusOK)
	var open openIncidents
	if !answer(t, address, "/v1/findings", &open) {
		t.Fatal("findings are not answered")
	}
	for _, f := range open.Findings {
		if f.Kind != "pass-late" { // which a slow machine is
			t.Errorf("a clean log has a finding: %+v", f)
		}
	}
	if told.has("tampering") || strings.Contains(c.log.String(), "TAMPERING") {
		t.Error("a clean log is said to be tampered with")
	}

	altered := objects(t, h.store(), "segments")[1]
	flip(t, altered)
	eventually(t, "the finding", func() bool {
		return answer(t, address, "/v1/findings?severity=tampering", &open) && len(open.Findings) > 0
	})
	f := open.Findings[0]
	name := logName + "/segments/" + filepath.Base(altered)
	if len(open.Findings) > 1 || f.Kind != "segment-altered" || f.Place.Log != logName || f.Place.Object != name || f.Place.Store != "file://"+h.store() {
		t.Errorf("found %+v, want segment-altered in %s alone", open.Findings, name)
	}
	c.tellsEverywhere(t, told, f.ID, altered)

	// An acknowledgement makes it healthy again; the altered segment stays known.
	if err := os.WriteFile(h.path("integrity/acknowledge/"+f.ID), []byte("Jane Doe: an exercise\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.awaitHealth(t, http.StatusOK)
	eventually(t, "the acknowledgement in the log", func() bool { return says(t, h.store(), altered, "acknowledged", "Jane Doe") })
	c.stop(t)
	if v := verify(t, 1, h.store(), h.pub()); len(v.findings()) != 1 || v.findings()[0].Code != "segment-altered" {
		t.Errorf("custody verify finds %+v", v.findings())
	}
}

// tellsEverywhere wants log, health, metrics, webhook and the sealed log itself to
// say that a segment was altered.
func (c *collector) tellsEverywhere(t *testing.T, told *inbox, id, altered string) {
	t.Helper()
	store := c.home.store()
	c.awaitSaid(t, "TAMPERING", id, filepath.Base(altered))
	if body := c.awaitHealth(t, http.StatusInternalServerError); len(missing(body, []string{"extension:integrity", "segment-altered", id})) > 0 {
		t.Errorf("health says %s", body)
	}
	eventually(t, "the metric", func() bool {
		return c.metric(t, "otelcol_integrity_incidents", `severity="tampering"`)["file://"+store] == 1
	})
	eventually(t, "the webhook", func() bool { return told.has("opened", id, "segment-altered", filepath.Base(altered)) })
	eventually(t, "the sealed record", func() bool { return says(t, store, altered, "audit.finding", id, "segment-altered") })
}

// flip changes one byte of a file.
func flip(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// says tells whether one line of a sealed segment, but for one that is not to be
// read, has all the words.
func says(t *testing.T, store, but string, words ...string) bool {
	t.Helper()
	dec, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	for _, name := range objects(t, store, "segments") {
		b, err := os.ReadFile(name)
		if err != nil || name == but {
			continue
		}
		text, err := dec.DecodeAll(b, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for line := range bytes.Lines(text) {
			if len(missing(string(line), words)) == 0 {
				return true
			}
		}
	}
	return false
}
