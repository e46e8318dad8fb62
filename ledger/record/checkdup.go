package record

import "bytes"

// A mapCheck is what is known of a map while its members are walked over.
type mapCheck struct {
	early   int  // where its keys begin in checker.early
	pending int  // where the keys of its $dup begin in checker.pending
	at      int  // the first of them whose natural member is yet to come
	dup     bool // whether $dup was seen
}

const faultDup = "key of $dup has no natural member"

// unusual walks over the value of a key that sorts up to "$dup": a natural one,
// which is remembered, or $dup itself.
func (c *checker) unusual(m *mapCheck, s span, depth int) bool {
	key := c.line[s.lo:s.hi]
	if string(key) == dupName {
		m.dup = true
		return c.duplicates(m, depth)
	}
	if !isEmitted(key) {
		return c.failAt(s.lo, "key has a single $")
	}
	c.early = append(c.early, s)
	return c.value(depth)
}

// isEmitted says whether key, which is canonical text, is the emitted form of
// some key.
func isEmitted(key []byte) bool {
	return len(key) == 0 || key[0] != '$' || len(key) > 1 && key[1] == '$'
}

// duplicates walks over the pairs of $dup, whose values lie at depth, and
// notes their keys.
func (c *checker) duplicates(m *mapCheck, depth int) bool {
	if !c.skip('[') {
		return c.fail("expected [")
	}
	early := c.early[m.early:]
	for {
		if !c.skip('[') {
			return c.fail("expected [")
		}
		s, ok := c.text()
		if !ok {
			return false
		}
		if early, ok = c.noteDuplicate(m, s, early); !ok {
			return false
		}
		if !c.skip(',') {
			return c.fail("expected ,")
		}
		if !c.value(depth) {
			return false
		}
		if !c.skip(']') {
			return c.fail("expected ]")
		}
		if c.skip(']') {
			return true
		}
		if !c.skip(',') {
			return c.fail("expected , or ]")
		}
	}
}

// noteDuplicate takes the key of a pair. early holds the natural keys before
// $dup that are not below the key of the last pair.
func (c *checker) noteDuplicate(m *mapCheck, s span, early []span) ([]span, bool) {
	key := c.line[s.lo:s.hi]
	if !isEmitted(key) {
		return nil, c.failAt(s.lo, "key has a single $")
	}
	if n := len(c.pending); n > m.pending {
		last := c.pending[n-1]
		switch bytes.Compare(c.line[last.lo:last.hi], key) {
		case 1:
			return nil, c.failAt(s.lo, "pairs of $dup are out of order")
		case 0:
			return early, true
		}
	}
	c.pending = append(c.pending, s)
	if string(key) > dupName {
		return early, true
	}
	for len(early) > 0 && bytes.Compare(c.line[early[0].lo:early[0].hi], key) < 0 {
		early = early[1:]
	}
	if len(early) == 0 || !bytes.Equal(c.line[early[0].lo:early[0].hi], key) {
		return nil, c.failAt(s.lo, faultDup)
	}
	m.at = len(c.pending)
	return early, true
}

// settle ticks off the key of $dup that the natural member s belongs to.
func (c *checker) settle(m *mapCheck, s span) bool {
	if m.at == len(c.pending) {
		return true
	}
	p := c.pending[m.at]
	switch bytes.Compare(c.line[p.lo:p.hi], c.line[s.lo:s.hi]) {
	case -1:
		return c.failAt(p.lo, faultDup)
	case 0:
		m.at++
	}
	return true
}

// finish ends a map.
func (c *checker) finish(m *mapCheck) bool {
	if m.at < len(c.pending) {
		return c.failAt(c.pending[m.at].lo, faultDup)
	}
	c.early, c.pending = c.early[:m.early], c.pending[:m.pending]
	return true
}
