package model

// Bounds of the arrays that make a state comparable. Exceeding one panics.
const (
	positions = 12
	maxInodes = 6
	maxFrames = 6
	maxNames  = 8
)

// inode is a journal file's content: its header frame, and behind it group
// frames and at last a closing one. A frame is the log's history behind it.
type inode struct {
	before history // what the header says
	chain  [maxFrames]history
	seed   uint8
	frames uint8 // as reads show them
	synced uint8 // of them on the disk
	marked uint8 // frame that the watermark calls answered; it lies in a file of its own that names this one
	used   bool
	doomed bool // an fdatasync failed: what it should have written never reaches the disk
}

// end is the log's history behind the file's last frame.
func (n *inode) end() history {
	if n.frames == 0 {
		return n.before
	}
	return n.chain[n.frames-1]
}

// renaming is a change of names that its folder has not been synced for.
type renaming struct {
	kind    uint8
	first   uint8
	content uint16 // an inode's slot, or a history; 0 removes
}

// Kinds of changes of names.
const (
	nameJournal uint8 = iota + 1
	nameSegment
	nameSeal
	nameDelivered // removes the seal's name, too, if it gives one
)

// folder is a folder's names: those on the disk, and what was changed since, in
// order. A power loss takes any end of that order.
type folder struct {
	journals                   [positions]uint8 // slots of inodes
	segments, seals, delivered [positions]history
	changes                    [maxNames]renaming
	changed                    uint8
}

func (f *folder) change(c renaming) {
	f.changes[f.changed] = c
	f.changed++
}

// sync makes the first n changes durable and forgets the others.
func (f *folder) sync(n uint8) {
	for _, c := range f.changes[:n] {
		switch c.kind {
		case nameJournal:
			f.journals[c.first] = uint8(c.content)
		case nameSegment:
			f.segments[c.first] = history(c.content)
		case nameSeal:
			f.seals[c.first] = history(c.content)
		case nameDelivered:
			f.delivered[c.first] = history(c.content)
			if c.content != 0 {
				f.seals[c.first] = 0
			}
		}
	}
	f.changes, f.changed = [maxNames]renaming{}, 0
}

// now is the folder as a process sees it.
func (f folder) now() folder {
	f.sync(f.changed)
	return f
}

// note is a small file that is replaced as a whole.
type note struct{ disk, now history }

// disk is one state directory.
type disk struct {
	inodes     [maxInodes]inode // slot 0 is never used
	journal    folder
	spool      folder
	checkpoint note
	identity   note
}

// create makes a journal file's content, without a name.
func (d *disk) create(n inode) uint8 {
	for i := 1; i < maxInodes; i++ {
		if !d.inodes[i].used {
			n.used = true
			d.inodes[i] = n
			return uint8(i)
		}
	}
	panic("model: too many journal files")
}

// collect frees the files that neither a name nor a handle refers to.
func (d *disk) collect(handles ...uint8) {
	var keep [maxInodes]bool
	for _, h := range handles {
		keep[h] = true
	}
	for _, i := range d.journal.journals {
		keep[i] = true
	}
	for _, c := range d.journal.changes[:d.journal.changed] {
		keep[c.content] = true
	}
	for i := range d.inodes {
		if !keep[i] {
			d.inodes[i] = inode{}
		}
	}
}

// syncRoot is an fsync of the state directory itself.
func (d *disk) syncRoot() { d.checkpoint.disk, d.identity.disk = d.checkpoint.now, d.identity.now }

// settle makes everything that a process sees durable.
func (d *disk) settle() {
	d.journal.sync(d.journal.changed)
	d.spool.sync(d.spool.changed)
	d.syncRoot()
	for i := range d.inodes {
		d.inodes[i].synced, d.inodes[i].doomed = d.inodes[i].frames, false
	}
	d.collect()
}

// losses are all states in which a power loss can leave the disk: of each folder
// the changes of names up to any one of them, of each file what was synced and
// perhaps the frame behind, the watermark or not, notes old or new. A torn frame
// needs no state of its own: a reader drops it, or refuses it by the watermark,
// exactly as if it were not there.
func (d *disk) losses(yield func(disk)) {
	for names := range d.journal.changed + 1 {
		for spooled := range d.spool.changed + 1 {
			for bits := range 16 {
				l := *d
				l.journal.sync(names)
				l.spool.sync(spooled)
				same := bits&1 == 0 && l.checkpoint.disk == l.checkpoint.now || bits&2 == 0 && l.identity.disk == l.identity.now
				if same {
					continue // as with the bit set
				}
				if bits&1 == 0 {
					l.checkpoint.now = l.checkpoint.disk
				}
				if bits&2 == 0 {
					l.identity.now = l.identity.disk
				}
				l.lose(bits&4 != 0, bits&8 != 0)
				l.settle()
				yield(l)
			}
		}
	}
}

// lose takes unsynced frames and watermarks, unless they happened to reach the
// disk.
func (d *disk) lose(frames, marks bool) {
	for i := range d.inodes {
		n := &d.inodes[i]
		if !frames || n.doomed {
			clear(n.chain[n.synced:])
			n.frames = n.synced
		}
		if !marks {
			n.marked = 0
		}
	}
}
