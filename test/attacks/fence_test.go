package attacks

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/sealer"
	"github.com/otelcol-custody/custody/internal/wormexport"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

// A fenced state directory stands before a store, between them a WORM exporter.
type fenced struct {
	*state
	objects objects
}

// An age is what lay in both when a process had ended.
type age struct{ dir, store objects }

// ages are those behind the first, second and third process, which sealed records
// 0 to 4, 5 to 9 and 10 to 14; and other what the store held if the third one had
// run elsewhere on a copy of the second's state. They are made once.
var ages struct {
	sync.Mutex
	all   []age
	other objects
}

func atFence(t testing.TB) *scene {
	ages.Lock()
	defer ages.Unlock()
	if ages.all == nil {
		ages.all, ages.other = makeAges(t)
	}
	signer := ledgertest.Signer(t, origin)
	return &scene{TB: t, signer: signer, fence: &fenced{stateWith(t, signer, ages.all[2].dir), ages.all[2].store}}
}

func makeAges(t testing.TB) (all []age, other objects) {
	t.Helper()
	signer := ledgertest.Signer(t, origin)
	f := &fenced{stateWith(t, signer, nil), objects{}}
	for n := range 3 {
		f.work(t, n*5)
		all = append(all, age{f.files(t), f.objects})
	}
	elsewhere := &fenced{stateWith(t, signer, all[1].dir), all[1].store}
	elsewhere.work(t, 100)
	return all, elsewhere.objects
}

// work is a process that seals the four test records from first on, delivers them,
// and stops.
func (f *fenced) work(t testing.TB, first int) {
	t.Helper()
	d := f.deliverer(t)
	defer d.close(t)
	o := newLookout()
	s, err := sealer.Open(f.config(), d, o)
	must(t, err)
	if said := <-o.said; said != nil {
		t.Fatalf("refused: %v", said)
	}
	must(t, s.Append(context.Background(), fourRecords(t, first)))
	must(t, s.Close(context.Background(), time.Minute))
	f.objects = d.objects(t)
}

// deliverer is a WORM exporter with its store, as the collector has them behind
// hash_chain.
type deliverer struct {
	downstream
	exporter *wormexport.Exporter
	store    *storetest.Memory
}

func (f *fenced) deliverer(t testing.TB) *deliverer {
	t.Helper()
	d := &deliverer{store: storetest.NewMemory("fenced")}
	change(d.store, nil, f.objects)
	var err error
	d.exporter, err = wormexport.New(wormexport.Settings{
		Telemetry: componenttest.NewNopTelemetrySettings(), ID: d.store.ID(), Keys: ledgertest.Keys(t, f.signer),
		Open: func(context.Context) (store.Store, error) { return d.store, nil },
	})
	must(t, err)
	must(t, d.exporter.Start(context.Background(), host{}))
	return d
}

type host struct{}

// GetExtensions implements component.Host.
func (host) GetExtensions() map[component.ID]component.Component { return nil }

func (d *deliverer) close(t testing.TB) {
	t.Helper()
	must(t, d.exporter.Shutdown(context.Background()))
}

func (d *deliverer) objects(t testing.TB) objects {
	t.Helper()
	o := objects{}
	for info, err := range d.store.List(context.Background(), "", "") {
		must(t, err)
		b, err := d.store.GetRange(context.Background(), info.Name, 0, info.Size)
		must(t, err)
		o[info.Name] = b
	}
	return o
}

func (d *deliverer) send(ctx context.Context, ld plog.Logs) (given, asked int, err error) {
	ctx, book := delivery.WithBook(ctx)
	err = d.exporter.ConsumeLogs(ctx, ld)
	given, asked = book.Count()
	return given, asked, err
}

// lookout hears what a start comes to: nothing, or what is found.
type lookout struct {
	silent
	once sync.Once
	said chan []finding
}

func newLookout() *lookout { return &lookout{said: make(chan []finding, 1)} }

func (l *lookout) say(all []finding) { l.once.Do(func() { l.said <- all }) }

// Better implements [sealer.Observer].
func (l *lookout) Better(what string) {
	if what == sealer.Fence {
		l.say(nil)
	}
}

// Trouble implements [sealer.Observer]: what is told and tried again.
func (l *lookout) Trouble(_ string, err error) {
	if p := (*wormexport.PredecessorError)(nil); errors.As(err, &p) {
		l.say([]finding{{"store-behind", fmt.Sprint(p.Near)}})
	}
}

// Fatal implements [sealer.Observer].
func (l *lookout) Fatal(err error) {
	f := (*delivery.ForkError)(nil)
	switch {
	case !errors.As(err, &f):
		l.say([]finding{{"fatal", err.Error()}})
	case f.Ahead:
		l.say([]finding{{"store-ahead", fmt.Sprint(f.Size)}})
	default:
		l.say([]finding{{"fork", fmt.Sprint(f.Size)}})
	}
}

// fenceJudge is the start of hash_chain with a store that answers.
type fenceJudge struct{}

func (fenceJudge) name() string                 { return starter }
func (fenceJudge) takes(_ trial, s *scene) bool { return s.fence != nil }
func (fenceJudge) due(tr trial) (string, bool)  { return tr.want, true }

func (fenceJudge) judge(t testing.TB, _ trial, s *scene) ([]finding, time.Duration) {
	d, o := s.fence.deliverer(t), newLookout()
	defer d.close(t)
	began := time.Now()
	started, err := sealer.Open(s.fence.config(), d, o)
	must(t, err)
	said := <-o.said
	took := time.Since(began)
	must(t, started.Close(context.Background(), 0))
	return said, took
}

// fenceAttacks put back what was there before.
func fenceAttacks() family {
	restore := func(dir, store func() objects) func(*scene) {
		return func(s *scene) {
			if dir != nil {
				s.fence.state = stateWith(s, s.signer, dir())
			}
			if store != nil {
				s.fence.objects = store()
			}
		}
	}
	nothing := func() objects { return objects{} }
	dir := func(i int) func() objects { return func() objects { return ages.all[i].dir } }
	stored := func(i int) func() objects { return func() objects { return ages.all[i].store } }
	return family{
		name: "fence", title: "The fence: backups put back", set: atFence,
		about: "The collector has sealed and stored 15 records in three segments; then its state directory, its store, or both are what they were. Its next start asks the store. " +
			"store-ahead and fork: it stops for good, before anybody is answered. store-behind: it goes on, says that it is unfenced and what the store lacks, and stores nothing until that is back.",
		all: []attack{
			{name: "put a backup of the state directory in place", who: root, want: "store-ahead 10", do: restore(dir(1), nil)},
			{name: "put an older one in place", who: root, want: "store-ahead 5", do: restore(dir(0), nil)},
			{name: "go on from the backup on another machine, then start this one", who: root, want: "fork 10", do: restore(nil, func() objects { return ages.other })},
			{name: "empty the state directory, and say genesis", who: root, want: "fork 0", do: restore(nothing, nil)},
			{name: "put a backup of the store in place", who: provider, want: "store-behind 10", do: restore(nil, stored(1))},
			{name: "put an empty store in place", who: provider, want: "store-behind 0", do: restore(nil, nothing)},
			{name: "put backups of both in place, of the same time", who: root,
				later: "the guard, whose memory is elsewhere; `custody verify --since` a kept checkpoint. Nothing is left at the start that speaks of more",
				do:    restore(dir(1), stored(1))},
			{name: "put backups of both in place, the store's older", who: root, want: "store-behind 5", do: restore(dir(1), stored(0))},
			{name: "put backups of both in place, the state's older", who: root, want: "store-ahead 5", do: restore(dir(0), stored(1))},
		},
	}
}

// Deliver implements [sealer.Downstream].
func (d *deliverer) Deliver(ctx context.Context, o *delivery.Objects) (int, int, error) {
	return d.send(ctx, o.Logs())
}

// Probe implements [sealer.Downstream].
func (d *deliverer) Probe(ctx context.Context, p *delivery.Probe) (int, int, error) {
	return d.send(ctx, p.Logs())
}
