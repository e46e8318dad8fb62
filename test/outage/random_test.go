package outage

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/internal/durable/durabletest"
	"github.com/otelcol-custody/custody/internal/sealer"
)

// Random stores before a writer that is killed again and again: in the end each
// store holds every event that was acknowledged, none more often than it was
// sent, and one history. A seed gives the same choices again, not the same
// interleaving; CUSTODY_OUTAGE_SEED runs one.
func TestRandomOutages(t *testing.T) {
	first, n := uint64(1), uint64(30)
	if text := os.Getenv("CUSTODY_OUTAGE_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("CUSTODY_OUTAGE_SEED: %v", err)
		}
		first, n = seed, 1
	}
	for seed := first; seed < first+n; seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			bubble(t, func(w *world) { w.torment(seed) })
		})
	}
}

func (w *world) torment(seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 3))
	w.c.AckStored = rng.IntN(2) == 0
	w.c.AckTimeout = 2*sealer.AwaitedAge + time.Duration(rng.IntN(20))*time.Second
	w.c.MaxAge = time.Duration(1+rng.IntN(20)) * time.Second
	w.c.Checkpoint = time.Second
	if rng.IntN(3) == 0 {
		w.c.SpoolLimit = 20 << 10
	}
	next, lies := 0, false
	for range 8 {
		lies = w.randomMoods(rng) || lies
		p := w.start()
		next = p.load(rng, next)
		if err := p.broken(); err != nil {
			w.t.Errorf("seed %d: given up: %v", seed, err)
		}
		switch rng.IntN(4) {
		case 0:
			p.stop(time.Duration(rng.IntN(20)) * time.Second)
		case 1:
			p.kill(func(fs *durabletest.FS) *durabletest.FS { return fs.CrashRandom(rng) })
		default:
			p.kill(kill9)
		}
		p.senders.Wait()
	}
	w.moods()
	p := w.start()
	for tries := 0; p.try(next, 10) != nil; tries++ {
		if tries == 60 {
			w.t.Fatal("all has been well for a minute, and nothing is taken")
		}
		time.Sleep(time.Second)
	}
	p.stop(time.Hour)
	if err := p.broken(); err != nil {
		w.t.Errorf("seed %d: given up: %v", seed, err)
	}
	lines := w.judge()
	if !lies { // Who took a seal for rubbish wrote it again beside it.
		w.same()
	}
	w.t.Logf("%d events acknowledged, %d times left open, %d lines stored, ack stored %t", len(w.acked), len(w.unanswered), len(lines), w.c.AckStored)
}

// randomMoods gives each store a mood, and says whether one may answer rubbish.
func (w *world) randomMoods(rng *rand.Rand) (lies bool) {
	for _, u := range w.stores {
		all := misbehaviours(newChance(rng.Uint64()))
		all["down"], all["well"] = down, well
		name := slices.Sorted(maps.Keys(all))[rng.IntN(len(all))]
		lies = lies || name == "answers rubbish"
		u.is(all[name])
	}
	return lies
}

// load sends from some senders for a while, each event again until it is taken or
// the while is over, and returns the next free event.
func (p *process) load(rng *rand.Rand, next int) int {
	const senders = 3
	var mu sync.Mutex
	until := time.Now().Add(time.Duration(rng.IntN(60_000)) * time.Millisecond)
	for range senders {
		pause := time.Duration(1+rng.IntN(2000)) * time.Millisecond
		p.senders.Go(func() {
			for time.Now().Before(until) {
				mu.Lock()
				i := next
				next++
				mu.Unlock()
				for time.Now().Before(until) && p.try(i, 500) != nil {
					time.Sleep(pause)
				}
				time.Sleep(pause)
			}
		})
	}
	time.Sleep(time.Until(until)) // It ends in the middle of what is under way.
	mu.Lock()
	defer mu.Unlock()
	return next
}
