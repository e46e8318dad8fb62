package sealer

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
)

// LockFile is the file, below a state directory, that its writer locks.
const LockFile = lockFile

// A Salvage is what can be read of a state directory, in whatever state it is.
// What it holds is checked for itself, not for belonging together.
type Salvage struct {
	// Trouble is what Open would say; nil: the state is whole.
	Trouble error
	// Nonce is the genesis nonce that the identity names, nil without one.
	Nonce *[32]byte
	// Checkpoint is the remembered checkpoint's note, nil without one.
	Checkpoint []byte
	Seals      []SalvagedSeal     // by place
	Orphans    []Orphan           // segments without a valid seal, by place
	Journals   []*SalvagedJournal // by name
	// Unreadable is how many bytes of journals hold no readable record.
	Unreadable int64
	// Forked says that a writer was told here of another history.
	Forked bool
	// Faults are what is the matter, file by file; their names are those in the
	// state directory, for they are sealed.
	Faults []string

	dir string
}

// Empty says that nothing of a log is left.
func (s *Salvage) Empty() bool {
	return s.Nonce == nil && s.Checkpoint == nil && len(s.Seals) == 0 && len(s.Orphans) == 0 && len(s.Journals) == 0
}

// A SalvagedSeal is a valid seal of the spool, or one made again for an [Orphan].
// Its bytes stay in its files.
type SalvagedSeal struct {
	File  string
	Head  seal.Head
	After checkpoint.Signed
	Whole bool // its segment is here, too

	c    *Config
	made *seal.Verified
}

// Name is the file's in the state directory.
func (s *SalvagedSeal) Name() string { return path.Join(spoolDir, filepath.Base(s.File)) }

// Open reads the seal.
func (s *SalvagedSeal) Open() (*seal.Verified, error) {
	if s.made != nil {
		return s.made, nil
	}
	b, err := read(s.c.FS, s.File)
	if err != nil {
		return nil, err
	}
	keys, err := checkpoint.ParseKeys(s.c.Signer.VerifierKey())
	if err != nil {
		return nil, err
	}
	return seal.Open(b, keys)
}

// Segment reads the segment object.
func (s *SalvagedSeal) Segment() ([]byte, error) {
	return read(s.c.FS, spoolPath(s.c.Dir, s.Head.First, segmentExt))
}

// An Orphan is a spooled segment whose seal is not there or damaged. Sealing is a
// pure function: at its place the same seal can be made again.
type Orphan struct {
	File   string
	Header segment.Header

	c *Config
}

// Salvaging reads what is left of the state directory of c, of which only Log,
// Signer, Dir and FS count. It changes nothing. The caller holds the lock. It
// fails if files cannot be read, and with [ErrOtherLog] if another log is at home
// there.
func Salvaging(c Config) (*Salvage, error) {
	if c.FS == nil {
		c.FS = durable.OS
	}
	s := &Salvage{dir: c.Dir}
	id, err := readIdentity(&c)
	for try := 0; badDisk(err) && try < 2; try++ {
		id, err = readIdentity(&c)
	}
	switch {
	case err == nil:
		s.Nonce = &id.nonce
	case errors.Is(err, ErrDamaged), badDisk(err):
		s.fault(filepath.Join(c.Dir, identityFile), causeOf(err))
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	for _, read := range []func(*Config) error{s.readCheckpoint, s.readSeals, s.readOrphans, s.readJournals} {
		if err := read(&c); err != nil {
			return nil, fmt.Errorf("state directory: %w", err)
		}
	}
	if _, s.Forked, err = readForked(&c); err != nil && !badDisk(err) {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	s.Forked = s.Forked || err != nil // It is there, and cannot be read.
	s.Trouble = judge(c)
	if err := s.Trouble; err != nil && !knownTrouble(err) {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	return s, nil
}

// knownTrouble says whether an error is about what the files say, and not that
// they could not be read.
func knownTrouble(err error) bool {
	return errors.Is(err, ErrDamaged) || errors.Is(err, ErrNoHead) || errors.Is(err, ErrOtherLog) || badDisk(err)
}

func (s *Salvage) fault(path string, cause error) {
	if rel, err := filepath.Rel(s.dir, path); err == nil {
		path = filepath.ToSlash(rel)
	}
	if failed := (*fs.PathError)(nil); errors.As(cause, &failed) {
		cause = failed.Err // Its path is that of this machine.
	}
	s.Faults = append(s.Faults, fmt.Sprintf("%s: %v", path, cause))
}

func (s *Salvage) readCheckpoint(c *Config) error {
	b, err := read(c.FS, filepath.Join(c.Dir, checkpointFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil && !badDisk(err) {
		return err
	}
	keys, err := checkpoint.ParseKeys(c.Signer.VerifierKey())
	if err != nil {
		return err
	}
	if _, err := checkpoint.Open(b, keys); err != nil {
		s.fault(filepath.Join(c.Dir, checkpointFile), err)
		return nil
	}
	s.Checkpoint = b
	return nil
}

func (s *Salvage) readSeals(c *Config) error {
	dir := filepath.Join(c.Dir, spoolDir)
	entries, err := c.FS.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	keys, err := checkpoint.ParseKeys(c.Signer.VerifierKey())
	if err != nil {
		return err
	}
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		if ext != sealExt && ext != deliveredExt {
			continue
		}
		path := filepath.Join(dir, e.Name())
		b, err := read(c.FS, path)
		if err != nil && !badDisk(err) {
			return err
		}
		v, err := seal.Open(b, keys)
		if err != nil {
			s.fault(path, err)
			continue
		}
		if v.Log != c.Log {
			s.fault(path, fmt.Errorf("it is a seal of log %s", v.Log))
			continue
		}
		if err := s.addSeal(c, path, v); err != nil {
			return err
		}
	}
	slices.SortStableFunc(s.Seals, func(a, b SalvagedSeal) int { return cmp.Compare(a.Head.First, b.Head.First) })
	return nil
}

// addSeal adds a seal. One that was renamed in a crash can be there twice.
func (s *Salvage) addSeal(c *Config, path string, v *seal.Verified) error {
	if slices.ContainsFunc(s.Seals, func(o SalvagedSeal) bool { return o.Head == v.Head }) {
		return nil
	}
	found := SalvagedSeal{File: path, Head: v.Head, After: v.After(), c: c}
	b, err := found.Segment()
	switch {
	case badDisk(err):
		s.fault(spoolPath(c.Dir, v.First, segmentExt), err)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case err == nil:
		found.Whole = sha256.Sum256(b) == v.Segment
		if !found.Whole {
			s.fault(spoolPath(c.Dir, v.First, segmentExt), errors.New("it is not the segment that its seal names"))
		}
	case filepath.Ext(path) == sealExt:
		s.fault(spoolPath(c.Dir, v.First, segmentExt), errors.New("it is missing"))
	}
	s.Seals = append(s.Seals, found)
	return nil
}

func (s *Salvage) readOrphans(c *Config) error {
	dir := filepath.Join(c.Dir, spoolDir)
	entries, err := c.FS.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if filepath.Ext(path) != segmentExt {
			continue
		}
		b, err := read(c.FS, path)
		if err != nil && !badDisk(err) {
			return err
		}
		sum := sha256.Sum256(b)
		if slices.ContainsFunc(s.Seals, func(f SalvagedSeal) bool { return f.Head.Segment == sum }) {
			continue
		}
		parsed, err := segment.Parse(b)
		if err != nil || parsed.Origin != c.Signer.Name() {
			continue // It was told of with its seal.
		}
		s.Orphans = append(s.Orphans, Orphan{path, parsed.Header, c})
	}
	slices.SortStableFunc(s.Orphans, func(a, b Orphan) int { return cmp.Compare(a.Header.First, b.Header.First) })
	return nil
}

// readJournals reads every file of the journal folder, whatever it is called.
func (s *Salvage) readJournals(c *Config) error {
	dir := filepath.Join(c.Dir, journalDir)
	entries, err := c.FS.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if !e.Type().IsRegular() || filepath.Ext(path) == filepath.Ext(markPath("")) || durable.IsTemp(e.Name()) {
			continue
		}
		if err := s.readJournal(c, path); err != nil {
			return err
		}
	}
	return nil
}

func (s *Salvage) readJournal(c *Config, path string) error {
	b, err := readSome(c.FS, path)
	if err != nil {
		return err
	}
	j := &SalvagedJournal{File: path, fs: c.FS}
	content, err := readJournal(c.FS, path)
	for try := 0; badDisk(err) && try < 2; try++ {
		content, err = readJournal(c.FS, path)
	}
	switch {
	case err == nil:
		j.headed, j.header, j.groups, j.closed, j.intact = true, content.header, content.groups, content.closed, true
		j.slim()
	case errors.Is(err, ErrDamaged), badDisk(err):
		m, fault := readMark(c.FS, path)
		if fault != nil && !badDisk(fault) {
			return fault
		}
		s.Unreadable += j.scan(b, m)
		s.rehead(j)
		s.fault(path, causeOf(err))
	default:
		return err
	}
	if j.headed && j.header.origin != c.Signer.Name() {
		s.fault(path, fmt.Errorf("it belongs to %s", j.header.origin))
		return nil
	}
	s.Journals = append(s.Journals, j)
	return nil
}

// rehead gives a journal without a header the one that its spooled segment tells:
// it was sealed just before a crash.
func (s *Salvage) rehead(j *SalvagedJournal) {
	first, ok := j.First()
	for i := range s.Seals {
		f := &s.Seals[i]
		if j.headed || !ok || f.Head.First != first || !f.Whole {
			continue
		}
		v, err := f.Open()
		if err != nil {
			continue
		}
		if b, err := f.Segment(); err == nil {
			j.Rehead(v, b)
		}
	}
}

// badDisk says that bytes cannot be read any more.
func badDisk(err error) bool { return errors.Is(err, syscall.EIO) }

// read reads a file. A bad disk may give later what it did not give at once.
func read(fsys durable.FS, path string) (b []byte, err error) {
	for range 3 {
		if b, err = readFile(fsys, path); !badDisk(err) {
			break
		}
	}
	return b, err
}

// readSome reads a file, with zeros where the disk gives nothing.
func readSome(fsys durable.FS, path string) ([]byte, error) {
	b, err := read(fsys, path)
	if !badDisk(err) {
		return b, err
	}
	f, err := fsys.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	const sector = 4096
	b = make([]byte, info.Size())
	for at := 0; at < len(b); at += sector {
		part := b[at:min(at+sector, len(b))]
		if _, err := f.ReadAt(part, int64(at)); err != nil {
			clear(part)
		}
	}
	return b, nil
}

// causeOf is what is the matter, without the file and the advice.
func causeOf(err error) error {
	if d := (*damagedError)(nil); errors.As(err, &d) {
		return d.cause
	}
	return err
}
