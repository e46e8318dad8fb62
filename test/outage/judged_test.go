package outage

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-custody/custody/internal/durable/durabletest"
	"github.com/otelcol-custody/custody/internal/integrity"
	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/internal/integrity/memory"
	"github.com/otelcol-custody/custody/store"
)

// A judge is an integrity extension's inside that watches the stores of a world.
type judge struct {
	w    *world
	fs   *durabletest.FS
	seen map[string]incident.Incident // by id

	guard *integrity.Guard
	stop  func()
}

func (j *judge) start() {
	t := j.w.t
	t.Helper()
	book, err := incident.Open(incident.Settings{FS: j.fs, Dir: "/judge"})
	if err != nil {
		t.Fatal(err)
	}
	heads, err := memory.Open(j.fs, "/judge", j.w.keys)
	if err != nil {
		t.Fatal(err)
	}
	set := integrity.Config{Keys: j.w.keys, FS: j.fs, Dir: "/judge/progress", FullPassEvery: 20 * time.Minute, Behind: 10 * time.Minute, Book: book, Heads: heads}
	for i := range j.w.opens {
		set.Sources = append(set.Sources, integrity.Source{ID: j.w.inner[i].ID(), Open: func(context.Context) (store.Store, error) { return j.w.opens[i], nil }})
	}
	guard, err := integrity.New(set)
	if err != nil {
		t.Fatal(err)
	}
	j.guard = guard
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = guard.Run(ctx)
	}()
	j.stop = func() {
		cancel()
		<-ended
		for _, i := range book.Incidents(incident.Filter{}) {
			j.seen[i.ID] = i
		}
		if err := guard.Err(); err != nil {
			t.Errorf("the judge: %v", err)
		}
		_, _ = book.Close(), heads.Close() // A crash would not do even that.
		j.fs = j.fs.Restart()
	}
}

// A judge watches for an hour while stores flap, hang, fail and are full, while
// collector and judge are killed and started again, and the collector's clock
// jumps: it accuses nobody, and in the end all that it said is over.
func TestNobodyIsAccused(t *testing.T) {
	seeds := uint64(1)
	if os.Getenv("CUSTODY_TORTURE") != "" {
		seeds = 10
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			bubble(t, func(w *world) { w.judged(seed) })
		})
	}
}

func (w *world) judged(seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 9))
	var off atomic.Int64 // of the collector's clock
	w.c.Now = func() time.Time { return time.Now().Add(time.Duration(off.Load())) }
	w.c.MaxAge, w.c.Heartbeat, w.c.Checkpoint = 5*time.Second, 30*time.Second, time.Second
	j := &judge{w: w, fs: durabletest.New(), seen: map[string]incident.Incident{}}
	j.start()
	next := 0
	for until := time.Now().Add(time.Hour); time.Now().Before(until); {
		w.faultyMoods(rng)
		if rng.IntN(3) == 0 {
			off.Store(int64(time.Duration(rng.IntN(3600)-1800) * time.Second))
		}
		p := w.start()
		next = p.load(rng, next)
		if rng.IntN(2) == 0 {
			p.kill(kill9)
		} else {
			p.stop(5 * time.Second)
		}
		p.senders.Wait()
		if rng.IntN(4) == 0 {
			j.stop()
			time.Sleep(time.Duration(rng.IntN(60)) * time.Second)
			j.start()
		}
	}
	w.moods()
	off.Store(0)
	p := w.start()
	time.Sleep(2 * time.Hour) // Everything is read again, a few times.
	p.must(next, 10)
	time.Sleep(5 * time.Minute)
	for _, s := range j.guard.Status() {
		if s.Head == nil || s.Verified != s.Head.Size || s.Verified < uint64(next) || s.Error != "" {
			w.t.Errorf("store %s: %+v of %d events and more", s.Store, s, next)
		}
	}
	j.stop()
	p.stop(time.Hour)
	synctest.Wait()
	w.judge()
	w.same()
	kinds := map[incident.Kind]int{}
	for _, i := range j.seen {
		kinds[i.Kind]++
		if i.Severity == incident.Tampering {
			w.t.Errorf("accused: %s %+v: %s", i.Kind, i.Place, i.Message)
		}
		if i.Open() && !lasting[i.Kind] {
			w.t.Errorf("it is not over: %s %+v: %s", i.Kind, i.Place, i.Message)
		}
	}
	if kinds[incident.Unread] == 0 {
		w.t.Error("nothing was said of stores that were away")
	}
	w.t.Logf("%d events; said: %v", next, kinds)
}

// lasting are the kinds that say what the log itself says of its past.
var lasting = map[incident.Kind]bool{incident.ClockBack: true, incident.Unfenced: true}

// faultyMoods gives each store a mood in which it fails without lying.
func (w *world) faultyMoods(rng *rand.Rand) {
	for _, u := range w.stores {
		all := misbehaviours(newChance(rng.Uint64()))
		all["down"], all["well"] = down, well
		names := slices.DeleteFunc(slices.Sorted(maps.Keys(all)), func(name string) bool {
			return strings.Contains(name, "rubbish") || strings.Contains(name, "old state")
		})
		u.is(all[names[rng.IntN(len(names))]])
	}
}
