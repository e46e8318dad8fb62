// Package durabletest is a file system in memory that forgets what was not
// synced when the power goes, and that fails where a test tells it to.
//
// It is as forgetful as POSIX allows. A file's content survives [FS.Crash]
// only up to its last Sync, and a name only if its folder was synced since.
// After a Sync that failed without being applied, what it should have written
// is lost for good although reads still show it, as on Linux.
package durabletest

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/otelcol-custody/custody/internal/durable"
)

// FS is a [durable.FS] in memory, also a [durable.Immutable]. Make one with
// [New]. Paths are taken from its root, relative ones too. It has no symbolic
// links and does not enforce permission bits.
type FS struct {
	mu      sync.Mutex // guards all below, and all nodes
	root    *node
	journal []change // changes of names that are not durable yet, in order
	locks   map[string]bool
	faults  []*fault
	calls   []Call
	dead    error // set once the power is gone or the process ended
}

// New returns an empty file system.
func New() *FS {
	return &FS{root: newDir(0o755), locks: map[string]bool{}}
}

type node struct {
	mode      fs.FileMode
	modified  time.Time
	immutable bool

	// A folder's names, as seen now and as on the disk.
	names, diskNames map[string]*node
	// A file's content, as seen now and as on the disk.
	data, diskData []byte
	writes         []write // what separates data from diskData, in order
}

func newDir(perm fs.FileMode) *node {
	return &node{mode: fs.ModeDir | perm.Perm(), names: map[string]*node{}, diskNames: map[string]*node{}}
}

// write puts data at off, or sets the size to off if data is nil.
type write struct {
	off  int64
	data []byte
}

func (w write) apply(b []byte) []byte {
	if w.data == nil {
		return resize(b, w.off)
	}
	if end := w.off + int64(len(w.data)); end > int64(len(b)) {
		b = resize(b, end)
	}
	copy(b[w.off:], w.data)
	return b
}

func resize(b []byte, size int64) []byte {
	if size <= int64(len(b)) {
		return b[:size:size]
	}
	return append(b, make([]byte, size-int64(len(b)))...)
}

// change is one atomic step of names: a rename has two parts.
type change []part

type part struct {
	dir  *node
	name string
	node *node // nil removes the name
}

func split(path string) []string {
	return strings.FieldsFunc(filepath.ToSlash(filepath.Clean(path)), func(r rune) bool { return r == '/' })
}

// find returns the node at path. The caller holds mu.
func (m *FS) find(path string) (*node, error) {
	n := m.root
	for _, seg := range split(path) {
		if seg == "." {
			continue
		}
		if !n.mode.IsDir() {
			return nil, syscall.ENOTDIR
		}
		if n = n.names[seg]; n == nil {
			return nil, syscall.ENOENT
		}
	}
	return n, nil
}

// parent returns the folder that holds path, and path's last segment.
func (m *FS) parent(path string) (*node, string, error) {
	dir, err := m.find(filepath.Dir(filepath.Clean(path)))
	if err != nil {
		return nil, "", err
	}
	if !dir.mode.IsDir() {
		return nil, "", syscall.ENOTDIR
	}
	return dir, filepath.Base(path), nil
}

// change makes c visible and remembers that the disk does not have it.
func (m *FS) change(c change) {
	for _, p := range c {
		if p.node == nil {
			delete(p.dir.names, p.name)
		} else {
			p.dir.names[p.name] = p.node
		}
	}
	m.journal = append(m.journal, c)
}

// OpenFile implements [durable.FS].
func (m *FS) OpenFile(name string, flag int, perm fs.FileMode) (durable.File, error) {
	var h *handle
	err := m.do(Call{Op: OpOpen, Name: name}, func() error {
		n, err := m.open(name, flag, perm)
		h = &handle{fs: m, node: n, name: name, flag: flag}
		return err
	})
	if err != nil {
		return nil, err
	}
	return durable.Guard(h), nil
}

func (m *FS) open(name string, flag int, perm fs.FileMode) (*node, error) {
	writing := flag&(os.O_WRONLY|os.O_RDWR) != 0
	n, err := m.find(name)
	if errors.Is(err, syscall.ENOENT) && flag&os.O_CREATE != 0 {
		dir, base, err := m.parent(name)
		if err != nil {
			return nil, err
		}
		n = &node{mode: perm.Perm(), modified: time.Now()}
		m.change(change{{dir, base, n}})
		return n, nil
	}
	switch {
	case err != nil:
		return nil, err
	case flag&os.O_CREATE != 0 && flag&os.O_EXCL != 0:
		return nil, syscall.EEXIST
	case writing && n.mode.IsDir():
		return nil, syscall.EISDIR
	case writing && n.immutable:
		return nil, syscall.EPERM
	case writing && flag&os.O_TRUNC != 0:
		n.put(write{off: 0})
	}
	return n, nil
}

func (n *node) put(w write) {
	n.data = w.apply(n.data)
	n.writes = append(n.writes, w)
}

// Mkdir implements [durable.FS].
func (m *FS) Mkdir(name string, perm fs.FileMode) error {
	return m.do(Call{Op: OpMkdir, Name: name}, func() error {
		dir, base, err := m.parent(name)
		if err != nil {
			return err
		}
		if dir.names[base] != nil || dir == m.root && len(split(name)) == 0 {
			return syscall.EEXIST
		}
		n := newDir(perm)
		n.modified = time.Now()
		m.change(change{{dir, base, n}})
		return nil
	})
}

// Rename implements [durable.FS].
func (m *FS) Rename(oldName, newName string) error {
	return m.do(Call{Op: OpRename, Name: oldName, To: newName}, func() error { return m.rename(oldName, newName, true) })
}

// RenameNoReplace implements [durable.FS].
func (m *FS) RenameNoReplace(oldName, newName string) error {
	return m.do(Call{Op: OpRenameNoReplace, Name: oldName, To: newName}, func() error { return m.rename(oldName, newName, false) })
}

func (m *FS) rename(oldName, newName string, replace bool) error {
	n, err := m.find(oldName)
	if err != nil {
		return err
	}
	from, oldBase, err := m.parent(oldName)
	if err != nil {
		return err
	}
	to, newBase, err := m.parent(newName)
	if err != nil {
		return err
	}
	there := to.names[newBase]
	switch {
	case there != nil && !replace:
		return syscall.EEXIST
	case there == n:
		return nil
	case there != nil && there.mode.IsDir() && !n.mode.IsDir():
		return syscall.EISDIR
	case there != nil && !there.mode.IsDir() && n.mode.IsDir():
		return syscall.ENOTDIR
	case there != nil && len(there.names) > 0:
		return syscall.ENOTEMPTY
	case n.immutable || there != nil && there.immutable:
		return syscall.EPERM
	}
	m.change(change{{from, oldBase, nil}, {to, newBase, n}})
	return nil
}

// Link implements [durable.FS].
func (m *FS) Link(oldName, newName string) error {
	return m.do(Call{Op: OpLink, Name: oldName, To: newName}, func() error {
		n, err := m.find(oldName)
		if err != nil {
			return err
		}
		dir, base, err := m.parent(newName)
		switch {
		case err != nil:
			return err
		case dir.names[base] != nil:
			return syscall.EEXIST
		case n.immutable || n.mode.IsDir():
			return syscall.EPERM
		}
		m.change(change{{dir, base, n}})
		return nil
	})
}

// Remove implements [durable.FS].
func (m *FS) Remove(name string) error {
	return m.do(Call{Op: OpRemove, Name: name}, func() error {
		n, err := m.find(name)
		if err != nil {
			return err
		}
		dir, base, err := m.parent(name)
		switch {
		case err != nil:
			return err
		case n.immutable:
			return syscall.EPERM
		case len(n.names) > 0:
			return syscall.ENOTEMPTY
		}
		m.change(change{{dir, base, nil}})
		return nil
	})
}

// ReadDir implements [durable.FS].
func (m *FS) ReadDir(name string) (entries []fs.DirEntry, err error) {
	err = m.do(Call{Op: OpReadDir, Name: name}, func() error {
		n, err := m.find(name)
		if err != nil {
			return err
		}
		if !n.mode.IsDir() {
			return syscall.ENOTDIR
		}
		for _, base := range slices.Sorted(maps.Keys(n.names)) {
			entries = append(entries, fs.FileInfoToDirEntry(n.names[base].info(base)))
		}
		return nil
	})
	return entries, err
}

// Lstat implements [durable.FS].
func (m *FS) Lstat(name string) (fs.FileInfo, error) { return m.Stat(name) }

// Stat implements [durable.FS].
func (m *FS) Stat(name string) (info fs.FileInfo, err error) {
	err = m.do(Call{Op: OpStat, Name: name}, func() error {
		n, err := m.find(name)
		if err == nil {
			info = n.info(filepath.Base(name))
		}
		return err
	})
	return info, err
}

// Truncate implements [durable.FS].
func (m *FS) Truncate(name string, size int64) error {
	return m.do(Call{Op: OpTruncate, Name: name}, func() error {
		n, err := m.find(name)
		switch {
		case err != nil:
			return err
		case n.mode.IsDir():
			return syscall.EISDIR
		case n.immutable:
			return syscall.EPERM
		case size < 0:
			return syscall.EINVAL
		}
		n.put(write{off: size})
		return nil
	})
}

// Lock implements [durable.FS]. Locks end with [FS.Crash] and [FS.Restart].
func (m *FS) Lock(name string) (io.Closer, error) {
	err := m.do(Call{Op: OpLock, Name: name}, func() error {
		if m.locks[name] {
			return &durable.LockedError{Path: name, PID: os.Getpid()}
		}
		if _, err := m.open(name, os.O_RDWR|os.O_CREATE, 0o644); err != nil {
			return err
		}
		m.locks[name] = true
		return nil
	})
	if err != nil {
		return nil, err
	}
	return unlock{m, name}, nil
}

type unlock struct {
	m    *FS
	name string
}

func (u unlock) Close() error {
	u.m.mu.Lock()
	defer u.m.mu.Unlock()
	delete(u.m.locks, u.name)
	return nil
}

// SetImmutable implements [durable.Immutable].
func (m *FS) SetImmutable(name string, on bool) error {
	return m.do(Call{Op: OpSetImmutable, Name: name}, func() error {
		n, err := m.find(name)
		if err == nil {
			n.immutable = on
		}
		return err
	})
}

// IsImmutable implements [durable.Immutable].
func (m *FS) IsImmutable(name string) (on bool, err error) {
	err = m.do(Call{Op: OpStat, Name: name}, func() error {
		n, err := m.find(name)
		on = err == nil && n.immutable
		return err
	})
	return on, err
}
