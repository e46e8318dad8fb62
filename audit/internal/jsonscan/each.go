package jsonscan

// inner reads the elements of an array once more.
type inner struct {
	scan   Scanner
	fields Fields
}

// Each reads the elements of the array that a field is, however many there are, by a
// table of their own. What do is given is valid until it returns. A key that comes twice
// in an element counts as one that does in the event.
func (f *Fields) Each(field int, t *Table, do func(element *Fields)) {
	if f.Kind(field) != Array {
		return
	}
	if f.inner == nil {
		f.inner = &inner{}
	}
	sp, in, s := f.found[field][0], &f.inner.fields, &f.inner.scan
	*s = Scanner{Data: f.scan.Data[:sp.End], Pos: sp.Start}
	for more := s.Open(']'); more; {
		if _, err := in.Read(s, t); err != nil {
			return // cannot be: it has been read once
		}
		in.Keep(f.text, f.base)
		f.Duplicate = f.Duplicate || in.Duplicate
		do(in)
		var err error
		if more, err = s.Next(']'); err != nil {
			return
		}
	}
}
