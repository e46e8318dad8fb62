package hashchainprocessor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/sealer"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/processor/hashchainprocessor/internal/metadata"
)

// worm is a consumer that behaves like a WORM exporter beside a SIEM: it checks
// seals, gives receipts, and keeps emitted records.
type worm struct {
	t       *testing.T
	keys    *checkpoint.Keys
	mutates bool

	mu      sync.Mutex
	head    *seal.Verified
	lines   []string
	records []plog.Logs
	fork    error
}

func (w *worm) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: w.mutates}
}

func (w *worm) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	return w.consumeAs(ctx, ld, "test")
}

// consumeAs gives its receipts in the name of a store.
func (w *worm) consumeAs(ctx context.Context, ld plog.Logs, store string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	m, err := delivery.Read(ld)
	if err != nil {
		w.t.Errorf("what arrived downstream: %v", err)
		return err
	}
	if m.Objects == nil && m.Probe == nil {
		copied := plog.NewLogs()
		ld.CopyTo(copied)
		w.records = append(w.records, copied)
		return nil
	}
	delivery.Asked(ctx, store)
	if w.fork != nil {
		return w.fork
	}
	if m.Objects != nil {
		w.take(m.Objects)
	}
	delivery.Receipt(ctx, store)
	return nil
}

func (w *worm) take(o *delivery.Objects) {
	v, err := seal.Open(o.Seal, w.keys)
	if err != nil {
		w.t.Errorf("seal: %v", err)
		return
	}
	if w.head != nil && v.End() <= w.head.End() {
		return // Delivered again.
	}
	if _, err := v.Follows(w.head); err != nil {
		w.t.Errorf("seal: %v", err)
	}
	w.head = v
	sg, err := segment.Parse(o.Segment)
	if err != nil {
		w.t.Errorf("segment: %v", err)
		return
	}
	dec := segment.NewDecoder()
	defer dec.Close()
	lines, err := dec.Inflate(sg)
	if err != nil {
		w.t.Errorf("segment: %v", err)
	}
	for _, line := range segment.Lines(lines) {
		w.lines = append(w.lines, string(line))
	}
}

// setUp makes a key and returns a configuration for it and a consumer.
func setUp(t *testing.T) (*Config, *worm) {
	t.Helper()
	skey, vkey, err := checkpoint.GenerateKey(strings.NewReader(strings.Repeat("k", 64)), "custody.example/web")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cfg := createDefaultConfig().(*Config)
	cfg.Log, cfg.StateDir, cfg.Key.File, cfg.OnMissingHead = "web", filepath.Join(dir, "state"), filepath.Join(dir, "web.key"), onGenesis
	if err := os.WriteFile(cfg.Key.File, []byte(skey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	keys, err := checkpoint.ParseKeys(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return cfg, &worm{t: t, keys: keys}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func newTest(t *testing.T, cfg *Config, next consumer.Logs) (processor.Logs, error) {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	return NewFactory().CreateLogs(t.Context(), processortest.NewNopSettings(metadata.Type), cfg, next)
}

func start(t *testing.T, cfg *Config, next consumer.Logs) processor.Logs {
	t.Helper()
	p, err := newTest(t, cfg, next)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(t.Context(), componenttest.NewNopHost()); err != nil {
		t.Fatal(err)
	}
	return p
}

func events(from, n int) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr(sealer.AttrReceiver, "otlp/test")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for i := range n {
		lr := records.AppendEmpty()
		lr.Body().SetStr(fmt.Sprintf("event %d", from+i))
		lr.Attributes().PutStr("custody.forged", "by a producer")
	}
	ld.MarkReadOnly()
	return ld
}

func TestSealsWhatItConsumes(t *testing.T) {
	cfg, sink := setUp(t)
	cfg.Emit = []string{emitSegments, emitRecords}
	p := start(t, cfg, sink)
	for i := range 10 {
		if err := p.ConsumeLogs(t.Context(), events(i*7, 7)); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(sink.lines) != 71 {
		t.Fatalf("%d lines were sealed, want 70 and a closed one", len(sink.lines))
	}
	for i, line := range sink.lines[:70] {
		want := fmt.Sprintf(`{"attributes":{"custody.original.custody.forged":"by a producer"},"body":"event %d","resource":{"attributes":{"audit.ingest.receiver":"otlp/test"}}}`, i)
		if line != want {
			t.Fatalf("line %d is\n%s, want\n%s", i, line, want)
		}
	}
	closed := sink.head.Closed()
	if c := closed.Counts["otlp/test"]; closed.Reason != segment.Shutdown || c["sealed"] != 70 || c["received"] != 70 || c["refused"] != 0 {
		t.Errorf("closed record says %+v", closed)
	}
	emitted(t, sink)
}

// emitted demands that records were passed on, each with its place.
func emitted(t *testing.T, sink *worm) {
	t.Helper()
	n := 0
	for _, ld := range sink.records {
		for _, rl := range ld.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, lr := range sl.LogRecords().All() {
					if lr.EventName() == delivery.EventCheckpoint {
						continue
					}
					number, _ := lr.Attributes().Get(delivery.AttrNumber)
					link, _ := lr.Attributes().Get(delivery.AttrValue)
					want := sink.head.Link(n)
					if number.Int() != int64(n) || link.Str() != fmt.Sprintf("%x", want[:]) || lr.Body().Str() != fmt.Sprintf("event %d", n) {
						t.Fatalf("record %d was emitted as %v %s %s", n, number.Int(), link.Str(), lr.Body().Str())
					}
					n++
				}
			}
		}
	}
	if n != 70 {
		t.Errorf("%d records were emitted, want 70", n)
	}
}

func TestRefusesWhatMutates(t *testing.T) {
	cfg, sink := setUp(t)
	sink.mutates = true
	if _, err := newTest(t, cfg, sink); !errors.Is(err, errMutates) {
		t.Errorf("created before a component that changes data: %v", err)
	}
}

func TestKeyFaults(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"missing":      {func(c *Config) { c.Key.File += ".no" }, "keygen"},
		"open to all":  {func(c *Config) { _ = os.Chmod(c.Key.File, 0o644) }, "chmod"},
		"other origin": {func(c *Config) { c.Origin = "custody.example/other" }, "custody.example/web"},
		"no key":       {func(c *Config) { _ = os.WriteFile(c.Key.File, []byte("hello\n"), 0o600) }, "PRIVATE+KEY"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, sink := setUp(t)
			c.change(cfg)
			_, err := newTest(t, cfg, sink)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want one that says %q", err, c.want)
			}
		})
	}
}

func TestSecondInstanceIsRefused(t *testing.T) {
	cfg, sink := setUp(t)
	p := start(t, cfg, sink)
	other, err := newTest(t, cfg, sink)
	if err != nil {
		t.Fatal(err)
	}
	err = other.Start(t.Context(), componenttest.NewNopHost())
	if !errors.Is(err, durable.ErrLocked) || !strings.Contains(err.Error(), "one pipeline") {
		t.Errorf("second start: %v, want a lock error that shows the way out", err)
	}
	if err := errors.Join(other.Shutdown(t.Context()), p.Shutdown(t.Context())); err != nil {
		t.Error(err)
	}
}

func TestShutdownWithoutStart(t *testing.T) {
	cfg, sink := setUp(t)
	p, err := newTest(t, cfg, sink)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

// statusHost keeps the status that a component reports.
type statusHost struct {
	component.Host
	mu   sync.Mutex
	last componentstatus.Status
}

func (h *statusHost) Report(e *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = e.Status()
}

func (h *statusHost) is(s componentstatus.Status) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last == s
}

func TestForkIsFatal(t *testing.T) {
	cfg, sink := setUp(t)
	sink.fork = &delivery.ForkError{Store: "test", Log: "web"}
	p, err := newTest(t, cfg, sink)
	if err != nil {
		t.Fatal(err)
	}
	host := &statusHost{Host: componenttest.NewNopHost()}
	if err := p.Start(t.Context(), host); err != nil {
		t.Fatal(err)
	}
	err = p.ConsumeLogs(t.Context(), events(0, 1))
	if fork := (*delivery.ForkError)(nil); !errors.As(err, &fork) || consumererror.IsPermanent(err) {
		t.Errorf("ConsumeLogs over a fork: %v, want the fork, and not permanent", err)
	}
	for range 100 {
		if host.is(componentstatus.StatusFatalError) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if !host.is(componentstatus.StatusFatalError) {
		t.Error("the status is not fatal")
	}
	if err := p.Shutdown(t.Context()); err == nil {
		t.Error("Shutdown hides the fatal error: the collector would exit 0")
	}
}

func TestNoStoreBehindIsSaid(t *testing.T) {
	cfg, _ := setUp(t)
	host := &statusHost{Host: componenttest.NewNopHost()}
	p, err := newTest(t, cfg, consumertest.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(t.Context(), host); err != nil {
		t.Fatal(err)
	}
	if err := p.ConsumeLogs(t.Context(), events(0, 1)); err != nil {
		t.Errorf("sealing without a store: %v, want the record in the spool", err)
	}
	if !host.is(componentstatus.StatusRecoverableError) {
		t.Error("no store has confirmed anything, yet the status is not recoverable error")
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := p.Shutdown(short); err != nil {
		t.Error(err)
	}
}
