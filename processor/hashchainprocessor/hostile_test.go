package hashchainprocessor

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-custody/custody/exporter/filewormexporter"
	"github.com/otelcol-custody/custody/internal/sealer"
)

// hostile makes one record of a producer that calls itself and its record what it
// likes.
func hostile(receiver, event string, body []byte) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr(sealer.AttrReceiver, receiver)
	lr := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	lr.SetEventName(event)
	lr.Body().SetEmptyBytes().FromRaw(body)
	return ld
}

// A name as long as a closed record used to keep every segment from closing.
func TestNoReceiverNameStopsTheLog(t *testing.T) {
	cfg, sink := setUp(t)
	p := start(t, cfg, sink)
	if err := p.ConsumeLogs(t.Context(), hostile(strings.Repeat("r", 1_100_000), "", nil)); err != nil {
		t.Fatal(err)
	}
	for i := range 2000 {
		if err := p.ConsumeLogs(t.Context(), hostile(fmt.Sprintf("receiver %d\x01\xff", i), "", nil)); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	closed := sink.head.Closed()
	if n := closed.Counts["others"]["sealed"]; sink.head.Count != 2002 || n < 1700 || len(closed.Counts) > 300 {
		t.Errorf("%d records, %d of them counted as others, %d names", sink.head.Count, n, len(closed.Counts))
	}
}

// A producer that names its record like one of hash_chain's own must neither stop
// a store nor make it accuse anybody.
func TestNoEventNameReachesTheStore(t *testing.T) {
	for _, event := range []string{"custody.probe", "custody.segment", "custody.seal", "custody.tile", "custody.checkpoint"} {
		t.Run(event, func(t *testing.T) {
			cfg, sink := setUp(t)
			cfg.Emit = []string{emitSegments, emitRecords}
			store := startFileWorm(t, sink)
			watched := &watch{Logs: store}
			p := start(t, cfg, watched)
			for range 2 {
				if err := p.ConsumeLogs(t.Context(), hostile("x", event, []byte("custody-probe/v1\nlog web\norigin custody.example/web\n"))); err != nil {
					t.Fatal(err)
				}
			}
			if err := errors.Join(p.Shutdown(t.Context()), store.Shutdown(t.Context())); err != nil {
				t.Error(err)
			}
			if watched.err != nil {
				t.Errorf("the store answered: %v", watched.err)
			}
		})
	}
}

type exporterLogs interface {
	consumer.Logs
	Shutdown(context.Context) error
}

func startFileWorm(t *testing.T, sink *worm) exporterLogs {
	t.Helper()
	dir := t.TempDir()
	f := filewormexporter.NewFactory()
	cfg := f.CreateDefaultConfig().(*filewormexporter.Config)
	cfg.Dir.Path, cfg.Dir.Immutable, cfg.Delivery.LogKeys = filepath.Join(dir, "store"), "off", []string{filepath.Join(dir, "log.pub")}
	write(t, cfg.Delivery.LogKeys[0], sink.keys.VerifierKeys()[0]+"\n")
	e, err := f.CreateLogs(t.Context(), exportertest.NewNopSettings(f.Type()), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context(), componenttest.NewNopHost()); err != nil {
		t.Fatal(err)
	}
	return e
}

// watch keeps the first error that a consumer answers.
type watch struct {
	consumer.Logs
	mu  sync.Mutex
	err error
}

func (w *watch) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	err := w.Logs.ConsumeLogs(ctx, ld)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil && w.err == nil {
		w.err = err
	}
	return err
}

// A store that has been asked once is waited for, also when something in front of
// it refuses before it hears of a segment.
func TestRefusedBeforeAsked(t *testing.T) {
	cfg, sink := setUp(t)
	cfg.Segment.MaxAge = 100 * time.Millisecond
	second := &worm{t: t, keys: sink.keys}
	var refuse atomic.Bool
	probed := make(chan struct{})
	var once sync.Once
	p := start(t, cfg, twoStores(func(ctx context.Context, ld plog.Logs) error {
		err := sink.ConsumeLogs(ctx, ld)
		if refuse.Load() {
			return errors.Join(err, errors.New("data refused due to high memory usage"))
		}
		defer once.Do(func() { close(probed) })
		return errors.Join(err, second.consumeAs(ctx, ld, "second"))
	}))
	<-probed
	refuse.Store(true)
	if err := p.ConsumeLogs(t.Context(), events(0, 1)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := p.Shutdown(short); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(cfg.StateDir, "spool", "*.seal"))
	if err != nil || len(left) == 0 {
		t.Errorf("the segment left the spool although the second store never heard of it (%v)", err)
	}
}

type twoStores func(context.Context, plog.Logs) error

func (f twoStores) ConsumeLogs(ctx context.Context, ld plog.Logs) error { return f(ctx, ld) }
func (f twoStores) Capabilities() consumer.Capabilities                 { return consumer.Capabilities{} }
