package api

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/otelcol-custody/custody/internal/logproof"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/pack"
	"github.com/otelcol-custody/custody/ledger/proof"
)

// pack answers with chosen records as one evidence pack (spec §12.1), which custody
// check-proof and a person can read.
func (a *API) pack(r *request) error {
	v, err := a.readable(r)
	if err != nil {
		return err
	}
	indexes, ok := parseRanges(r.q.Get("records"))
	if !ok {
		return problemf(http.StatusBadRequest, "query", "parameter records: want up to %d records in ascending order, such as 3,7,9-12", maxPacked)
	}
	last := indexes[len(indexes)-1]
	if last >= v.size() {
		return beyond(v, "record", last)
	}
	p, err := readWhole(a, r, v, last+1, func(ctx context.Context, l *logproof.Log) (*pack.Pack, error) { return packed(ctx, l, indexes) })
	if err != nil {
		return err
	}
	r.w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s-%d-%d.pack"`, v.log, indexes[0], last))
	return r.send(evidenceType, p.Format())
}

// packed proves records against one checkpoint.
func packed(ctx context.Context, l *logproof.Log, indexes []uint64) (*pack.Pack, error) {
	keys, err := checkpoint.ParseKeys(l.Head().VKey)
	if err != nil {
		return nil, err
	}
	for {
		records, err := proven(ctx, l, indexes)
		if err != nil {
			return nil, err
		}
		if records != nil {
			return pack.New(l.Name(), keys, time.Now(), nil, records)
		}
	}
}

// proven is nil if the log's head went on meanwhile.
func proven(ctx context.Context, l *logproof.Log, indexes []uint64) ([]*proof.Evidence, error) {
	var records []*proof.Evidence
	size := 0
	for _, index := range indexes {
		e, err := l.Evidence(ctx, index)
		if err != nil {
			return nil, err
		}
		if size += len(e.Line); size > maxPackBytes {
			return nil, problemf(http.StatusRequestEntityTooLarge, "pack", "these records have more than %d MiB; ask for fewer at a time", maxPackBytes>>20)
		}
		if len(records) > 0 && !bytes.Equal(e.Checkpoint, records[0].Checkpoint) {
			return nil, nil
		}
		records = append(records, e)
	}
	return records, nil
}

// parseRanges reads numbers and ranges of records in ascending order.
func parseRanges(text string) (indexes []uint64, ok bool) {
	for part := range strings.SplitSeq(text, ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		first, ok1 := parsePosition(from)
		last, ok2 := parsePosition(to)
		if !ok1 || !ok2 || last < first || last-first >= maxPacked || len(indexes) > 0 && first <= indexes[len(indexes)-1] {
			return nil, false
		}
		for i := range last - first + 1 {
			indexes = append(indexes, first+i)
		}
		if len(indexes) > maxPacked {
			return nil, false
		}
	}
	return indexes, true
}
