package model

// Steps of the log's owner: sealer.pool, and state.load before it.
const (
	poolIdle step = iota
	poolRemoveLeft
	poolSyncLeft
	poolRename   // createJournal: its content is synced, its name is next
	poolFolder   // durable.WriteFile: fsync the folder
	poolMark     // createJournal: answering, for frames that it took over
	poolIdentity // state.begin: rename the identity
	poolIdentitySync
	poolWrite // commit: append the frame
	poolSync  // fdatasync
	poolAnswering
	poolAnswer
	poolClose // rotate: append the closing frame
	poolCloseSync
	poolNote // checkpoint: rename the signed note
	poolNoteSync
)

func (x *stepper) pool(i int) {
	switch w := &x.from.writers[i]; w.pool.step {
	case poolIdle:
		x.idle(i)
	case poolRemoveLeft, poolSyncLeft:
		x.removeLeft(i)
	case poolRename, poolFolder, poolMark:
		x.createJournal(i)
	case poolIdentity, poolIdentitySync:
		x.identity(i)
	case poolWrite, poolSync, poolAnswering, poolAnswer:
		x.commit(i)
	case poolClose, poolCloseSync:
		x.closeSegment(i)
	case poolNote, poolNoteSync:
		x.checkpoint(i)
	}
}

// idle is what pool.run turns to: requests, what time asks for, or mending.
func (x *stepper) idle(i int) {
	w := &x.from.writers[i]
	if w.pool.open == 0 {
		x.to(i, "mend: read the answered frames back", false, func(_ *world, w *writer) {
			w.pool.job, w.pool.step = jobMend, poolRename
		})
		return
	}
	if w.post.ready {
		for mask := 1; mask < 1<<len(x.from.callers); mask++ {
			x.take(i, mask)
		}
	}
	if w.pool.groups > 0 {
		x.to(i, "rotate: the segment is full or old", false, func(s *world, w *writer) { x.m.rotate(s, w, jobNext) })
	} else if x.from.left.heartbeats > 0 {
		x.to(i, "rotate: a heartbeat", true, func(s *world, w *writer) {
			s.left.heartbeats--
			x.m.rotate(s, w, jobNext)
		})
	}
	if x.from.left.checkpoints > 0 && w.pool.at != w.pool.signed && w.pool.at != w.pool.start {
		x.to(i, "checkpoint: sign", true, func(s *world, w *writer) {
			s.left.checkpoints--
			w.pool.step = poolNote
		})
	}
}

// take is pool.take: these callers' requests make one frame.
func (x *stepper) take(i, mask int) {
	for c := range x.from.callers {
		if mask>>c&1 == 1 && x.from.callers[c].status != offering {
			return
		}
	}
	x.to(i, [...]string{"", "take a record of A", "take a record of B", "take a record of A and one of B"}[mask], false, func(s *world, w *writer) {
		w.pool.frame = w.pool.at
		for c := range s.callers {
			k := &s.callers[c]
			if mask>>c&1 == 0 {
				continue
			}
			letter := 2*c + int(k.event)
			w.pool.frame = x.m.t.add(w.pool.frame, recordOf(letter, w.pool.seed))
			s.sent[letter]++
			k.tries++
			k.status, k.at, k.wait = taken, uint8(i), 0
		}
		w.pool.step = poolWrite
		if x.m.is(AnswerBeforeWrite) {
			w.pool.step = poolAnswer
		}
	})
}

func (n *inode) append(h history) {
	n.chain[n.frames] = h
	n.frames++
}

// sync is fdatasync of a journal file; after one that failed there is nothing
// left to write.
func (n *inode) sync() {
	if !n.doomed {
		n.synced = n.frames
	}
}

// commit is pool.commit and pool.answer.
func (x *stepper) commit(i int) {
	turn := func(next step) func(*world, *writer) {
		return func(_ *world, w *writer) { w.pool.step = next }
	}
	broken := func(s *world, w *writer) { x.m.broken(s, i) }
	file := func(w *writer) *inode { return &w.d.inodes[w.pool.open] }
	mark := func(w *writer) { file(w).marked = file(w).frames }
	switch x.from.writers[i].pool.step {
	case poolWrite:
		next := poolSync
		if x.m.is(MarkBeforeSync) {
			next = poolAnswering
		}
		if x.m.is(AnswerBeforeSync) {
			next = poolAnswer
		}
		x.call(i, "journal append", func(w *writer) { file(w).append(w.pool.frame) }, turn(next), broken, nil)
	case poolSync:
		next, failed := poolAnswering, broken
		if x.m.is(MarkBeforeSync) {
			next = poolAnswer
		}
		if x.m.is(SameFileAfterFault) {
			failed = turn(poolSync)
		}
		x.call(i, "journal fdatasync", func(w *writer) { file(w).sync() }, turn(next), failed, func(w *writer) { file(w).doomed = true })
	case poolAnswering:
		next := poolAnswer
		if x.m.is(MarkBeforeSync) {
			next = poolSync
		}
		x.call(i, "watermark", mark, turn(next), broken, nil)
	case poolAnswer:
		x.to(i, "answer", false, func(s *world, w *writer) { x.m.answer(s, i) })
	}
}

// answer tells the callers of the frame, or lets them wait for the receipt.
func (m *Model) answer(s *world, i int) {
	w := &s.writers[i]
	w.pool.groups++
	w.pool.at, w.pool.frame, w.pool.step = w.pool.frame, 0, poolIdle
	for c := range s.callers {
		if k := &s.callers[c]; k.status == taken && int(k.at) == i && k.wait == 0 {
			if m.Stored {
				k.wait = 1 + uint8(m.t.size(w.pool.start))
				continue
			}
			m.acknowledge(s, i, c)
		}
	}
}

// acknowledge gives a caller its nil.
func (m *Model) acknowledge(s *world, i, c int) {
	w, k := &s.writers[i], &s.callers[c]
	s.acked[i][2*c+int(k.event)]++
	switch {
	case w.told:
		s.bad = badAfterFork
	case w.ahead && m.Up:
		s.bad = badUnprobed
	}
	m.satisfied(k)
}

// broken is pool.broken: the file is given up, and the frame's callers get the
// error.
func (m *Model) broken(s *world, i int) {
	w := &s.writers[i]
	w.pool.open, w.pool.next, w.pool.made, w.pool.frame, w.pool.behind = 0, 0, 0, 0, 0
	w.pool.step, w.pool.job = poolIdle, jobNone
	for c := range s.callers {
		if k := &s.callers[c]; k.status == taken && int(k.at) == i && k.wait == 0 {
			m.unanswered(s, c)
		}
	}
}

// rotate is pool.rotate: it draws the closed record's clock and the next
// segment's seed. The next journal comes first.
func (m *Model) rotate(s *world, w *writer, why job) {
	w.pool.behind = m.closed(s, w.pool.at)
	w.pool.job, w.pool.step = why, poolRename
	if m.is(CloseBeforeNext) {
		w.pool.step = poolClose
	}
}

// closeSegment writes the closing frame and hands the file to the press.
func (x *stepper) closeSegment(i int) {
	failed := func(s *world, w *writer) {
		if w.pool.job == jobRecovered { // Open fails; a supervisor tries again.
			s.exit(i, down)
			return
		}
		x.m.broken(s, i)
	}
	file := func(w *writer) *inode { return &w.d.inodes[w.pool.open] }
	if x.from.writers[i].pool.step == poolClose {
		x.call(i, "rotate: append the closing frame", func(w *writer) { file(w).append(w.pool.behind) }, func(s *world, w *writer) {
			w.pool.step = poolCloseSync
			if x.m.is(SealBeforeSync) {
				x.m.handOver(s, i)
			}
		}, failed, nil)
		return
	}
	x.call(i, "rotate: fdatasync the closing frame", func(w *writer) { file(w).sync() }, func(s *world, w *writer) { x.m.handOver(s, i) },
		failed, func(w *writer) { file(w).doomed = true })
}

// handOver is pool.handOver and begin.
func (m *Model) handOver(s *world, i int) {
	w := &s.writers[i]
	recovered := w.pool.job == jobRecovered
	w.pool.closed |= bit(m.t.size(w.pool.start))
	w.pool.start, w.pool.at = w.pool.behind, w.pool.behind
	w.pool.groups, w.pool.behind, w.pool.job, w.pool.step = 0, 0, jobNone, poolIdle
	if m.is(CloseBeforeNext) && w.pool.next == 0 {
		w.pool.behind, w.pool.job, w.pool.step = w.pool.at, jobNext, poolRename
		if recovered {
			w.pool.job = jobRecovered
		}
		return
	}
	m.turn(s, i, recovered)
}

// turn goes on with the next journal.
func (m *Model) turn(s *world, i int, recovered bool) {
	w := &s.writers[i]
	w.pool.open, w.pool.next = w.pool.next, 0
	w.pool.seed = w.d.inodes[w.pool.open].seed
	if recovered {
		m.opened(s, i)
	}
}

// checkpoint is pool.checkpoint: first remembered, then shown.
func (x *stepper) checkpoint(i int) {
	idle := func(_ *world, w *writer) { w.pool.step = poolIdle }
	if x.from.writers[i].pool.step == poolNote {
		x.call(i, "checkpoint: rename", func(w *writer) { w.d.checkpoint.now = w.pool.at }, func(s *world, w *writer) {
			w.pool.step = poolNoteSync
			x.m.sign(s, w, w.pool.at)
		}, idle, nil)
		return
	}
	x.call(i, "checkpoint: fsync the folder, show it", func(w *writer) { w.d.syncRoot() }, func(_ *world, w *writer) {
		w.pool.signed, w.pool.step = w.pool.at, poolIdle
	}, idle, nil)
}
