package model

// Steps of the press: sealer.press.
const (
	pressIdle step = iota
	pressSegment
	pressSegmentSync
	pressSeal
	pressSealSync
	pressRemove
	pressRemoveSync
)

// press seals the oldest closed journal, and tries again after any fault: the
// journal has the records.
func (x *stepper) press(i int) {
	again := func(_ *world, w *writer) { w.press.step, w.press.seal = pressIdle, 0 }
	to := func(next step) func(*world, *writer) {
		return func(_ *world, w *writer) { w.press.step = next }
	}
	name := func(kind uint8) func(*writer) {
		return func(w *writer) { w.d.spool.change(renaming{kind, w.press.first, uint16(w.press.seal)}) }
	}
	syncSpool := func(w *writer) { w.d.spool.sync(w.d.spool.changed) }
	switch w := &x.from.writers[i]; w.press.step {
	case pressIdle:
		x.build(i)
	case pressSegment:
		x.call(i, "spool segment: rename", name(nameSegment), to(pressSegmentSync), again, nil)
	case pressSegmentSync:
		x.call(i, "spool segment: fsync the folder", syncSpool, to(pressSeal), again, nil)
	case pressSeal:
		x.call(i, "spool seal: rename", name(nameSeal), func(s *world, w *writer) {
			w.press.step = pressSealSync
			x.m.sign(s, w, w.press.seal)
			if x.m.is(RemoveJournalEarly) {
				w.press.step = pressRemove
			}
		}, again, nil)
	case pressSealSync:
		x.call(i, "spool seal: fsync the folder", syncSpool, func(_ *world, w *writer) {
			if w.press.step = pressRemove; x.m.is(RemoveJournalEarly) {
				w.press.step = pressIdle
			}
			x.m.sealed(w)
		}, again, nil)
	default:
		x.removeJournal(i, w.press.step)
	}
}

// build is press.build: a pure function of the closed journal as it reads.
func (x *stepper) build(i int) {
	first, some := lowest(x.from.writers[i].pool.closed)
	if !some {
		return
	}
	x.to(i, "press: read the closed journal, build and sign", false, func(s *world, w *writer) {
		n := &w.d.inodes[w.d.journal.now().journals[first]]
		if !n.used || n.before != w.press.place || !x.m.t.ends(n.end()) {
			s.bad = badDelivery
			return
		}
		w.press.step, w.press.first, w.press.seal = pressSegment, first, n.end()
	})
}

// sealed is Sealer.sealed: the segment passed its commit point.
func (m *Model) sealed(w *writer) {
	w.press.place = w.press.seal
	w.post.queue |= bit(w.press.first)
	w.post.head = w.press.seal
	w.pool.closed &^= bit(w.press.first)
}

// removeJournal cuts the journal; an error leaves it to the next start.
func (x *stepper) removeJournal(i int, at step) {
	idle := func(_ *world, w *writer) { w.press.step, w.press.seal = pressIdle, 0 }
	if at == pressRemove {
		x.call(i, "cut the journal: remove", func(w *writer) { w.d.journal.change(renaming{nameJournal, w.press.first, 0}) },
			func(_ *world, w *writer) { w.press.step = pressRemoveSync }, idle, nil)
		return
	}
	x.call(i, "cut the journal: fsync the folder", func(w *writer) { w.d.journal.sync(w.d.journal.changed) }, func(s *world, w *writer) {
		if x.m.is(RemoveJournalEarly) {
			w.press.step = pressSealSync
			return
		}
		idle(s, w)
	}, idle, nil)
}
