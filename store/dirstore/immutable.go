package dirstore

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"

	"github.com/otelcol-custody/custody/internal/durable"
)

// Immutable says whether stored files get the immutable attribute.
type Immutable uint8

// The settings. With Auto and Require a store that gets its first immutable
// file also gets the hidden note [NoteName], which says how to delete it.
const (
	ImmutableAuto    Immutable = iota // where possible; Status says if not
	ImmutableRequire                  // or Open and PutOnce fail
	ImmutableOff                      // never
)

// ParseImmutable reads "auto", "require" or "off".
func ParseImmutable(s string) (Immutable, error) {
	for _, i := range []Immutable{ImmutableAuto, ImmutableRequire, ImmutableOff} {
		if s == i.String() {
			return i, nil
		}
	}
	return 0, fmt.Errorf("must be auto, require or off, got %q", s)
}

// String returns the setting as [ParseImmutable] reads it.
func (i Immutable) String() string {
	switch i {
	case ImmutableAuto:
		return "auto"
	case ImmutableRequire:
		return "require"
	case ImmutableOff:
		return "off"
	}
	return "unknown"
}

// NoteName is the note that says how to delete an immutable store.
const NoteName = ".README-immutable.txt"

const note = `The files of this store are immutable: neither their owner nor root can change
or delete them ("Operation not permitted"). That is on purpose, they are
evidence. To delete the store all the same, as root:

    chattr -R -i DIRECTORY
    rm -rf DIRECTORY

To store without the attribute, set "immutable: off".
`

// Status says how the files stored since Open are protected. An object that
// was there already and was put again counts, too.
type Status struct {
	Setting   Immutable
	Active    bool   // new files get the attribute
	Immutable int64  // files that got it
	Plain     int64  // files that did not
	Reason    string // why not, in a sentence; empty if all did
}

// Status reports on the immutable attribute. A read-only store has none.
func (s *Store) Status() Status {
	if s.marks == nil {
		return Status{Setting: ImmutableOff, Reason: "the store is open for reading only"}
	}
	s.marks.mu.Lock()
	defer s.marks.mu.Unlock()
	return s.marks.status
}

// marks puts the attribute on files.
type marks struct {
	store *Store
	attr  durable.Immutable

	mu     sync.Mutex // guards what follows
	status Status
	noted  bool // the note is there
}

// newMarks finds out whether the attribute can be set.
func newMarks(s *Store, setting Immutable) (*marks, error) {
	m := &marks{store: s, status: Status{Setting: setting}}
	if setting == ImmutableOff {
		m.status.Reason = "switched off (immutable: off)"
		return m, nil
	}
	err := m.probe()
	switch {
	case err == nil:
		m.status.Active = true
	case m.attr != nil && !isAny(err, errors.ErrUnsupported, fs.ErrPermission):
		// A full disk, say: no answer yet, so each object asks again.
		m.status.Active = true
	case setting == ImmutableRequire:
		return nil, fmt.Errorf("store directory %s: immutable: require: %s: %w", s.root, why(err), err)
	default:
		m.status.Reason = why(err)
	}
	return m, nil
}

// why explains a failure to set the attribute.
func why(err error) string {
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return "the file system has no immutable attribute; ext4, xfs and btrfs have"
	case errors.Is(err, fs.ErrPermission):
		return "the process may not set the immutable attribute; it needs the capability CAP_LINUX_IMMUTABLE"
	}
	return fmt.Sprintf("the immutable attribute could not be set: %v", err)
}

// probe sets the attribute on a file of its own and takes it off again.
func (m *marks) probe() error {
	attr, ok := m.store.fs.(durable.Immutable)
	if !ok {
		return errors.ErrUnsupported
	}
	m.attr = attr
	path := m.store.session.probe()
	if err := durable.CreateOnlyVia(m.store.fs, m.store.session.temp(), path, nil, 0o444); err != nil {
		return err
	}
	err := attr.SetImmutable(path, true)
	if err == nil {
		err = attr.SetImmutable(path, false)
	}
	return errors.Join(err, m.store.fs.Remove(path))
}

// protect puts the attribute on a stored file and counts. It fails only with
// [ImmutableRequire]; the file is stored all the same then, and putting it
// again tries again.
func (m *marks) protect(path string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.status.Active {
		m.status.Plain++
		return nil
	}
	err := m.mark(path)
	if err == nil {
		m.status.Immutable++
		return nil
	}
	m.status.Plain++
	m.status.Reason = why(err)
	if m.status.Setting == ImmutableRequire {
		return m.store.ioError(fmt.Errorf("%s is stored, but immutable: require: %s: %w", path, m.status.Reason, err))
	}
	return nil
}

func (m *marks) mark(path string) error {
	fsys, root := m.store.fs, m.store.root
	paths := []string{path}
	if !m.noted {
		name := filepath.Join(root, NoteName)
		err := durable.CreateOnlyVia(fsys, m.store.session.temp(), name, []byte(note), 0o444)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		// Immutable itself, or it would be the first that a vain "rm -rf"
		// takes away.
		paths = append(paths, name)
	}
	// The temporary names must be gone for good first: if a crash brought
	// one back, nobody could remove it without unprotecting the object.
	if err := fsys.SyncDir(filepath.Join(root, tempFolder)); err != nil {
		return err
	}
	for _, p := range paths {
		if err := m.attr.SetImmutable(p, true); err != nil {
			return err
		}
	}
	m.noted = true
	return nil
}
