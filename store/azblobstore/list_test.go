package azblobstore

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/store"
)

// Bytes and UTF-16 units order these names differently.
func TestListOrderBeyondBasicPlane(t *testing.T) {
	want := []string{"a", "a/z", "az", "a\uE000", "a\uE000\U0001F600", "a\uFFFDx", "a\U0001F600", "a\U0001F600b", "b"}
	for _, old := range []bool{false, true} {
		d := newDouble(t)
		s := open(t, d.options())
		for _, name := range want {
			put(t, s, name, nil)
		}
		d.old, d.page = old, 3
		for i, after := range append([]string{""}, want...) {
			var got []string
			for info, err := range s.List(t.Context(), "", after) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, info.Name)
			}
			if !slices.Equal(got, want[i:]) {
				t.Errorf("after %q: %q, want %q", after, got, want[i:])
			}
		}
	}
}

// Versions of one name can lie on several pages, the oldest first.
func TestVersionsOverPages(t *testing.T) {
	d := newDouble(t)
	d.page = 3
	s := open(t, d.options())
	put(t, s, "a", []byte("first"))
	for range 6 {
		if err := attacker(s).Overwrite(t.Context(), "a", []byte("forged")); err != nil {
			t.Fatal(err)
		}
	}
	put(t, s, "a/b", nil)
	vs, err := s.Versions(t.Context(), "a")
	if err != nil || len(vs) != 7 || !vs[0].Latest || vs[6].Size != 5 {
		t.Fatalf("Versions: %+v, %v", vs, err)
	}
	for i := range vs[1:] {
		if vs[i].Version <= vs[i+1].Version || vs[i+1].Latest {
			t.Errorf("%+v lies above %+v", vs[i], vs[i+1])
		}
	}
}

// Of versions without number the newest and the oldest are held.
func TestManyVersions(t *testing.T) {
	d := newDouble(t)
	d.page = store.MaxListed
	s := open(t, d.options())
	const n = 2*store.MaxListed + 10
	for i := range n {
		d.blobs["a"] = append(d.blobs["a"], &rev{id: fmt.Sprintf("%08d", i+1), current: i == n-1})
	}
	var listed []store.Info
	for info, err := range s.ListVersions(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		listed = append(listed, info)
	}
	described, err := s.Versions(t.Context(), "a")
	if err != nil || len(described) != store.MaxVersions || len(listed) > store.MaxListed+10 {
		t.Fatalf("%d described, %v, %d listed", len(described), err, len(listed))
	}
	for _, infos := range [][]store.Info{listed, described} {
		for i, version := range map[int]int{0: n, 500: n - 500, len(infos) - 500: 500, len(infos) - 1: 1} {
			if infos[i].Version != fmt.Sprintf("%08d", version) {
				t.Errorf("version %s at %d of %d, want %d", infos[i].Version, i, len(infos), version)
			}
		}
	}
}

// A listing out of order would let a reader believe that names are missing.
func TestListOutOfOrderIsRefused(t *testing.T) {
	d := newDouble(t)
	s := open(t, d.options())
	put(t, s, "a", nil)
	put(t, s, "b", nil)
	d.mad = true
	var last error
	for _, err := range s.List(t.Context(), "", "") {
		last = err
	}
	is(t, "List", last, store.ErrUnfit)
	sentence(t, last, "hierarchical namespace")
}

// Names that the store cannot have written are shown, and listed on from.
func TestForeignNames(t *testing.T) {
	d := newDouble(t)
	s := open(t, d.options())
	put(t, s, "a", nil)
	for _, name := range []string{"/lead", "a//b", "a/", ".hidden/x", "x\\y", "xz", strings.Repeat("n", 600)} {
		d.blobs[name] = []*rev{{current: true}}
	}
	want := []string{"/lead", "a", "a//b", strings.Repeat("n", 600), `x\\y`, "xz"}
	for from := range len(want) {
		var got []string
		after := ""
		if from > 0 {
			after = want[from-1]
		}
		for info, err := range s.ListVersions(t.Context(), "", after) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, info.Name)
		}
		if !slices.Equal(got, want[from:]) {
			t.Errorf("after %q: %q, want %q", after, got, want[from:])
		}
	}
}
