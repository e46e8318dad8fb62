package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/tiles"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// A tlogWriter writes a tree of C2SP tlog-tiles (spec §13) from a log's seals,
// in order.
type tlogWriter struct {
	dir              string
	old              checkpoint.Checkpoint // what dir holds already
	edge             tree.Edge             // of what was added
	bundle           []byte                // entries behind the last full bundle
	objects, written int
}

// add enters a segment, whose seal must follow the one before.
func (w *tlogWriter) add(v, prev *seal.Verified) error {
	completed, err := v.Follows(prev)
	if err != nil {
		return fmt.Errorf("seal of record %d: %w", v.First, err)
	}
	for i := range v.Count {
		if err := w.entry(v, i); err != nil {
			return err
		}
		if err := w.append(v.Link(i)); err != nil {
			return err
		}
	}
	for _, t := range completed {
		if err := w.full(tiles.Path(t.Level, t.Index, 0), t.Bytes(), (t.Index+1)<<(8*(t.Level+1))); err != nil {
			return err
		}
	}
	return nil
}

// entry adds the i-th record's entry to the bundle at hand.
func (w *tlogWriter) entry(v *seal.Verified, i int) error {
	w.bundle = tiles.AppendEntry(w.bundle, v, i)
	index := v.First + uint64(i)
	if (index+1)%tree.TileWidth != 0 {
		return nil
	}
	b := w.bundle
	w.bundle = nil
	return w.full(tiles.Path(tiles.Entries, index/tree.TileWidth, 0), b, index+1)
}

// append follows the tree, and at the size of the tree that is there already
// compares the roots.
func (w *tlogWriter) append(link tree.Hash) error {
	w.edge.Append(link, nil)
	if w.old.Size == 0 || w.edge.Size() != w.old.Size {
		return nil
	}
	if root := w.edge.Root(); root != w.old.Root {
		return fmt.Errorf("%w: the tree in %s is of another history: at size %d its root is %v, the log's %v", errTampered, w.dir, w.old.Size, w.old.Root, root)
	}
	return nil
}

// full writes a full tile or bundle that the tree has from size on, unless it is
// there already.
func (w *tlogWriter) full(name string, b []byte, size uint64) error {
	w.objects++
	if size <= w.old.Size {
		if info, err := os.Stat(filepath.Join(w.dir, filepath.FromSlash(name))); err == nil && info.Size() == int64(len(b)) {
			return nil
		}
	}
	return w.write(name, b)
}

// finish writes the partial tiles and then the checkpoint.
func (w *tlogWriter) finish(head *seal.Verified) error {
	for level := range w.edge.Levels() {
		hs := w.edge.Level(level)
		if len(hs) == 0 {
			continue
		}
		w.objects++
		if err := w.write(tiles.Path(level, w.edge.Size()>>(8*(level+1)), len(hs)), tree.Tile{Hashes: hs}.Bytes()); err != nil {
			return err
		}
	}
	if n := int(w.edge.Size() % tree.TileWidth); n > 0 {
		w.objects++
		if err := w.write(tiles.Path(tiles.Entries, w.edge.Size()/tree.TileWidth, n), w.bundle); err != nil {
			return err
		}
	}
	w.objects++
	w.written++
	return replaceFile(filepath.Join(w.dir, tiles.Checkpoint), head.After().Note())
}

// write puts an object in its place in one step; readers may be at work.
func (w *tlogWriter) write(name string, b []byte) error {
	w.written++
	path := filepath.Join(w.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	tmp := path + ".new"
	if err := os.WriteFile(tmp, b, 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
