package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/otelcol-custody/custody/ledger/checkpoint"
)

const inspectHelp = `usage: custody inspect STORE [flags]

Shows the logs in STORE: segments, records, sizes, times, what came from which
receiver, why segments were closed, how long they are to be kept, gaps, recoveries,
the head.
It reads seals and the headers of segments, of records only those with which a log
went on after a crash or a recovery, and judges nothing: that is what custody
verify does.

With --sources it reads every record and shows, for each source and chain of digests
(account, region, trail), what a provider's own proofs said as its files arrived:
verified, failed, gaps, files without a verdict yet; objects that could not be read,
public keys, and what was left out on request. Each finding names its record, for
custody prove. They are sealed words of the collector: a failure of a source is no
fault of the log, and changes no exit code.

  --log NAME   this log only; repeatable
  --key FILE   check the seals' signatures with these public keys; repeatable
  --segments   list every segment
  --sources    read all records, and show what is proven of the sources
  --json       print one JSON document (docs/cli.md)

  custody inspect custody-data/store
  custody inspect custody-data/store --log quickstart --segments
  custody inspect custody-data/store --sources --key custody-data/keys/log.pub

exit: 0 shown, 1 a seal is not valid for the keys given, or, with --sources, a segment
is not what it sealed, 2 wrong usage, 3 could not be read
`

type inspectOptions struct {
	keys, logs     list
	json, segments bool
	sources        bool
}

// inspection is the document of `custody inspect --json` (docs/cli.md).
type inspection struct {
	Version  int        `json:"version"`
	Store    string     `json:"store"`
	Verified bool       `json:"signatures_checked"`
	Logs     []*logView `json:"logs"`

	sources bool // were asked for
}

func runInspect(ctx context.Context, args []string, e env) error {
	var o inspectOptions
	a := newArguments()
	a.Var(&o.keys, "key", "")
	a.Var(&o.logs, "log", "")
	a.BoolVar(&o.json, "json", false, "")
	a.BoolVar(&o.segments, "segments", false, "")
	a.BoolVar(&o.sources, "sources", false, "")
	positional, err := a.parse(args, "STORE")
	if err != nil {
		return err
	}
	d, err := inspect(ctx, positional[0], o, e.now())
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

func inspect(ctx context.Context, name string, o inspectOptions, now time.Time) (*inspection, error) {
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
	d := &inspection{Version: jsonVersion, Store: name, Verified: keys != nil, sources: o.sources}
	for _, log := range names {
		sub, err := fs.Sub(s.FS, log)
		if err != nil {
			return nil, err
		}
		l, err := viewLog(ctx, sub, log, keys, o.segments)
		if err != nil {
			return nil, fmt.Errorf("log %s: %w", log, err)
		}
		if o.sources {
			if err := l.addSources(ctx, s, keys, now); err != nil {
				return nil, err
			}
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
