package sealer

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// Files of a spooled segment. Tiles lie one behind the other in one file. Once
// all stores have a segment its seal is renamed: so a segment that is missing
// beside a seal was taken away, and not delivered.
const (
	segmentExt   = ".segment"
	tilesExt     = ".tiles"
	sealExt      = ".seal"
	deliveredExt = ".delivered"
)

// spooled is what memory keeps of a segment that waits for delivery.
type spooled struct {
	head     seal.Head
	root     tree.Hash // behind it
	receipts int       // of the last try; -1: there was none
	leaving  bool      // all receipts are there: its files may be gone
}

func newSpooled(v *seal.Verified) spooled {
	return spooled{head: v.Head, root: v.After().Root, receipts: -1}
}

func spoolPath(dir string, first uint64, ext string) string {
	return filepath.Join(dir, spoolDir, fmt.Sprintf("%020d%s", first, ext))
}

// spool writes a segment's objects, the seal last.
func spool(fsys durable.FS, dir string, first uint64, o *delivery.Objects) error {
	if len(o.Tiles) > 0 {
		var all []byte
		for _, t := range o.Tiles {
			all = append(all, t...)
		}
		if err := durable.WriteFile(fsys, spoolPath(dir, first, tilesExt), all, 0o600); err != nil {
			return err
		}
	}
	if err := durable.WriteFile(fsys, spoolPath(dir, first, segmentExt), o.Segment, 0o600); err != nil {
		return err
	}
	// Commit point of the segment. Before: the journal has the records, and will
	// be sealed again. After: these bytes are the log's, and may leave the machine.
	return durable.WriteFile(fsys, spoolPath(dir, first, sealExt), o.Seal, 0o600)
}

// unspool reads a segment's objects.
func unspool(fsys durable.FS, dir string, first uint64) (*delivery.Objects, error) {
	o := &delivery.Objects{}
	var err error
	if o.Segment, err = readFile(fsys, spoolPath(dir, first, segmentExt)); err != nil {
		return nil, err
	}
	if o.Seal, err = readFile(fsys, spoolPath(dir, first, sealExt)); err != nil {
		return nil, err
	}
	tiles, err := readFile(fsys, spoolPath(dir, first, tilesExt))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	const size = tree.TileWidth * tree.HashSize
	for len(tiles) > 0 { // A short last one fails its check.
		n := min(size, len(tiles))
		o.Tiles, tiles = append(o.Tiles, tiles[:n]), tiles[n:]
	}
	return o, nil
}

// checkSpooled holds a spooled segment's files against its seal.
func checkSpooled(fsys durable.FS, dir string, v *seal.Verified) error {
	o, err := unspool(fsys, dir, v.First)
	if errors.Is(err, fs.ErrNotExist) {
		return damaged(spoolPath(dir, v.First, segmentExt), errors.New("it is missing, yet its segment is not delivered"))
	}
	if err != nil {
		return err
	}
	if sha256.Sum256(o.Segment) != v.Segment {
		return damaged(spoolPath(dir, v.First, segmentExt), fmt.Errorf("it is not the segment that %s names", filepath.Base(spoolPath(dir, v.First, sealExt))))
	}
	if _, err := v.CheckTiles(o.Tiles); err != nil {
		return damaged(spoolPath(dir, v.First, tilesExt), err)
	}
	return nil
}

// leave takes a delivered segment out of the spool. Its seal stays under another
// name, until the next one is delivered; forget removes it then.
func leave(fsys durable.FS, dir string, first uint64) error {
	err := fsys.Rename(spoolPath(dir, first, sealExt), spoolPath(dir, first, deliveredExt))
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // The last try may have got that far.
		return err
	}
	if err := fsys.SyncDir(filepath.Join(dir, spoolDir)); err != nil {
		return err
	}
	return removeContent(fsys, dir, first)
}

// removeContent removes what a delivered segment does not need any more. Whatever
// a crash brings back the next start removes.
func removeContent(fsys durable.FS, dir string, first uint64) error {
	for _, ext := range []string{tilesExt, segmentExt} {
		if err := fsys.Remove(spoolPath(dir, first, ext)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// forget removes the seal of a delivered segment behind which another one is
// delivered.
func forget(fsys durable.FS, dir string, first uint64) error {
	// A segment must not come back after its seal is gone.
	if err := fsys.SyncDir(filepath.Join(dir, spoolDir)); err != nil {
		return err
	}
	err := durable.Remove(fsys, spoolPath(dir, first, deliveredExt))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func removeJournal(fsys durable.FS, path string) error {
	for _, p := range []string{path, markPath(path)} {
		if err := durable.Remove(fsys, p); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// usage is the size in bytes of all journals and spooled segments; seals and
// tiles are small beside them.
func usage(c *Config, pending []spooled) (total int64, err error) {
	entries, err := c.FS.ReadDir(filepath.Join(c.Dir, journalDir))
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		if filepath.Ext(e.Name()) != journalExt {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return 0, err
		}
		total += info.Size()
	}
	for i := range pending {
		total += pending[i].head.Size
	}
	return total, nil
}
