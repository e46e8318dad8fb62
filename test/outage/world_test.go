package outage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/durable/durabletest"
	"github.com/otelcol-custody/custody/internal/sealer"
	"github.com/otelcol-custody/custody/internal/wormexport"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tree"
	"github.com/otelcol-custody/custody/ledger/verify"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

const (
	logName = "web"
	origin  = "custody.example/web"
	nStores = 3
)

// A world is a log's state directory, its three stores, and what callers were
// told. Processes come and go.
type world struct {
	t    *testing.T
	c    sealer.Config
	fs   *durabletest.FS
	keys *checkpoint.Keys

	mem    [nStores]*storetest.Memory
	stores [nStores]*unruly
	opens  [nStores]store.Store // what the exporters get: the last one shows versions
	inner  [nStores]store.Store // without moods
	faulty [nStores]*storetest.Faulty

	release chan struct{} // what is deaf goes on
	begun   bool

	mu         sync.Mutex // guards what follows
	acked      map[int]int
	unanswered map[int]int // ended without a word on whether it was sealed
	refused    int         // with ErrBehind
	notes      []checkpoint.Signed
}

// bubble runs a test in virtual time.
func bubble(t *testing.T, what func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer synctest.Wait()
		defer close(w.release)
		what(w)
	})
}

func newWorld(t *testing.T) *world {
	signer := ledgertest.Signer(t, origin)
	w := &world{t: t, fs: durabletest.New(), keys: ledgertest.Keys(t, signer), release: make(chan struct{}), acked: map[int]int{}, unanswered: map[int]int{}}
	w.c = sealer.Config{
		Log: logName, Signer: signer, Dir: "/state", Software: "custody/test",
		MaxBytes: 1 << 20, MaxAge: time.Second, Heartbeat: time.Hour, Checkpoint: time.Minute,
		AckTimeout: 20 * time.Second, SpoolLimit: 1 << 30, MinStores: 1,
	}
	for i := range nStores {
		w.mem[i] = storetest.NewMemory(strconv.Itoa(i))
		w.inner[i] = w.mem[i]
		if i == nStores-1 {
			f := storetest.NewFaultyVersioned(t, w.mem[i])
			w.stores[i] = newUnruly(f, w.release)
			w.opens[i], w.faulty[i] = versioned{w.stores[i], f}, f.Faulty
			continue
		}
		w.faulty[i] = storetest.NewFaulty(t, w.mem[i])
		w.stores[i] = newUnruly(w.faulty[i], w.release)
		w.opens[i] = w.stores[i]
	}
	return w
}

// moods gives each store its mood; stores without one are well.
func (w *world) moods(all ...mood) {
	for i := range w.stores {
		m := well
		if i < len(all) && all[i] != nil {
			m = all[i]
		}
		w.stores[i].is(m)
	}
}

// A process is a collector with the log's pipeline: a sealer before a fan-out to
// an exporter for each store.
type process struct {
	*sealer.Sealer
	w         *world
	exporters [nStores]*wormexport.Exporter
	senders   sync.WaitGroup

	mu       sync.Mutex // guards what follows
	fatal    error
	troubles map[string]int
	stored   int
}

func (w *world) start() *process {
	w.t.Helper()
	p := &process{w: w, troubles: map[string]int{}}
	for i := range p.exporters {
		e, err := wormexport.New(wormexport.Settings{
			Telemetry: componenttest.NewNopTelemetrySettings(), ID: w.inner[i].ID(), Keys: w.keys,
			Open: func(context.Context) (store.Store, error) { return w.opens[i], nil },
		})
		if err == nil {
			err = e.Start(context.Background(), nopHost{})
		}
		if err != nil {
			w.t.Fatal(err)
		}
		p.exporters[i] = e
	}
	c := w.c
	if c.FS == nil {
		c.FS = w.fs
	}
	c.Genesis = !w.begun // I6: what began is never begun again.
	s, err := sealer.Open(c, p, p)
	if err != nil {
		w.t.Fatalf("open: %v", err)
	}
	p.Sealer, w.begun = s, true
	return p
}

type nopHost struct{}

func (nopHost) GetExtensions() map[component.ID]component.Component { return nil }

// stop stops the process as SIGTERM does, with so long a grace for the stores.
func (p *process) stop(grace time.Duration) {
	p.w.t.Helper()
	if err := p.Close(context.Background(), grace); err != nil {
		p.w.t.Errorf("close: %v", err)
	}
	p.end(context.Background())
}

func (p *process) end(ctx context.Context) {
	for _, e := range p.exporters {
		_ = e.Shutdown(ctx) // Says what hangs, which the tests know.
	}
}

// kill ends the process as SIGKILL does, or as a power cut does. What was sent to
// a store may still arrive.
func (p *process) kill(after func(*durabletest.FS) *durabletest.FS) {
	next := after(p.w.fs)
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	_ = p.Close(gone, 0)
	p.end(gone)
	p.w.fs = next
}

func kill9(fs *durabletest.FS) *durabletest.FS { return fs.Restart() }

// send is the collector's fan-out: one exporter after the other.
func (p *process) send(ctx context.Context, ld plog.Logs) (given, asked int, err error) {
	ctx, book := delivery.WithBook(ctx)
	ld.MarkReadOnly()
	var errs []error
	for _, e := range p.exporters {
		errs = append(errs, e.ConsumeLogs(ctx, ld))
	}
	given, asked = book.Count()
	return given, asked, errors.Join(errs...)
}

func (p *process) Deliver(ctx context.Context, o *delivery.Objects) (int, int, error) {
	return p.send(ctx, o.Logs())
}

func (p *process) Probe(ctx context.Context, q *delivery.Probe) (int, int, error) {
	return p.send(ctx, q.Logs())
}

func (p *process) Checkpoint(_ context.Context, note []byte) error {
	s, err := checkpoint.Open(note, p.w.keys)
	if err != nil {
		p.w.t.Errorf("checkpoint: %v", err)
		return err
	}
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.w.notes = append(p.w.notes, s)
	return nil
}

func (p *process) Records(context.Context, *seal.Verified, *tree.Seed, []byte) error { return nil }

func (p *process) Sealed(*seal.Verified, int64) {}
func (p *process) Waiting(int)                  {}
func (p *process) Better(string)                {}
func (p *process) Notice(string)                {}
func (p *process) Synced(time.Duration)         {}

func (p *process) Stored(*seal.Head, int, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stored++
}

func (p *process) Trouble(what string, _ error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.troubles[what]++
}

func (p *process) Fatal(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fatal = err
}

// broken is why the process gave up the log, or nil.
func (p *process) broken() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fatal
}

// line is the i-th event, padded by what does not compress.
func line(i, pad int) []byte {
	return fmt.Appendf(nil, `{"body":"event %d %s"}`, i, noise(i, pad))
}

func noise(i, n int) string {
	var b strings.Builder
	for x := uint32(i + 1); b.Len() < n; {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b.WriteString(strconv.FormatUint(uint64(x), 36))
	}
	return b.String()
}

// try sends one event once and notes what the caller was told.
func (p *process) try(i, pad int) error {
	b := &sealer.Batch{}
	b.Add(line(i, pad), "test", false)
	err := p.Append(context.Background(), b)
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	switch {
	case err == nil:
		p.w.acked[i]++
	case !errors.Is(err, sealer.ErrFull) && !errors.Is(err, sealer.ErrBehind):
		p.w.unanswered[i]++
	}
	return err
}

// must sends an event that is to be taken.
func (p *process) must(i, pad int) {
	p.w.t.Helper()
	if err := p.try(i, pad); err != nil {
		p.w.t.Fatalf("event %d: %v", i, err)
	}
}

// objects are what a store holds.
func (w *world) objects(i int) fstest.MapFS {
	w.t.Helper()
	all := fstest.MapFS{}
	for info, err := range w.inner[i].List(context.Background(), "", "") {
		if err != nil {
			w.t.Fatal(err)
		}
		r, _, err := w.inner[i].Get(context.Background(), info.Name)
		if err != nil {
			w.t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil {
			w.t.Fatal(err)
		}
		all[info.Name] = &fstest.MapFile{Data: b, Mode: 0o444}
	}
	return all
}

// judge holds each store against what callers were told (I1), as an auditor who
// kept every checkpoint (I2 to I4), and returns what of the log is stored.
func (w *world) judge() []string {
	w.t.Helper()
	var lines []string
	for i := range nStores {
		all := w.objects(i)
		sub, err := all.Sub(logName)
		if err != nil {
			w.t.Fatal(err)
		}
		r, err := verify.Log(context.Background(), sub, logName, verify.Options{Keys: w.keys, Since: w.notes, Workers: 1, Now: time.Now()})
		if err != nil {
			w.t.Fatalf("store %d: %v", i, err)
		}
		for _, f := range r.Findings {
			w.t.Errorf("store %d: %v", i, f)
		}
		if !r.Complete() || r.Checked != r.Records {
			w.t.Errorf("store %d: checked %d of %d records, unread %v", i, r.Checked, r.Records, r.Unread)
		}
		lines = linesOf(w.t, all)
		w.count(i, lines)
	}
	return lines
}

// same wants the very same objects in all stores.
func (w *world) same() {
	w.t.Helper()
	first := w.objects(0)
	for i := 1; i < nStores; i++ {
		other := w.objects(i)
		if len(first) != len(other) {
			w.t.Errorf("store 0 has %d objects, store %d has %d", len(first), i, len(other))
		}
		for name := range maps.Keys(first) {
			if o := other[name]; o == nil || string(o.Data) != string(first[name].Data) {
				w.t.Errorf("store %d has another %s", i, name)
			}
		}
	}
}

func linesOf(t *testing.T, all fstest.MapFS) (lines []string) {
	dec := segment.NewDecoder()
	defer dec.Close()
	for name, f := range all {
		if !strings.Contains(name, "/segments/") {
			continue
		}
		sg, err := segment.Parse(f.Data)
		if err != nil {
			t.Fatal(err)
		}
		b, err := dec.Inflate(sg)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range segment.Lines(b) {
			if !segment.IsClosed(l) {
				lines = append(lines, string(l))
			}
		}
	}
	return lines
}

// count wants every acknowledged event in the store, and none more often than
// callers could expect: once for each nil and for each wait that ended unanswered.
func (w *world) count(i int, lines []string) {
	w.t.Helper()
	found := map[int]int{}
	for _, l := range lines {
		var e int
		if _, err := fmt.Sscanf(l, `{"body":"event %d`, &e); err != nil {
			w.t.Fatalf("store %d: %v in %s", i, err, l)
		}
		found[e]++
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for e, n := range w.acked {
		if found[e] < n {
			w.t.Errorf("store %d: event %d was acknowledged %d times and is there %d times", i, e, n, found[e])
		}
	}
	for e, n := range found {
		if most := w.acked[e] + w.unanswered[e]; n > most {
			w.t.Errorf("store %d: event %d is there %d times; it was acknowledged %d times and left unanswered %d times", i, e, n, w.acked[e], w.unanswered[e])
		}
	}
}
