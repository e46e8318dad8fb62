package sealer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-custody/custody/internal/durable/durabletest"
	"github.com/otelcol-custody/custody/ledger/segment"
)

// upstream is a receiver that has counted something, and knows when it was taken.
type upstream struct{ duplicate, lost, taken atomic.Int64 }

func (u *upstream) report(b *Batch) *Batch {
	b.Report(&Upstream{Receiver: "r", Take: func() (int64, int64) {
		u.taken.Add(1)
		return u.duplicate.Swap(0), u.lost.Swap(0)
	}})
	return b
}

func (m *memStore) closed() *segment.Closed {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.head.Closed()
}

func wantCounts(t *testing.T, c *segment.Closed, receiver string, want segment.Counts) {
	t.Helper()
	if got := c.Counts[receiver]; !maps.Equal(got, want) {
		t.Errorf("counts of %s are %v, want %v", receiver, got, want)
	}
}

func TestClosedRecordCountsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		w.c.MaxBytes = 1 << 20
		s := w.open()
		u := &upstream{}
		u.duplicate.Store(2)
		b := batchOf(0, 4)
		b.Add([]byte(`{"body":"event 4"}`), "otlp", true)
		if err := s.Append(t.Context(), u.report(b)); err != nil {
			t.Fatal(err)
		}
		used := s.used.Load()
		u.duplicate.Store(3)
		u.lost.Store(1)
		if err := s.Append(t.Context(), u.report(&Batch{})); err != nil {
			t.Fatal(err)
		}
		if s.used.Load() != used {
			t.Error("counts alone were journalled")
		}
		s.Refused(map[string]int64{"r": 4, "": 7})
		closeIt(t, s)
		c := w.store.closed()
		wantCounts(t, c, "otlp", segment.Counts{received: 5, sealed: 5, quarantined: 1, refused: 0})
		wantCounts(t, c, "r", segment.Counts{received: 9, sealed: 0, quarantined: 0, refused: 4, duplicate: 5, lost: 1})
		wantCounts(t, c, unnamed, segment.Counts{received: 7, sealed: 0, quarantined: 0, refused: 7})
		each(t, w.store.verify(), 5)
		s = w.open()
		closeIt(t, s)
		if c := w.store.closed(); len(c.Counts) > 0 {
			t.Errorf("the next closed record says again %v", c.Counts)
		}
	})
}

// With answers after storing, counts alone have nothing to wait for.
func TestCountsAloneDoNotWaitForStores(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		w.c.AckStored = true
		s := w.open()
		synctest.Wait()
		w.store.setDown(errors.New("store is away"))
		u := &upstream{}
		if err := s.Append(t.Context(), u.report(&Batch{})); err != nil || u.taken.Load() != 1 {
			t.Errorf("counts alone: %v, taken %d times", err, u.taken.Load())
		}
		w.store.setDown(nil)
		closeIt(t, s)
	})
}

// What was refused takes nothing along; what was journalled does so once, though
// its caller hears of an error.
func TestCountsAreTakenWithTheRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		w.c.MaxBytes, w.c.AckStored = 1<<20, true
		s := w.open()
		synctest.Wait()
		u := &upstream{}
		u.duplicate.Store(2)
		w.fs.Inject(durabletest.Fault{Op: durabletest.OpSync, Path: "journal"})
		if err := s.Append(t.Context(), u.report(batchOf(0, 3))); err == nil || u.taken.Load() != 0 {
			t.Errorf("over a broken disk: %v, taken %d times", err, u.taken.Load())
		}
		w.store.setDown(errors.New("store is away"))
		if err := s.Append(t.Context(), u.report(batchOf(0, 3))); !errors.Is(err, ErrUnanswered) || u.taken.Load() != 1 {
			t.Errorf("over a dead store: %v, taken %d times", err, u.taken.Load())
		}
		time.Sleep(2 * w.c.AckTimeout)
		if err := s.Append(t.Context(), u.report(batchOf(3, 3))); !errors.Is(err, ErrBehind) || u.taken.Load() != 1 {
			t.Errorf("while stores are behind: %v, taken %d times", err, u.taken.Load())
		}
		w.store.setDown(nil)
		time.Sleep(time.Minute)
		if got := w.store.lines(); len(got) != 3 {
			t.Fatalf("%d records are stored, want 3", len(got))
		}
		wantCounts(t, w.store.closed(), "otlp", segment.Counts{received: 6, sealed: 3, quarantined: 0, refused: 3})
		wantCounts(t, w.store.closed(), "r", segment.Counts{received: 2, sealed: 0, quarantined: 0, refused: 0, duplicate: 2, lost: 0})
		closeIt(t, s)
		wantCounts(t, w.store.closed(), "otlp", segment.Counts{received: 3, sealed: 0, quarantined: 0, refused: 3})
	})
}

// After a crash the counts are read from the lines; what nobody knows any more is
// left out.
func TestRecoveredCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		w.c.MaxBytes = 1 << 20
		s := w.open()
		u := &upstream{}
		u.duplicate.Store(5)
		b := &Batch{}
		line := func(receiver, rest string) []byte {
			return fmt.Appendf(nil, `{%s"resource":{"attributes":{"audit.ingest.receiver":"%s"}}}`, rest, receiver)
		}
		b.Add(line("a", ``), "a", false)
		b.Add(line("a", `"attributes":{"audit.quarantined":true},`), "a", true)
		b.Add(line("a", `"attributes":{"audit.quarantined":"true"},`), "a", false)
		b.Add(line(strings.Repeat("n", maxName+1), ``), strings.Repeat("n", maxName+1), false)
		b.Add([]byte(`{"body":"x"}`), "", false)
		b.Add([]byte(`{"custody":{"oversize":{"reason":"length"}}}`), "a", false)
		b.Add([]byte(`{"custody":{"other":{}}}`), "", false)
		if err := s.Append(t.Context(), u.report(b)); err != nil {
			t.Fatal(err)
		}
		s.Refused(map[string]int64{"a": 9})
		crashed := w.fs.Restart()
		_ = s.Close(context.Background(), time.Second) // Of a process that is dead.
		w.fs = crashed
		if s = w.open(); s == nil {
			t.Fatal("the log is not continued")
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(w.store.lines()) == 0 {
			t.Fatal("what the journal held is not stored")
		}
		c := w.store.closed()
		if c.Reason != segment.Recovered {
			t.Errorf("closed because of %s", c.Reason)
		}
		wantCounts(t, c, "a", segment.Counts{sealed: 3, quarantined: 1})
		wantCounts(t, c, others, segment.Counts{sealed: 1, quarantined: 0})
		wantCounts(t, c, unnamed, segment.Counts{sealed: 2, quarantined: 0})
		closeIt(t, s)
	})
}
