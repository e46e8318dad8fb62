package verify

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// checkNames is spec §11, step 5: objects that no seal names.
func (w *walk) checkNames() {
	slices.SortFunc(w.sealed, named.compare)
	head := uint64(0)
	if w.head != nil {
		head = w.head.End()
	}
	for _, n := range w.names.segments {
		if _, sealed := slices.BinarySearchFunc(w.sealed, n, named.compare); sealed {
			continue
		}
		name := fmt.Sprintf("%s/%020d-%x.jsonl.zst", ledger.SegmentsDir, n.first, n.prefix)
		switch {
		case n.first >= head:
			w.notice("%s: no valid seal names it; not checked", path.Join(w.report.Log, name))
		case w.inGap(n.first):
			w.notice("%s: not checked, since no valid seal of it was read", path.Join(w.report.Log, name))
		default:
			w.find(Finding{Code: OrphanSegment, Object: name, First: n.first, Message: "no seal names this segment"})
		}
	}
	for _, name := range w.names.foreign {
		w.find(Finding{Code: ForeignObject, Object: name, First: head, Message: fmt.Sprintf("%s is not an object of the log", name)})
	}
	for _, name := range w.names.other {
		w.notice("%s: not an object of the log, not checked", path.Join(w.report.Log, name))
	}
	w.checkTileNames(head)
	for _, gap := range w.gaps {
		w.notice("log %s: records %d to %d are not checked, since no valid seal of them was read", w.report.Log, gap.first, gap.end-1)
	}
}

// checkTileNames reports what lies below the tiles folder and is no tile of the
// log at this size.
func (w *walk) checkTileNames(size uint64) {
	stranger := func(name string) {
		w.notice("%s: not an object of the log, not checked", path.Join(w.report.Log, ledger.TilesDir, name))
	}
	var levels []int
	err := each(w.ctx, w.fsys, ledger.TilesDir, func(base string, folder bool) {
		level, err := strconv.Atoi(base)
		if err != nil || !folder || level < 1 || level > maxTileLevel || strconv.Itoa(level) != base {
			stranger(base)
			return
		}
		levels = append(levels, level)
	})
	for _, level := range levels {
		dir := strconv.Itoa(level)
		err = errors.Join(err, each(w.ctx, w.fsys, path.Join(ledger.TilesDir, dir), func(base string, folder bool) {
			index, ok := ledger.ParseTileName(base)
			if !ok || folder || index >= size>>(8*(level+1)) {
				stranger(path.Join(dir, base))
			}
		}))
	}
	if err != nil {
		w.unread("%v", err)
	}
}

// maxTileLevel is the highest level that a full tile can have.
const maxTileLevel = 6

func (w *walk) inGap(first uint64) bool {
	return slices.ContainsFunc(w.gaps, func(g gap) bool { return first >= g.first && first < g.end })
}

// checkTiles is spec §11, step 6. Tiles are derived, so what is wrong with them
// is worth a notice and never a finding.
func (w *walk) checkTiles(tiles []tree.Tile) {
	for _, t := range tiles {
		if t.Level == 0 {
			continue
		}
		name := ledger.TileName(t.Level, t.Index)
		b, err := readObject(w.fsys, name, int64(tree.TileWidth*tree.HashSize))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			w.notice("%s is missing; proofs are computed without it", path.Join(w.report.Log, name))
		case planted(err) || err == nil && !bytes.Equal(b, t.Bytes()):
			w.notice("%s differs from the log's tree and is ignored", path.Join(w.report.Log, name))
		case err != nil:
			w.unread("tile %s: %v", path.Join(w.report.Log, name), err)
		}
	}
}

// checkSince is spec §11, step 7, for the log that was found. Without a valid
// seal nobody knows its origin: whether the log of a kept checkpoint is there at
// all is a question to the whole store.
func (w *walk) checkSince() {
	for _, s := range w.opt.Since {
		if w.head == nil || s.Origin != w.head.Origin {
			continue
		}
		end := w.head.End()
		switch {
		case end >= s.Size:
			w.checkRoot(s)
		case w.unreadTail || w.unlisted:
			w.unread("kept checkpoint at size %d: not compared, since seals behind record %d could not be read", s.Size, end)
		default:
			w.find(Finding{Code: Rollback, First: end, End: s.Size, Records: s.Size - end, Want: s.Text(), Got: w.head.After().Text(),
				Message: fmt.Sprintf("the log had %d records when the kept checkpoint was signed and has %d now: %s", s.Size, end, gone(end, s.Size))})
		}
	}
}

func gone(first, end uint64) string {
	if end-first == 1 {
		return fmt.Sprintf("record %d is gone", first)
	}
	return fmt.Sprintf("records %d to %d are gone", first, end-1)
}

func (w *walk) checkRoot(s checkpoint.Signed) {
	root := (&tree.Edge{}).Root()
	if s.Size > 0 {
		i := slices.IndexFunc(w.roots, func(r rooted) bool { return r.since.Checkpoint == s.Checkpoint })
		if i < 0 {
			w.unread("kept checkpoint at size %d: the tree there cannot be computed, since no valid seals before it were read", s.Size)
			return
		}
		root = w.roots[i].root
	}
	if root != s.Root {
		w.find(Finding{Code: Fork, First: 0, End: s.Size, Want: s.Text(), Got: root.String(),
			Message: fmt.Sprintf("the first %d records are not those of the kept checkpoint: this is another history", s.Size)})
	}
}
