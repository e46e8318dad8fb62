package main

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestUpToDate holds what lies in the repository against what is generated.
func TestUpToDate(t *testing.T) {
	dir := t.TempDir()
	if err := writeStores(filepath.Join(dir, "stores")); err != nil {
		t.Fatal(err)
	}
	if err := writeExample(filepath.Join(dir, "example.md")); err != nil {
		t.Fatal(err)
	}
	if err := writePacks(filepath.Join(dir, "packs"), "../../pack-statement.txt"); err != nil {
		t.Fatal(err)
	}
	compare(t, tree(t, filepath.Join(dir, "stores")), tree(t, "../stores"))
	compare(t, tree(t, filepath.Join(dir, "packs")), tree(t, "../packs"))
	made, err := os.ReadFile(filepath.Join(dir, "example.md"))
	if err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile("../../example.md")
	if err != nil || string(made) != string(kept) {
		t.Errorf("docs/spec/example.md is not what the generator writes: run it (%v)", err)
	}
}

func compare(t *testing.T, made, kept map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(made)) {
		if b, ok := kept[name]; !ok || b != made[name] {
			t.Errorf("%s is not what the generator writes: run it", name)
		}
	}
	if len(kept) != len(made) {
		t.Errorf("there are %d files, the generator writes %d", len(kept), len(made))
	}
}

func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, name))
		files[name] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestEdge(t *testing.T) {
	var leaves []hash
	for i := range 600 {
		leaves = append(leaves, h([]byte{byte(i), byte(i >> 8)}))
		if got := rootOfEdge(uint64(len(leaves)), edgeOf(leaves)); got != rootOf(leaves) {
			t.Fatalf("the root of the edge at %d is not that of the tree", len(leaves))
		}
	}
}
