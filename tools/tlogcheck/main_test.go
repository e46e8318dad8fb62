package main

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const origin = "log.example/test"

// writeTree writes the tree of size entries below dir.
func writeTree(t *testing.T, dir string, size int64, signer note.Signer) {
	t.Helper()
	var hashes []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) (list []tlog.Hash, _ error) {
		for _, i := range indexes {
			list = append(list, hashes[i])
		}
		return list, nil
	})
	bundles := map[int64][]byte{}
	for i := range size {
		entry := fmt.Appendf(nil, "entry %d", i)
		stored, err := tlog.StoredHashes(i, entry, reader)
		must(t, err)
		hashes = append(hashes, stored...)
		n := i / torchwood.TileWidth
		bundles[n], err = torchwood.AppendTileEntry(bundles[n], entry)
		must(t, err)
	}
	for n, bundle := range bundles {
		width := min(torchwood.TileWidth, size-n*torchwood.TileWidth)
		write(t, dir, tlog.Tile{H: torchwood.TileHeight, L: -1, N: n, W: int(width)}, bundle)
	}
	for _, tile := range tlog.NewTiles(torchwood.TileHeight, 0, size) {
		data, err := tlog.ReadTileData(tile, reader)
		must(t, err)
		write(t, dir, tile, data)
	}
	root, err := tlog.TreeHash(size, reader)
	must(t, err)
	checkpoint := torchwood.Checkpoint{Origin: origin, Tree: tlog.Tree{N: size, Hash: root}}
	signed, err := note.Sign(&note.Note{Text: checkpoint.String()}, signer)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "checkpoint"), signed, 0o644))
}

func write(t *testing.T, dir string, tile tlog.Tile, data []byte) {
	t.Helper()
	file := filepath.Join(dir, torchwood.TilePath(tile))
	must(t, os.MkdirAll(filepath.Dir(file), 0o755))
	must(t, os.WriteFile(file, data, 0o644))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newKey(t *testing.T) (note.Signer, note.Verifier) {
	t.Helper()
	private, public, err := note.GenerateKey(rand.Reader, origin)
	must(t, err)
	signer, err := note.NewSigner(private)
	must(t, err)
	verifier, err := note.NewVerifier(public)
	must(t, err)
	return signer, verifier
}

func TestGoodTrees(t *testing.T) {
	signer, verifier := newKey(t)
	for _, size := range []int64{1, 2, 255, 256, 257, 70000} {
		dir := t.TempDir()
		writeTree(t, dir, size, signer)
		server := httptest.NewServer(http.FileServer(http.Dir(dir)))
		for _, where := range []string{dir, server.URL, server.URL + "/"} {
			if got, err := check(t.Context(), where, verifier); err != nil || got != size {
				t.Errorf("tree of %d at %s: got %d, %v", size, where, got, err)
			}
		}
		server.Close()
	}
}

func TestFlippedByteThatIsServed(t *testing.T) {
	signer, verifier := newKey(t)
	dir := t.TempDir()
	writeTree(t, dir, 600, signer)
	file := filepath.Join(dir, "tile", "entries", "001")
	data, err := os.ReadFile(file)
	must(t, err)
	data[len(data)/2] ^= 1
	must(t, os.WriteFile(file, data, 0o644))
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer server.Close()
	if _, err := checkWithTorchwood(t.Context(), server.URL, verifier); err == nil {
		t.Error("torchwood accepts it")
	}
	if checkWithTessera(t.Context(), server.URL, verifier) == nil {
		t.Error("tessera accepts it")
	}
}

func TestOneFlippedByteInAnyFile(t *testing.T) {
	signer, verifier := newKey(t)
	dir := t.TempDir()
	writeTree(t, dir, 600, signer)
	files := 0
	err := filepath.WalkDir(dir, func(file string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files++
		data, err := os.ReadFile(file)
		must(t, err)
		for name, run := range map[string]func() error{
			"torchwood": func() error { _, err := checkWithTorchwood(t.Context(), dir, verifier); return err },
			"tessera":   func() error { return checkWithTessera(t.Context(), dir, verifier) },
		} {
			data[len(data)/2] ^= 1
			must(t, os.WriteFile(file, data, 0o644))
			if run() == nil {
				t.Errorf("%s accepts a flipped byte in %s", name, file)
			}
			data[len(data)/2] ^= 1
		}
		return os.WriteFile(file, data, 0o644)
	})
	must(t, err)
	if files != 8 { // 3 bundles, 3 + 1 tiles, the checkpoint
		t.Errorf("tried %d files, want 8", files)
	}
}

func TestOtherKey(t *testing.T) {
	signer, _ := newKey(t)
	_, stranger := newKey(t)
	dir := t.TempDir()
	writeTree(t, dir, 3, signer)
	if _, err := check(t.Context(), dir, stranger); err == nil {
		t.Error("a checkpoint by another key passes")
	}
}
