package gcsstore_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	raw "google.golang.org/api/storage/v1"

	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/gcsstore"
)

func generation(name string, n int) *kept {
	o := raw.Object{Name: name, Generation: int64(n), Size: 1, TimeCreated: "2026-03-01T00:00:00Z"}
	return &kept{Object: o}
}

// Names that the store cannot have written are shown, and listed on from.
func TestForeignNames(t *testing.T) {
	d := newDouble(t, nil)
	s := open(t, gcsstore.Options{Endpoint: d.URL, Prefix: "p"})
	defer s.Close()
	for _, name := range []string{"q", "p/a", "p/.hidden", "p/a/.x", "p/a//b", "p/a\nb", `p/x\y`} {
		d.objects[name] = []*kept{generation(name, 1)}
	}
	d.objects["p/folder/"] = []*kept{{Object: raw.Object{Name: "p/folder/", Generation: 1}}}
	want := []string{"a", `a\x0ab`, "a//b", `x\\y`}
	for from := range len(want) {
		after := ""
		if from > 0 {
			after = want[from-1]
		}
		for call, list := range map[string]func(func(store.Info, error) bool){
			"List": s.List(t.Context(), "", after), "ListVersions": s.ListVersions(t.Context(), "", after),
		} {
			var got []string
			for info, err := range list {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, info.Name)
			}
			if !slices.Equal(got, want[from:]) {
				t.Errorf("%s after %q: %q, want %q", call, after, got, want[from:])
			}
		}
	}
}

// Of generations without number the newest and the oldest are held.
func TestManyGenerations(t *testing.T) {
	d := newDouble(t, func(d *double) { d.versions = true })
	s := open(t, gcsstore.Options{Endpoint: d.URL})
	defer s.Close()
	const n = 2*store.MaxListed + 10
	for i := range n {
		k := generation("a", i+1)
		if i < n-1 {
			k.TimeDeleted = "2026-03-02T00:00:00Z"
		}
		d.objects["a"] = append(d.objects["a"], k)
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
		t.Errorf("%d described, %v, %d listed", len(described), err, len(listed))
	}
	for _, infos := range [][]store.Info{listed, described} {
		if !infos[0].Latest || !slices.IsSortedFunc(infos, func(a, b store.Info) int { return strings.Compare(pad(b.Version), pad(a.Version)) }) {
			t.Error("not the newest first")
		}
		for i, version := range map[int]string{0: strconv.Itoa(n), 500: strconv.Itoa(n - 500), len(infos) - 500: "500", len(infos) - 1: "1"} {
			if infos[i].Version != version {
				t.Errorf("version %s at %d of %d, want %s", infos[i].Version, i, len(infos), version)
			}
		}
	}
}

func pad(version string) string { return strings.Repeat("0", 20-len(version)) + version }
