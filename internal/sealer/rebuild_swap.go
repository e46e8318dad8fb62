package sealer

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/otelcol-custody/custody/internal/durable"
)

// What a recovery lays into the state directory.
const (
	markerFile = "recovering"     // how far a recovery is; Open refuses while it is there
	rebuiltDir = "rebuilt"        // the new state, until it has its place
	asideStart = "before-recover" // begins the name of what was set aside
	noteFile   = "recovery.json"  // the caller's note, in the end in the folder set aside
)

// The phases of a recovery. Each can be done again after a crash.
const (
	moving  = "moving"  // the new state is complete; the old one is being set aside
	placing = "placing" // the old one is set aside; the new one is being put into its place
)

// marker says how far a recovery is.
type marker struct{ phase, aside string }

const markerVersion = "custody-recovering/v1"

func (m marker) text() string {
	return fmt.Sprintf("%s\nphase %s\nfolder %s\n", markerVersion, m.phase, m.aside)
}

// advance is the durable step from one phase to the next.
func advance(c *Config, m marker) error {
	return durable.WriteFile(c.FS, filepath.Join(c.Dir, markerFile), []byte(m.text()), 0o600)
}

func readMarker(c *Config) (m marker, err error) {
	path := filepath.Join(c.Dir, markerFile)
	b, err := readFile(c.FS, path)
	if err != nil {
		return m, err
	}
	_, rest, _ := strings.Cut(string(b), "\nphase ")
	m.phase, rest, _ = strings.Cut(rest, "\nfolder ")
	m.aside = strings.TrimSuffix(rest, "\n")
	if m.text() != string(b) || m.phase != moving && m.phase != placing || strings.ContainsRune(m.aside, filepath.Separator) {
		return m, damaged(path, fmt.Errorf("it does not say how far the recovery was; the old state is in %s or in its folder %s-…, and nowhere else", c.Dir, asideStart))
	}
	return m, nil
}

// FinishRebuild ends a recovery that was interrupted after its commit point, and
// returns its note, or nil if there was none to end: then the state directory is
// as it was before. The caller holds the lock.
func FinishRebuild(c Config) (note []byte, err error) {
	m, err := readMarker(&c)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	aside := filepath.Join(c.Dir, m.aside)
	if err := swap(&c, m, aside); err != nil {
		return nil, fmt.Errorf("put the new state into %s; run recover again once this is mended: %w", c.Dir, err)
	}
	return readFile(c.FS, filepath.Join(aside, noteFile))
}

// Interrupted is [ErrRecovering] if there is a recovery that [FinishRebuild] would
// end.
func Interrupted(c Config) error {
	_, err := readMarker(&c)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return cmp.Or(err, errInterrupted(&c))
}

func swap(c *Config, m marker, aside string) error {
	// A killed process may have left the marker in the kernel alone.
	if err := c.FS.SyncDir(c.Dir); err != nil {
		return err
	}
	if m.phase == moving {
		if err := durable.MkdirAll(c.FS, aside, 0o700); err != nil {
			return err
		}
		if err := move(c.FS, c.Dir, aside, foreign); err != nil {
			return err
		}
		m.phase = placing
		if err := advance(c, m); err != nil {
			return err
		}
	}
	rebuilt := filepath.Join(c.Dir, rebuiltDir)
	if err := move(c.FS, rebuilt, c.Dir, func(name string) bool { return name == noteFile }); err != nil {
		return err
	}
	if err := move(c.FS, rebuilt, aside, func(string) bool { return false }); err != nil {
		return err
	}
	if err := durable.Remove(c.FS, rebuilt); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// The end: from here on Open takes the new state.
	return durable.Remove(c.FS, filepath.Join(c.Dir, markerFile))
}

// foreign says which names in a state directory are not part of a log's state:
// those of a recovery, and what a writer never wrote, as lost+found on a volume of
// its own, which nobody may move.
func foreign(name string) bool {
	switch name {
	case identityFile, checkpointFile, journalDir, spoolDir, recordsDir, forkedFile:
		return false
	}
	return true
}

// move renames everything in one folder into another, and returns once both are
// durable. A folder that is gone has been moved.
func move(fsys durable.FS, from, to string, stays func(name string) bool) error {
	entries, err := fsys.ReadDir(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if stays(e.Name()) {
			continue
		}
		if err := fsys.Rename(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())); err != nil {
			return err
		}
	}
	// First where it is now: what is lost on the way would be lost for good.
	if err := fsys.SyncDir(to); err != nil {
		return err
	}
	return fsys.SyncDir(from)
}

// AsideName is the name of the folder for what a recovery at this time, in text,
// sets aside; it is free in the state directory.
func AsideName(c Config, at string) (string, error) {
	for n := 1; ; n++ {
		name := asideStart + "-" + at
		if n > 1 {
			name = fmt.Sprintf("%s-%d", name, n)
		}
		switch _, err := c.FS.Lstat(filepath.Join(c.Dir, name)); {
		case errors.Is(err, fs.ErrNotExist):
			return name, nil
		case err != nil:
			return "", err
		}
	}
}
