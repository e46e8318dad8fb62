package hashchainprocessor

import (
	"context"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/logrecord"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// downstream hands the sealer's objects to the next consumer.
type downstream struct {
	next   consumer.Logs
	origin string
}

// Deliver implements sealer.Downstream.
func (d *downstream) Deliver(ctx context.Context, o *delivery.Objects) (given, asked int, err error) {
	return d.send(ctx, o.Logs())
}

// Probe implements sealer.Downstream.
func (d *downstream) Probe(ctx context.Context, p *delivery.Probe) (given, asked int, err error) {
	return d.send(ctx, p.Logs())
}

func (d *downstream) send(ctx context.Context, ld plog.Logs) (given, asked int, err error) {
	ctx, book := delivery.WithBook(ctx)
	err = d.next.ConsumeLogs(ctx, ld)
	given, asked = book.Count()
	return given, asked, err
}

// Checkpoint implements sealer.Downstream.
func (d *downstream) Checkpoint(ctx context.Context, note []byte) error {
	return d.next.ConsumeLogs(ctx, delivery.Checkpoint(note))
}

// Limits of one message with records: OTLP receivers refuse more than 4 MiB by
// default.
const (
	maxEmitRecords = 1000
	maxEmitBytes   = 2 << 20
)

// Records implements sealer.Downstream: each record as it was sealed, annotated
// with its place, so that a copy elsewhere can be proven against the log.
func (d *downstream) Records(ctx context.Context, v *seal.Verified, seed *tree.Seed, lines []byte) error {
	var placed logrecord.Placed
	previous := v.Previous
	for i, line := range segment.Lines(lines) {
		link, index := v.Link(i), v.First+uint64(i)
		if !segment.IsClosed(line) {
			at := logrecord.Place{Number: index, Stream: d.origin, Previous: previous, Link: link, Salt: seed.Salt(index)}
			if err := placed.Add(line, at); err != nil {
				return err
			}
		}
		previous = link
		if placed.Len() >= maxEmitRecords || placed.Bytes() >= maxEmitBytes {
			if err := d.emit(ctx, &placed); err != nil {
				return err
			}
		}
	}
	return d.emit(ctx, &placed)
}

func (d *downstream) emit(ctx context.Context, placed *logrecord.Placed) error {
	if placed.Len() == 0 {
		return nil
	}
	ld, err := placed.Take()
	if err != nil {
		return err
	}
	return d.next.ConsumeLogs(ctx, ld)
}
