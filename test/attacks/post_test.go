package attacks

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/integrity"
	frames "github.com/otelcol-custody/custody/internal/integrity/framed"
	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/internal/integrity/memory"
	"github.com/otelcol-custody/custody/internal/integrity/peers"
	"github.com/otelcol-custody/custody/internal/integrity/peers/wire"
	"github.com/otelcol-custody/custody/internal/logproof"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

// An outpost is a store that a collector writes to: a closed record a minute.
type outpost struct {
	*vault
	log  *ledgertest.Log       // as it lies there
	edit func(*segment.Closed) // of what comes next
	cut  bool                  // nothing arrives
}

func (o *outpost) put(t testing.TB, g ledgertest.Segment) {
	t.Helper()
	for name, b := range objectsOf(logName, []ledgertest.Segment{g}) {
		_, err := o.PutOnce(context.Background(), name, b, store.PutOptions{Retention: keepUntil})
		must(t, err)
	}
}

// rollBack takes all from the i-th segment on away, and nothing more arrives.
func (o *outpost) rollBack(i int) {
	o.cut = true
	for _, g := range o.log.Segments[i:] {
		o.Erase(logName + "/" + g.Seal.SegmentName())
		o.Erase(logName + "/" + g.Seal.Name())
	}
}

// A post is a guard as the integrity extension runs it, with its book and its
// memory on a disk, and the two stores that it watches. Everything happens in a
// bubble of virtual time.
type post struct {
	testing.TB
	near, far *outpost
	signer    *checkpoint.Signer
	keys      *checkpoint.Keys
	dir       string // the guard's state

	// Another judge watches a third store, and the two ask each other.
	peered bool
	away   *outpost

	began   time.Time
	book    *incident.Book
	heads   *memory.Memory
	stops   context.CancelFunc
	work    sync.WaitGroup
	refused []finding // why the guard does not start
	when    time.Time // that was
}

func newPost(t testing.TB, peered bool) *post {
	p := &post{TB: t, signer: ledgertest.Signer(t, origin), dir: t.TempDir(), peered: peered, began: time.Now()}
	p.keys = ledgertest.Keys(t, p.signer)
	for name, o := range map[string]**outpost{"near": &p.near, "far": &p.far, "away": &p.away} {
		*o = &outpost{vault: &vault{Memory: storetest.NewMemory(name), lifted: map[string]store.Retention{}}, log: ledgertest.NewLog(logName, p.signer)}
		(*o).rules = store.Default{Mode: store.ModeCompliance, For: 365 * 24 * time.Hour}
		(*o).log.Add(t, counts...)
		for _, g := range (*o).log.Segments {
			(*o).put(t, g)
		}
	}
	return p
}

// now is the clock of the collector and of the guard: five segments are there.
func (p *post) now() time.Time {
	return ledgertest.Began.Add(time.Duration(len(counts)) * time.Minute).Add(time.Since(p.began))
}

func (p *post) all() []*outpost { return []*outpost{p.near, p.far, p.away} }

// live lets time pass, in which the collector writes.
func (p *post) live(d time.Duration) {
	for range d / time.Minute {
		time.Sleep(time.Minute)
		for _, o := range p.all() {
			if !o.cut {
				o.put(p, o.log.Extend(p, nil, o.edit))
			}
		}
	}
}

// start starts the guard on what lies in its folder.
func (p *post) start() {
	p.Helper()
	var err error
	p.book, err = incident.Open(incident.Settings{Dir: p.dir, Now: p.now})
	must(p, err)
	if p.heads, err = memory.Open(durable.OS, p.dir, p.keys); errors.Is(err, frames.ErrDamaged) {
		p.refused, p.when = []finding{{"damaged", "heads"}}, p.now()
		must(p, p.book.Close())
		return
	}
	must(p, err)
	set := integrity.Config{
		Logs: []string{logName}, Keys: p.keys, Dir: filepath.Join(p.dir, "progress"), Poll: poll, FullPassEvery: pass, Workers: 2,
		Book: p.book, Heads: p.heads, Now: p.now,
	}
	for _, o := range []*outpost{p.near, p.far} {
		set.Sources = append(set.Sources, integrity.Source{
			ID: o.ID(), Open: func(context.Context) (store.Store, error) { return o.vault, nil },
			Retention: &integrity.Retention{Mode: store.ModeCompliance, For: 50 * 365 * 24 * time.Hour, LegalHold: true},
		})
	}
	g, err := integrity.New(set)
	must(p, err)
	ctx, cancel := context.WithCancel(context.Background())
	p.stops = cancel
	p.runs(func() error { return g.Run(ctx) })
	if p.peered {
		p.exchange(ctx)
	}
}

// runs has something run until the guard is stopped.
func (p *post) runs(run func() error) {
	p.work.Go(func() {
		if err := run(); err != nil {
			p.Error(err)
		}
	})
}

// exchange asks the other judge for what it saw.
func (p *post) exchange(ctx context.Context) {
	x, err := peers.New(peers.Config{
		Peers: []peers.Peer{{Name: "away", URL: "https://away.example", Client: &http.Client{Transport: elsewhere{p}}}},
		Keys:  p.keys, Heads: p.heads, Book: p.book, Now: p.now,
		Prove: func(ctx context.Context, id, _ string, from, to uint64) (peers.Proof, error) {
			o := map[string]*outpost{p.near.ID(): p.near, p.far.ID(): p.far}[id]
			c, err := p.consistency(ctx, o, from, to)
			if err != nil {
				return peers.Proof{}, err
			}
			return peers.Proof{FromRoot: c.FromRoot, ToRoot: c.ToRoot, Path: c.Path}, nil
		},
	})
	must(p, err)
	p.runs(func() error { return x.Run(ctx) })
}

func (p *post) consistency(ctx context.Context, o *outpost, from, to uint64) (*logproof.Consistency, error) {
	l := logproof.New(o.vault, logName, p.keys, logproof.NewCache(1<<20), nil)
	if err := l.Refresh(ctx); err != nil {
		return nil, err
	}
	return l.Consistency(ctx, from, to)
}

// elsewhere is the other judge's API, which has seen all of its store.
type elsewhere struct{ *post }

// RoundTrip answers without a network.
func (e elsewhere) RoundTrip(req *http.Request) (*http.Response, error) {
	answer, err := e.heads(), error(nil)
	if req.URL.Path != wire.HeadsPath {
		answer, err = e.proof(req)
	}
	if err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	err = json.NewEncoder(w).Encode(answer)
	return w.Result(), err
}

func (e elsewhere) heads() any {
	newest := e.away.log.Segments[len(e.away.log.Segments)-1].Seal.After()
	return wire.Heads{Heads: []wire.Head{{Store: e.away.ID(), Log: logName, Checkpoint: string(newest.Note())}}}
}

func (e elsewhere) proof(req *http.Request) (any, error) {
	from, _ := strconv.ParseUint(req.URL.Query().Get("from"), 10, 64)
	to, _ := strconv.ParseUint(req.URL.Query().Get("to"), 10, 64)
	c, err := e.consistency(req.Context(), e.away, from, to)
	if err != nil {
		return nil, err
	}
	answer := wire.Consistency{From: from, To: to}
	for _, h := range c.Path {
		answer.Hashes = append(answer.Hashes, h[:])
	}
	return answer, nil
}

// stop stops the guard as a planned stop does.
func (p *post) stop() {
	p.Helper()
	if p.refused != nil {
		return
	}
	p.stops()
	p.work.Wait()
	must(p, p.book.Close())
	must(p, p.heads.Close())
}

// said is what the guard's book holds, and when the first of it was opened.
func (p *post) said(calm bool) (all []finding, first time.Time) {
	if p.refused != nil {
		return p.refused, p.when
	}
	for _, i := range p.book.Incidents(incident.Filter{}) {
		if i.Severity == incident.Trouble && !calm {
			continue // Told, and accuses nobody.
		}
		place := ""
		if at := i.Place; at.Record != nil || at.First > 0 || at.End > 0 {
			place = placeOf(at.First, at.Record)
		}
		if all = append(all, finding{string(i.Kind), place}); first.IsZero() || i.Opened.Before(first) {
			first = i.Opened
		}
	}
	return distinct(all), first
}

// edit changes a file of the guard's state.
func (p *post) edit(name string, change func([]byte) []byte) {
	p.Helper()
	all, err := filepath.Glob(filepath.Join(p.dir, name))
	if err != nil || len(all) == 0 {
		p.Fatalf("no file %s: %v", name, err)
	}
	for _, path := range all {
		b, err := os.ReadFile(path)
		must(p, err)
		must(p, os.WriteFile(path, change(b), 0o600))
	}
}

func (p *post) remove(name string) {
	p.Helper()
	must(p, os.RemoveAll(filepath.Join(p.dir, name)))
}
