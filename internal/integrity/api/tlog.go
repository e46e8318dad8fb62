package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/otelcol-custody/custody/internal/logproof"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/tiles"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// checkpoint serves the newest head that was ever judged. It does not go back when
// a store does, or while a log is read from its beginning again: a client would
// accuse the log of what the store did. Stores need not hold all of it, then.
func (a *API) checkpoint(r *request) error {
	v, err := a.view(r)
	if err != nil {
		return err
	}
	note := a.newest(v)
	if note == nil {
		return problemf(http.StatusNotFound, "empty", "no validly signed head of this log was seen yet; ask again when the first segment is stored")
	}
	r.w.Header().Set("Cache-Control", "no-cache")
	return r.send("text/plain; charset=utf-8", note)
}

// newest is the largest head of a log that was ever judged, as its note; nil: none.
func (a *API) newest(v *view) (note []byte) {
	size := v.size()
	if v.head != nil {
		note = v.head.Note()
	}
	for _, h := range a.set.Heads() {
		if h.Log != v.log {
			continue
		}
		text, _, _ := strings.Cut(h.Checkpoint, "\n\n")
		c, err := checkpoint.ParseText(text + "\n")
		if err == nil && c.Size > size && (v.head == nil || c.Origin == v.head.Origin) {
			note, size = []byte(h.Checkpoint), c.Size
		}
	}
	return note
}

// tile serves tiles and entry bundles. They never change, so clients keep them;
// shared caches do not keep what a client had to authenticate for.
func (a *API) tile(r *request) error {
	name := "tile/" + r.r.PathValue("tile")
	level, index, width, ok := tiles.ParsePath(name)
	if !ok {
		return noPath()
	}
	v, err := a.view(r)
	if err != nil {
		return err
	}
	size, ok := reach(level, index, width)
	if !ok || size > v.size() {
		return problemf(http.StatusNotFound, "beyond", "%d records of the log are in a store and verified now, which do not reach this tile", v.size())
	}
	b, err := read(a, r, v, size, func(ctx context.Context, l *logproof.Log) ([]byte, error) { return l.Object(ctx, name) })
	if err != nil {
		return err
	}
	r.w.Header().Set("Cache-Control", fmt.Sprintf("max-age=%d, immutable", tileAge))
	return r.send("application/octet-stream", b)
}

// reach is the size from which on a log has a tile; !ok: no log can have it.
func reach(level int, index uint64, width int) (size uint64, ok bool) {
	if width == 0 {
		width = tree.TileWidth
	}
	shift := 8 * max(level, 0)
	most := uint64(ledger.MaxSize) >> shift // hashes of the level
	if index > most/tree.TileWidth || index*tree.TileWidth+uint64(width) > most {
		return 0, false
	}
	return (index*tree.TileWidth + uint64(width)) << shift, true
}
