package durabletest

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"
)

// Op names a kind of call.
type Op string

// The kinds of calls.
const (
	OpOpen            Op = "open"
	OpMkdir           Op = "mkdir"
	OpRead            Op = "read"
	OpWrite           Op = "write" // Write and WriteAt
	OpSync            Op = "sync"
	OpSeek            Op = "seek"
	OpTruncate        Op = "truncate"
	OpClose           Op = "close"
	OpRename          Op = "rename"
	OpRenameNoReplace Op = "rename-no-replace"
	OpLink            Op = "link"
	OpRemove          Op = "remove"
	OpReadDir         Op = "readdir"
	OpSyncDir         Op = "syncdir"
	OpStat            Op = "stat" // Stat, Lstat and IsImmutable
	OpLock            Op = "lock"
	OpSetImmutable    Op = "set-immutable"
)

// Changing reports whether calls of this kind can change what is on the disk:
// those are worth a crash before and after.
func (o Op) Changing() bool {
	switch o {
	case OpRead, OpSeek, OpClose, OpReadDir, OpStat:
		return false
	}
	return true
}

// Call is one call that was made.
type Call struct {
	Op    Op
	Name  string
	To    string // the second name of a rename or link
	Bytes int    // of a write
}

// String returns the call as a fault table shows it.
func (c Call) String() string {
	if c.To != "" {
		return fmt.Sprintf("%s %s -> %s", c.Op, c.Name, c.To)
	}
	return fmt.Sprintf("%s %s", c.Op, c.Name)
}

// ErrCrashed is what every call returns after the power has gone or the
// process was ended.
var ErrCrashed = errors.New("durabletest: the machine has crashed")

// Fault makes calls fail.
type Fault struct {
	Op   Op     // empty: all
	Path string // part of one of the call's names; empty: all
	N    int    // the n-th such call from now on fails, 1 is the next; 0 means 1

	Applied      bool  // the call takes effect although it fails
	Torn         bool  // a write takes effect by half
	UntilRestart bool  // all such calls from the n-th on fail
	Crash        bool  // the power goes with this call; Err is not used
	Err          error // nil means syscall.EIO
}

type fault struct {
	Fault
	seen int
}

// Inject adds a fault.
func (m *FS) Inject(f Fault) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f.N = max(f.N, 1)
	if f.Err == nil {
		f.Err = syscall.EIO
	}
	m.faults = append(m.faults, &fault{Fault: f})
}

// Heal takes all faults away, as when space returns to a full disk.
func (m *FS) Heal() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.faults = nil
}

// Calls returns the calls made so far, in order, also those that failed.
func (m *FS) Calls() []Call {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.calls)
}

// due records a call and returns the fault that hits it, if any.
func (m *FS) due(c Call) *fault {
	m.calls = append(m.calls, c)
	var hit *fault
	for _, f := range m.faults {
		if f.Op != "" && f.Op != c.Op || !strings.Contains(c.Name, f.Path) && !strings.Contains(c.To, f.Path) {
			continue
		}
		f.seen++
		if hit == nil && (f.seen == f.N || f.UntilRestart && f.seen > f.N) {
			hit = f
		}
	}
	return hit
}

// do makes a call: apply changes the state and may fail of its own.
func (m *FS) do(c Call, apply func() error) error { return m.call(c, apply, nil, nil) }

// doTorn makes a call that can take effect by half.
func (m *FS) doTorn(c Call, apply, torn func() error) error {
	return m.call(c, apply, torn, nil)
}

// doSync makes a file's content durable. If the sync fails unapplied, what it
// should have written is lost, and no later sync will write it.
func (m *FS) doSync(c Call, h *handle) error {
	return m.call(c, func() error {
		if h.closed {
			return fs.ErrClosed
		}
		h.node.flush()
		return nil
	}, nil, func() { h.node.writes = nil })
}

func (m *FS) call(c Call, apply, torn func() error, lost func()) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead != nil {
		return &fs.PathError{Op: string(c.Op), Path: c.Name, Err: m.dead}
	}
	f := m.due(c)
	if f == nil {
		return wrap(c, apply())
	}
	var err error
	switch {
	case f.Torn && torn != nil:
		err = torn()
	case f.Applied:
		err = apply()
	case lost != nil && !f.Crash:
		lost()
	}
	if f.Crash {
		m.dead = ErrCrashed
		return wrap(c, ErrCrashed)
	}
	if err != nil {
		return wrap(c, err) // it fails in its own right
	}
	return wrap(c, f.Err)
}

func wrap(c Call, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: string(c.Op), Path: c.Name, Err: err}
}
