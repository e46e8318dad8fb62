package model

// Steps of the courier: sealer.courier.
const (
	postProbe step = iota
	postIdle
	postLeave
	postLeaveSync
	postLeaveRemove
	postForget
	postForgetRemove
	postForgetSync
)

func (x *stepper) courier(i int) {
	idle := func(_ *world, w *writer) { w.post.step = postIdle }
	to := func(next step) func(*world, *writer) {
		return func(_ *world, w *writer) { w.post.step = next }
	}
	syncSpool := func(w *writer) { w.d.spool.sync(w.d.spool.changed) }
	switch w := &x.from.writers[i]; w.post.step {
	case postProbe:
		x.probe(i)
	case postIdle:
		x.choose(i)
	case postLeave:
		x.call(i, "remove from spool: rename the seal", func(w *writer) {
			if end := w.spool().seals[w.post.first]; end != 0 { // Else the last try got that far.
				w.d.spool.change(renaming{nameDelivered, w.post.first, uint16(end)})
			}
		}, to(postLeaveSync), idle, nil)
	case postLeaveSync:
		next := postLeaveRemove
		if x.m.is(RemoveBeforeRename) {
			next = postIdle
		}
		x.call(i, "remove from spool: fsync the folder", syncSpool, func(s *world, w *writer) {
			if w.post.step = next; next == postIdle {
				x.m.delivered(s, i)
			}
		}, idle, nil)
	case postLeaveRemove:
		x.call(i, "remove from spool: remove the segment", func(w *writer) { w.d.spool.change(renaming{nameSegment, w.post.first, 0}) }, func(s *world, w *writer) {
			if x.m.is(RemoveBeforeRename) {
				w.post.step = postLeave
				return
			}
			x.m.delivered(s, i)
		}, idle, nil)
	case postForget:
		x.call(i, "forget an older seal: fsync the folder", syncSpool, to(postForgetRemove), idle, nil)
	case postForgetRemove:
		x.call(i, "forget an older seal: remove", func(w *writer) { w.d.spool.change(renaming{nameDelivered, w.post.first, 0}) }, to(postForgetSync), idle, nil)
	case postForgetSync:
		x.call(i, "forget an older seal: fsync the folder again", syncSpool, func(_ *world, w *writer) {
			w.post.done &^= bit(w.post.first)
			w.post.step = postIdle
		}, idle, nil)
	}
}

// choose is what courier.run turns to: a segment, an older seal, the probe.
func (x *stepper) choose(i int) {
	w := &x.from.writers[i]
	for first := range positions {
		switch {
		case w.post.left&bit(first) != 0:
			x.to(i, "remove from spool, again", false, func(_ *world, w *writer) { x.m.leave(w, uint8(first)) })
		case w.post.queue&bit(first) != 0:
			x.deliver(i, first)
		}
	}
	if first, some := lowest(w.post.done); some && x.m.forgets(w, first) {
		x.to(i, "tidy", false, func(_ *world, w *writer) { w.post.step, w.post.first = postForget, first })
	}
	if !w.post.probed {
		x.probe(i)
	}
}

// forgets says whether courier.tidy removes the oldest delivered seal: it does
// once another one is delivered behind it.
func (m *Model) forgets(w *writer, first uint8) bool {
	return w.post.done != bit(first) || m.is(ForgetHead) || m.is(ForgetDelivered) && w.post.queue != 0
}

// delivered is the end of courier.confirm.
func (m *Model) delivered(s *world, i int) {
	w := &s.writers[i]
	w.post.step = postIdle
	w.post.queue &^= bit(w.post.first)
	w.post.left &^= bit(w.post.first)
	w.post.done |= bit(w.post.first)
	for c := range s.callers {
		if k := &s.callers[c]; k.status == taken && int(k.at) == i && k.wait == 1+w.post.first {
			m.acknowledge(s, i, c)
		}
	}
}

// reply is what becomes of one request to one store.
type reply uint8

const (
	answered reply = iota
	away           // the store does not hear of it
	lost           // it does what it is asked, and its answer is lost
	replies
)

// requests calls do with every way in which all stores can reply.
func (x *stepper) requests(do func(r [2]reply, fault bool)) {
	n := 1
	for range x.m.Stores {
		n *= int(replies)
	}
	if x.m.Up {
		n = 1
	}
	for k := range n {
		do([2]reply{reply(k % 3), reply(k / 3)}, k != 0)
	}
}

// probe is courier.fence: does a store hold what this writer does not know?
func (x *stepper) probe(i int) {
	x.requests(func(r [2]reply, fault bool) {
		if r[0] == lost || r[1] == lost {
			return // A probe leaves nothing behind: as if away.
		}
		x.to(i, text("probe the stores", r, x.m.Stores), fault, func(s *world, w *writer) {
			for k := range x.m.Stores {
				if r[k] == answered && x.m.conflict(&s.stores[k], w.post.head) {
					x.m.fork(s, i)
					return
				}
			}
			w.post.ready, w.post.probed = true, !fault
			if w.post.step == postProbe {
				w.post.step = postIdle
			}
		})
	})
}

// conflict says whether a store has what a head's history has not
// (Exporter.checkHead, checkUnused). A store that lags is fine.
func (m *Model) conflict(k *store, head history) bool {
	return k.head != 0 && (head == 0 || m.t.before(head, m.t.size(k.head)) != k.head)
}

// fork stops a writer for good (Sealer.fail).
func (m *Model) fork(s *world, i int) {
	s.writers[i].told = true
	if !s.copied && !s.damaged {
		s.bad = badFork
		return
	}
	if !m.is(IgnoreFork) {
		m.dies(s, i, forked)
	}
}

// deliver is courier.try for one segment, and confirm's decision.
func (x *stepper) deliver(i, first int) {
	x.requests(func(r [2]reply, fault bool) {
		x.to(i, text("deliver", r, x.m.Stores), fault, func(s *world, w *writer) {
			sp := w.spool()
			end := sp.seals[first]
			if end == 0 || sp.segments[first] != end {
				return // It cannot be read.
			}
			given := 0
			for k := range x.m.Stores {
				if r[k] == away {
					continue
				}
				ok, fork := x.m.put(s, &s.stores[k], first, end)
				if fork && r[k] == answered {
					x.m.fork(s, i)
					return
				}
				if ok && r[k] == answered {
					given++
				}
			}
			oldest, _ := lowest(w.post.queue)
			if enough := given == x.m.Stores || given > 0 && x.m.is(LeaveOnOneReceipt); enough && int(oldest) == first {
				x.m.leave(w, uint8(first))
			}
		})
	})
}

// leave begins to take a delivered segment out of the spool. Its files may be
// gone or renamed from then on, so it is not read again.
func (m *Model) leave(w *writer, first uint8) {
	w.post.step, w.post.first = postLeave, first
	if !m.is(ReadAgain) {
		w.post.left |= bit(first)
	}
	if m.is(RemoveBeforeRename) {
		w.post.step = postLeaveRemove
	}
}

// put is a WORM exporter's create-only PUT of a seal behind the one before it.
func (m *Model) put(s *world, k *store, first int, end history) (ok, fork bool) {
	have := k.seals[first]
	if have == end {
		return true, false
	}
	if have != 0 && m.is(Overwrite) {
		s.bad = badReplaced
	}
	switch {
	case have != 0:
		return false, true
	case m.t.size(k.head) < first && !(k.head == 0 && first == 0):
		return false, false // pending: the seal before it is missing
	case k.head == 0 && first != 0:
		return false, false
	case k.head != 0 && m.t.before(end, first) != k.head:
		return false, true
	}
	k.seals[first], k.head = end, end
	for l := range letters {
		if m.t.count(end, l) > s.sent[l] {
			s.bad = badTwice
		}
	}
	return true, false
}

func text(what string, r [2]reply, stores int) string {
	names := [replies]string{"answers", "is away", "does it, answer lost"}
	if r == [2]reply{} {
		return what
	}
	out := what + ": store 1 " + names[r[0]]
	if stores > 1 {
		out += ", store 2 " + names[r[1]]
	}
	return out
}
