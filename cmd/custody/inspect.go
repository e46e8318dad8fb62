package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"

	"github.com/otelcol-custody/custody/ledger/checkpoint"
)

const inspectHelp = `usage: custody inspect STORE [flags]

Shows the logs in STORE: segments, records, sizes, times, what came from which
receiver, why segments were closed, how long they are to be kept, gaps, recoveries,
the head.
It reads seals and the headers of segments, of records only those with which a log
went on after a crash or a recovery, and judges nothing: that is what custody
verify does.

  --log NAME   this log only; repeatable
  --key FILE   check the seals' signatures with these public keys; repeatable
  --segments   list every segment
  --json       print one JSON document (docs/cli.md)

  custody inspect custody-data/store
  custody inspect custody-data/store --log quickstart --segments

exit: 0 shown, 1 a seal is not valid for the keys given, 2 wrong usage, 3 could not be read
`

type inspectOptions struct {
	keys, logs     list
	json, segments bool
}

// inspection is the document of `custody inspect --json` (docs/cli.md).
type inspection struct {
	Version  int        `json:"version"`
	Store    string     `json:"store"`
	Verified bool       `json:"signatures_checked"`
	Logs     []*logView `json:"logs"`
}

func runInspect(ctx context.Context, args []string, e env) error {
	var o inspectOptions
	a := newArguments()
	a.Var(&o.keys, "key", "")
	a.Var(&o.logs, "log", "")
	a.BoolVar(&o.json, "json", false, "")
	a.BoolVar(&o.segments, "segments", false, "")
	positional, err := a.parse(args, "STORE")
	if err != nil {
		return err
	}
	d, err := inspect(ctx, positional[0], o)
	if err != nil {
		return err
	}
	if o.json {
		err = writeJSON(e.stdout, d)
	} else {
		err = e.print(d.text(e.now(), o.segments))
	}
	if err != nil {
		return err
	}
	return d.verdict()
}

func inspect(ctx context.Context, name string, o inspectOptions) (*inspection, error) {
	var keys *checkpoint.Keys
	if len(o.keys) > 0 {
		var err error
		if keys, err = readKeys(o.keys); err != nil {
			return nil, err
		}
	}
	s, err := openStore(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.close() }() // Only read from.
	names, err := s.choose(o.logs)
	if err != nil {
		return nil, err
	}
	d := &inspection{Version: jsonVersion, Store: name, Verified: keys != nil}
	for _, log := range names {
		sub, err := fs.Sub(s.FS, log)
		if err != nil {
			return nil, err
		}
		l, err := viewLog(ctx, sub, log, keys, o.segments)
		if err != nil {
			return nil, fmt.Errorf("log %s: %w", log, err)
		}
		d.Logs = append(d.Logs, l)
	}
	return d, nil
}

// verdict is 1 when a seal is not valid for the keys, 3 when something could not
// be read.
func (d *inspection) verdict() error {
	code := exitVerified
	for _, l := range d.Logs {
		switch {
		case l.invalid:
			return verdict(exitTampered)
		case len(l.Problems) > 0 || l.Segments == 0:
			code = exitUnfinished
		}
	}
	if code == exitVerified {
		return nil
	}
	return verdict(code)
}

// readCapped reads an object and refuses one that is longer than limit.
func readCapped(fsys fs.FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, fmt.Errorf("%s is not a regular file of at most %d bytes", name, limit)
	}
	return io.ReadAll(io.LimitReader(f, limit))
}
