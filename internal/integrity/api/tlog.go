package api

import (
	"context"
	"fmt"
	"net/http"

	"github.com/otelcol-custody/custody/internal/logproof"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/tiles"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// checkpoint serves the newest head that was judged. It never goes back: a client
// would take that for a rollback.
func (a *API) checkpoint(r *request) error {
	v, err := a.view(r)
	if err != nil {
		return err
	}
	if v.head == nil {
		return problemf(http.StatusNotFound, "empty", "no validly signed head of this log was seen yet; ask again when the first segment is stored")
	}
	r.w.Header().Set("Cache-Control", "no-cache")
	return r.send("text/plain; charset=utf-8", v.head.Note())
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
		return problemf(http.StatusNotFound, "beyond", "the log has %d records, which do not reach this tile; /%s/checkpoint says how far it reaches", v.size(), v.log)
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
