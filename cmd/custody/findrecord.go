package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/otelcol-custody/custody/ledger/archive"
	"github.com/otelcol-custody/custody/ledger/record"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
)

// The ids of a record: the one that every copy of one event shares, and the one
// by which the event's source knows it.
const (
	idAttribute         = "audit.record.id"
	originalIDAttribute = "audit.record.original_id"
)

// A recordSearch looks for an id in a log. People often have the original one,
// so that is looked for as well, to give a hint.
type recordSearch struct {
	id     string
	needle []byte   // the id as every line writes it
	found  []uint64 // whose audit.record.id it is
	hints  []string // for those whose audit.record.original_id it is
}

func newRecordSearch(id string) (*recordSearch, error) {
	needle, err := asWritten(id)
	if err != nil {
		return nil, usagef("--id: %v", err)
	}
	return &recordSearch{id: id, needle: needle}, nil
}

// asWritten is how every line that holds a text writes it.
func asWritten(text string) ([]byte, error) {
	line, err := record.AppendLine(nil, &record.Record{Body: record.StringValue(text)})
	return bytes.TrimSuffix(bytes.TrimPrefix(line, []byte(`{"body":`)), []byte("}")), err
}

// findRecord is the index of the one record with this audit.record.id. Segments
// that have expired are passed over.
func findRecord(ctx context.Context, l *archive.Log, id string) (uint64, error) {
	r, err := newRecordSearch(id)
	if err != nil {
		return 0, err
	}
	if _, err := eachLine(ctx, l, r.look); err != nil {
		return 0, err
	}
	return r.result()
}

// eachLine calls look for every line of a log, in order; look does not keep them.
// It returns how many segments were not there.
func eachLine(ctx context.Context, l *archive.Log, look func(line []byte, index uint64)) (missing int, err error) {
	err = eachSegment(ctx, l, func(v *seal.Verified, lines []byte, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			missing++
			return nil
		}
		if err != nil {
			return err
		}
		for i, line := range segment.Lines(lines) {
			look(line, v.First+uint64(i))
		}
		return nil
	})
	return missing, err
}

func (r *recordSearch) look(line []byte, index uint64) {
	if !bytes.Contains(line, r.needle) {
		return
	}
	rec, err := record.ParseLine(line)
	if err != nil {
		return // Not canonical; custody verify says so.
	}
	if rec.Text(idAttribute) == r.id {
		r.found = append(r.found, index)
		return
	}
	if rec.Text(originalIDAttribute) == r.id {
		use := fmt.Sprintf("use --index %d", index)
		if id := rec.Text(idAttribute); id != "" {
			use = "use --id " + id
		}
		r.hints = append(r.hints, fmt.Sprintf("it is record %d: %s", index, use))
	}
}

func (r *recordSearch) result() (uint64, error) {
	none := fmt.Sprintf("no record has the %s %q", idAttribute, r.id)
	switch {
	case len(r.found) == 1:
		return r.found[0], nil
	case len(r.found) > 1:
		return 0, usagef("%d records have the %s %q; take one with --index: %s", len(r.found), idAttribute, r.id, joinSome(r.found))
	case len(r.hints) > 0:
		return 0, usagef("%s; as %s %s", none, originalIDAttribute, strings.ReplaceAll(joinSome(r.hints), ", it is", "; it is"))
	}
	return 0, errors.New(none)
}
