package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/otelcol-custody/custody/ledger/archive"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/pack"
)

const packHelp = `usage: custody pack STORE --log NAME --out FILE CHOICE... [flags]

Writes chosen records of a log to one file of text, with the proof of each. Anyone
can read it: it says in words what it proves and what it does not, and holds the
records as they were sealed, and nothing of any other. Anyone who has the log's
public key can check it, without the store: custody check-proof FILE --key log.pub.

  --log NAME     the log; not needed when the store holds just one
  --out FILE     where to write; of existing files only packs are replaced
  --key FILE     use these public keys; without, the one that the log states of itself,
                 so that what the file is worth is found out by whoever checks it
  --remark TEXT  put your own words into the file, marked as such; repeatable

which records, each repeatable, added up; --id and --find read the whole log:

  --index N      the record of this number, from 0; N-M: all from N to M; or a list: 3,7-9
  --id ID        the record whose attribute audit.record.id is ID
  --find TEXT    every record that holds TEXT, exactly so, in a value or in its line
  --closed       also the last record of each segment that one of them lies in: there
                 the log says when it closed the segment

  custody pack custody-data/store --log quickstart --index 40-44 --out case-7.pack
  custody pack custody-data/store --find alice@example.com --closed --out alice.pack
  custody check-proof case-7.pack --key custody-data/keys/log.pub

exit: 0 written, 1 not what was sealed, or not signed by the key, 2 wrong usage,
3 a record was not found or could not be read
`

type packOptions struct {
	store, log, out string
	keys, remarks   list
	choice          choice
}

func parsePack(args []string) (packOptions, error) {
	var o packOptions
	var indexes list
	a := newArguments()
	a.StringVar(&o.log, "log", "", "")
	a.StringVar(&o.out, "out", "", "")
	a.Var(&o.keys, "key", "")
	a.Var(&o.remarks, "remark", "")
	a.Var(&indexes, "index", "")
	a.Var(&o.choice.ids, "id", "")
	a.Var(&o.choice.texts, "find", "")
	a.BoolVar(&o.choice.closed, "closed", false, "")
	positional, err := a.parse(args, "STORE")
	if err != nil {
		return o, err
	}
	o.store = positional[0]
	if o.out == "" {
		return o, usagef("--out is missing: name the file to write")
	}
	if len(indexes)+len(o.choice.ids)+len(o.choice.texts) == 0 {
		return o, usagef("choose records with --index, --id or --find")
	}
	o.choice.ranges, err = parseRanges(indexes)
	return o, err
}

func runPack(ctx context.Context, args []string, e env) error {
	o, err := parsePack(args)
	if err != nil {
		return err
	}
	if err := checkReplaces(o.out, o.store, pack.Start, "an evidence pack"); err != nil {
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
	keys, err := logKeys(s, name, o.keys, "whoever runs check-proof decides", e)
	if err != nil {
		return err
	}
	l, err := openWith(s, name, keys, e)
	if err != nil {
		return err
	}
	p, err := o.pack(ctx, l, name, keys, e)
	if err != nil {
		return err
	}
	if err := writePack(o.out, p, keys); err != nil {
		return err
	}
	return e.print(fmt.Sprintf("%s proves %s of log %s at size %d.\nCheck it, with the log's public key:\n\n  custody check-proof %s --key FILE\n",
		o.out, several(len(p.Records), "record"), name, l.Size(), o.out))
}

// pack makes the pack of the chosen records.
func (o *packOptions) pack(ctx context.Context, l *archive.Log, name string, keys *checkpoint.Keys, e env) (*pack.Pack, error) {
	bar := &bar{e: e}
	defer bar.clear()
	indexes, err := o.choice.records(ctx, l, bar)
	if err != nil {
		return nil, fmt.Errorf("log %s: %w", name, err)
	}
	records, err := proveAll(ctx, l, indexes, bar)
	if err != nil {
		return nil, err
	}
	p, err := pack.New(name, keys, e.now(), remarkLines(o.remarks), records)
	if err != nil && judge(err) != exitTampered {
		return nil, usagef("%v", err)
	}
	return p, err
}

// remarkLines takes the lines of all remarks apart, and leaves empty ones out.
func remarkLines(remarks []string) (lines []string) {
	for line := range strings.Lines(strings.Join(remarks, "\n")) {
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// writePack writes a file only after checking what it would say.
func writePack(name string, p *pack.Pack, keys *checkpoint.Keys) error {
	b := p.Format()
	if _, err := pack.Check(b, keys); err != nil {
		return fmt.Errorf("the pack would not be proven: %w", err)
	}
	return replaceFile(name, b)
}
