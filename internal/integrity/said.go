package integrity

import "github.com/otelcol-custody/custody/internal/integrity/incident"

// said is what was said last of findings that are about a log or a store as a
// whole, so that it is said when it changes.
type said map[incident.Kind]saying

type saying uint8

const (
	_     saying = iota // nothing: an earlier process may have said something
	there               // it was found
	gone                // it is not there any more
	quiet               // the same, said once more: the book's clock may not have moved between report and end
)

// news notes whether a finding is there, and says whether that is to be said.
func (s said) news(kind incident.Kind, found bool) bool {
	was := s[kind]
	switch {
	case found:
		s[kind] = there
		return was != there
	case was == gone:
		s[kind] = quiet
	case was != quiet:
		s[kind] = gone
	}
	return was != quiet
}
