package archive_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/archive"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/proof"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tree"
)

const origin = "custody.example/test"

func storeOf(name string, chain []ledgertest.Segment) fstest.MapFS {
	files := fstest.MapFS{}
	for _, s := range chain {
		files[name+"/"+s.Seal.Name()] = &fstest.MapFile{Data: s.Seal.Bytes()}
		files[name+"/"+s.Seal.SegmentName()] = &fstest.MapFile{Data: s.Object}
		for _, tile := range s.Tiles {
			files[name+"/"+ledger.TileName(tile.Level, tile.Index)] = &fstest.MapFile{Data: tile.Bytes()}
		}
	}
	return files
}

func TestLogs(t *testing.T) {
	files := fstest.MapFS{"a/seals/x": {}, "b/segments/x": {}, "c/other/x": {}, "D/seals/x": {}, "readme": {}, ".e/seals/x": {}}
	got, err := archive.Logs(files)
	if err != nil || !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestOpenAndRead(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	chain := ledgertest.Chain(t, s, 2, 300, 5)
	l, err := archive.Open(storeOf("test", chain), "test", ledgertest.Keys(t, s))
	if err != nil {
		t.Fatal(err)
	}
	if l.Size() != 307 || l.Head().First != 302 {
		t.Errorf("%d records, head at %d", l.Size(), l.Head().First)
	}
	i := 0
	if err := l.Seals(func(v *seal.Verified) error { i++; return nil }); err != nil || i != 3 {
		t.Errorf("%d seals, %v", i, err)
	}
	stop := errors.New("stop")
	if err := l.Seals(func(*seal.Verified) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
	for _, c := range []struct{ index, first uint64 }{{0, 0}, {1, 0}, {2, 2}, {301, 2}, {302, 302}, {306, 302}} {
		if v, err := l.Covering(c.index); err != nil || v.First != c.first {
			t.Errorf("record %d: %v", c.index, err)
		}
	}
	if _, err := l.Covering(307); err == nil {
		t.Error("a seal covers a record behind the end")
	}
	dec := segment.NewDecoder()
	defer dec.Close()
	seed, lines, err := l.Lines(chain[1].Seal, dec)
	if err != nil || seed != chain[1].Seed || !bytes.Equal(lines, append(bytes.Join(chain[1].Lines, []byte("\n")), '\n')) {
		t.Errorf("lines: %v", err)
	}
}

// TestBrokenIsNotUnread tells tampering from failed reads.
func TestBrokenIsNotUnread(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	chain := ledgertest.Chain(t, s, 2, 3)
	clean := storeOf("test", chain)
	object, first := "test/"+chain[0].Seal.SegmentName(), "test/"+chain[0].Seal.Name()
	for name, test := range map[string]struct {
		do     func(fstest.MapFS)
		broken bool
	}{
		"altered":               {func(m fstest.MapFS) { m[object] = &fstest.MapFile{Data: chain[1].Object} }, true},
		"gone":                  {func(m fstest.MapFS) { delete(m, object) }, false},
		"seal altered":          {func(m fstest.MapFS) { m[first] = &fstest.MapFile{Data: []byte("x")} }, true},
		"seal of another place": {func(m fstest.MapFS) { m[first] = m["test/"+chain[1].Seal.Name()] }, true},
		"large":                 {func(m fstest.MapFS) { m[object] = &fstest.MapFile{Data: make([]byte, ledger.MaxSegment+1)} }, true},
	} {
		m := maps.Clone(clean)
		test.do(m)
		l, err := archive.Open(m, "test", ledgertest.Keys(t, s))
		if err == nil {
			_, err = l.Prove(0)
		}
		if err == nil || errors.Is(err, archive.ErrBroken) != test.broken {
			t.Errorf("%s: %v", name, err)
		}
		if name == "gone" && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := archive.Open(fstest.MapFS{"test/seals/readme": {}}, "test", ledgertest.Keys(t, s)); err == nil {
		t.Error("a log without seals is opened")
	}
}

// TestTiles proves records with tiles that are there, missing, altered and cut.
func TestTiles(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	chain := ledgertest.Chain(t, s, 40_000, 60_000, 40_000)
	clean := storeOf("test", chain)
	tile := "test/" + ledger.TileName(1, 0)
	if clean[tile] == nil || clean["test/"+ledger.TileName(1, 1)] == nil {
		t.Fatal("the log has no tiles")
	}
	flipped := bytes.Clone(clean[tile].Data)
	flipped[100] ^= 1
	for name, b := range map[string][]byte{"there": clean[tile].Data, "missing": nil, "altered": flipped, "cut": flipped[:8000], "long": append(bytes.Clone(flipped), 0)} {
		m := maps.Clone(clean)
		if delete(m, tile); b != nil {
			m[tile] = &fstest.MapFile{Data: b}
		}
		l, err := archive.Open(m, "test", ledgertest.Keys(t, s))
		if err != nil {
			t.Fatal(err)
		}
		hs, err := l.Tile(1, 0)
		if err != nil || !bytes.Equal(tree.Tile{Hashes: hs}.Bytes(), clean[tile].Data) {
			t.Errorf("%s: the tile is not that of the log: %v", name, err)
		}
		e, err := l.Prove(139_999)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := proof.Check(e.Format(), ledgertest.Keys(t, s)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestProveAcrossSegments(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	l, err := archive.Open(storeOf("test", ledgertest.Chain(t, s, 100, 200, 300, 1)), "test", ledgertest.Keys(t, s))
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []uint64{0, 99, 100, 255, 256, 299, 300, 511, 512, 599, 600} {
		e, err := l.Prove(i)
		if err != nil {
			t.Errorf("record %d: %v", i, err)
			continue
		}
		if p, err := proof.Check(e.Format(), ledgertest.Keys(t, s)); err != nil || fmt.Sprint(p.Index) != fmt.Sprint(i) {
			t.Errorf("record %d: %v", i, err)
		}
	}
}
