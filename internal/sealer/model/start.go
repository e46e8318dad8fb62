package model

// start begins Open: sealer.openState locks the directory and syncs its folders,
// so that nothing is built on a name that only the kernel has (state.load).
func (x *stepper) start(i int) {
	sync := func(w *writer) {
		if x.m.is(NoSyncOnStart) {
			return
		}
		w.d.journal.sync(w.d.journal.changed)
		w.d.spool.sync(w.d.spool.changed)
		w.d.syncRoot()
	}
	x.call(i, "start: fsync the folders, read the state (load)", sync, func(s *world, w *writer) {
		w.phase = opening
		w.pool.step = poolRemoveLeft
		x.m.load(s, i)
	}, func(*world, *writer) {}, nil)
}

// refuse ends Open with an error that needs an operator.
func (m *Model) refuse(s *world, i int) {
	s.exit(i, refused)
	if !s.damaged {
		s.bad = badRefused
	}
}

// load is state.load: what it decides of what it reads.
func (m *Model) load(s *world, i int) {
	w := &s.writers[i]
	if !m.loadSpool(w) {
		m.refuse(s, i)
		return
	}
	if w.d.identity.now == 0 {
		m.begin(s, i)
		return
	}
	w.press.place = w.post.head
	if w.post.head == 0 {
		w.press.place = w.d.identity.now
	} else if m.t.root(w.post.head) != w.d.identity.now {
		m.refuse(s, i)
		return
	}
	if !m.loadJournals(w) || !m.checkMemory(w) {
		m.refuse(s, i)
		return
	}
	if w.load.remove == 0 {
		m.renew(s, i)
	}
}

// loadSpool is state.loadSpool: the seals follow each other, and those that are
// not delivered have their segments.
func (m *Model) loadSpool(w *writer) bool {
	sp := w.spool()
	head := history(0)
	for f := range positions {
		end, pending := sp.delivered[f], false
		if sp.seals[f] != 0 {
			if end != 0 {
				return false
			}
			end, pending = sp.seals[f], true
		}
		if end == 0 {
			continue
		}
		if !pending && w.post.queue != 0 || pending && sp.segments[f] != end {
			return false // Not in order; or its segment was taken away.
		}
		if head != 0 && m.t.before(end, f) != head {
			return false
		}
		if head == 0 && pending && f > 0 && !m.is(TakeHole) {
			return false // The seal before it is missing.
		}
		head = end
		if pending {
			w.post.queue |= bit(f)
			continue
		}
		w.post.done |= bit(f)
		if sp.segments[f] != 0 {
			w.d.spool.change(renaming{nameSegment, uint8(f), 0})
		}
	}
	w.post.head = head
	return m.checkContent(w)
}

// checkContent is state.checkContent: no segment's seal was taken away.
func (m *Model) checkContent(w *writer) bool {
	sp := w.spool()
	for f := range positions {
		if sp.segments[f] != 0 && w.post.queue&bit(f) == 0 && w.post.head != 0 && f < m.t.size(w.post.head) {
			return false
		}
	}
	return true
}

// begin is state.begin: a new log, if nothing speaks against it and the operator
// said so, which he does until the log exists (or always, by mistake).
func (m *Model) begin(s *world, i int) {
	w := &s.writers[i]
	journals, n := w.d.journal.now().journals, 0
	for f, j := range journals {
		if j != 0 {
			n++
			if f != 0 || w.d.inodes[j].frames > 0 {
				n += 2
			}
		}
	}
	against := w.post.head != 0 || n > 1 || w.d.checkpoint.now != 0
	if (against || s.born) && !m.is(FreshStart) {
		m.refuse(s, i)
		return
	}
	w.post, w.pool.closed, w.load = courier{}, 0, loading{}
	w.press.place = m.draw(s, m.t.genesis)
	w.pool.at, w.pool.start = w.press.place, w.press.place
	w.pool.job, w.pool.step = jobGenesis, poolRename
	if m.is(IdentityFirst) {
		w.pool.step = poolIdentity
	}
}

// loadJournals is state.loadJournals.
func (m *Model) loadJournals(w *writer) bool {
	journals := w.d.journal.now().journals
	tail := w.press.place
	var open, before uint8
	for f, slot := range journals {
		if slot == 0 {
			continue
		}
		n := &w.d.inodes[slot]
		if f < m.t.size(w.press.place) {
			w.load.remove |= bit(f)
			continue
		}
		if n.marked > n.frames && !m.is(DropAnswered) {
			return false // readJournal: it ends before a frame that was answered.
		}
		last := &w.d.inodes[open]
		closed := open != 0 && m.t.ends(last.end()) && last.frames > 0
		if n.frames == 0 && open != 0 && (!closed || f < m.t.size(tail)) { // leftover
			w.load.remove |= bit(f)
			continue
		}
		if open != 0 && !closed || f != m.t.size(tail) || n.before != tail {
			return false
		}
		w.pool.start, tail = tail, n.end()
		open, before = slot, open
		if n.frames > 0 && m.t.ends(tail) {
			w.pool.closed |= bit(f)
		}
	}
	if open == 0 || w.d.inodes[open].frames > 0 && m.t.ends(tail) {
		return false // There is an open journal at every moment.
	}
	w.pool.at, w.load.open = tail, open
	if w.d.inodes[open].frames == 0 {
		w.load.before = before
	}
	if m.is(DropLast) && w.d.inodes[open].frames > 0 {
		n := &w.d.inodes[open]
		n.frames--
		w.pool.at = n.end()
	}
	return true
}

// checkMemory is sealer.checkMemory: the newest checkpoint fits.
func (m *Model) checkMemory(w *writer) bool {
	c := w.d.checkpoint.now
	if c == 0 || m.is(ForgetCheckpoint) {
		return true
	}
	size := m.t.size(c)
	if size > m.t.size(w.pool.at) {
		return false
	}
	return size < m.t.size(w.press.place) || m.t.before(w.pool.at, size) == c
}

// renew is state.renew: journals that may be the kernel's alone are written anew.
func (m *Model) renew(s *world, i int) {
	w := &s.writers[i]
	w.pool.step, w.pool.job = poolRename, jobOpen
	if w.load.before != 0 {
		w.pool.job = jobBefore
	}
	if m.is(NoRenew) {
		m.renewed(s, i, w.load.open)
	}
}

// renewed takes the open journal over (newPool): what it holds is closed at once.
func (m *Model) renewed(s *world, i int, open uint8) {
	w := &s.writers[i]
	n := &w.d.inodes[open]
	w.pool.open, w.pool.seed, w.pool.groups = open, n.seed, n.frames
	w.pool.start, w.pool.job, w.pool.made = n.before, jobNone, 0
	w.load = loading{}
	if n.frames > 0 {
		m.rotate(s, w, jobRecovered)
		return
	}
	m.opened(s, i)
}

// opened ends Open: press and courier begin.
func (m *Model) opened(s *world, i int) {
	w := &s.writers[i]
	w.phase, w.pool.step = running, poolIdle
	w.post.step = postProbe
	if m.is(NoProbe) {
		w.post.step, w.post.ready, w.post.probed = postIdle, true, true
	}
	m.continues(s, i)
}
