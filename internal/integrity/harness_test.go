package integrity

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/integrity/incident"
	mem "github.com/otelcol-custody/custody/internal/integrity/memory"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

const origin = "custody.example/test"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// notebook is a Book that forgets nothing but what was swept.
type notebook struct {
	now func() time.Time

	mu   sync.Mutex
	open map[string]found
	ever []incident.Finding
}

type found struct {
	incident.Finding
	at time.Time
}

func (b *notebook) Report(f incident.Finding) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	is, there := b.open[f.Cause()]
	if !there {
		b.ever = append(b.ever, f)
		is.Finding = f
	}
	is.at = b.now()
	b.open[f.Cause()] = is
	return nil
}

func (b *notebook) Swept(scope incident.Place, since time.Time, kinds ...incident.Kind) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	within := func(scope, is string) bool { return scope == "" || scope == is }
	for cause, f := range b.open {
		if slices.Contains(kinds, f.Kind) && within(scope.Store, f.Place.Store) && within(scope.Log, f.Place.Log) && within(scope.Object, f.Place.Object) && f.at.Before(since) {
			delete(b.open, cause)
		}
	}
	return nil
}

// line is a finding as tests expect it.
func line(f incident.Finding) string {
	s := fmt.Sprintf("%s %s %s", f.Kind, strings.TrimPrefix(f.Place.Store, "memory://"), f.Place.Object)
	if f.Place.Version != "" {
		s += "@" + f.Place.Version
	}
	s += fmt.Sprintf(" %d-%d", f.Place.First, f.Place.End)
	if f.Place.Record != nil {
		s += fmt.Sprintf(" record %d", *f.Place.Record)
	}
	return s
}

// now lists what is open, ever what ever was, sorted; but for kinds.
func (b *notebook) standing(but ...incident.Kind) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for _, f := range b.open {
		if !slices.Contains(but, f.Kind) {
			out = append(out, line(f.Finding))
		}
	}
	slices.Sort(out)
	return out
}

func (b *notebook) kinds() map[incident.Kind]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := map[incident.Kind]int{}
	for _, f := range b.ever {
		all[f.Kind]++
	}
	return all
}

// counts is an Observer.
type counts struct {
	mu     sync.Mutex
	fresh  int
	again  int
	passes int
}

func (c *counts) Checked(_ string, v *seal.Verified, _ []byte, again bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if again {
		c.again += v.Count
	} else {
		c.fresh += v.Count
	}
}

func (c *counts) reread() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.again
}

func (c *counts) Passed(string, string, time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passes++
}

// bench is a guard over stores, within a synctest bubble.
type bench struct {
	t      *testing.T
	set    Config
	book   *notebook
	counts *counts
	guard  *Guard
	cancel context.CancelFunc
	done   chan error
}

// afterChain is a minute behind the last closed record of a chain of n segments.
func afterChain(n int) time.Time {
	return ledgertest.Began.Add(time.Duration(n)*time.Minute + time.Minute)
}

func newBench(t *testing.T, at time.Time, stores ...store.Store) *bench {
	began := time.Now()
	now := func() time.Time { return at.Add(time.Since(began)) }
	b := &bench{t: t, book: &notebook{now: now, open: map[string]found{}}, counts: &counts{}}
	dir := t.TempDir()
	heads, err := mem.Open(durable.OS, filepath.Join(dir, "heads"), ledgertest.Keys(t, ledgertest.Signer(t, origin)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = heads.Close() })
	b.set = Config{Keys: ledgertest.Keys(t, ledgertest.Signer(t, origin)), Dir: filepath.Join(dir, "guard"), FullPassEvery: time.Hour,
		Workers: 2, Book: b.book, Heads: heads, Observer: b.counts, Now: now}
	for _, s := range stores {
		b.set.Sources = append(b.set.Sources, Source{ID: s.ID(), Open: func(context.Context) (store.Store, error) { return s, nil }})
	}
	return b
}

// start starts a guard on what an earlier one left.
func (b *bench) start() *bench {
	b.t.Helper()
	var err error
	if b.guard, err = New(b.set); err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.t.Context())
	b.cancel, b.done = cancel, make(chan error, 1)
	go func() { b.done <- b.guard.Run(ctx) }()
	return b
}

func (b *bench) stop() {
	b.t.Helper()
	b.cancel()
	if err := <-b.done; err != nil {
		b.t.Error(err)
	}
}

// wait lets time pass.
func (b *bench) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (b *bench) want(lines ...string) {
	b.t.Helper()
	slices.Sort(lines)
	if got := b.book.standing(incident.Late); !slices.Equal(got, lines) {
		b.t.Errorf("got\n %s\nwant\n %s", strings.Join(got, "\n "), strings.Join(lines, "\n "))
	}
}

// fill stores segments as a writer does.
func fill(t *testing.T, s store.Store, segments ...ledgertest.Segment) {
	t.Helper()
	for _, g := range segments {
		plant(t, s, g.Seal.Log+"/"+g.Seal.SegmentName(), g.Object)
		for _, tile := range g.Tiles {
			if tile.Level > 0 {
				plant(t, s, g.Seal.Log+"/"+ledger.TileName(tile.Level, tile.Index), tile.Bytes())
			}
		}
		plant(t, s, sealOf(g), g.Seal.Bytes())
	}
}

func plant(t *testing.T, s store.Store, name string, data []byte) {
	t.Helper()
	if _, err := s.PutOnce(context.Background(), name, data, store.PutOptions{}); err != nil {
		t.Fatal(err)
	}
}

func sealOf(g ledgertest.Segment) string    { return g.Seal.Log + "/" + g.Seal.Name() }
func segmentOf(g ledgertest.Segment) string { return g.Seal.Log + "/" + g.Seal.SegmentName() }

func memory(t *testing.T, id string, segments ...ledgertest.Segment) *storetest.Memory {
	t.Helper()
	m := storetest.NewMemory(id)
	fill(t, m, segments...)
	return m
}

func chain(t *testing.T, counts ...int) []ledgertest.Segment {
	return ledgertest.Chain(t, ledgertest.Signer(t, origin), counts...)
}

// replace puts other bytes where an object was, without a trace.
func replace(m *storetest.Memory, name string, data []byte) {
	m.Erase(name)
	m.Shadow(name, data)
}

func flipped(b []byte, at int) []byte {
	c := slices.Clone(b)
	c[at] ^= 0x10
	return c
}
