package jsonscan

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// A tree is a value as encoding/json reads it, with all of its members in their order.
type tree struct {
	kind  Kind
	text  string
	keys  []string
	items []tree
}

func readTree(t *testing.T, d *json.Decoder) tree {
	t.Helper()
	token, err := d.Token()
	if err != nil {
		t.Fatal(err)
	}
	switch v := token.(type) {
	case json.Delim:
		return readNested(t, d, v)
	case string:
		return tree{kind: Text, text: v}
	case json.Number:
		return tree{kind: Number, text: v.String()}
	case bool:
		return tree{kind: True, text: fmt.Sprint(v)}
	}
	return tree{kind: Null}
}

func readNested(t *testing.T, d *json.Decoder, open json.Delim) tree {
	n := tree{kind: Array}
	if open == '{' {
		n.kind = Object
	}
	for d.More() {
		if open == '{' {
			n.keys = append(n.keys, readTree(t, d).text)
		}
		n.items = append(n.items, readTree(t, d))
	}
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	return n
}

// at returns what lies at the parts of a path, of equal keys at the first one.
func (n tree) at(parts []string) []string {
	if len(parts) == 0 {
		return []string{oneMark(n.text)}
	}
	var found []string
	for i, item := range n.items {
		switch {
		case parts[0] == "[]" && n.kind == Array:
			found = append(found, item.at(parts[1:])...)
		case n.kind == Object && n.keys[i] == parts[0]:
			return item.at(parts[1:])
		}
	}
	return found
}

// oneMark writes what is no UTF-8 as one mark, however many bytes it has: encoding/json
// replaces it, the scanner keeps it.
func oneMark(text string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(text, "\ufffd", "\xff"), "\ufffd")
}

// FuzzDifferential: the scanner takes what encoding/json takes, and nothing else, and
// reads the same values.
func FuzzDifferential(f *testing.F) {
	paths := [][]string{
		fName: {"name"}, fDotted: {"notes", "example.com/why"}, fItem: {"items", "[]", "id"}, fItemKind: {"items", "[]", "kind"},
		fDeep: {"a", "b", "[]", "c", "[]", "d"}, fObject: {"object"}, fInner: {"object", "inner"}, fList: {"list", "[]"},
	}
	for _, seed := range []string{
		`{"name":"x","name":"y","Name":"z","n\u0061me":1,"items":[{"id":1,"id":2},{"id":-0.0e-1}],"list":[null,true,"\ud800"]}`,
		`{"a":{"b":[{"c":[{"d":1e999}]},{"c":[{"d":` + strings.Repeat("9", 300) + `}]}]},"object":{"inner":"` + "\xff\xc3" + `"}}`,
		`{"a":{},"a":{"b":[]},"notes":{"example.com/why":"\u00e9\/\b\f\ud83d\ude00\udc00"}}`, "\xef\xbb\xbf{}", "[1,2", `"\u12"`, "01", "-", "{\"name\":\"\x1f\"}",
		`{"object":[{"inner":1}],"items":{"id":1},"list":[["a"],{"x":"b"}]}`, ` {"name" : 1.5 , "list":[ ]} `, "nul", "\x00",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Of(string(data), table)
		if errors.Is(err, ErrDepth) {
			return
		}
		if valid := json.Valid(data); valid != (err == nil) {
			t.Fatalf("%q: %v, but encoding/json says %v", data, err, valid)
		}
		if err != nil {
			return
		}
		d := json.NewDecoder(strings.NewReader(string(data)))
		d.UseNumber()
		root := readTree(t, d)
		for field, path := range paths {
			want := root.at(path)
			var have []string
			for _, sp := range got.All(field) {
				have = append(have, oneMark(got.Of(sp)))
			}
			if n := min(len(want), maxElements); strings.Join(have, "\n") != strings.Join(want[:n], "\n") {
				t.Errorf("%q: field %v is %q, want %q", data, path, have, want)
			}
		}
	})
}
