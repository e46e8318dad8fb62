package model

// createJournal is sealer.createJournal with durable.WriteFile in it: content,
// rename, fsync of the folder, and the watermark where frames come along. Before
// the rename there is only a temporary file, which every start removes.
func (x *stepper) createJournal(i int) {
	failed := func(s *world, w *writer) { x.m.createFailed(s, i) }
	switch w := &x.from.writers[i]; w.pool.step {
	case poolRename:
		name := uint8(x.m.t.size(x.m.content(w).before))
		x.call(i, jobNames[w.pool.job]+": journal renamed into place", func(w *writer) {
			w.pool.made = w.d.create(x.m.content(w))
			w.d.journal.change(renaming{nameJournal, name, uint16(w.pool.made)})
		}, func(_ *world, w *writer) { w.pool.step = poolFolder }, failed, nil)
	case poolFolder:
		x.call(i, jobNames[w.pool.job]+": fsync the journal folder", func(w *writer) { w.d.journal.sync(w.d.journal.changed) }, func(s *world, w *writer) {
			if w.pool.step = poolMark; w.d.inodes[w.pool.made].frames == 0 {
				x.m.created(s, i)
			}
		}, failed, nil)
	case poolMark:
		x.call(i, jobNames[w.pool.job]+": watermark", func(w *writer) { w.d.inodes[w.pool.made].marked = w.d.inodes[w.pool.made].frames },
			func(s *world, w *writer) { x.m.created(s, i) }, failed, nil)
	}
}

var jobNames = [...]string{
	jobGenesis: "genesis", jobBefore: "renew the closed journal", jobOpen: "renew the open journal", jobMend: "mend",
	jobNext: "rotate: next journal", jobRecovered: "recovered: next journal",
}

// content is what the new file holds, all of it synced.
func (m *Model) content(w *writer) inode {
	d := &w.d
	switch w.pool.job {
	case jobBefore:
		return d.inodes[w.load.before].copyOf(maxFrames)
	case jobOpen:
		return d.inodes[w.load.open].copyOf(maxFrames)
	case jobMend:
		slot := d.journal.now().journals[m.t.size(w.pool.start)]
		return d.inodes[slot].copyOf(w.pool.groups)
	case jobGenesis:
		return inode{before: w.press.place}
	default:
		return inode{before: w.pool.behind, seed: uint8(m.t.nodes[w.pool.behind].last) & stampMask}
	}
}

// copyOf keeps place, seed and the first frames (newHeaderLike); the watermark
// speaks of the old file.
func (n inode) copyOf(frames uint8) inode {
	n.frames = min(n.frames, frames)
	clear(n.chain[n.frames:])
	n.synced, n.marked, n.doomed = n.frames, 0, false
	return n
}

func (m *Model) createFailed(s *world, i int) {
	w := &s.writers[i]
	switch w.pool.job {
	case jobMend:
		m.broken(s, i)
	case jobNext:
		w.pool.step, w.pool.job, w.pool.made, w.pool.behind = poolIdle, jobNone, 0, 0
		if w.pool.open == 0 { // only with the mistake of closing first
			m.broken(s, i)
		}
	default:
		s.exit(i, down) // Open fails; a supervisor tries again.
	}
}

// created goes on with what the file was made for.
func (m *Model) created(s *world, i int) {
	w := &s.writers[i]
	made := w.pool.made
	w.pool.made = 0
	switch job := w.pool.job; job {
	case jobGenesis:
		w.pool.open = made
		w.pool.step = poolIdentity
		if m.is(IdentityFirst) {
			m.bornWith(s, i)
		}
	case jobBefore:
		w.pool.job, w.pool.step = jobOpen, poolRename
	case jobOpen:
		m.renewed(s, i, made)
	case jobMend:
		w.pool.open, w.pool.job, w.pool.step = made, jobNone, poolIdle
		w.pool.at = w.d.inodes[made].end()
		w.pool.seed = w.d.inodes[made].seed
		if w.d.inodes[made].frames < w.pool.groups {
			s.bad = badLost
		}
	default:
		w.pool.next, w.pool.step = made, poolClose
		if m.is(CloseBeforeNext) {
			w.pool.job, w.pool.step, w.pool.behind = jobNone, poolIdle, 0
			m.turn(s, i, job == jobRecovered)
		}
	}
}

// identity is the end of state.begin: the commit point of genesis.
func (x *stepper) identity(i int) {
	failed := func(s *world, _ *writer) { s.exit(i, down) }
	if x.from.writers[i].pool.step == poolIdentity {
		x.call(i, "genesis: identity renamed into place", func(w *writer) { w.d.identity.now = w.press.place },
			func(_ *world, w *writer) { w.pool.step = poolIdentitySync }, failed, nil)
		return
	}
	x.call(i, "genesis: fsync the state directory", func(w *writer) { w.d.syncRoot() }, func(s *world, w *writer) {
		if x.m.is(IdentityFirst) {
			w.pool.step = poolRename
			return
		}
		x.m.bornWith(s, i)
	}, failed, nil)
}

// bornWith ends a genesis: from now on the operator does not say it again.
func (m *Model) bornWith(s *world, i int) {
	w := &s.writers[i]
	if s.born {
		s.bad = badFresh
	}
	w.pool.job = jobNone
	m.opened(s, i)
}

// removeLeft takes journals away that load found sealed, or only prepared.
func (x *stepper) removeLeft(i int) {
	failed := func(s *world, _ *writer) { s.exit(i, down) }
	w := &x.from.writers[i]
	first, some := lowest(w.load.remove)
	if !some {
		panic("model: nothing to remove")
	}
	if w.pool.step == poolRemoveLeft {
		x.call(i, "start: remove a journal that is sealed, or was only prepared", func(w *writer) {
			w.d.journal.change(renaming{nameJournal, first, 0})
		}, func(_ *world, w *writer) { w.pool.step = poolSyncLeft }, failed, nil)
		return
	}
	x.call(i, "start: fsync the journal folder", func(w *writer) { w.d.journal.sync(w.d.journal.changed) }, func(s *world, w *writer) {
		w.load.remove &^= bit(first)
		if w.pool.step = poolRemoveLeft; w.load.remove == 0 {
			x.m.renew(s, i)
		}
	}, failed, nil)
}
