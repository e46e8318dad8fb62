package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/otelcol-custody/custody/ledger/archive"
	"github.com/otelcol-custody/custody/ledger/proof"
)

const proveHelp = `usage: custody prove STORE --log NAME (--index N | --id ID) --out FILE [flags]

Writes one record to FILE, with the proof that it is in the log at its position.
The file proves itself to anyone who has the log's public key, without the store:
custody check-proof FILE --key log.pub. It holds that one record and nothing of
any other.

  --log NAME   the log; not needed when the store holds just one
  --index N    the record's number, from 0
  --id ID      instead: the record whose attribute audit.record.id is ID; reads the whole log
  --out FILE   where to write; of existing files only evidence files are replaced
  --key FILE   use these public keys; without, the one that the log states of itself, so
               that what the proof is worth is found out by whoever checks it

  custody prove custody-data/store --log quickstart --index 42 --out 42.proof
  custody check-proof 42.proof --key custody-data/keys/log.pub

exit: 0 written, 1 not what was sealed, or not signed by the key, 2 wrong usage,
3 the record was not found or could not be read
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
	if a.given("id") && o.id == "" {
		return o, usagef("--id is empty: give the audit.record.id of a record")
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
	if err := checkEvidenceOut(o.out, o.store); err != nil {
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
	l, err := openLog(s, name, o.keys, "whoever runs check-proof decides", e)
	if err != nil {
		return err
	}
	evidence, err := o.prove(ctx, s, l, name)
	if err != nil {
		return err
	}
	if err := writeEvidence(o.out, evidence); err != nil {
		return err
	}
	return e.print(fmt.Sprintf("%s proves record %d of log %s at size %d.\nCheck it, with the log's public key:\n\n  custody check-proof %s --key FILE\n",
		o.out, evidence.Index, name, l.Size(), o.out))
}

// prove makes the evidence for the record that the options name.
func (o *proveOptions) prove(ctx context.Context, s *store, l *archive.Log, name string) (*proof.Evidence, error) {
	if o.id != "" {
		var err error
		if o.index, err = findRecord(ctx, l, o.id); err != nil {
			return nil, fmt.Errorf("log %s: %w", name, err)
		}
	}
	if o.index >= l.Size() && len(l.Passed()) > 0 {
		return nil, fmt.Errorf("record %d: no valid seal covers it: %w", o.index, l.Passed()[0])
	}
	if o.index >= l.Size() {
		return nil, usagef("--index %d: log %s has %s, the last one is %d", o.index, name, several(l.Size(), "record"), l.Size()-1)
	}
	evidence, err := l.Prove(o.index)
	if err != nil && segmentGone(s, name, l, o.index) {
		return nil, fmt.Errorf("record %d: its segment is not in this store", o.index)
	}
	if err != nil {
		return nil, fmt.Errorf("record %d: %w", o.index, err)
	}
	return evidence, nil
}

// segmentGone says whether the segment that holds a record is missing.
func segmentGone(s *store, name string, l *archive.Log, index uint64) bool {
	v, err := l.Covering(index)
	if err != nil {
		return false
	}
	_, err = fs.Stat(s.FS, path.Join(name, v.SegmentName()))
	return errors.Is(err, fs.ErrNotExist)
}

// writeEvidence writes a file only after reading back what it would say.
func writeEvidence(name string, evidence *proof.Evidence) error {
	b := evidence.Format()
	if _, err := proof.Parse(b); err != nil {
		return fmt.Errorf("the evidence file would not be readable: %w", err)
	}
	return replaceFile(name, b)
}
