package storetest

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/otelcol-custody/custody/store"
)

func names(list iter.Seq2[store.Info, error]) ([]string, error) {
	var out []string
	for info, err := range list {
		if err != nil {
			return out, err
		}
		out = append(out, info.Name)
	}
	return out, nil
}

// listed checks one listing against what is stored.
func listed(t *testing.T, s store.Store, stored []string, prefix, after string) {
	t.Helper()
	var want []string
	for _, name := range stored {
		if strings.HasPrefix(name, prefix) && name > after {
			want = append(want, name)
		}
	}
	slices.Sort(want)
	got, err := names(s.List(t.Context(), prefix, after))
	if err != nil {
		t.Fatalf("List(%q, %q): %v", prefix, after, err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("List(%q, %q): %d names, want %d; first difference: %s", prefix, after, len(got), len(want), differ(got, want))
	}
}

func differ(got, want []string) string {
	for i := range max(len(got), len(want)) {
		g, w := "none", "none"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			return fmt.Sprintf("at %d %q, want %q", i, g, w)
		}
	}
	return "none"
}

func testList(t *testing.T, s store.Store, caps Caps) {
	listed(t, s, nil, "", "")
	stored := make([]string, caps.Objects)
	var workers sync.WaitGroup
	for w := range 8 {
		workers.Go(func() {
			for i := w; i < len(stored); i += 8 {
				stored[i] = fmt.Sprintf("log/seals/%020d.seal", i*7)
				if _, err := s.PutOnce(t.Context(), stored[i], []byte(stored[i]), store.PutOptions{}); err != nil {
					t.Errorf("PutOnce: %v", err)
				}
			}
		})
	}
	workers.Wait()
	put(t, s, "log2/seals/x", nil)
	stored = append(stored, "log2/seals/x")
	listed(t, s, stored, "", "")
	listed(t, s, stored, "log/", "")
	listed(t, s, stored, "log/seals/0", "")
	for _, i := range []int{0, 1, 999, 1000, 1001, len(stored) - 2} {
		if i < len(stored) {
			listed(t, s, stored, "log/seals/", stored[i])
		}
	}
	listed(t, s, stored, "log/seals/", fmt.Sprintf("log/seals/%020d", 700)) // between two names
	listed(t, s, stored, "log/", "log/tiles/")
	listed(t, s, stored, "log/", "zzz")
	listed(t, s, stored, "log2/", "log/")
	sizes(t, s, stored)
	if v, ok := s.(store.Versioned); ok {
		want := map[string]int{}
		for _, name := range stored {
			want[name] = 1 // Also where one page of the listing ends.
		}
		versionsListed(t, v, want)
	}
}

func sizes(t *testing.T, s store.Store, stored []string) {
	for info, err := range s.List(t.Context(), "log/", "") {
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(stored, info.Name) && info.Size != int64(len(info.Name)) || info.DeleteMarker {
			t.Fatalf("List describes %+v, want %d bytes", info, len(info.Name))
		}
	}
}

// testListOrder uses names on which a walk through folders and a sort by
// bytes disagree.
func testListOrder(t *testing.T, s store.Store, _ Caps) {
	stored := []string{
		"a-b", "a0b", "a/b.c/d", "a/b-c", "a/b/c/d", "ab", "A", "Z/a", "é/x", "z/\u00e9", "z/e", "z/日", "a b/c", "a!/x", "a!x",
	}
	for _, name := range stored {
		put(t, s, name, []byte("x"))
	}
	listed(t, s, stored, "", "")
	for _, prefix := range []string{"a", "a/", "a/b", "a/b/", "a-", "z/", "none"} {
		listed(t, s, stored, prefix, "")
	}
	for _, after := range append(stored, "a/b", "a/b/", "a/", "a", "a/b/c", "a/b/c/", "b", "a/b.") {
		listed(t, s, stored, "", after)
		listed(t, s, stored, "a", after)
	}
}

func testListStops(t *testing.T, s store.Store, _ Caps) {
	for i := range 10 {
		put(t, s, fmt.Sprintf("d%d/x", i), nil)
	}
	var got []string
	for info, err := range s.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, info.Name); len(got) == 3 {
			break
		}
	}
	if !slices.Equal(got, []string{"d0/x", "d1/x", "d2/x"}) {
		t.Errorf("the first three are %q", got)
	}
}
