package hashchainprocessor

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/ingest"
	"github.com/otelcol-custody/custody/internal/sealer"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/processor/hashchainprocessor/internal/metadata"
)

// measured is a processor whose metrics and status can be read.
type measured struct {
	processor.Logs
	t    *testing.T
	tel  *componenttest.Telemetry
	host *statusHost
}

func startMeasured(t *testing.T, cfg *Config, next consumer.Logs) *measured {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { _ = tel.Shutdown(context.Background()) })
	set := processortest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = tel.NewTelemetrySettings()
	p, err := NewFactory().CreateLogs(t.Context(), set, cfg, next)
	if err != nil {
		t.Fatal(err)
	}
	m := &measured{p, t, tel, &statusHost{Host: componenttest.NewNopHost()}}
	if err := p.Start(t.Context(), m.host); err != nil {
		t.Fatal(err)
	}
	return m
}

// value adds a metric's points up, by the value of their one attribute; of a
// histogram it is the number of measurements. A metric without points is empty.
func (m *measured) value(name string) map[string]float64 {
	got, err := m.tel.GetMetric("otelcol_hash_chain_" + name)
	out := map[string]float64{}
	if err != nil {
		return out
	}
	switch d := got.Data.(type) {
	case metricdata.Sum[int64]:
		for _, p := range d.DataPoints {
			key := ""
			if p.Attributes.Len() > 0 {
				kv, _ := p.Attributes.Get(0)
				key = kv.Value.AsString()
			}
			out[key] += float64(p.Value)
		}
	case metricdata.Gauge[int64]:
		out[""] = float64(d.DataPoints[0].Value)
	case metricdata.Gauge[float64]:
		out[""] = d.DataPoints[0].Value
	case metricdata.Histogram[float64]:
		out[""] = float64(d.DataPoints[0].Count)
	}
	return out
}

func (m *measured) until(what string, ok func() bool) {
	m.t.Helper()
	for begin := time.Now(); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Since(begin) > 30*time.Second {
			m.t.Fatalf("never happened: %s", what)
		}
	}
}

// away is a store that can be away.
type away struct {
	*worm
	down atomic.Bool
}

func (a *away) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	if a.down.Load() {
		delivery.Asked(ctx, "test")
		return delivery.ErrPending
	}
	return a.worm.ConsumeLogs(ctx, ld)
}

func wantCounts(t *testing.T, c *segment.Closed, receiver string, want segment.Counts) {
	t.Helper()
	if got := c.Counts[receiver]; !maps.Equal(got, want) {
		t.Errorf("counts of %s are %v, want %v", receiver, got, want)
	}
}

func TestCountsOfTheReceiver(t *testing.T) {
	cfg, sink := setUp(t)
	p := start(t, cfg, sink)
	a := ingest.NewAccount("otlp/test")
	a.Add(ingest.Counts{Duplicate: 2})
	ctx := ingest.With(t.Context(), a)
	if err := p.ConsumeLogs(ctx, events(0, 7)); err != nil {
		t.Fatal(err)
	}
	a.Add(ingest.Counts{Duplicate: 1, Lost: 4})
	if err := p.ConsumeLogs(ctx, plog.NewLogs()); err != nil || a.Untaken() {
		t.Errorf("logs that bring counts alone: %v, untaken %v", err, a.Untaken())
	}
	if err := p.ConsumeLogs(t.Context(), plog.NewLogs()); err != nil {
		t.Errorf("empty logs: %v", err)
	}
	if err := p.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantCounts(t, sink.head.Closed(), "otlp/test", segment.Counts{
		"received": 10, "sealed": 7, "quarantined": 0, "refused": 0, "duplicate": 3, "lost": 4})
}

// large is a message of several batches, whose bodies do not compress.
func large(records map[string]int) plog.Logs {
	ld := plog.NewLogs()
	random := make([]byte, 90)
	for _, name := range []string{"a", "b"} {
		rl := ld.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutStr(sealer.AttrReceiver, name)
		slice := rl.ScopeLogs().AppendEmpty().LogRecords()
		slice.EnsureCapacity(records[name])
		for range records[name] {
			_, _ = rand.Read(random)
			slice.AppendEmpty().Body().SetStr(base64.StdEncoding.EncodeToString(random))
		}
	}
	return ld
}

// Of a message that is sealed in part each record is counted once: as sealed, or
// as refused, also when it was never looked at. And the full spool is said.
func TestMessageRefusedInPart(t *testing.T) {
	cfg, sink := setUp(t)
	cfg.Segment.MaxSizeMiB, cfg.Spool.MaxSizeMiB = 1, 4
	store := &away{worm: sink}
	p := startMeasured(t, cfg, store)
	if err := p.ConsumeLogs(t.Context(), events(0, 1)); err != nil { // The stores have been asked.
		t.Fatal(err)
	}
	store.down.Store(true)
	const many = 2 * sealer.MaxBatchRecords
	err := p.ConsumeLogs(t.Context(), large(map[string]int{"a": many, "b": 5}))
	if !errors.Is(err, sealer.ErrFull) {
		t.Fatalf("ConsumeLogs with %v in the spool: %v, want ErrFull", p.value("backlog_bytes"), err)
	}
	if !p.host.is(componentstatus.StatusRecoverableError) {
		t.Error("records are refused, and the status is not recoverable error")
	}
	taken := int64(p.value("records")[""]) - 1
	if got := p.value("refused"); taken == 0 || int64(got["full"]) != many+5-taken || len(got) != 1 {
		t.Errorf("refused: %v, want %d for full", got, many+5-taken)
	}
	if got, limit := p.value("backlog_bytes")[""], p.value("backlog_limit")[""]; got < limit || limit != 4<<20 {
		t.Errorf("backlog is %v of %v bytes", got, limit)
	}
	if p.value("troubles")["intake"] == 0 {
		t.Errorf("troubles: %v", p.value("troubles"))
	}
	store.down.Store(false)
	p.until("the status is well by itself", func() bool { return p.host.is(componentstatus.StatusOK) })
	if err := p.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	total := map[string]segment.Counts{}
	for _, line := range sink.lines {
		if !segment.IsClosed([]byte(line)) {
			continue
		}
		c, err := segment.ParseClosed([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		for receiver, counts := range c.Counts {
			if total[receiver] == nil {
				total[receiver] = segment.Counts{}
			}
			for name, n := range counts {
				total[receiver][name] += n
			}
		}
	}
	all := &segment.Closed{Counts: total}
	wantCounts(t, all, "a", segment.Counts{"received": many, "sealed": taken, "quarantined": 0, "refused": many - taken})
	wantCounts(t, all, "b", segment.Counts{"received": 5, "sealed": 0, "quarantined": 0, "refused": 5})
}

func TestMetrics(t *testing.T) {
	cfg, sink := setUp(t)
	cfg.Segment.MaxAge = 100 * time.Millisecond
	store := &away{worm: sink}
	p := startMeasured(t, cfg, store)
	if err := p.ConsumeLogs(t.Context(), events(0, 3)); err != nil {
		t.Fatal(err)
	}
	p.until("the segment is stored", func() bool { return p.value("sealed_segments")[""] == 1 && p.value("oldest_unstored")[""] == 0 })
	store.down.Store(true)
	deep := hostile("x", "", nil)
	deep.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().SetStr(strings.Repeat("x", 17<<20))
	if err := p.ConsumeLogs(t.Context(), deep); err != nil {
		t.Fatal(err)
	}
	p.until("a segment waits", func() bool { return p.value("unstored_segments")[""] == 1 && p.value("oldest_unstored")[""] > 0 })
	if err := p.ConsumeLogs(t.Context(), plog.NewLogs()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{
		"ack_duration": 2, "seal_duration": 2, "sync_duration": 2, "records": 4, "oversize": 1, "unstored_segments": 1,
	} {
		if got := p.value(name)[""]; got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	store.down.Store(false)
	if err := p.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestForkIsCounted(t *testing.T) {
	cfg, sink := setUp(t)
	sink.fork = &delivery.ForkError{Store: "test", Log: "web"}
	p := startMeasured(t, cfg, sink)
	p.until("the status is fatal", func() bool { return p.host.is(componentstatus.StatusFatalError) })
	if err := p.ConsumeLogs(t.Context(), events(0, 2)); err == nil {
		t.Error("a forked log takes records")
	}
	if got := p.value("forks")[""]; got != 1 {
		t.Errorf("forks is %v, want 1", got)
	}
	if got := p.value("refused"); got["stopped"] != 2 {
		t.Errorf("refused is %v", got)
	}
	if err := p.Shutdown(t.Context()); err == nil {
		t.Error("Shutdown hides the fork")
	}
}

// Each error has one reason, also one that wraps several.
func TestReasons(t *testing.T) {
	for range 50 {
		for want, err := range map[string]error{
			"full":       fmt.Errorf("%w: x", sealer.ErrFull),
			"behind":     fmt.Errorf("%w: x", sealer.ErrBehind),
			"unanswered": fmt.Errorf("%w: %w", sealer.ErrUnanswered, sealer.ErrStopped),
			"stopped":    fmt.Errorf("%w: %w", sealer.ErrStopped, &delivery.ForkError{}),
			"journal":    errors.New("write journal: no space left on device"),
		} {
			if got := reason(err); got != want {
				t.Fatalf("reason of %q is %s, want %s", err, got, want)
			}
		}
	}
}
