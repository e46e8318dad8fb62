package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/tiles"
)

// checkTree verifies a tree with x/mod alone: signature, every tile, every entry.
func (f *fixture) checkTree(dir string) (size int64, err error) {
	v, err := note.NewVerifier(f.signer.VerifierKey())
	if err != nil {
		return 0, err
	}
	b, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return 0, err
	}
	n, err := note.Open(b, note.VerifierList(v))
	if err != nil {
		return 0, err
	}
	c, err := checkpoint.ParseText(n.Text)
	if err != nil {
		return 0, err
	}
	r := &tileFiles{dir}
	size = int64(c.Size)
	hashes := tlog.TileHashReader(tlog.Tree{N: size, Hash: c.Root}, r)
	for i := range size {
		entry, err := r.entry(i, size)
		if err != nil {
			return 0, err
		}
		got, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, i)}) // proves the tiles up to the root
		if err != nil {
			return 0, err
		}
		if got[0] != tlog.RecordHash(entry) {
			return 0, fmt.Errorf("entry %d does not hash to its leaf", i)
		}
	}
	return size, nil
}

// tileFiles reads tiles as x/mod asks for them.
type tileFiles struct{ dir string }

func (r *tileFiles) Height() int                         { return 8 }
func (r *tileFiles) SaveTiles(_ []tlog.Tile, _ [][]byte) {}

func (r *tileFiles) ReadTiles(want []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, t := range want {
		b, err := os.ReadFile(filepath.Join(r.dir, tiles.Path(t.L, uint64(t.N), t.W%256)))
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

func (r *tileFiles) entry(i, size int64) ([]byte, error) {
	width := 0
	if i/256 == size/256 {
		width = int(size % 256)
	}
	b, err := os.ReadFile(filepath.Join(r.dir, tiles.Path(tiles.Entries, uint64(i/256), width)))
	if err != nil {
		return nil, err
	}
	for range i % 256 {
		b = b[2+binary.BigEndian.Uint16(b):]
	}
	return b[2 : 2+binary.BigEndian.Uint16(b)], nil
}

func TestExportGrows(t *testing.T) {
	f := newFixture(t)
	out := f.path("tlog")
	size := int64(10)
	for _, add := range []int{0, 246, 1, 600, 167, 65600} { // 10, 256, 257, 857, 1024, 66624
		if add > 0 {
			f.log.Add(t, add)
			f.put(f.store, f.log)
			size += int64(add)
		}
		f.run("export-tlog", f.store, "--log", "test", "--out", out)
		f.want(exitVerified, fmt.Sprintf("at size %d", size))
		if size > 2000 {
			continue // x/mod proves each entry anew: quadratic.
		}
		if got, err := f.checkTree(out); err != nil || got != size {
			t.Fatalf("size %d: x/mod finds %d: %v", size, got, err)
		}
	}
	f.run("export-tlog", f.store, "--out", out, "--key", f.key)
	f.want(exitVerified, ": 5 of ") // three partial tiles, the partial bundle, the checkpoint
	if f.err != "" {
		t.Errorf("stderr: %s", f.err)
	}

	// What was lost is written again.
	lost := filepath.Join(out, tiles.Path(0, 3, 0))
	want := string(f.read(lost))
	f.remove(lost)
	f.run("export-tlog", f.store, "--out", out, "--key", f.key)
	f.want(exitVerified, ": 6 of ")
	if string(f.read(lost)) != want {
		t.Error("a lost tile came back with other bytes")
	}
}

// The check above must be able to fail, for every object.
func TestExportFlipped(t *testing.T) {
	f := newFixture(t)
	f.log.Add(t, 500)
	f.put(f.store, f.log)
	out := f.path("tlog")
	f.run("export-tlog", f.store, "--out", out)
	f.want(exitVerified)
	all := files(t, out)
	if len(all) != 6 { // 510 entries: two tiles of level 0, one of level 1, two bundles, the checkpoint
		t.Errorf("%d objects, want 6", len(all))
	}
	for name := range all {
		f.flip(filepath.Join(out, name))
		if _, err := f.checkTree(out); err == nil {
			t.Errorf("a flipped byte of %s is not noticed", name)
		}
		f.flip(filepath.Join(out, name))
	}
	if _, err := f.checkTree(out); err != nil {
		t.Error(err)
	}
}

func TestExportRefuses(t *testing.T) {
	f := newFixture(t)
	out := f.path("tlog")
	f.run("export-tlog", f.store, "--out", out)
	f.want(exitVerified)

	other := ledgertest.NewLog("test", f.signer).Branch("other")
	other.Add(t, 3, 5, 2, 4)
	f.put(f.path("other"), other)
	f.run("export-tlog", f.path("other"), "--out", out)
	f.want(exitTampered, "another history")

	short := ledgertest.NewLog("test", f.signer)
	short.Add(t, 3)
	f.put(f.path("short"), short)
	f.run("export-tlog", f.path("short"), "--out", out)
	f.want(exitTampered, "the log has only 3 records", "or STORE is an older copy")

	stranger := ledgertest.NewLog("test", ledgertest.Signer(t, "custody.example/stranger"))
	stranger.Add(t, 30)
	f.put(f.path("stranger"), stranger)
	f.run("export-tlog", f.path("stranger"), "--out", out)
	f.want(exitUsage, "the tree of another log")
	if size, err := f.checkTree(out); err != nil || size != 10 {
		t.Errorf("after the refusals the tree has size %d (%v), want 10", size, err)
	}

	f.run("export-tlog", f.store)
	f.want(exitUsage, "--out is missing")
	f.remove(f.seal(1))
	f.run("export-tlog", f.store, "--out", f.path("new"))
	f.want(exitTampered, "seal of record 8")
	if _, err := os.Stat(filepath.Join(f.path("new"), "checkpoint")); err == nil {
		t.Error("a checkpoint was written for a tree that is not complete")
	}
}
