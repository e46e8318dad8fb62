package record

import (
	"bytes"
	"math"
)

// value walks over a value that lies at depth (spec §3.3).
func (c *checker) value(depth int) bool {
	switch b := c.next(); b {
	case '"':
		_, ok := c.text()
		return ok
	case '{':
		c.pos++
		return c.object(depth)
	case '[':
		if depth > MaxNatural {
			return c.fail("array deeper than 64 is to be $otlp")
		}
		c.pos++
		return c.skip(']') || c.elements(depth+1)
	case 't', 'f', 'n':
		if c.skipText("true") || c.skipText("false") || c.skipText("null") {
			return true
		}
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return c.intOrDouble()
	}
	return c.fail("expected a value")
}

// elements walks over an array that is not empty, behind its opening bracket;
// the elements lie at depth.
func (c *checker) elements(depth int) bool {
	for {
		if !c.value(depth) {
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

func (c *checker) intOrDouble() bool {
	start := c.pos
	token := c.token()
	if bytes.IndexByte(token, '.') >= 0 || bytes.IndexByte(token, 'e') >= 0 {
		if _, ok := parseDouble(token); !ok {
			return c.failAt(start, "not the shortest form of a double")
		}
		return true
	}
	if _, ok := parseInt(token, math.MaxInt64); !ok {
		return c.failAt(start, "not a canonical int of 64 bits")
	}
	return true
}

// object walks over a value that begins with a bracket, behind that: a map, or
// one of the objects that stand for something else.
func (c *checker) object(depth int) bool {
	switch start := c.pos; {
	case c.skipText(`"$f64":`):
		return c.wrappedDouble()
	case c.skipText(`"$bytes":`):
		_, ok := c.wrapped()
		return ok
	case c.skipText(`"$otlp":`):
		b, ok := c.wrapped()
		if ok && depth <= MaxNatural {
			return c.failAt(start, "$otlp at a depth that is written naturally")
		}
		if ok && !checkDeep(b, depth) {
			return c.failAt(start, "$otlp is not the canonical protobuf of an array or list")
		}
		return ok
	}
	if depth > MaxNatural {
		return c.fail("map deeper than 64 is to be $otlp")
	}
	return c.skip('}') || c.members(depth+1)
}

func (c *checker) wrappedDouble() bool {
	start := c.pos
	b, ok := c.quoted(16)
	bits, valid := parseHex64(b)
	if !ok || !valid || bits&exponentBits != exponentBits {
		return c.failAt(start, "$f64 is not 16 hex digits of a NaN or infinity")
	}
	return c.skip('}') || c.fail("expected }")
}

// wrapped walks over base64 and the bracket that closes its object.
func (c *checker) wrapped() ([]byte, bool) {
	start := c.pos
	if !c.skip('"') {
		return nil, c.fail("expected text")
	}
	n := bytes.IndexByte(c.line[c.pos:], '"')
	if n < 0 || !isBase64(c.line[c.pos:c.pos+n]) {
		return nil, c.failAt(start, "not padded base64 with its unused bits 0")
	}
	b := c.line[c.pos : c.pos+n]
	c.pos += n + 1
	return b, c.skip('}') || c.fail("expected }")
}

// members walks over a map that is not empty, behind its opening bracket; the
// values lie at depth (spec §3.4).
func (c *checker) members(depth int) bool {
	m := mapCheck{early: len(c.early), pending: len(c.pending), at: len(c.pending)}
	last := span{-1, -1}
	for {
		s, ok := c.text()
		if !ok {
			return false
		}
		key := c.line[s.lo:s.hi]
		if last.lo >= 0 && bytes.Compare(c.line[last.lo:last.hi], key) >= 0 {
			return c.failAt(s.lo, "key is repeated or out of order")
		}
		last = s
		if !c.skip(':') {
			return c.fail("expected :")
		}
		if len(key) == 0 || key[0] <= '$' {
			ok = c.unusual(&m, s, depth)
		} else {
			ok = c.value(depth)
		}
		if !ok || m.dup && !c.settle(&m, s) {
			return false
		}
		if c.skip('}') {
			return c.finish(&m)
		}
		if !c.skip(',') {
			return c.fail("expected , or }")
		}
	}
}
