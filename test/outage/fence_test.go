package outage

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/durable/durabletest"
	"github.com/otelcol-custody/custody/store/storetest"
)

// blinding are the ways in which a store may hide from a writer what is there.
func blinding(c *chance) map[string]mood {
	return map[string]mood{
		"well":                  well,
		"old state":             func(storetest.Method, string) answer { return answer{stale: time.Hour} },
		"old state at times":    c.sometimes(2, "", answer{stale: time.Hour}),
		"old state of versions": only(answer{stale: time.Hour}, storetest.GetVersion),
		"old listings":          only(answer{stale: time.Hour}, storetest.List, storetest.ListVersions),
		// The probe sees nothing; then what is put meets what cannot be read, or not yet.
		// Rubbish for ever is a squatter to any reader.
		"unreadable":                  theirs(answer{stale: time.Hour}, storetest.List, storetest.ListVersions, storetest.Get, storetest.GetVersion),
		"seen when it is put":         both(firstly(theirs(answer{stale: time.Hour}, storetest.Get)), theirs(answer{stale: time.Hour}, storetest.List, storetest.ListVersions)),
		"rubbish first":               firstly(theirs(answer{garbage: true}, storetest.Get, storetest.GetVersion)),
		"rubbish at times":            c.sometimes(4, "", answer{garbage: true}),
		"time-outs that succeeded":    c.sometimes(2, storetest.Put, answer{err: errTimeOut, applied: true}),
		"time-outs that succeed late": c.sometimes(2, storetest.Put, answer{err: errTimeOut, later: 20 * time.Second}),
	}
}

// only has an answer for some methods.
func only(a answer, of ...storetest.Method) mood {
	return func(m storetest.Method, _ string) answer {
		for _, o := range of {
			if m == o {
				return a
			}
		}
		return answer{}
	}
}

// However a store hides what it holds, the second of two writers with one state
// puts nothing of its own history into it, and gives up once it sees.
func TestSecondWriterAtABlindStore(t *testing.T) {
	for name := range blinding(newChance(1)) {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(w *world) {
				p := w.start()
				p.must(0, 100)
				p.stop(time.Minute)
				time.Sleep(2 * time.Hour) // That much every store shows.
				seed := rand.New(rand.NewPCG(1, 1))
				mine, copied := w.fs.CrashRandom(seed), w.fs.CrashRandom(seed)
				w.fs = mine
				p = w.start()
				for i := 1; i < 10; i++ {
					p.must(i, 100)
					time.Sleep(time.Second)
				}
				p.stop(time.Minute)
				sealed := w.seals()
				w.moods(blinding(newChance(1))[name], blinding(newChance(2))[name], blinding(newChance(3))[name])
				second := w.second(copied)
				w.moods()
				time.Sleep(time.Minute)
				var fork *delivery.ForkError
				if err := second.broken(); !errors.As(err, &fork) {
					t.Errorf("the second writer goes on: %v", err)
				}
				second.kill(kill9)
				for name := range w.seals() {
					if !sealed[name] {
						t.Errorf("of the second history lies in the stores: %s", name)
					}
				}
			})
		})
	}
}

// theirs has an answer for some methods and what both writers do not have.
func theirs(a answer, of ...storetest.Method) mood {
	m := only(a, of...)
	return func(method storetest.Method, name string) answer {
		if strings.HasSuffix(name, "/00000000000000000000.seal") {
			return answer{}
		}
		return m(method, name)
	}
}

// both is a mood that has another's answer where it has none.
func both(a, b mood) mood {
	return func(m storetest.Method, name string) answer {
		if got := a(m, name); got != (answer{}) {
			return got
		}
		return b(m, name)
	}
}

// firstly is a mood at the first call for each name.
func firstly(m mood) mood {
	seen := map[string]bool{}
	return func(method storetest.Method, name string) answer {
		a := m(method, name)
		if a == (answer{}) || seen[name] {
			return answer{}
		}
		seen[name] = true
		return a
	}
}

// second starts a writer with a copy of the state and lets it write for a minute.
func (w *world) second(state *durabletest.FS) *process {
	w.fs = state
	for _, f := range w.faulty {
		f.AllowConflicts()
	}
	p := w.start()
	for i := range 60 {
		_ = p.try(1000+i, 100) // Nobody expects anything of it.
		time.Sleep(time.Second)
	}
	return p
}

// seals are the names of all seals in all stores.
func (w *world) seals() map[string]bool {
	all := map[string]bool{}
	for i := range nStores {
		for name := range w.objects(i) {
			if isSeal(name) {
				all[fmt.Sprintf("store %d, %s", i, name)] = true
			}
		}
	}
	return all
}
