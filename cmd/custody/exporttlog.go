package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/otelcol-custody/custody/ledger/archive"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/tiles"
)

const exportHelp = `usage: custody export-tlog STORE --log NAME --out DIR [flags]

Writes a log as a C2SP tlog-tiles tree, which any tool for transparency logs can
read and verify: DIR/checkpoint, DIR/tile/<L>/<N> and DIR/tile/entries/<N>. It
holds hashes, no records. Done again, it adds what is new; the checkpoint comes
last, so that a reader never sees one whose tiles are missing.

  --log NAME   the log; not needed when the store holds just one
  --out DIR    the tree's folder; made when it is missing
  --key FILE   check the seals with these public keys; without, with the one that the
               log states of itself

  custody export-tlog custody-data/store --log quickstart --out tlog/

exit: 0 written, 1 seals contradict each other, the key or the tree in DIR,
2 wrong usage, 3 could not finish
`

func runExport(ctx context.Context, args []string, e env) error {
	a := newArguments()
	log := a.String("log", "", "")
	out := a.String("out", "", "")
	var keys list
	a.Var(&keys, "key", "")
	positional, err := a.parse(args, "STORE")
	if err != nil {
		return err
	}
	if *out == "" {
		return usagef("--out is missing: name the folder for the tree")
	}
	for _, path := range []string{*out, filepath.Join(*out, "tile")} {
		if err := checkOutside("out", path, positional[0]); err != nil {
			return err
		}
	}
	s, err := openStore(positional[0])
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }() // Only read from.
	name, err := s.one(*log)
	if err != nil {
		return err
	}
	l, err := openLog(s, name, keys, "every reader of the tree decides", e)
	if err != nil {
		return err
	}
	w, err := export(ctx, l, *out, e)
	if err != nil {
		return err
	}
	return e.print(fmt.Sprintf("%s holds log %s at size %d: %s of %s written\n", *out, name, l.Size(), number(w.written), several(w.objects, "object")))
}

// export writes the tree of a log below dir, the checkpoint last.
func export(ctx context.Context, l *archive.Log, dir string, e env) (*tlogWriter, error) {
	w := &tlogWriter{dir: dir}
	old, err := readOldCheckpoint(dir, l)
	if err != nil {
		return nil, err
	}
	w.old = old
	shown := e.now()
	var prev *seal.Verified
	err = l.Seals(func(v *seal.Verified) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if now := e.now(); e.terminal && now.Sub(shown) >= progressEvery {
			shown = now
			fmt.Fprintf(e.stderr, "\r\x1b[K%s of %s records", number(v.First), number(l.Size()))
		}
		if err := w.add(v, prev); err != nil {
			return err
		}
		prev = v
		return nil
	})
	if e.terminal {
		fmt.Fprint(e.stderr, "\r\x1b[K")
	}
	if err != nil {
		return nil, err
	}
	return w, w.finish(l.Head())
}

// readOldCheckpoint is the checkpoint of a tree that is there already, at size 0
// when there is none.
func readOldCheckpoint(dir string, l *archive.Log) (checkpoint.Checkpoint, error) {
	path := filepath.Join(dir, tiles.Checkpoint)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return checkpoint.Checkpoint{}, nil
	}
	if err != nil {
		return checkpoint.Checkpoint{}, err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxKept))
	if err != nil {
		return checkpoint.Checkpoint{}, err
	}
	keys, err := checkpoint.ParseKeys(l.Head().VKey)
	if err != nil {
		return checkpoint.Checkpoint{}, err
	}
	if !isCheckpoint(string(b)) {
		return checkpoint.Checkpoint{}, usagef("--out: %s is not a checkpoint; choose an empty folder", path)
	}
	c, err := checkpoint.Open(b, keys)
	if err != nil {
		return checkpoint.Checkpoint{}, usagef("--out %s holds the tree of another log: %v", dir, err)
	}
	if c.Size > l.Size() {
		return c.Checkpoint, fmt.Errorf("%w: the tree in %s has %d entries, the log has only %d records: its end was cut off, or STORE is an older copy", errTampered, dir, c.Size, l.Size())
	}
	return c.Checkpoint, nil
}
