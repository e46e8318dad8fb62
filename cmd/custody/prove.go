package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/otelcol-custody/custody/ledger/archive"
	"github.com/otelcol-custody/custody/ledger/proof"
	"github.com/otelcol-custody/custody/ledger/record"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
)

const proveHelp = `usage: custody prove STORE --log NAME (--index N | --id ID) --out FILE [flags]

Writes one record to FILE, with the proof that it is in the log at its position.
The file proves itself to anyone who has the log's public key, without the store:
custody check-proof FILE --key log.pub. It holds that one record and nothing of
any other.

  --log NAME   the log; not needed when the store holds just one
  --index N    the record's number, from 0
  --id ID      instead: the record whose attribute audit.record.id is ID; reads the whole log
  --out FILE   where to write; an existing file is replaced
  --key FILE   use these public keys; without, the one that the log states of itself, so
               that what the proof is worth is found out by whoever checks it

  custody prove custody-data/store --log quickstart --index 42 --out 42.proof
  custody check-proof 42.proof --key custody-data/keys/log.pub
`

type proveOptions struct {
	store, log, id, out string
	index               uint64
	keys                list
}

func parseProve(args []string) (proveOptions, error) {
	var o proveOptions
	a := newArguments()
	a.StringVar(&o.log, "log", "", "")
	a.Uint64Var(&o.index, "index", 0, "")
	a.StringVar(&o.id, "id", "", "")
	a.StringVar(&o.out, "out", "", "")
	a.Var(&o.keys, "key", "")
	positional, err := a.parse(args, "STORE")
	if err != nil {
		return o, err
	}
	o.store = positional[0]
	if o.out == "" {
		return o, usagef("--out is missing: name the file to write")
	}
	if a.given("index") == (o.id != "") {
		return o, usagef("name the record either with --index or with --id")
	}
	return o, nil
}

func runProve(ctx context.Context, args []string, e env) error {
	o, err := parseProve(args)
	if err != nil {
		return err
	}
	s, err := openStore(o.store)
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }() // Only read from.
	name, err := s.one(o.log)
	if err != nil {
		return err
	}
	l, err := openLog(s, name, o.keys, "custody check-proof", e)
	if err != nil {
		return err
	}
	if o.id != "" {
		if o.index, err = findRecord(ctx, l, o.id); err != nil {
			return fmt.Errorf("log %s: %w", name, err)
		}
	}
	if o.index >= l.Size() && len(l.Passed()) > 0 {
		return fmt.Errorf("record %d: no valid seal covers it: %w", o.index, l.Passed()[0])
	}
	if o.index >= l.Size() {
		return usagef("--index %d: log %s has %s, the last one is %d", o.index, name, several(l.Size(), "record"), l.Size()-1)
	}
	evidence, err := l.Prove(o.index)
	if err != nil {
		return fmt.Errorf("record %d: %w", o.index, err)
	}
	if err := writeEvidence(o.out, evidence); err != nil {
		return err
	}
	return e.print(fmt.Sprintf("%s proves record %d of log %s at size %d.\nCheck it, with the log's public key:\n\n  custody check-proof %s --key FILE\n",
		o.out, o.index, name, l.Size(), o.out))
}

// writeEvidence writes a file only after reading back what it would say.
func writeEvidence(path string, evidence *proof.Evidence) error {
	b := evidence.Format()
	if _, err := proof.Parse(b); err != nil {
		return fmt.Errorf("the evidence file would not be readable: %w", err)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return usagef("--out %s is a folder; name a file", path)
	}
	return replaceFile(path, b)
}

// idAttribute is the id that every copy of one event shares.
const idAttribute = "audit.record.id"

// findRecord is the index of the one record with this audit.record.id. Segments
// that have expired are passed over.
func findRecord(ctx context.Context, l *archive.Log, id string) (uint64, error) {
	needle, err := record.AppendLine(nil, &record.Record{Body: record.StringValue(id)})
	if err != nil {
		return 0, usagef("--id: %v", err)
	}
	needle = bytes.TrimSuffix(bytes.TrimPrefix(needle, []byte(`{"body":`)), []byte("}")) // as every line writes it
	dec := segment.NewDecoder()
	defer dec.Close()
	var found []uint64
	err = l.Seals(func(v *seal.Verified) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		_, lines, err := l.Lines(v, dec)
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		for i, line := range segment.Lines(lines) {
			if err == nil && bytes.Contains(line, needle) && hasID(line, id) {
				found = append(found, v.First+uint64(i))
			}
		}
		return err
	})
	switch {
	case err != nil:
		return 0, err
	case len(found) == 0:
		return 0, fmt.Errorf("no record has the %s %q", idAttribute, id)
	case len(found) > 1:
		return 0, usagef("%d records have the %s %q; take one with --index: %s", len(found), idAttribute, id, joinSome(found))
	}
	return found[0], nil
}

func hasID(line []byte, id string) bool {
	r, err := record.ParseLine(line)
	if err != nil {
		return false // Not canonical; custody verify says so.
	}
	for _, kv := range r.Attributes {
		if kv.Key == idAttribute && kv.Value.Kind == record.String && kv.Value.Str == id {
			return true
		}
	}
	return false
}
