package integrityextension

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/record"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/dirstore"
)

const origin = "custody.example/test"

// host remembers what the component reported.
type host struct {
	component.Host
	extensions map[component.ID]component.Component
	mu         sync.Mutex
	events     []*componentstatus.Event
}

func newHost() *host { return &host{Host: componenttest.NewNopHost()} }

func (h *host) GetExtensions() map[component.ID]component.Component { return h.extensions }

func (h *host) Report(e *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
}

// status is what was reported last.
func (h *host) status() componentstatus.Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.events) == 0 {
		return componentstatus.StatusNone
	}
	return h.events[len(h.events)-1].Status()
}

func (h *host) reports() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.events)
}

// A site is a store with a log, and a folder for the extension.
type site struct {
	t        *testing.T
	dir      string
	address  string
	log      *ledgertest.Log
	settings map[string]any
	said     *observer.ObservedLogs
}

func newSite(t *testing.T) *site {
	t.Helper()
	dir := t.TempDir()
	s := &site{t: t, dir: dir, address: freeAddress(t), log: ledgertest.NewLog("test", ledgertest.Signer(t, origin))}
	s.settings = map[string]any{
		"state_dir": filepath.Join(dir, "state"), "log_keys": []any{"testdata/log.pub"}, "poll_interval": "100ms",
		"stores": map[string]any{"file": map[string]any{"path": s.store()}},
		"http":   map[string]any{"endpoint": s.address},
	}
	require.NoError(t, os.MkdirAll(s.store(), 0o700))
	return s
}

func (s *site) store() string { return filepath.Join(s.dir, "store") }
func (s *site) id() string    { return "file://" + s.store() }

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

// grow stores a segment that was closed now and promises the next one in an hour.
func (s *site) grow(records int) ledgertest.Segment {
	s.t.Helper()
	var lines [][]byte
	for i := range records {
		line, err := record.AppendLine(nil, ledgertest.Record("", s.log.Size()+uint64(i)))
		require.NoError(s.t, err)
		lines = append(lines, line)
	}
	one := s.log.Extend(s.t, lines, func(c *segment.Closed) {
		c.At = time.Now().UTC().Truncate(time.Second)
		c.NextBy = c.At.Add(time.Hour)
	})
	d, err := dirstore.Open(s.store(), dirstore.Options{Immutable: dirstore.ImmutableOff})
	require.NoError(s.t, err)
	defer func() { require.NoError(s.t, d.Close()) }()
	for name, b := range map[string][]byte{one.Seal.SegmentName(): one.Object, one.Seal.Name(): one.Seal.Bytes()} {
		_, err := d.PutOnce(s.t.Context(), "test/"+name, b, store.PutOptions{})
		require.NoError(s.t, err)
	}
	return one
}

// alter changes a byte of a segment, as somebody with access to the disk does.
func (s *site) alter(one ledgertest.Segment) {
	s.t.Helper()
	path := filepath.Join(s.store(), "test", one.Seal.SegmentName())
	b := bytes.Clone(one.Object)
	b[len(b)/2] ^= 1
	require.NoError(s.t, os.Remove(path))
	require.NoError(s.t, os.WriteFile(path, b, 0o400))
}

// acknowledge writes a file as an operator does, whole at once: a test that is held
// up between opening and writing one would have half of it taken.
func (s *site) acknowledge(name, text string) {
	s.t.Helper()
	written := filepath.Join(s.dir, "written")
	require.NoError(s.t, os.WriteFile(written, []byte(text+"\n"), 0o600))
	require.NoError(s.t, os.Rename(written, filepath.Join(s.dir, "state", acknowledgeDir, name)))
}

func (s *site) config() *Config {
	s.t.Helper()
	cfg := createDefaultConfig()
	require.NoError(s.t, confmap.NewFromStringMap(s.settings).Unmarshal(cfg))
	require.NoError(s.t, confmap.Validate(cfg))
	return cfg
}

func (s *site) create(set component.TelemetrySettings) extension.Extension {
	s.t.Helper()
	core, said := observer.New(zap.InfoLevel)
	s.said = said
	all := extensiontest.NewNopSettings(typ)
	if set.MeterProvider != nil {
		all.TelemetrySettings = set
	}
	all.Logger = zap.New(core)
	e, err := NewFactory().Create(s.t.Context(), all, s.config())
	require.NoError(s.t, err)
	return e
}

func (s *site) start(h component.Host) extension.Extension {
	s.t.Helper()
	e := s.create(component.TelemetrySettings{})
	require.NoError(s.t, e.Start(s.t.Context(), h))
	return e
}

// ask gets a path of the API, and decodes JSON into doc, if there is one. It asks
// slowly, since the API limits clients.
func (s *site) ask(path string, doc any) (int, string) {
	time.Sleep(100 * time.Millisecond)
	client := http.Client{Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	resp, err := client.Get("http://" + s.address + path)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err == nil && doc != nil && resp.StatusCode == http.StatusOK {
		err = json.Unmarshal(b, doc)
	}
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(b)
}

// finding is what the API says of an incident.
type finding struct {
	ID, Kind, Severity, Message string
	Place                       struct {
		Store, Log, Object string
		Record             *uint64
	}
	Resolved     time.Time
	Acknowledged *struct{ Who, Why string }
}

// findings are what the API says once it answers: no answer is not no finding.
func (s *site) findings(state string) []finding {
	s.t.Helper()
	var doc struct{ Findings []finding }
	for began := time.Now(); ; {
		code, text := s.ask("/v1/findings?state="+state, &doc)
		if code == http.StatusOK {
			return doc.Findings
		}
		if time.Since(began) > time.Minute {
			s.t.Fatalf("the API answers %d: %s; said:\n%s", code, text, s.told())
		}
	}
}

func (s *site) verified() uint64 {
	var doc struct {
		Stores []struct{ Verified uint64 }
	}
	s.ask("/v1/logs/test", &doc)
	if len(doc.Stores) == 0 {
		return 0
	}
	return doc.Stores[0].Verified
}

// passes are how often everything was read again.
func (s *site) passes() (n int) {
	var doc struct{ Coverage []struct{ Passes int } }
	s.ask("/v1/coverage", &doc)
	for _, c := range doc.Coverage {
		n += c.Passes
	}
	return n
}

func (s *site) eventually(what string, is func() bool) {
	s.t.Helper()
	for began := time.Now(); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			_, findings := s.ask("/v1/findings?state=open", nil)
			s.t.Fatalf("never came: %s; findings %s; said:\n%s", what, findings, s.told())
		}
	}
}

func (s *site) told() string {
	var b strings.Builder
	for _, e := range s.said.All() {
		fmt.Fprintf(&b, "%s %s %v\n", e.Level, e.Message, e.ContextMap())
	}
	return b.String()
}
