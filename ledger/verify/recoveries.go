package verify

import (
	"cmp"
	"slices"

	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
)

// maxRecoveries of a log are shown, the newest ones, and the others are counted:
// whoever holds the log's host must not say how much memory its auditor needs.
const maxRecoveries = 32

// recoveries are the recovery records that were found.
type recoveries struct {
	newest    []Recovery // in order
	older     int
	malformed int
	first     uint64 // malformed record
}

// noteRecoveries enters those of a checked segment (spec §11, step 9).
func (w *walk) noteRecoveries(v *seal.Verified, lines []byte) {
	for i, line := range segment.Lines(lines) {
		if segment.IsRecovery(line) {
			r, err := segment.ParseRecovery(line)
			w.mu.Lock()
			w.recovered.add(v.First+uint64(i), r, err)
			w.mu.Unlock()
		}
	}
}

func (rs *recoveries) add(record uint64, r *segment.Recovery, err error) {
	if err != nil {
		if rs.malformed++; rs.malformed == 1 || record < rs.first {
			rs.first = record
		}
		return
	}
	at, _ := slices.BinarySearchFunc(rs.newest, record, func(r Recovery, record uint64) int { return cmp.Compare(r.Record, record) })
	rs.newest = slices.Insert(rs.newest, at, Recovery{record, r})
	if len(rs.newest) > maxRecoveries {
		rs.newest = slices.Delete(rs.newest, 0, 1)
		rs.older++
	}
}

// listRecoveries enters them into the report.
func (w *walk) listRecoveries() {
	rs := &w.recovered
	w.report.Recoveries = rs.newest
	if rs.older > 0 {
		w.notice("%d older recoveries of log %s are not listed", rs.older, w.report.Log)
	}
	if rs.malformed > 0 {
		w.notice("record %d calls itself a recovery and has not the form of one (spec §7.1); there are %d such records", rs.first, rs.malformed)
	}
}
