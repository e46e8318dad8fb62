package ingest_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/otelcol-custody/custody/internal/ingest"
)

// log takes counts as hash_chain does: when the records are in it, which may be
// before an error.
type log struct{ got ingest.Counts }

func (l *log) consume(ctx context.Context, journalled bool, err error) error {
	if journalled {
		c := ingest.From(ctx).Take(l)
		l.got.Duplicate += c.Duplicate
		l.got.Lost += c.Lost
	}
	return err
}

func TestNeitherLostNorDoubledAcrossRetries(t *testing.T) {
	a, l := ingest.NewAccount("r"), &log{}
	ctx := ingest.With(context.Background(), a)
	busy := errors.New("busy")
	a.Add(ingest.Counts{Duplicate: 3})
	_ = l.consume(ctx, false, busy)
	_ = l.consume(ctx, false, nil) // Dropped on the way for being empty.
	if !a.Untaken() {
		t.Error("nothing took the counts, and they are not untaken")
	}
	a.Add(ingest.Counts{Lost: 1})
	_ = l.consume(ctx, true, busy) // In the log, and the answer came too late.
	_ = l.consume(ctx, true, nil)
	if want := (ingest.Counts{Duplicate: 3, Lost: 1}); l.got != want || a.Untaken() {
		t.Errorf("the log has %+v, untaken %v, want %+v", l.got, a.Untaken(), want)
	}
}

func TestEachLogTakesAll(t *testing.T) {
	a, one, two := ingest.NewAccount("r"), &log{}, &log{}
	ctx := ingest.With(context.Background(), a)
	for range 4 {
		a.Add(ingest.Counts{Duplicate: 1})
		_ = one.consume(ctx, true, nil)
	}
	_ = two.consume(ctx, true, nil)
	a.Add(ingest.Counts{Duplicate: 1})
	_ = two.consume(ctx, true, nil)
	if one.got.Duplicate != 4 || two.got.Duplicate != 5 || !a.Untaken() {
		t.Errorf("one has %+v, two has %+v, untaken %v", one.got, two.got, a.Untaken())
	}
}

func TestConcurrentTakersShare(t *testing.T) {
	a, l := ingest.NewAccount("r"), &log{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				a.Add(ingest.Counts{Duplicate: 1})
				c := a.Take(l)
				mu.Lock()
				l.got.Duplicate += c.Duplicate
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if l.got.Duplicate != 8000 {
		t.Errorf("%d were taken, want 8000", l.got.Duplicate)
	}
}

func TestNoAccount(t *testing.T) {
	if a := ingest.From(context.Background()); a != nil {
		t.Errorf("an empty context carries %+v", a)
	}
}
