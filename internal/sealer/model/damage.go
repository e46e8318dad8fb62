package model

import "slices"

// damage is what somebody does to the state directory of a process that is not
// running: a file is taken away, or a journal is cut. What speaks against it
// stays, as far as the code promises to notice: who takes the last frame together
// with every witness of it (watermark and checkpoint) is not found out. So the
// power stays on from here: a loss could take the watermark.
func (x *stepper) damage(i int) {
	if x.from.left.damages == 0 {
		return
	}
	touch := func(what string, do func(*writer)) {
		x.to(i, "DAMAGE: "+what, true, func(s *world, w *writer) {
			s.left.damages--
			s.damaged, s.left.losses = true, 0
			w.d.settle()
			do(w)
		})
	}
	touch("all is lost", func(w *writer) { w.d = disk{} })
	touch("the identity is lost", func(w *writer) { w.d.identity = note{} })
	touch("the checkpoint is lost", func(w *writer) { w.d.checkpoint = note{} })
	touch("the spool is lost", func(w *writer) { w.d.spool = folder{} })
	d := x.from.writers[i].d
	d.settle()
	x.damageOldest(&d, touch)
	for f := range positions {
		x.damageFile(&d, f, touch)
	}
}

// damageOldest takes the oldest waiting segment out of the spool without a trace
// in there, so that the others still follow each other.
func (x *stepper) damageOldest(d *disk, touch func(string, func(*writer))) {
	f := slices.IndexFunc(d.spool.seals[:], func(h history) bool { return h != 0 })
	if f < 0 {
		return
	}
	take := func(w *writer) { w.d.spool.segments[f], w.d.spool.seals[f] = 0, 0 }
	touch("the oldest spooled segment is lost with its seal", take)
	touch("the oldest spooled segment is lost with its seal, and every delivered seal", func(w *writer) {
		take(w)
		w.d.spool.delivered = [positions]history{}
	})
}

func (x *stepper) damageFile(d *disk, f int, touch func(string, func(*writer))) {
	if slot := d.journal.journals[f]; slot != 0 {
		touch("a journal is lost", func(w *writer) { w.d.journal.journals[f] = 0 })
		if n := &d.inodes[slot]; n.frames > 0 && n.marked == n.frames {
			touch("a journal is cut, its watermark stays", func(w *writer) { w.d.inodes[slot].cut() })
		}
		if n := &d.inodes[slot]; n.frames > 0 && x.m.t.size(d.checkpoint.now) >= x.m.t.size(n.end()) {
			touch("a journal and its watermark are those of before, the checkpoint stays", func(w *writer) {
				n := &w.d.inodes[slot]
				n.cut()
				n.marked = min(n.marked, n.frames)
			})
		}
	}
	for _, c := range []struct {
		what string
		kind uint8
		name history
	}{
		{"a spooled segment is lost", nameSegment, d.spool.segments[f]},
		{"a seal is lost", nameSeal, d.spool.seals[f]},
		{"a delivered seal is lost", nameDelivered, d.spool.delivered[f]},
	} {
		if c.name != 0 {
			touch(c.what, func(w *writer) {
				w.d.spool.change(renaming{c.kind, uint8(f), 0})
				w.d.spool.sync(1)
			})
		}
	}
}

func (n *inode) cut() {
	n.frames--
	n.chain[n.frames] = 0
	n.synced = n.frames
}
