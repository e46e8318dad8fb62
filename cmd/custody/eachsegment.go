package main

import (
	"context"

	"github.com/otelcol-custody/custody/ledger/archive"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
)

// eachSegment calls f for every valid seal of a log, in order, until f returns an error.
// lines have been held against the seal, unless err says why they are not there; f does
// not keep them: one segment is in memory at a time.
func eachSegment(ctx context.Context, l *archive.Log, f func(v *seal.Verified, lines []byte, err error) error) error {
	dec := segment.NewDecoder()
	defer dec.Close()
	return l.Seals(func(v *seal.Verified) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		_, lines, err := l.Lines(v, dec)
		return f(v, lines, err)
	})
}
