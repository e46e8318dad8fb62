package frame

import (
	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// A Mapper fills the record of an event from its fields. Bytes and remarks are there
// already. An error is the reason for which the event is quarantined; Format.NotEvent
// that it is none.
type Mapper func(f *jsonscan.Fields, d *draft.Draft) error

// Tabled is [Parse] for events whose fields a table names.
func Tabled(format *Format, table *jsonscan.Table, mapper Mapper, data []byte, emit func(*audit.Record) error) (audit.Counts, error) {
	t := &tabled{scan: jsonscan.Scanner{Data: data}, table: table, mapper: mapper}
	return Parse(format, &t.scan, t, emit)
}

type tabled struct {
	scan   jsonscan.Scanner
	table  *jsonscan.Table
	mapper Mapper
	fields jsonscan.Fields
	draft  draft.Draft
}

func (t *tabled) Read() (jsonscan.Kind, error) { return t.fields.Read(&t.scan, t.table) }

func (t *tabled) Map(e *Element) (*audit.Record, error) {
	body := e.Body()
	t.draft.Begin(body)
	t.fields.Keep(string(body), e.Start)
	if err := t.mapper(&t.fields, &t.draft); err != nil {
		return nil, err
	}
	e.Truncated = t.draft.Truncated
	return t.draft.Finish(t.fields.Duplicate), nil
}
