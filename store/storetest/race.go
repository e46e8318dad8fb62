package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/otelcol-custody/custody/store"
)

const racers = 32

// race lets each of n goroutines put once, as much at once as possible.
func race(t *testing.T, s store.Store, n int, what func(i int) (string, []byte)) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var done sync.WaitGroup
	for i := range n {
		name, data := what(i)
		done.Go(func() {
			<-start
			_, errs[i] = s.PutOnce(t.Context(), name, data, store.PutOptions{})
		})
	}
	close(start)
	done.Wait()
	return errs
}

func testRacers(t *testing.T, s store.Store, _ Caps) {
	for round := range 5 {
		name := fmt.Sprintf("race/%d", round)
		writer := func(i int) (string, []byte) { return name, noise(4000, fmt.Sprint("writer", i)) }
		winner := -1
		for i, err := range race(t, s, racers, writer) {
			switch {
			case err == nil && winner >= 0:
				t.Errorf("writers %d and %d both won %s", winner, i, name)
			case err == nil:
				winner = i
			case !errors.Is(err, store.ErrExists):
				t.Errorf("writer %d: %v, want %v", i, err, store.ErrExists)
			}
		}
		if winner < 0 {
			t.Fatalf("none of %d writers of %s won", racers, name)
		}
		_, want := writer(winner)
		holds(t, s, name, want)
	}
}

func testEqualRacers(t *testing.T, s store.Store, _ Caps) {
	data := noise(4000, "equal")
	for i, err := range race(t, s, racers, func(int) (string, []byte) { return "equal", data }) {
		if err != nil {
			t.Errorf("writer %d of the same bytes: %v", i, err)
		}
	}
	holds(t, s, "equal", data)
}

func testManyNames(t *testing.T, s store.Store, _ Caps) {
	what := func(i int) (string, []byte) {
		return fmt.Sprintf("many/%d/%d/object", i%3, i), noise(2000, fmt.Sprint(i))
	}
	for i, err := range race(t, s, racers, what) {
		if err != nil {
			t.Fatalf("writer %d: %v", i, err)
		}
	}
	for i := range racers {
		name, data := what(i)
		holds(t, s, name, data)
	}
}
