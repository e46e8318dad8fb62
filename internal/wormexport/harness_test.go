package wormexport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

const origin = "custody.example/test"

// bench is an exporter over a faulty store in memory.
type bench struct {
	*Exporter
	t      *testing.T
	signer *checkpoint.Signer
	mem    *storetest.Memory
	store  *storetest.Faulty
	tel    *componenttest.Telemetry
	host   *statusHost
}

// newBench starts an exporter over mem, or an empty store if that is nil. The
// store shows neither versions nor retention.
func newBench(t *testing.T, mem *storetest.Memory, change ...func(*Settings)) *bench {
	t.Helper()
	if mem == nil {
		mem = storetest.NewMemory("test")
	}
	faulty := storetest.NewFaulty(t, mem)
	return startBench(t, mem, faulty, faulty, change)
}

// newVersioned starts an exporter over a store that shows all that mem is able to.
func newVersioned(t *testing.T, mem *storetest.Memory, change ...func(*Settings)) *bench {
	t.Helper()
	if mem == nil {
		mem = storetest.NewMemory("test")
	}
	faulty := storetest.NewFaultyVersioned(t, mem)
	return startBench(t, mem, faulty, faulty.Faulty, change)
}

func startBench(t *testing.T, mem *storetest.Memory, s store.Store, faulty *storetest.Faulty, change []func(*Settings)) *bench {
	t.Helper()
	b := &bench{t: t, signer: ledgertest.Signer(t, origin), mem: mem, store: faulty, host: &statusHost{}}
	b.tel = componenttest.NewTelemetry()
	set := Settings{
		Telemetry: b.tel.NewTelemetrySettings(), ID: mem.ID(), Keys: ledgertest.Keys(t, b.signer),
		Open: func(context.Context) (store.Store, error) { return s, nil },
	}
	for _, c := range change {
		c(&set)
	}
	var err error
	if b.Exporter, err = New(set); err != nil {
		t.Fatal(err)
	}
	if err := b.Start(t.Context(), b.host); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.stop)
	return b
}

func (b *bench) stop() {
	b.store.Heal()
	if err := b.Shutdown(context.Background()); err != nil {
		b.t.Errorf("Shutdown: %v", err)
	}
	if err := b.tel.Shutdown(context.Background()); err != nil {
		b.t.Errorf("telemetry: %v", err)
	}
}

// statusHost records what a component reports.
type statusHost struct {
	mu     sync.Mutex
	events []componentstatus.Status
}

func (h *statusHost) GetExtensions() map[component.ID]component.Component { return nil }

func (h *statusHost) Report(ev *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := len(h.events); n == 0 || h.events[n-1] != ev.Status() {
		h.events = append(h.events, ev.Status())
	}
}

func (h *statusHost) statuses() []componentstatus.Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.events)
}

func objects(s ledgertest.Segment) *delivery.Objects {
	o := &delivery.Objects{Segment: s.Object, Seal: s.Seal.Bytes()}
	for _, t := range s.Tiles {
		o.Tiles = append(o.Tiles, t.Bytes())
	}
	return o
}

// send delivers and returns the error, after checking that the book fits it.
func (b *bench) send(ld plog.Logs) error {
	b.t.Helper()
	ctx, book := delivery.WithBook(b.t.Context())
	ld.MarkReadOnly()
	err := b.ConsumeLogs(ctx, ld)
	given, asked := book.Count()
	if asked != 1 || (given == 1) != (err == nil) {
		b.t.Errorf("asked %d, receipts %d, with error %v", asked, given, err)
	}
	return err
}

func (b *bench) deliver(s ledgertest.Segment) error {
	b.t.Helper()
	return b.send(objects(s).Logs())
}

func (b *bench) probe(s ledgertest.Segment) error {
	b.t.Helper()
	return b.send((&delivery.Probe{Seal: s.Seal.Bytes()}).Logs())
}

func (b *bench) probeGenesis(log string) error {
	b.t.Helper()
	return b.send((&delivery.Probe{Log: log, Origin: origin}).Logs())
}

// must delivers segments that are to be stored.
func (b *bench) must(segments ...ledgertest.Segment) {
	b.t.Helper()
	for _, s := range segments {
		if err := b.deliver(s); err != nil {
			b.t.Fatalf("segment %d: %v", s.Seal.First, err)
		}
	}
}

// names lists what the store holds.
func (b *bench) names() []string {
	var names []string
	for info, err := range b.mem.List(context.Background(), "", "") {
		if err != nil {
			b.t.Fatal(err)
		}
		names = append(names, info.Name)
	}
	return names
}

// objectsOf are the names that segments have in a store.
func objectsOf(segments ...ledgertest.Segment) []string {
	var names []string
	for _, s := range segments {
		log := s.Seal.Log + "/"
		names = append(names, log+s.Seal.SegmentName(), log+s.Seal.Name())
		for _, t := range s.Tiles {
			names = append(names, fmt.Sprintf("%stiles/%d/%020d.tile", log, t.Level, t.Index))
		}
	}
	slices.Sort(names)
	return names
}

// holds checks that the store has these segments and nothing else, byte for byte.
func (b *bench) holds(segments ...ledgertest.Segment) {
	b.t.Helper()
	if got, want := b.names(), objectsOf(segments...); !slices.Equal(got, want) {
		b.t.Errorf("the store holds\n %s\nwant\n %s", strings.Join(got, "\n "), strings.Join(want, "\n "))
	}
	for _, s := range segments {
		if got := b.read(s.Seal.Log + "/" + s.Seal.SegmentName()); got != string(s.Object) {
			b.t.Errorf("segment %d is stored altered", s.Seal.First)
		}
		if got := b.read(s.Seal.Log + "/" + s.Seal.Name()); got != string(s.Seal.Bytes()) {
			b.t.Errorf("seal %d is stored altered", s.Seal.First)
		}
	}
}

func (b *bench) read(name string) string {
	b.t.Helper()
	r, _, err := b.mem.Get(context.Background(), name)
	if err != nil {
		b.t.Errorf("read %s: %v", name, err)
		return ""
	}
	defer r.Close()
	all, err := io.ReadAll(r)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(all)
}

// plant puts bytes into the store behind the exporter's back.
func plant(t *testing.T, s store.Store, name string, data []byte) {
	t.Helper()
	if _, err := s.PutOnce(context.Background(), name, data, store.PutOptions{}); err != nil {
		t.Fatal(err)
	}
}

// puts counts the writes to the store so far, of names that contain part.
func (b *bench) puts(part string) int {
	n := 0
	for _, c := range b.store.Calls() {
		if c.Method == storetest.Put && strings.Contains(c.Name, part) {
			n++
		}
	}
	return n
}

// requests counts the calls of the store since it had made so many, by method.
func (b *bench) requests(since int) map[storetest.Method]int {
	n := map[storetest.Method]int{}
	for _, c := range b.store.Calls()[since:] {
		n[c.Method]++
	}
	return n
}

// rest waits until the exporter tries a store again that was away.
func (b *bench) rest() {
	for b.health.away() != nil {
		time.Sleep(shortestRest / 4)
	}
}

func wantFork(t *testing.T, err error) *delivery.ForkError {
	t.Helper()
	var fork *delivery.ForkError
	if !errors.As(err, &fork) {
		t.Fatalf("got %v, want a fork", err)
	}
	if errors.Is(err, delivery.ErrPending) {
		t.Errorf("a fork must not be pending: %v", err)
	}
	if !strings.Contains(err.Error(), "docs/operations.md") {
		t.Errorf("no way out in: %v", err)
	}
	return fork
}

func wantAltered(t *testing.T, err error) {
	t.Helper()
	var a *delivery.AlteredError
	if !errors.As(err, &a) {
		t.Fatalf("got %v, want it refused as altered", err)
	}
	if errors.Is(err, delivery.ErrPending) {
		t.Errorf("what was altered must not be pending: %v", err)
	}
}

func wantPending(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, delivery.ErrPending) {
		t.Fatalf("got %v, want pending", err)
	}
}
