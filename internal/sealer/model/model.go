package model

import "math/bits"

// Model is the system with its bounds, and with the mistake that is made in it.
type Model struct {
	Budget  Budget
	Events  int  // of each caller, 1 or 2
	Callers int  // 1 or 2
	Tries   int  // how often a source sends an event before it gives up
	Stores  int  // 1 or 2
	Stored  bool // ack: stored
	Up      bool // stores are always reachable and their answers arrive
	Begun   bool // the log exists already, and its writer runs

	Mistake Mistake

	t *histories
}

// Budget says how often each thing may go wrong, or happen, in one run.
type Budget struct{ Kills, PowerLosses, Faults, TimeOuts, Checkpoints, Heartbeats, Copies, Damages int }

// A Mistake is one deliberate error in the model.
type Mistake string

// move is one transition. Faults, crashes and what stores do wrong are no part
// of a fault-free continuation.
type move struct {
	writer int // -1: none
	what   string
	fault  bool
}

type stepper struct {
	m    *Model
	from *world
	emit func(move, *world)
}

func (m *Model) is(k Mistake) bool { return m.Mistake == k }

func (m *Model) initial() world {
	m.t = newHistories()
	b := m.Budget
	s := world{left: budget{uint8(b.Kills), uint8(b.PowerLosses), uint8(b.Faults), uint8(b.TimeOuts), uint8(b.Checkpoints), uint8(b.Heartbeats), uint8(b.Copies), uint8(b.Damages)}}
	s.writers[0].phase = down
	for i := range s.callers {
		if i >= m.Callers {
			s.callers[i].status = done
		}
	}
	for m.Begun && !s.writers[0].post.ready {
		s = m.first(s)
	}
	return s
}

// first makes the first regular move.
func (m *Model) first(s world) (then world) {
	some := false
	m.next(&s, func(mv move, to *world) {
		if !some && !mv.fault {
			then, some = *to, true
		}
	})
	return then
}

// next calls emit with every transition out of s.
func (m *Model) next(s *world, emit func(move, *world)) {
	if s.bad != fine {
		return
	}
	x := &stepper{m, s, emit}
	for c := range s.callers {
		x.timeOut(c)
	}
	for i := range s.writers {
		switch s.writers[i].phase {
		case down:
			x.start(i)
			x.copyState(i)
			x.damage(i)
		case opening:
			x.pool(i)
		case running:
			x.pool(i)
			x.press(i)
			x.courier(i)
			x.copyState(i)
		}
		x.crash(i)
	}
}

// to emits the transition that do makes of a copy of the world.
func (x *stepper) to(i int, what string, fault bool, do func(*world, *writer)) {
	s := *x.from
	w := &s.writers[max(i, 0)]
	do(&s, w)
	w.collect()
	x.emit(move{i, what, fault}, &s)
}

// call emits a call to the file system: it works; or it fails without effect, or
// although it had one. lost is what a failed call leaves behind, and may be nil.
func (x *stepper) call(i int, what string, apply func(*writer), ok, failed func(*world, *writer), lost func(*writer)) {
	x.to(i, what, false, func(s *world, w *writer) { apply(w); ok(s, w) })
	if x.from.left.faults == 0 {
		return
	}
	x.to(i, what+": error, not applied", true, func(s *world, w *writer) {
		s.left.faults--
		if lost != nil {
			lost(w)
		}
		failed(s, w)
	})
	x.to(i, what+": error, though applied", true, func(s *world, w *writer) {
		s.left.faults--
		apply(w)
		failed(s, w)
	})
}

// timeOut lets a caller give up waiting. Its request stays where it is.
func (x *stepper) timeOut(c int) {
	if x.from.callers[c].status != taken || x.from.left.timeOuts == 0 {
		return
	}
	x.to(-1, [...]string{"caller A times out", "caller B times out"}[c], true, func(s *world, _ *writer) {
		s.left.timeOuts--
		x.m.unanswered(s, c)
	})
}

// unanswered is a caller's view of an error: it sends again, or gives up.
func (m *Model) unanswered(s *world, c int) {
	k := &s.callers[c]
	k.status, k.wait = offering, 0
	if int(k.tries) >= m.Tries {
		m.satisfied(k)
	}
}

// satisfied lets a caller turn to its next event.
func (m *Model) satisfied(k *caller) {
	k.event++
	k.tries, k.wait, k.status = 0, 0, offering
	if int(k.event) >= m.Events {
		k.status = done
	}
}

// crash ends a process, or cuts the power of its machine.
func (x *stepper) crash(i int) {
	w := &x.from.writers[i]
	if x.from.left.kills > 0 && (w.phase == opening || w.phase == running) {
		x.to(i, "KILL -9", true, func(s *world, _ *writer) {
			s.left.kills--
			x.m.dies(s, i, down)
		})
	}
	if x.from.left.losses == 0 || w.phase == absent || w.phase == refused || w.phase == forked {
		return
	}
	seen := map[disk]bool{}
	w.d.losses(func(d disk) {
		if seen[d] {
			return
		}
		seen[d] = true
		x.to(i, "POWER LOSS", true, func(s *world, w *writer) {
			s.left.losses--
			w.d = d
			x.m.dies(s, i, down)
		})
	})
}

// dies ends a process; who waits for it gets an error.
func (m *Model) dies(s *world, i int, to phase) {
	for c := range s.callers {
		if k := &s.callers[c]; k.status == taken && int(k.at) == i {
			m.unanswered(s, c)
		}
	}
	s.exit(i, to)
}

// copyState makes a second host of a snapshot of the first one's disk. It may
// start at once or much later, as an old backup does.
func (x *stepper) copyState(i int) {
	if i != 0 || x.from.left.copies == 0 || x.from.writers[1].phase != absent || !x.from.writers[0].begun {
		return
	}
	x.to(1, "a second host gets a copy of the state directory", true, func(s *world, w *writer) {
		s.left.copies--
		s.copied = true
		w.d, w.signed, w.begun = s.writers[0].d, s.writers[0].signed, s.writers[0].begun
		w.phase = down
		w.d.settle()
		s.acked[1] = s.acked[0] // What the copy has must not get lost there, either.
		for l := range s.acked[1] {
			s.acked[1][l] = min(s.acked[1][l], x.m.held(&w.d, l))
		}
	})
}

// held says how often an event lies in a state directory.
func (m *Model) held(d *disk, letter int) (n uint8) {
	for _, i := range d.inodes {
		if i.used {
			n = max(n, m.t.count(i.end(), letter))
		}
	}
	sp := d.spool.now()
	for f := range positions {
		n = max(n, m.t.count(sp.seals[f], letter), m.t.count(sp.delivered[f], letter))
	}
	return n
}

func lowest(set uint16) (uint8, bool) { return uint8(bits.TrailingZeros16(set)), set != 0 }
func bit[T ~uint8 | int](i T) uint16  { return 1 << i }
