package wormexport

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

// asleep moves the clock of synctest to so long after a segment was closed.
func asleep(s ledgertest.Segment, after time.Duration) {
	time.Sleep(time.Until(s.Seal.Closed().At.Add(after)))
}

// kept checks that all objects are retained until now plus a duration, and no less.
func (b *bench) kept(d time.Duration, segments ...ledgertest.Segment) {
	b.t.Helper()
	for _, name := range objectsOf(segments...) {
		info, err := b.mem.Stat(b.t.Context(), name)
		if left := time.Until(info.Retention.Until); err != nil || info.Retention.Mode != store.ModeCompliance || left < d || left > d+time.Minute {
			b.t.Errorf("%s is retained for %v by %v, want %v: %v", name, left, info.Retention.Mode, d, err)
		}
	}
}

// What hash_chain delivers is never without a lock, however late by its own clock;
// what is copied keeps its time, and is counted where that is over.
func TestNothingFreshIsUnretained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.WarnLevel)
		told := func(s *Settings) { s.Telemetry.Logger = zap.New(core) }
		chain := ledgertest.Chain(t, ledgertest.Signer(t, origin), 65536, 3)
		asleep(chain[1], 2*year)
		b := newVersioned(t, nil, keepYears(1), told)
		b.must(chain...)
		b.kept(year, chain...)
		if _, err := b.tel.GetMetric("otelcol_worm_unretained"); err == nil || logs.FilterMessageSnippet("is behind").Len() != 1 {
			t.Errorf("counted as unretained, or said %v", logs.All())
		}
		copied := newVersioned(t, nil, keepYears(1), told)
		for _, s := range chain {
			if err := copied.Store(t.Context(), objects(s)); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range copied.names() {
			if info, err := copied.mem.Stat(t.Context(), name); err != nil || !info.Retention.IsZero() {
				t.Errorf("%s: %+v, %v", name, info.Retention, err)
			}
		}
		if n := copied.sums("worm_unretained", "store")[b.set.ID]; n != 2 || logs.FilterMessageSnippet("STORED WITHOUT A LOCK").Len() != 1 {
			t.Errorf("%d unretained, said %v", n, logs.All())
		}
	})
}

// A store counts its default from the time of storing; what is sent takes its
// place, so it is not for less.
func TestDefaultIsCountedFromStoring(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chain := ledgertest.Chain(t, ledgertest.Signer(t, origin), 3, 5)
		mem := storetest.NewMemory("test")
		byDefault := func(s *Settings) {
			s.Retention = RetentionPolicy{Mode: store.ModeGovernance}
			s.Open = func(context.Context) (store.Store, error) {
				return locker{mem, func(store.Mode) (store.Default, error) {
					return store.Default{Mode: store.ModeCompliance, For: year}, nil
				}}, nil
			}
		}
		asleep(chain[0], year/2)
		b := newVersioned(t, mem, byDefault)
		b.must(chain...)
		b.kept(year, chain...)
		// A redelivery after a restart finds it long enough.
		time.Sleep(time.Hour)
		newVersioned(t, mem, byDefault).must(chain...)
		b.kept(year-time.Hour, chain...)
	})
}
