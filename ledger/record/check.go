package record

import "math"

// A checker walks over a line once, without building anything. Its methods
// return false at the first fault, which is then at pos.
type checker struct {
	line  []byte
	pos   int
	fault string

	early   []span // stack: keys of open maps that sort before "$dup"
	pending []span // stack: keys of $dup whose natural member is yet to come
}

// A span is a piece of the line.
type span struct{ lo, hi int }

// CheckLine gives the verdict of [ParseLine] without building the record: nil
// for the canonical line of some record, a [FormError] for anything else. It
// takes time in proportion to the line, and allocates only for lines with
// unusual keys or deep values.
func CheckLine(line []byte) error {
	if len(line) > MaxLine {
		return &FormError{Offset: MaxLine, Fault: "longer than 16777216 bytes"}
	}
	c := checker{line: line}
	if c.record() {
		return nil
	}
	return &FormError{Offset: c.pos, Fault: c.fault}
}

func (c *checker) fail(fault string) bool {
	c.fault = fault
	return false
}

func (c *checker) failAt(pos int, fault string) bool {
	c.pos = pos
	return c.fail(fault)
}

// next returns the byte at pos, or 0 at the end; no token contains a 0.
func (c *checker) next() byte {
	if c.pos < len(c.line) {
		return c.line[c.pos]
	}
	return 0
}

// skip moves over b, if it is next.
func (c *checker) skip(b byte) bool {
	if c.next() != b {
		return false
	}
	c.pos++
	return true
}

// skipText moves over s, if it is next.
func (c *checker) skipText(s string) bool {
	if len(c.line)-c.pos < len(s) || string(c.line[c.pos:c.pos+len(s)]) != s {
		return false
	}
	c.pos += len(s)
	return true
}

func (c *checker) record() bool {
	if !c.skip('{') {
		return c.fail("a record is an object")
	}
	if !c.skip('}') && !c.fixed(recordMembers) {
		return false
	}
	if c.pos != len(c.line) {
		return c.fail("bytes behind the record")
	}
	return true
}

// fixed walks over an object that has at least one member, all of them out of
// members and in their order, behind its opening bracket.
func (c *checker) fixed(members []member) bool {
	for {
		for len(members) > 0 && !c.skipText(members[0].head) {
			members = members[1:]
		}
		if len(members) == 0 {
			return c.fail("member is unknown, repeated or out of order")
		}
		if !c.field(members[0].kind) {
			return false
		}
		members = members[1:]
		if c.skip('}') {
			return true
		}
		if !c.skip(',') {
			return c.fail("expected , or }")
		}
	}
}

func (c *checker) field(kind field) bool {
	switch kind {
	case fieldMap:
		return c.filled('{', "empty map is to be left out") && c.members(1)
	case fieldBody:
		if c.next() == 'n' {
			return c.fail("empty body is to be left out")
		}
		return c.value(1)
	case fieldUint32:
		return c.number(math.MaxUint32, false)
	case fieldInt32:
		return c.number(math.MaxInt32, true)
	case fieldTime:
		return c.time()
	case fieldText:
		return c.filledText()
	case fieldTexts:
		return c.filled('[', "empty array is to be left out") && c.texts()
	case fieldSpanID:
		return c.id(16)
	case fieldTraceID:
		return c.id(32)
	case fieldResource:
		return c.filled('{', "empty resource is to be left out") && c.fixed(resourceMembers)
	case fieldScope:
		return c.filled('{', "empty scope is to be left out") && c.fixed(scopeMembers)
	}
	return c.filled('[', "empty array is to be left out") && c.refs()
}

// filled moves over the bracket of an object or array that is not empty.
func (c *checker) filled(bracket byte, fault string) bool {
	if !c.skip(bracket) {
		return c.fail("expected " + string(bracket))
	}
	// The closing bracket stands two places behind the opening one in ASCII.
	if c.next() == bracket+2 {
		return c.fail(fault)
	}
	return true
}

// refs walks over entity references, behind the opening bracket.
func (c *checker) refs() bool {
	for {
		if !c.skip('{') {
			return c.fail("expected {")
		}
		if !c.skip('}') && !c.fixed(refMembers) {
			return false
		}
		if c.skip(']') {
			return true
		}
		if !c.skip(',') {
			return c.fail("expected , or ]")
		}
	}
}

// texts walks over an array of text, behind the opening bracket.
func (c *checker) texts() bool {
	for {
		if _, ok := c.text(); !ok {
			return false
		}
		if c.skip(']') {
			return true
		}
		if !c.skip(',') {
			return c.fail("expected , or ]")
		}
	}
}

// text walks over a JSON string and returns what stands between the marks.
func (c *checker) text() (span, bool) {
	if !c.skip('"') {
		return span{}, c.fail("expected text")
	}
	lo := c.pos
	hi, fault := scanText(c.line, lo)
	if fault != "" {
		return span{}, c.failAt(hi, fault)
	}
	c.pos = hi + 1
	return span{lo, hi}, true
}

func (c *checker) filledText() bool {
	s, ok := c.text()
	if ok && s.lo == s.hi {
		return c.fail("empty text is to be left out")
	}
	return ok
}

// number walks over an int other than 0 whose size is at most max.
func (c *checker) number(max uint64, signed bool) bool {
	start := c.pos
	token := c.token()
	n, ok := parseInt(token, max)
	if !ok || n == 0 || n < 0 && !signed {
		return c.failAt(start, "not a number, out of range, or a 0 that is to be left out")
	}
	return true
}

// token moves over the characters that numbers consist of.
func (c *checker) token() []byte {
	start := c.pos
	for {
		b := c.next()
		if (b < '0' || b > '9') && b != '-' && b != '.' && b != 'e' && b != '+' {
			return c.line[start:c.pos]
		}
		c.pos++
	}
}

// quoted moves over a text of n bytes and returns it unread.
func (c *checker) quoted(n int) ([]byte, bool) {
	if len(c.line)-c.pos < n+2 || c.line[c.pos] != '"' || c.line[c.pos+n+1] != '"' {
		return nil, false
	}
	c.pos += n + 2
	return c.line[c.pos-n-1 : c.pos-1], true
}

func (c *checker) time() bool {
	start := c.pos
	if b, ok := c.quoted(len(timeForm)); ok {
		if _, ok := parseTime(b); ok {
			return true
		}
	}
	return c.failAt(start, "not a time with nine digits and Z, from 1970 to 2554")
}

// id walks over n hex digits that are not all 0.
func (c *checker) id(n int) bool {
	start := c.pos
	b, ok := c.quoted(n)
	zeros := 0
	for _, d := range b {
		ok = ok && hexValue(d) < 16
		if d == '0' {
			zeros++
		}
	}
	if !ok || zeros == n {
		return c.failAt(start, "not an id in lower-case hex, or a 0 that is to be left out")
	}
	return true
}
