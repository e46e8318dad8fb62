package awscloudtrailreceiver

import (
	"errors"
	"testing"

	"github.com/otelcol-custody/custody/internal/ingest"
)

// What was not read again, and what could not be read, is told to the log exactly
// once, however often it refuses, and also when nothing else is to be read.
func TestCountsReachTheLogOnce(t *testing.T) {
	x := newFixture(t)
	all := events("e", 12)
	content := packed(t, logFile(all...))
	x.put(t, "a.json.gz", content)
	x.start(t)
	settles(t, "bodies", x.next.bodies, all)
	calls := func() int {
		x.next.mu.Lock()
		defer x.next.mu.Unlock()
		return x.next.calls
	}
	x.next.mu.Lock()
	before := x.next.calls
	x.next.answer = func(n int) (bool, error) {
		switch n - before {
		case 0, 1:
			return false, errors.New("the spool is full")
		case 2:
			return true, errors.New("not stored in time")
		}
		return true, nil
	}
	x.next.mu.Unlock()
	x.put(t, "copy/a.json.gz", content)
	until(t, "the duplicates were told", func() bool { return calls() > before+2 && x.next.counted().Duplicate > 0 })
	x.put(t, "broken.json.gz", content[:len(content)-9])
	until(t, "the loss was told", func() bool { return x.next.counted().Lost > 0 })
	x.put(t, "again.json.gz", content)
	until(t, "the second copy was told", func() bool { return x.next.counted().Duplicate >= 24 })
	if got, want := x.next.counted(), (ingest.Counts{Duplicate: 24, Lost: 1}); got != want {
		t.Errorf("the log was told %+v, want %+v", got, want)
	}
}
