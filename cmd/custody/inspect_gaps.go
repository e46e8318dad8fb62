package main

import (
	"fmt"
	"io/fs"
	"time"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/verify"
)

// A gap is a time in which the log may have missed events.
type gap struct {
	Kind   string    `json:"kind"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Record uint64    `json:"record"` // the first one behind the gap
}

// The kinds of gaps.
const (
	gapStop      = "stop"      // planned
	gapLate      = "late"      // the next closed record was overdue
	gapRecovered = "recovered" // up to a recovery of the writer's state
	gapEnded     = "ended"     // the log goes on behind its end
)

// addGap enters the time before a segment, if it is one in which events may be
// missing. A recovery in the segment says so whatever the clocks say.
func (l *logView) addGap(s, prev *seal.Unverified, recoveries []verify.Recovery) {
	for _, r := range recoveries {
		from := r.LastClosed
		if prev != nil && prev.Closed.At.After(from) {
			from = prev.Closed.At // Of a segment that the recovery kept.
		}
		if !from.IsZero() {
			l.Gaps = append(l.Gaps, gap{gapRecovered, from, r.At, r.Record})
		}
	}
	if len(recoveries) > 0 || prev == nil {
		return
	}
	switch c, before := s.Closed, prev.Closed; {
	case before.Ends():
		l.Gaps = append(l.Gaps, gap{gapEnded, before.At, c.At, s.First})
	case before.Reason == segment.Shutdown || before.Reason == segment.Ended:
		l.Gaps = append(l.Gaps, gap{gapStop, before.At, c.At, s.First})
	case !before.NextBy.IsZero() && c.At.After(before.NextBy):
		l.Gaps = append(l.Gaps, gap{gapLate, before.At, c.At, s.First})
	}
}

// maxRecoveries of a log are listed.
const maxRecoveries = 32

// addRecoveries enters the recovery records of a segment. One that holds any was
// closed with the reason recovered (spec §7.1); no other is read.
func (l *logView) addRecoveries(fsys fs.FS, s *seal.Unverified) []verify.Recovery {
	if s.Closed.Reason != segment.Recovered {
		return nil
	}
	found, err := readRecoveries(fsys, s)
	if err != nil {
		l.Problems = append(l.Problems, fmt.Sprintf("segment of record %d: %v", s.First, err))
	}
	for _, r := range found {
		l.Recoveries = append(l.Recoveries, newRecoveryJSON(r))
	}
	if more := len(l.Recoveries) - maxRecoveries; more > 0 {
		l.Recoveries, l.Older = l.Recoveries[more:], l.Older+more
	}
	return found
}

func readRecoveries(fsys fs.FS, s *seal.Unverified) (found []verify.Recovery, err error) {
	b, err := readCapped(fsys, s.SegmentName(), ledger.MaxSegment)
	if err != nil {
		return nil, err
	}
	object, err := segment.Parse(b)
	if err != nil {
		return nil, err
	}
	dec := segment.NewDecoder()
	defer dec.Close()
	lines, err := dec.Inflate(object)
	if err != nil {
		return nil, err
	}
	for i, line := range segment.Lines(lines) {
		if !segment.IsRecovery(line) {
			continue
		}
		r, malformed := segment.ParseRecovery(line)
		if malformed != nil {
			err = fmt.Errorf("record %d: %w", s.First+uint64(i), malformed)
			continue
		}
		found = append(found, verify.Recovery{Record: s.First + uint64(i), Recovery: r})
	}
	return found, err
}
