package jsonscan

import (
	"fmt"
	"strings"
	"testing"
)

const (
	fName = iota
	fDotted
	fItem
	fItemKind
	fDeep
	fObject
	fInner
	fList
)

var table = NewTable([]string{
	fName: "name", fDotted: `notes."example.com/why"`, fItem: "items[].id", fItemKind: "items[].kind", fDeep: "a.b[].c[].d",
	fObject: "object", fInner: "object.inner", fList: "list[]",
})

func read(t *testing.T, data string) *Fields {
	t.Helper()
	f, err := Of(data, table)
	if err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	return f
}

func TestPaths(t *testing.T) {
	f := read(t, `{"Name":"other","name":"ada","notes":{"example.com/why":"a \"quote\" é"},
		"items":[{"id":1,"kind":"x"},{"kind":"y"},{"id":3}],"a":{"b":[{"c":[{"d":1},{"d":2}]},{"c":[{"d":3}]}]},
		"object":{"x":[1,{"inner":7}],"inner":9007199254740993},"list":["p",null,"q"]}`)
	for field, want := range map[int]string{fName: "ada", fDotted: `a "quote" é`, fItem: "1", fDeep: "1", fObject: "", fInner: "9007199254740993", fList: "p"} {
		if got := f.Str(field); got != want {
			t.Errorf("field %d is %q, want %q", field, got, want)
		}
	}
	if got := f.Strs(fDeep); strings.Join(got, " ") != "1 2 3" {
		t.Errorf("all of a path with two arrays: %q", got)
	}
	if f.StrAt(fItem, 1) != "" || f.StrAt(fItemKind, 1) != "y" || f.StrAt(fItem, 2) != "3" || f.Elements(fItem, fItemKind) != 3 {
		t.Errorf("elements: %v %v", f.All(fItem), f.All(fItemKind))
	}
	if got := f.Raw(fObject); got != `{"x":[1,{"inner":7}],"inner":9007199254740993}` || f.Kind(fObject) != Object {
		t.Errorf("raw object: %s", got)
	}
	if f.Duplicate {
		t.Error("no key is there twice")
	}
}

// The first of two equal keys counts, with all that is in it.
func TestDuplicates(t *testing.T) {
	for _, data := range []string{
		`{"name":"first","name":"second"}`,
		`{"name":"first","n\u0061me":"second"}`,
		`{"object":{"inner":1},"name":"first","object":{"inner":2}}`,
		`{"object":{},"name":"first","object":{"inner":2}}`,
		`{"object":null,"name":"first","object":{"inner":2}}`,
	} {
		f := read(t, data)
		if f.Str(fName) != "first" || !f.Duplicate || f.Str(fInner) == "2" {
			t.Errorf("%s: name %s, inner %s, duplicate %v", data, f.Str(fName), f.Str(fInner), f.Duplicate)
		}
	}
}

// TestDuplicatesInElements: so it is in each element of an array, and in what it holds. A
// key that another element has is no duplicate.
func TestDuplicatesInElements(t *testing.T) {
	for data, want := range map[string]string{
		`{"items":[{"id":1,"id":2},{"id":3}]}`:                            "1 3| twice",
		`{"items":[{"id":1},{"id":3,"kind":"x"}]}`:                        "1 3|",
		`{"items":[{"id":1,"i\u0064":2}]}`:                                "1| twice",
		`{"items":[[{"id":1}],{"id":2},7,{}]}`:                            "2|",
		`{"items":[{"id":1}],"items":[{"id":2}]}`:                         "1| twice",
		`{"items":null,"items":[{"id":2}]}`:                               "| twice",
		`{"a":{"b":[{"c":[{"d":1,"d":2},{"d":3}]},{"c":[{"d":4}]}]}}`:     "|1 3 4 twice",
		`{"a":{"b":[{"c":[{"d":1}],"c":[{"d":2}]},{"c":[{"d":3}]}]}}`:     "|1 3 twice",
		`{"a":{},"a":{"b":[{"c":[{"d":1}]}]}}`:                            "| twice",
		`{"a":{"b":[{"c":[{"d":1,"x":1,"x":2}]},{"c":[{"d":1}]}],"B":1}}`: "|1 1",
	} {
		f := read(t, data)
		got := strings.Join(f.Strs(fItem), " ") + "|" + strings.Join(f.Strs(fDeep), " ")
		if f.Duplicate {
			got += " twice"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", data, got, want)
		}
	}
}

func TestBounds(t *testing.T) {
	f := read(t, `{"list":[`+strings.Repeat(`"x",`, 1000)+`"y"]}`)
	if n := len(f.All(fList)); n != maxElements {
		t.Errorf("%d elements are kept", n)
	}
	for depth, ok := range map[int]bool{MaxDepth: true, MaxDepth + 1: false} {
		if _, err := Of(strings.Repeat("[", depth)+strings.Repeat("]", depth), table); (err == nil) != ok {
			t.Errorf("depth %d: %v", depth, err)
		}
	}
}

func TestNotJSON(t *testing.T) {
	for _, data := range []string{``, `{`, `{"a"}`, `{"a":1,}`, `[1 2]`, `{"a":01}`, `{"a":1} x`, "{\"a\":\"\n\"}", `{"a":"\x"}`, `nul`, `-`, `1.`, `1e`, `{"a":"\u12"}`} {
		if _, err := Of(data, table); err == nil {
			t.Errorf("%q is taken", data)
		}
	}
}

// TestCheckPath: what it takes, a table can be made of, and finds.
func TestCheckPath(t *testing.T) {
	for path, first := range map[string]string{`a`: "a", `a.b`: "a", `a[].b`: "a", `a[][].b`: "a", `"x.y".b`: "x.y", `a."b[]"[]`: "a", `a[]`: "a"} {
		if err := CheckPath(path); err != nil || FirstKey(path) != first {
			t.Errorf("%s: %v, first key %s", path, err, FirstKey(path))
		}
		NewTable([]string{path})
	}
	for _, path := range []string{``, `.`, `a.`, `.a`, `a..b`, `a[`, `a[0]`, `a[]b`, `a[].`, `[]`, `[].a`, `"a`, `a."b`, `a"b"`, `"a"b`} {
		if CheckPath(path) == nil {
			t.Errorf("%q is taken", path)
		}
	}
	f, err := Of(`{"a":{"b[]":[{"x.y":1},{"x.y":2}]}}`, NewTable([]string{`a."b[]"[]."x.y"`}))
	if err != nil || strings.Join(f.Strs(0), " ") != "1 2" {
		t.Errorf("%q, %v", f.Strs(0), err)
	}
}

func TestPathsAreUnique(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("two fields have one path")
		}
	}()
	NewTable([]string{"a.b", "a.b"})
}

func BenchmarkRead(b *testing.B) {
	data := []byte(fmt.Sprintf(`{"name":"ada","other":{"x":[1,2,3,"%s"]},"items":[{"id":1,"kind":"x"}],"object":{"inner":1}}`, strings.Repeat("y", 600)))
	b.SetBytes(int64(len(data)))
	var f Fields
	for b.Loop() {
		if _, err := f.Read(&Scanner{Data: data}, table); err != nil {
			b.Fatal(err)
		}
	}
}
