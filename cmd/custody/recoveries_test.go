package main

import (
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// recover adds a segment in which the log says that it was recovered.
func (f *fixture) recover(r segment.Recovery) {
	f.t.Helper()
	head := f.log.Segments[len(f.log.Segments)-1].Seal
	r.Size, r.Root, r.LastClosed, r.NextBy = head.End(), head.After().Root, head.Closed().At, head.Closed().NextBy
	line, err := r.Line()
	if err != nil {
		f.t.Fatal(err)
	}
	f.log.Extend(f.t, [][]byte{[]byte(`{"body":"kept"}`), line, []byte(`{"body":"again"}`)}, func(c *segment.Closed) {
		c.Reason, c.Counts = segment.Recovered, map[string]segment.Counts{"test": {"sealed": 2}}
	})
	f.put(f.store, f.log)
}

func lossy() segment.Recovery {
	return segment.Recovery{
		At: ledgertest.Began.Add(3*time.Minute + 30*time.Second), Software: "test", Kept: 1, Unreadable: 17, Found: "journal \x1b[2J is damaged\nverified",
		AcceptedLoss: true, Reasons: []string{"no checkpoint vouches for the stores"},
		Stores:      []segment.RecoveryStore{{Store: "main", Size: 10}, {Store: "second", Error: "connection refused"}},
		Checkpoints: []segment.RecoveryCheckpoint{{Source: "later", Size: 99, Verdict: segment.CheckpointAhead, Note: "note"}},
		Resealed:    []segment.RecoveryRange{{First: 12, Count: 1, Former: 11, FormerKnown: true, Previous: tree.Hash{7}, Source: "journal"}, {First: 13, Source: "x"}},
	}
}

// Recoveries are shown and change no verdict.
func TestRecovered(t *testing.T) {
	f := newFixture(t)
	f.recover(lossy())
	f.log.Add(t, 2)
	f.put(f.store, f.log)
	f.verify()
	f.want(exitVerified)
	f.golden("recovered.txt", f.stdout)
	f.verify("--json")
	f.want(exitVerified)
	f.golden("recovered.json", f.stdout)
	f.run("inspect", f.store)
	f.want(exitVerified)
	f.golden("inspect-recovered.txt", f.stdout)
	f.run("inspect", f.store, "--json")
	f.want(exitVerified)
	f.golden("inspect-recovered.json", f.stdout)

	f.write(f.segment(3), []byte("junk"))
	f.run("inspect", f.store)
	f.want(exitUnfinished, "problem    segment of record 10:")
	f.remove(f.segment(3))
	f.run("inspect", f.store)
	f.want(exitVerified, "4 here")
}

// A recovery that a checkpoint vouched for says so, and inspect lists the newest.
func TestManyRecoveries(t *testing.T) {
	f := newFixture(t)
	for i := range 40 {
		r := segment.Recovery{At: f.log.Segments[len(f.log.Segments)-1].Seal.Closed().At.Add(time.Duration(i) * time.Second)}
		for range 12 {
			r.Checkpoints = append(r.Checkpoints, segment.RecoveryCheckpoint{Source: "odd", Verdict: "unchecked"})
			r.Stores = append(r.Stores, segment.RecoveryStore{Store: "s", Error: strings.Repeat("x", 400)})
		}
		r.Checkpoints = append(r.Checkpoints, segment.RecoveryCheckpoint{Source: "kept", Size: 5, Verdict: segment.CheckpointAgrees})
		f.recover(r)
	}
	f.run("inspect", f.store)
	f.want(exitVerified, `vouched for by the kept checkpoint "kept" (size 5)`, `checkpoint "odd" (size 0): unchecked`, "and 7 more, see --json", "recovered  8 times before, not listed", `xx" and 100 bytes more`)
	f.verify()
	f.want(exitVerified, "8 older recoveries of log test are not listed")
}

// The gap before a recovery begins with the last closed record, be it that of
// the head or of a segment that the recovery kept.
func TestGapBeforeRecovery(t *testing.T) {
	f := newFixture(t)
	for _, c := range []struct {
		lastClosed time.Time
		from       string
	}{
		{f.log.Segments[1].Seal.Closed().At, "2026-03-01T12:03:00Z"}, {ledgertest.Began.Add(3*time.Minute + time.Second), "2026-03-01T12:03:01Z"},
	} {
		line, err := (&segment.Recovery{At: ledgertest.Began.Add(5 * time.Minute), LastClosed: c.lastClosed}).Line()
		if err != nil {
			t.Fatal(err)
		}
		f.log = ledgertest.NewLog("test", f.signer)
		f.log.Add(t, 3, 5, 2)
		f.log.Extend(t, [][]byte{line}, func(c *segment.Closed) { c.Reason, c.At = segment.Recovered, c.At.Add(time.Hour) })
		f.remove(f.store)
		f.put(f.store, f.log)
		f.run("inspect", f.store)
		f.want(exitVerified, "gap        recovered: nothing closed from "+c.from+" to 2026-03-01T12:05:00Z")
		if strings.Contains(f.stdout, "late") {
			t.Errorf("one gap is shown twice:\n%s", f.stdout)
		}
	}
}

func TestMalformedRecovery(t *testing.T) {
	f := newFixture(t)
	f.log.Extend(t, [][]byte{[]byte(`{"custody":{"recovery":{}}}`)}, func(c *segment.Closed) { c.Reason = segment.Recovered })
	f.put(f.store, f.log)
	f.verify()
	f.want(exitVerified, "record 10 calls itself a recovery")
	f.run("inspect", f.store)
	f.want(exitUnfinished, "problem    segment of record 10: record 10: not a recovery record")
}

// A log that ended is complete for good; going on is tampering.
func TestEnded(t *testing.T) {
	f := newFixture(t)
	f.log.Extend(t, nil, func(c *segment.Closed) { c.Reason, c.NextBy = segment.Ended, time.Time{} })
	f.put(f.store, f.log)
	f.now = soon.Add(1000 * time.Hour)
	f.verify()
	f.want(exitVerified, "complete   until 2026-03-01T12:04:00Z, when the log ended: nothing follows")
	if strings.Contains(f.stdout, "overdue") {
		t.Errorf("a log that ended is overdue:\n%s", f.stdout)
	}
	f.verify("--json")
	f.want(exitVerified, `"ended": true`, `"overdue": false`, `"next_by": null`)
	f.run("inspect", f.store)
	f.want(exitVerified, "next       none: the log has ended", "ended 1")
	f.run("inspect", f.store, "--json")
	f.want(exitVerified, `"ended": true`)

	f.log.Extend(t, nil, func(c *segment.Closed) { c.Reason, c.NextBy = "later", time.Time{} })
	f.put(f.store, f.log)
	f.verify()
	f.want(exitTampered, "after-end: log test, segment 11", "is not stated: silence after that proves nothing")
	f.verify("--json")
	f.want(exitTampered, `"ended": false`, `"overdue": false`, `"next_by": null`)
	f.run("inspect", f.store)
	f.want(exitVerified, "gap        the log had ended: nothing closed from 2026-03-01T12:04:00Z", "next       not stated in the log")
}

// No name of a producer's writes a line of its own.
func TestReceiverNames(t *testing.T) {
	f := newFixture(t)
	f.log.Extend(t, nil, func(c *segment.Closed) { c.Counts = map[string]segment.Counts{"x\n  problem    forged": {"sealed": 1}} })
	f.put(f.store, f.log)
	f.run("inspect", f.store)
	f.want(exitVerified, `x\n  problem    forged`)
}
