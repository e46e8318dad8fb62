package model

// sign remembers what root was signed for a size, once a signature is in a place
// where somebody could see it.
func (m *Model) sign(s *world, w *writer, h history) {
	size := m.t.size(h)
	if w.signed[size] != 0 && w.signed[size] != h {
		s.bad = badRoots
	}
	w.signed[size] = h
}

// continues judges a writer that begins to take records: what was acknowledged
// before is in the history that it goes on with.
func (m *Model) continues(s *world, i int) {
	w := &s.writers[i]
	if w.begun && m.t.size(w.pool.at) == 0 && w.signed != ([positions]history{}) {
		s.bad = badFresh
	}
	w.begun, s.born = true, true
	for k := range s.stores {
		w.ahead = w.ahead || m.conflict(&s.stores[k], w.pool.at)
	}
	for l := range letters {
		if s.acked[i][l] > m.t.count(w.pool.at, l) {
			s.bad = badLost
		}
		if m.t.count(w.pool.at, l) > s.sent[l] {
			s.bad = badTwice
		}
	}
}

// rests says whether all is delivered, and nothing is left to do.
func (m *Model) rests(s *world) bool {
	alive := false
	for i := range s.writers {
		switch w := &s.writers[i]; w.phase {
		case absent, refused, forked:
		case running:
			if !m.drained(s, w) {
				return false
			}
			alive = true
		default:
			return false
		}
	}
	for c := range s.callers {
		if alive && s.callers[c].status != done {
			return false
		}
	}
	return true
}

func (m *Model) drained(s *world, w *writer) bool {
	idle := w.pool.step == poolIdle && w.press.step == pressIdle && w.post.step == postIdle
	if !idle || w.pool.open == 0 || w.pool.groups > 0 || w.pool.closed != 0 || w.post.queue != 0 || !w.post.probed {
		return false
	}
	for k := range m.Stores {
		// A second writer may have written more: this one hears of it with its next seal.
		if has := m.t.before(s.stores[k].head, m.t.size(w.pool.at)); has != w.pool.at && m.t.size(w.pool.at) > 0 {
			return false
		}
	}
	return true
}
