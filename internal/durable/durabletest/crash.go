package durabletest

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"slices"
	"syscall"
)

func (n *node) flush() {
	for _, w := range n.writes {
		n.diskData = w.apply(n.diskData)
	}
	n.writes = nil
}

// SyncDir implements [durable.FS].
func (m *FS) SyncDir(name string) error {
	return m.do(Call{Op: OpSyncDir, Name: name}, func() error {
		dir, err := m.find(name)
		if err != nil {
			return err
		}
		if !dir.mode.IsDir() {
			return syscall.ENOTDIR
		}
		keep := make([]bool, len(m.journal))
		for i, c := range m.journal {
			keep[i] = c.touches(map[*node]bool{dir: true})
		}
		m.settle(keep)
		return nil
	})
}

func (c change) touches(dirs map[*node]bool) bool {
	return slices.ContainsFunc(c, func(p part) bool { return dirs[p.dir] })
}

// settle writes the chosen changes to the disk, and with each one all earlier
// changes of the same folders: a folder's changes reach the disk in order,
// and a rename between two folders reaches both or none.
func (m *FS) settle(keep []bool) {
	dirs := map[*node]bool{}
	for i := len(m.journal) - 1; i >= 0; i-- {
		if keep[i] = keep[i] || m.journal[i].touches(dirs); keep[i] {
			for _, p := range m.journal[i] {
				dirs[p.dir] = true
			}
		}
	}
	var rest []change
	for i, c := range m.journal {
		if !keep[i] {
			rest = append(rest, c)
			continue
		}
		for _, p := range c {
			if p.node == nil {
				delete(p.dir.diskNames, p.name)
			} else {
				p.dir.diskNames[p.name] = p.node
			}
		}
	}
	m.journal = rest
}

// Crash cuts the power and returns the file system as it is found after the
// next boot: with nothing that was not synced, without faults and locks. All
// calls on m and its files fail from now on.
func (m *FS) Crash() *FS {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.reboot()
}

// CrashRandom is [FS.Crash], but of what was not synced any part may have
// reached the disk: some changes of names, some writes, some of them torn. It
// may be called many times, for many ways in which one crash can end.
func (m *FS) CrashRandom(rng *rand.Rand) *FS {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dead = ErrCrashed
	return m.clone().settleRandom(rng).reboot()
}

// clone copies the whole state, the disk's too.
func (m *FS) clone() *FS {
	copies := map[*node]*node{}
	var clone func(*node) *node
	clone = func(n *node) *node {
		if c := copies[n]; c != nil || n == nil {
			return c
		}
		c := &node{mode: n.mode, modified: n.modified, immutable: n.immutable, writes: slices.Clone(n.writes)}
		copies[n] = c
		c.data, c.diskData = bytes.Clone(n.data), bytes.Clone(n.diskData)
		c.names, c.diskNames = maps.Clone(n.names), maps.Clone(n.diskNames)
		for _, names := range []map[string]*node{c.names, c.diskNames} {
			for name, child := range names {
				names[name] = clone(child)
			}
		}
		return c
	}
	out := &FS{root: clone(m.root)}
	for _, c := range m.journal {
		c = slices.Clone(c)
		for i := range c {
			c[i].dir, c[i].node = clone(c[i].dir), clone(c[i].node)
		}
		out.journal = append(out.journal, c)
	}
	return out
}

func (m *FS) settleRandom(rng *rand.Rand) *FS {
	keep := make([]bool, len(m.journal))
	for i := range keep {
		keep[i] = rng.IntN(2) == 0
	}
	m.settle(keep)
	m.eachDiskFile(func(n *node) {
		for _, w := range n.writes {
			switch cut := len(w.data); rng.IntN(4) {
			case 0: // lost
			case 1:
				if cut > 0 {
					w.data = w.data[:rng.IntN(cut)]
				}
				n.diskData = w.apply(n.diskData)
			default:
				n.diskData = w.apply(n.diskData)
			}
		}
	})
	return m
}

// eachDiskFile visits each file that has a durable name, once, in the order
// of names, so that a seed gives the same crash again.
func (m *FS) eachDiskFile(visit func(*node)) {
	seen := map[*node]bool{}
	var walk func(*node)
	walk = func(dir *node) {
		for _, name := range slices.Sorted(maps.Keys(dir.diskNames)) {
			n := dir.diskNames[name]
			switch {
			case n.mode.IsDir():
				walk(n)
			case !seen[n]:
				seen[n] = true
				visit(n)
			}
		}
	}
	walk(m.root)
}

func (m *FS) reboot() *FS {
	m.dead = ErrCrashed
	copies := map[*node]*node{} // keeps two names of one file together
	var boot func(*node) *node
	boot = func(n *node) *node {
		if c := copies[n]; c != nil {
			return c
		}
		c := &node{mode: n.mode, modified: n.modified, immutable: n.immutable}
		copies[n] = c
		if !n.mode.IsDir() {
			c.data, c.diskData = bytes.Clone(n.diskData), bytes.Clone(n.diskData)
			return c
		}
		c.names, c.diskNames = map[string]*node{}, map[string]*node{}
		for name, child := range n.diskNames {
			c.diskNames[name] = boot(child)
		}
		maps.Copy(c.names, c.diskNames)
		return c
	}
	return &FS{root: boot(m.root), locks: map[string]bool{}}
}

// Restart ends the process but not the machine, as kill -9 does: what was
// written stays visible but is no more durable than before. Faults and locks
// are gone. All calls on m and its files fail from now on.
func (m *FS) Restart() *FS {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dead = ErrCrashed
	return &FS{root: m.root, journal: m.journal, locks: map[string]bool{}}
}
