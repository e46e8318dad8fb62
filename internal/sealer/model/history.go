package model

// record is one position of a log: what was written there, and a stamp that
// stands for its segment's seed (of a source's record) or for the clock (of the
// log's own closing record). Records that differ in either hash differently.
type record uint8

// Letters are the events that the callers send; closing is the log's own record.
const (
	letters   = 4
	closing   = 7
	letterBit = 5
	stampMask = 1<<letterBit - 1
)

func recordOf(letter int, stamp uint8) record { return record(letter<<letterBit) | record(stamp) }

func (r record) letter() int { return int(r >> letterBit) }

// history is all of a log up to a position. It stands for the root, the link and
// the edge there, since each of them commits to all that comes before: equal
// histories are equal numbers. 0 is none.
type history uint16

// histories gives each history its number.
type histories struct {
	nodes []historyNode
	child map[[2]uint16]history
}

type historyNode struct {
	parent history
	last   record
	size   uint8
}

func newHistories() *histories {
	return &histories{nodes: make([]historyNode, 1), child: map[[2]uint16]history{}}
}

// genesis is the beginning of a log; each stamp (a nonce) begins another one.
func (t *histories) genesis(stamp uint8) history { return t.add(0, record(stamp)) }

func (t *histories) add(h history, r record) history {
	key := [2]uint16{uint16(h), uint16(r)}
	if c, ok := t.child[key]; ok {
		return c
	}
	n := historyNode{parent: h, last: r}
	if h != 0 {
		n.size = t.nodes[h].size + 1
	}
	if int(n.size) >= positions || len(t.nodes) > 1<<16-1 {
		panic("model: bounds are too large for its arrays")
	}
	t.nodes = append(t.nodes, n)
	t.child[key] = history(len(t.nodes) - 1)
	return t.child[key]
}

func (t *histories) size(h history) int { return int(t.nodes[h].size) }

// ends says whether the newest record is the log's own that closes a segment.
func (t *histories) ends(h history) bool {
	return t.size(h) > 0 && t.nodes[h].last.letter() == closing
}

// before is the history up to a smaller size.
func (t *histories) before(h history, size int) history {
	for h != 0 && t.size(h) > size {
		h = t.nodes[h].parent
	}
	if h == 0 || t.size(h) != size {
		return 0
	}
	return h
}

func (t *histories) root(h history) history { return t.before(h, 0) }

// count says how often an event is in the history.
func (t *histories) count(h history, letter int) (n uint8) {
	for ; t.size(h) > 0; h = t.nodes[h].parent {
		if t.nodes[h].last.letter() == letter {
			n++
		}
	}
	return n
}

// draw gives the first of these histories that is nowhere in s: so what was drawn
// at random differs from all that is left of earlier draws, and worlds that
// differ in nothing else are one.
func (m *Model) draw(s *world, stamped func(stamp uint8) history) history {
	for stamp := uint8(0); stamp <= stampMask; stamp++ {
		h, used := stamped(stamp), false
		s.each(func(other history) { used = used || m.t.before(other, m.t.size(h)) == h })
		if !used {
			return h
		}
	}
	panic("model: too many draws")
}

// closed is a history with a closing record behind it.
func (m *Model) closed(s *world, at history) history {
	return m.draw(s, func(stamp uint8) history { return m.t.add(at, recordOf(closing, stamp)) })
}

// each calls f with all histories that a world speaks of.
func (s *world) each(f func(history)) {
	all := func(hs ...history) {
		for _, h := range hs {
			if h != 0 {
				f(h)
			}
		}
	}
	for i := range s.stores {
		all(s.stores[i].seals[:]...)
	}
	for i := range s.writers {
		w := &s.writers[i]
		all(w.signed[:]...)
		all(w.pool.frame, w.pool.at, w.pool.behind, w.press.place, w.press.seal, w.d.identity.disk, w.d.identity.now, w.d.checkpoint.disk, w.d.checkpoint.now)
		for k := range w.d.inodes {
			all(w.d.inodes[k].before)
			all(w.d.inodes[k].chain[:]...)
		}
		names := &w.d.spool
		all(names.segments[:]...)
		all(names.seals[:]...)
		all(names.delivered[:]...)
		for _, c := range names.changes[:names.changed] {
			all(history(c.content))
		}
	}
}

// text draws a history: a letter for each event, a stop for each closing record.
func (t *histories) text(h history) string {
	if h == 0 {
		return "-"
	}
	var b []byte
	for ; t.size(h) > 0; h = t.nodes[h].parent {
		b = append(b, "abcd????"[t.nodes[h].last.letter()])
		if t.ends(h) {
			b[len(b)-1] = '.'
		}
	}
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return "\"" + string(b) + "\""
}
