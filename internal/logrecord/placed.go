package logrecord

import (
	"encoding/hex"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/ledger/record"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// A Place is where a sealed record stands in its log.
type Place struct {
	Number   uint64
	Stream   string // the origin
	Previous tree.Hash
	Link     tree.Hash
	Salt     tree.Salt
}

// A Placed collects sealed records, each annotated with its place, so that a
// copy elsewhere can be proven against the log. The zero value is ready.
type Placed struct {
	records []*record.Record
	bytes   int
}

// Add appends the record of a sealed line.
func (p *Placed) Add(line []byte, at Place) error {
	r, err := record.ParseLine(line)
	if err != nil {
		return err
	}
	text := func(key, value string) record.KeyValue {
		return record.KeyValue{Key: key, Value: record.Value{Kind: record.String, Str: value}}
	}
	// Arriving attributes of these names were renamed before sealing (spec §3.7).
	r.Attributes = append(r.Attributes,
		record.KeyValue{Key: delivery.AttrNumber, Value: record.Value{Kind: record.Int, Num: at.Number}},
		text(delivery.AttrStream, at.Stream),
		text(delivery.AttrPrevious, hex.EncodeToString(at.Previous[:])),
		text(delivery.AttrValue, hex.EncodeToString(at.Link[:])),
		text(delivery.AttrSalt, hex.EncodeToString(at.Salt[:])),
	)
	p.records = append(p.records, r)
	p.bytes += len(line)
	return nil
}

// Len is the number of collected records, Bytes that of their lines.
func (p *Placed) Len() int   { return len(p.records) }
func (p *Placed) Bytes() int { return p.bytes }

// Take returns the collected records and begins anew.
func (p *Placed) Take() (plog.Logs, error) {
	ld, err := ToLogs(p.records...)
	p.records, p.bytes = nil, 0
	return ld, err
}
