package api_test

import (
	"bytes"
	"encoding/binary"
	"net/http"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/otelcol-custody/custody/internal/integrity/api"
	"github.com/otelcol-custody/custody/internal/integrity/peers/wire"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/tiles"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// oracle is the tree of a log, by other people's code.
type oracle struct {
	t      testing.TB
	links  []tlog.Hash
	hashes []tlog.Hash
}

func newOracle(w *world) *oracle {
	o := &oracle{t: w.t}
	for _, g := range w.log.Segments {
		for i := range g.Seal.Count {
			stored, err := tlog.StoredHashesForRecordHash(int64(len(o.links)), g.Seal.Link(i), o)
			if err != nil {
				w.t.Fatal(err)
			}
			o.links, o.hashes = append(o.links, g.Seal.Link(i)), append(o.hashes, stored...)
		}
	}
	return o
}

func (o *oracle) ReadHashes(indexes []int64) (list []tlog.Hash, err error) {
	for _, i := range indexes {
		list = append(list, o.hashes[i])
	}
	return list, nil
}

func (o *oracle) root(size uint64) tlog.Hash {
	h, err := tlog.TreeHash(int64(size), o)
	if err != nil {
		o.t.Fatal(err)
	}
	return h
}

// TestView asks for every tile and bundle of every width, and for those behind the
// end, of logs that end at and around the borders of tiles.
func TestView(t *testing.T) {
	for _, counts := range [][]int{{1}, {255}, {256}, {257}, {100, 200, 300}, {256, 256}} {
		w := newWorld(t, nil, counts...)
		o := newOracle(w)
		size := int(w.log.Size())
		c, err := checkpoint.Open(w.get("/test/checkpoint"), w.keys)
		if err != nil || c.Size != uint64(size) || c.Root != o.root(c.Size) {
			t.Fatalf("%v: checkpoint: %v", counts, err)
		}
		for index := range size/256 + 1 {
			for width := range 257 {
				w.checkTile(o, 0, index, width, size-index*256)
				w.checkTile(o, 1, index, width, size/256-index*256)
				w.checkEntries(o, index, width)
			}
		}
	}
}

func (w *world) checkTile(o *oracle, level, index, width, have int) {
	w.t.Helper()
	if width == 0 {
		width = 256
	}
	name := tiles.Path(level, uint64(index), width%256)
	if have < width {
		w.refused("/test/"+name, http.StatusNotFound, "beyond")
		return
	}
	want, err := tlog.ReadTileData(tlog.Tile{H: 8, L: level, N: int64(index), W: width}, o)
	if err != nil {
		w.t.Fatal(err)
	}
	if got := w.get("/test/" + name); !bytes.Equal(got, want) {
		w.t.Errorf("%s at size %d is not what the tree has", name, len(o.links))
	}
}

func (w *world) checkEntries(o *oracle, index, width int) {
	w.t.Helper()
	if width == 0 {
		width = 256
	}
	name := tiles.Path(tiles.Entries, uint64(index), width%256)
	if len(o.links)-index*256 < width {
		w.refused("/test/"+name, http.StatusNotFound, "beyond")
		return
	}
	b := w.get("/test/" + name)
	for i := range width {
		if len(b) < 2+tree.EntrySize || binary.BigEndian.Uint16(b) != tree.EntrySize {
			w.t.Fatalf("%s: entry %d is not of 65 bytes", name, i)
		}
		if tlog.RecordHash(b[2:2+tree.EntrySize]) != o.links[index*256+i] {
			w.t.Fatalf("%s: entry %d is not that of the tree", name, i)
		}
		b = b[2+tree.EntrySize:]
	}
	if len(b) > 0 {
		w.t.Errorf("%s: %d bytes behind the last entry", name, len(b))
	}
}

func TestNoTileHasThisName(t *testing.T) {
	w := newWorld(t, nil, 300)
	for _, name := range []string{
		"0", "0/0", "0/00", "0/0000", "0/x000/000", "0/x001/0", "0/1000", "00/000", "+0/000", "-1/000", "8/000", "64/000", "0/000.p", "0/000.p/0", "0/000.p/01",
		"0/000.p/256", "0/000.p/-1", "0/000.p/1/", "0/000.q/1", "0/abc", "entries", "entries/0", "data/000", "0/000/000", "entries/000.p/256", "0/x000", "0/y000/000",
	} {
		w.refused("/test/tile/"+name, http.StatusNotFound, "path")
	}
	for _, name := range []string{
		"0/x009/x223/x372/x036/x854/x775/807", "7/x009/x223/x372/x036/x854/x775/807", "7/000", "7/000.p/1", "6/128", "7/000.p/255", "2/000.p/1", "entries/x999/x999/999",
	} {
		w.refused("/test/tile/"+name, http.StatusNotFound, "beyond")
	}
}

// TestHeadNeverGoesBack: the view shows what was judged, not what a store says now.
func TestHeadNeverGoesBack(t *testing.T) {
	w := newWorld(t, nil, 10)
	fewer := w.log.Segments
	w.log.Add(t, 20)
	w.add("b", w.log.Segments)
	w.add("c", fewer)
	for range 3 {
		if c, err := checkpoint.Open(w.get("/test/checkpoint"), w.keys); err != nil || c.Size != 30 {
			t.Fatalf("size %d, %v", c.Size, err)
		}
		w.status[1].Error = "away"
	}
	// Sealed and not judged yet.
	w.log.Add(t, 5)
	g := w.log.Segments[2]
	put(t, w.add("d", nil), "test/"+g.Seal.Name(), g.Seal.Bytes())
	w.refused("/test/tile/0/000.p/31", http.StatusNotFound, "beyond")
	before := len(w.stores["a"].Calls())
	w.get("/test/tile/0/000.p/30")
	if len(w.stores["a"].Calls()) > before {
		t.Error("a store was asked for what it is known not to hold")
	}
}

// TestHeadOutlivesARollback: what was judged once is shown, also when no store
// shows it any more.
func TestHeadOutlivesARollback(t *testing.T) {
	var heads []wire.Head
	w := newWorld(t, func(c *api.Config) { c.Heads = func() []wire.Head { return heads } }, 10)
	other := ledgertest.NewLog("test", ledgertest.Signer(t, "custody.example/other"))
	other.Add(t, 90)
	before := w.log.Segments[0].Seal.After()
	w.log.Add(t, 20)
	longest, stranger := w.log.Segments[1].Seal.After(), other.Segments[0].Seal.After()
	heads = []wire.Head{
		{Store: "a", Log: "test", Checkpoint: string(longest.Note())}, {Store: "b", Log: "test", Checkpoint: string(before.Note())},
		{Store: "a", Log: "other", Checkpoint: string(stranger.Note())}, {Store: "c", Log: "test", Checkpoint: string(stranger.Note())},
	}
	for range 2 {
		if got := w.get("/test/checkpoint"); !bytes.Equal(got, longest.Note()) {
			t.Errorf("got %s", got)
		}
		w.refused("/test/tile/0/000.p/30", http.StatusNotFound, "beyond")
		w.status[0].Head, heads = nil, heads[:3] // It is read from its beginning.
	}
}

func TestNoHeadYet(t *testing.T) {
	w := newWorld(t, nil)
	w.refused("/test/checkpoint", http.StatusNotFound, "empty")
	w.refused("/test/tile/0/000.p/1", http.StatusNotFound, "beyond")
	w.refused("/v1/logs/test/proof?index=0", http.StatusNotFound, "beyond")
	var doc struct {
		Segments []any
		Next     *uint64
		Log      string
	}
	w.decode("/v1/logs/test/segments", &doc)
	if doc.Segments == nil || len(doc.Segments) != 0 || doc.Next != nil {
		t.Errorf("got %+v", doc)
	}
}
