package jsonscan

import (
	"errors"
	"fmt"
	"strings"
)

// A Table says which values of an event are wanted: each field is named by its path.
// It is made once and used by many.
type Table struct {
	root   *node
	fields int
	nodes  int
}

// node is a place in the tree of paths.
type node struct {
	field int // -1: none ends here
	kids  map[string]*node
	item  *node // of the elements of an array
	id    int
}

// CheckPath says what is wrong with a path that others wrote, before [NewTable] gets it.
func CheckPath(path string) error {
	rest := path
	for first := true; rest != "" || first; first = false {
		key, more, err := cutKey(rest)
		if err != nil {
			return err
		}
		for strings.HasPrefix(more, "[]") {
			more = more[2:]
		}
		if more != "" && more[0] != '.' {
			return fmt.Errorf("after %q there must be a dot, [] or the end", key)
		}
		if more == "." {
			return errors.New("it ends with a dot")
		}
		rest = strings.TrimPrefix(more, ".")
	}
	return nil
}

// cutKey takes the key with which a path begins.
func cutKey(path string) (key, rest string, err error) {
	if quoted, ok := strings.CutPrefix(path, `"`); ok {
		if key, rest, ok = strings.Cut(quoted, `"`); !ok {
			return "", "", errors.New("a quote is not closed")
		}
		return key, rest, nil
	}
	end := strings.IndexAny(path, `.["`)
	if end < 0 {
		end = len(path)
	}
	if end == 0 {
		return "", "", errors.New("a key is empty: write it in quotes if it has dots, brackets or quotes in it")
	}
	return path[:end], path[end:], nil
}

// NewTable makes a table in which the field i is what lies at paths[i]; "" is a field
// that is never found. In a path, "." goes to a member, "[]" to every element of an
// array, and a key with dots stands in quotes: `annotations."example.com/reason"`,
// `targets[].id`. A path that cannot be read panics: paths are written by us.
func NewTable(paths []string) *Table {
	t := &Table{fields: len(paths)}
	t.root = t.node()
	for i, path := range paths {
		if path == "" {
			continue
		}
		at := t.root
		for rest := path; rest != ""; {
			at, rest = t.step(at, path, rest)
		}
		if at.field >= 0 {
			panic(fmt.Sprintf("jsonscan: %s is there twice", path))
		}
		at.field = i
	}
	return t
}

func (t *Table) node() *node {
	t.nodes++
	return &node{field: -1, id: t.nodes - 1}
}

// step goes one part of a path further.
func (t *Table) step(n *node, path, rest string) (*node, string) {
	if more, ok := strings.CutPrefix(rest, "[]"); ok {
		if n.item == nil {
			n.item = t.node()
		}
		return n.item, strings.TrimPrefix(more, ".")
	}
	key, rest, err := cutKey(rest)
	if err != nil {
		panic(fmt.Sprintf("jsonscan: %s: %v", path, err))
	}
	if n.kids == nil {
		n.kids = map[string]*node{}
	}
	if n.kids[key] == nil {
		n.kids[key] = t.node()
	}
	return n.kids[key], strings.TrimPrefix(rest, ".")
}

// FirstKey is the key with which a path begins, "" if it cannot be read.
func FirstKey(path string) string {
	key, _, err := cutKey(path)
	if err != nil {
		return ""
	}
	return key
}
