package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// A stored record, as any reader of JSON lines sees it.
type stored struct {
	Index      uint64 `json:"-"`
	Line       string `json:"-"`
	Attributes map[string]json.RawMessage
	Body       json.RawMessage
	Custody    json.RawMessage
}

// attribute returns an attribute that is a string, or "".
func (r *stored) attribute(name string) string {
	var s string
	if json.Unmarshal(r.Attributes[name], &s) != nil {
		return ""
	}
	return s
}

// text returns a body that is a string.
func (r *stored) text(t *testing.T) string {
	t.Helper()
	var s string
	if err := json.Unmarshal(r.Body, &s); err != nil {
		t.Fatalf("record %d: its body is not a string: %.200s", r.Index, r.Body)
	}
	return s
}

// readStore reads all sealed records of the log, in order, without any code of the
// project. It wants each index once.
func readStore(t *testing.T, store string) []stored {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(store, logName, "segments", "*.jsonl.zst"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	dec, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	var all []stored
	for _, name := range names {
		first, err := strconv.ParseUint(filepath.Base(name)[:20], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if !sealed(t, store, filepath.Base(name)) {
			continue // It is on its way yet, or lost a race.
		}
		if first != uint64(len(all)) {
			t.Fatalf("%s: %d records come before it", name, len(all))
		}
		all = appendSegment(t, all, dec, name)
	}
	return all
}

// sealed says whether the seal at a segment's place names it by its hash.
func sealed(t *testing.T, store, segment string) bool {
	t.Helper()
	first, hash, _ := strings.Cut(strings.TrimSuffix(segment, ".jsonl.zst"), "-")
	b, err := os.ReadFile(filepath.Join(store, logName, "seals", first+".seal"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return bytes.Contains(b, []byte(hash))
}

func appendSegment(t *testing.T, all []stored, dec *zstd.Decoder, name string) []stored {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text, err := dec.DecodeAll(b, nil)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for line := range bytes.Lines(text) {
		r := stored{Index: uint64(len(all)), Line: strings.TrimSuffix(string(line), "\n")}
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, r)
	}
	return all
}

// sealCount counts the seals by their names, which is cheap.
func sealCount(store string) int {
	names, _ := filepath.Glob(filepath.Join(store, logName, "seals", "*.seal"))
	return len(names)
}

// idsOf counts how often each id that a sender gave is stored.
func idsOf(records []stored) map[string]int {
	ids := map[string]int{}
	for i := range records {
		if id := records[i].attribute(idKey); id != "" {
			ids[id]++
		}
	}
	return ids
}

// copyStore makes a copy that may be changed.
func copyStore(t *testing.T, store string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "store")
	if err := os.CopyFS(to, os.DirFS(store)); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(to, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chmod(path, 0o700)
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}
