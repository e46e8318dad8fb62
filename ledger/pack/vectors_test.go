package pack_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/pack"
)

const vectors = "../../docs/spec/vectors/packs"

// TestVectors holds every pack of the specification against its verdict.
func TestVectors(t *testing.T) {
	cases, err := os.ReadDir(vectors)
	if err != nil || len(cases) < 70 {
		t.Fatalf("%d vectors, %v", len(cases), err)
	}
	for _, c := range cases {
		dir := filepath.Join(vectors, c.Name())
		var want struct {
			Rule, What string
			Exit       int
			Unproven   []uint64
		}
		if err := json.Unmarshal(read(t, dir, "vector.json"), &want); err != nil {
			t.Fatal(err)
		}
		keys, err := checkpoint.ParseKeys(string(read(t, dir, "key.pub")))
		if err != nil {
			t.Fatal(err)
		}
		_, err = pack.Check(read(t, dir, "evidence.pack"), keys)
		if got := exit(err); got != want.Exit {
			t.Errorf("%s: %s: %s: exit %d, want %d: %v", c.Name(), want.Rule, want.What, got, want.Exit, err)
		}
		if got := unproven(err); !slices.Equal(got, want.Unproven) {
			t.Errorf("%s: %s: %s: not proven are %v, want %v: %v", c.Name(), want.Rule, want.What, got, want.Unproven, err)
		}
	}
}

func exit(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, pack.ErrNotPack), errors.Is(err, pack.ErrVersion), !isPackError(err):
		return 3
	}
	return 1
}

func unproven(err error) (indexes []uint64) {
	var u *pack.Unproven
	if errors.As(err, &u) {
		for _, f := range u.Failures {
			indexes = append(indexes, f.Index)
		}
	}
	return indexes
}

func read(t testing.TB, path ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
