package jsonscan

import (
	"fmt"
	"strings"
)

// A Table says which values of an event are wanted: each field is named by its path.
// It is made once and used by many.
type Table struct {
	root   *node
	fields int
}

// node is a place in the tree of paths.
type node struct {
	field int // -1: none ends here
	kids  map[string]*node
	item  *node // of the elements of an array
}

// NewTable makes a table in which the field i is what lies at paths[i]; "" is a field
// that is never found. In a path, "." goes to a member, "[]" to every element of an
// array, and a key with dots stands in quotes: `annotations."example.com/reason"`,
// `targets[].id`. A path that cannot be read panics: paths are written by us.
func NewTable(paths []string) *Table {
	t := &Table{root: &node{field: -1}, fields: len(paths)}
	for i, path := range paths {
		if path == "" {
			continue
		}
		at := t.root
		for rest := path; rest != ""; {
			at, rest = at.step(path, rest)
		}
		if at.field >= 0 {
			panic(fmt.Sprintf("jsonscan: %s is there twice", path))
		}
		at.field = i
	}
	return t
}

// step goes one part of a path further.
func (n *node) step(path, rest string) (*node, string) {
	if more, ok := strings.CutPrefix(rest, "[]"); ok {
		if n.item == nil {
			n.item = &node{field: -1}
		}
		return n.item, strings.TrimPrefix(more, ".")
	}
	var key string
	if quoted, ok := strings.CutPrefix(rest, `"`); ok {
		if key, rest, ok = strings.Cut(quoted, `"`); !ok {
			panic("jsonscan: no closing quote in " + path)
		}
	} else {
		end := strings.IndexAny(rest, ".[")
		if end < 0 {
			end = len(rest)
		}
		key, rest = rest[:end], rest[end:]
	}
	if n.kids == nil {
		n.kids = map[string]*node{}
	}
	if n.kids[key] == nil {
		n.kids[key] = &node{field: -1}
	}
	return n.kids[key], strings.TrimPrefix(rest, ".")
}
