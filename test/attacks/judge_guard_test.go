package attacks

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/integrity"
	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/internal/integrity/memory"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

// The guard watches the store before, while and after it is attacked, by its own
// clock: it asks for new segments every poll and reads everything again in every
// pass.
const (
	poll  = 15 * time.Second
	pass  = 10 * time.Minute
	watch = 15 * time.Minute // behind the attack
)

// guardJudge is what the integrity extension runs. It needs no kept checkpoint:
// it remembers.
type guardJudge struct{}

func (guardJudge) name() string { return guardian }

// It is a memory: there is no trial without one.
func (guardJudge) takes(tr trial, s *scene) bool {
	return s.file == nil && (s.store != nil || s.vault != nil) && (!tr.memory || tr.kept)
}

func (guardJudge) due(tr trial) (string, bool) {
	if tr.who == keeper { // What it saw before was another history.
		return tr.want + ", fork 0", false
	}
	return tr.want, true
}

// ledgerBook notes what is reported, and when first.
type ledgerBook struct {
	calm  bool // nothing is done to the store
	mu    sync.Mutex
	all   []finding
	first time.Time
}

func (b *ledgerBook) Report(f incident.Finding) error {
	// The log of the scene does not go on; that something could not be read is
	// told and accuses nobody.
	if f.Kind == incident.Late || f.Kind.Severity() == incident.Trouble && !b.calm {
		return nil
	}
	place := ""
	if f.Place.Record != nil || f.Place.End > 0 || f.Place.First > 0 {
		place = placeOf(f.Place.First, f.Place.Record)
	} else if m := tileName.FindStringSubmatch(f.Place.Object + " "); m != nil {
		place = m[1] + "/" + m[2]
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.first.IsZero() {
		b.first = time.Now()
	}
	b.all = distinct(append(b.all, finding{string(f.Kind), place}))
	return nil
}

func (b *ledgerBook) Swept(incident.Place, time.Time, ...incident.Kind) error { return nil }

func (b *ledgerBook) said() ([]finding, time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all, b.first
}

func (guardJudge) judge(t testing.TB, tr trial, _ *scene) (all []finding, took time.Duration) {
	after := tr.family.set(t)
	if tr.do != nil {
		tr.do(after) // For the keys that it needs.
	}
	synctest.Test(t.(*testing.T), func(t *testing.T) { all, took = watched(t, tr, after) })
	return all, took
}

// watched runs a guard and attacks meanwhile.
func watched(t *testing.T, tr trial, after *scene) ([]finding, time.Duration) {
	s := tr.family.set(t)
	var held store.Store = s.vault
	plain := storetest.NewMemory("attacked")
	if s.vault == nil {
		held = plain
		change(plain, objects{}, s.store)
	}
	book := &ledgerBook{calm: tr.do == nil}
	keys := ledgertest.Keys(t, after.trusts...)
	heads, err := memory.Open(durable.OS, t.TempDir(), keys)
	must(t, err)
	began := time.Now()
	set := integrity.Config{
		Sources: []integrity.Source{{ID: held.ID(), Open: func(context.Context) (store.Store, error) { return held, nil }}},
		Logs:    []string{logName}, Keys: keys, Dir: t.TempDir(), Poll: poll, FullPassEvery: pass, Workers: 2, Book: book, Heads: heads,
		Now: func() time.Time { return ledgertest.Began.Add(7 * time.Minute).Add(time.Since(began)) },
	}
	if s.vault != nil {
		set.Sources[0].Retention = &integrity.Retention{Mode: store.ModeCompliance, For: 50 * 365 * 24 * time.Hour, LegalHold: true}
	}
	g, err := integrity.New(set)
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { g.Run(ctx) })
	time.Sleep(watch)
	if all, _ := book.said(); len(all) > 0 {
		t.Errorf("%s: the guard accuses before anything was done: %v", tr.id, all)
	}
	attacked := time.Now()
	if tr.do != nil {
		untouched := s.store
		s.store = clone(untouched)
		tr.do(s)
		change(plain, untouched, s.store)
	}
	time.Sleep(watch)
	cancel()
	done.Wait()
	must(t, g.Err())
	must(t, heads.Close())
	all, first := book.said()
	if len(all) == 0 {
		return nil, 0
	}
	return all, first.Sub(attacked)
}

func clone(o objects) objects {
	if o == nil {
		return nil
	}
	c := objects{}
	for name, b := range o {
		c[name] = b
	}
	return c
}

// change makes a store hold what now holds, as on a disk without versions.
func change(m *storetest.Memory, before, now objects) {
	for name := range before {
		if now[name] == nil {
			m.Erase(name)
		}
	}
	for name, b := range now {
		if old, there := before[name]; !there || !bytes.Equal(old, b) {
			m.Erase(name)
			m.Shadow(name, b)
		}
	}
}
