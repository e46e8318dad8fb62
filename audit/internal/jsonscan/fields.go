package jsonscan

import "slices"

// maxElements bounds how many elements of arrays become values of a field; the body
// keeps them all.
const maxElements = 64

// A Span is where a value lies in the scanner's data.
type Span struct {
	Start, End int
	Kind       Kind
	Element    int // of the outermost array on its path; 0 without one
}

// Fields are the wanted values of one event. They are reused from event to event.
type Fields struct {
	// Duplicate says that an object has a wanted key twice: the first one counts, with
	// all that is in it, be it null or empty.
	Duplicate bool

	table   *Table
	scan    *Scanner
	text    string // the event's bytes, of which values are pieces
	base    int    // where they begin
	found   [][]Span
	visits  []uint64 // by node: the object in which its key was met last
	objects uint64   // that had wanted keys, ever: their numbers are unique
	element int
	depth   int // of arrays on the way
	inner   *inner
}

// Read reads the value that begins at the scanner's place.
func (f *Fields) Read(s *Scanner, t *Table) (Kind, error) {
	f.table, f.scan, f.text = t, s, ""
	f.Duplicate, f.element, f.depth = false, 0, 0
	f.found = slices.Grow(f.found[:0], t.fields)[:t.fields]
	for i := range f.found {
		f.found[i] = f.found[i][:0]
	}
	if len(f.visits) < t.nodes {
		f.visits = make([]uint64, t.nodes)
	}
	f.base = s.Pos
	return f.value(t.root, 0)
}

// Of reads a value that stands alone in data, such as JSON within a string. Its
// values are pieces of data.
func Of(data string, t *Table) (*Fields, error) {
	f, s := &Fields{}, &Scanner{Data: []byte(data)}
	s.SkipSpace()
	if _, err := f.Read(s, t); err != nil {
		return nil, err
	}
	f.Keep(data, 0)
	if s.SkipSpace(); s.Pos != len(data) {
		return nil, ErrSyntax
	}
	return f, nil
}

// Keep gives the bytes of the event as a string, of which all values become pieces:
// they may be kept then. They begin at the place base of the scanner's data.
func (f *Fields) Keep(text string, base int) { f.text, f.base = text, base }

func (f *Fields) value(n *node, depth int) (Kind, error) {
	s := f.scan
	switch s.Peek() {
	case '{':
		return Object, f.object(n, depth+1)
	case '[':
		return Array, f.array(n, depth+1)
	}
	return s.Scalar()
}

func (f *Fields) object(n *node, depth int) error {
	if depth > MaxDepth {
		return ErrDepth
	}
	s := f.scan
	if n != nil && n.kids == nil {
		n = nil
	}
	if n != nil {
		f.objects++
	}
	this := f.objects
	var err error
	for more := s.Open('}'); more; {
		if err = f.member(n, this, depth); err != nil {
			return err
		}
		if more, err = s.Next('}'); err != nil {
			return err
		}
	}
	return nil
}

// member reads a member of the object that has the given number; n is nil if no member
// is wanted. Of equal keys the first one counts, in whatever the object lies.
func (f *Fields) member(n *node, this uint64, depth int) error {
	key, escaped, err := f.scan.Key()
	if err != nil {
		return err
	}
	var kid *node
	if n != nil {
		if escaped {
			key = Unescape(nil, key)
		}
		kid = n.kids[string(key)]
	}
	if kid != nil && f.visits[kid.id] == this {
		f.Duplicate, kid = true, nil
	}
	if kid == nil {
		_, err = f.value(nil, depth)
		return err
	}
	f.visits[kid.id] = this
	return f.wanted(kid, depth)
}

// wanted reads a value that the table knows, and notes where it lies.
func (f *Fields) wanted(n *node, depth int) error {
	start := f.scan.Pos
	k, err := f.value(n, depth)
	if err != nil || n.field < 0 {
		return err
	}
	end := f.scan.Pos
	if k == Text || k == Escaped {
		start, end = start+1, end-1
	}
	if at := &f.found[n.field]; len(*at) < maxElements {
		*at = append(*at, Span{start, end, k, f.element})
	}
	return nil
}

func (f *Fields) array(n *node, depth int) error {
	if depth > MaxDepth {
		return ErrDepth
	}
	var item *node
	if n != nil {
		item = n.item
	}
	s := f.scan
	var err error
	f.depth++
	for i, more := 0, s.Open(']'); more; i++ {
		if f.depth == 1 {
			f.element = i
		}
		if item == nil {
			_, err = f.value(nil, depth)
		} else {
			err = f.wanted(item, depth)
		}
		if err != nil {
			return err
		}
		if more, err = s.Next(']'); err != nil {
			return err
		}
	}
	if f.depth--; f.depth == 0 {
		f.element = 0
	}
	return nil
}

// Has says whether a field is there; null counts.
func (f *Fields) Has(field int) bool { return len(f.found[field]) > 0 }

// All are the places of a field: one for each element, where arrays are on its path.
func (f *Fields) All(field int) []Span { return f.found[field] }

// Kind is that of a field's first value.
func (f *Fields) Kind(field int) Kind {
	if !f.Has(field) {
		return None
	}
	return f.found[field][0].Kind
}

// Str returns a field as text: a number or a boolean as it is written, "" for one
// that is missing, null, an object or an array.
func (f *Fields) Str(field int) string {
	if !f.Has(field) {
		return ""
	}
	return f.Of(f.found[field][0])
}

// StrAt is the same for one element of an array.
func (f *Fields) StrAt(field, element int) string {
	for _, sp := range f.found[field] {
		if sp.Element == element {
			return f.Of(sp)
		}
	}
	return ""
}

// Strs are all values of a field that are not empty.
func (f *Fields) Strs(field int) (all []string) {
	for _, sp := range f.found[field] {
		if v := f.Of(sp); v != "" {
			all = append(all, v)
		}
	}
	return all
}

// Elements is how many elements the arrays have on whose path fields were found,
// counted by the given fields.
func (f *Fields) Elements(fields ...int) (n int) {
	for _, field := range fields {
		for _, sp := range f.found[field] {
			n = max(n, sp.Element+1)
		}
	}
	return min(n, maxElements)
}

// Of returns what lies at a place, as [Fields.Str] does.
func (f *Fields) Of(sp Span) string {
	switch sp.Kind {
	case Text, Number, True, False:
		return f.piece(sp)
	case Escaped:
		return string(Unescape(nil, f.scan.Data[sp.Start:sp.End]))
	}
	return ""
}

// Raw returns a value as it is written, objects and arrays too; a string without its
// quotes.
func (f *Fields) Raw(field int) string {
	if !f.Has(field) || f.Kind(field) == Null {
		return ""
	}
	return f.piece(f.found[field][0])
}

// RawOf is the same for what lies at a place.
func (f *Fields) RawOf(sp Span) string { return f.piece(sp) }

func (f *Fields) piece(sp Span) string {
	if f.text == "" {
		return string(f.scan.Data[sp.Start:sp.End])
	}
	return f.text[sp.Start-f.base : sp.End-f.base]
}

// Bool reads a field that is true or false, or a text that says so in any case, or
// Yes or No.
func (f *Fields) Bool(field int) (value, ok bool) {
	switch f.Str(field) {
	case "true", "True", "TRUE", "Yes", "yes":
		return true, true
	case "false", "False", "FALSE", "No", "no":
		return false, true
	}
	return false, false
}
