package recordindex

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/otelcol-custody/custody/internal/durable"
)

const (
	manifestName    = "manifest"
	manifestVersion = "custody-record-index/v1"
	maxManifest     = 1 << 20
)

// A manifest says what an index consists of.
type manifest struct {
	log     string // its identity
	key     [32]byte
	from    uint64
	through uint64
	next    uint64 // number of the next run
	runs    []span // by position
}

func newManifest(log string) manifest {
	m := manifest{log: log}
	_, _ = rand.Read(m.key[:]) // never fails
	return m
}

func (m *manifest) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nlog %q\nkey %x\nfrom %d\nthrough %d\nnext %d\nruns %d\n", manifestVersion, m.log, m.key, m.from, m.through, m.next, len(m.runs))
	for _, r := range m.runs {
		fmt.Fprintf(&b, "run %d %d %d %d\n", r.number, r.count, r.from, r.to)
	}
	return b.String()
}

func (m *manifest) format() []byte {
	text := m.text()
	return fmt.Appendf(nil, "%ssha256 %x\n", text, sha256.Sum256([]byte(text)))
}

// parseManifest accepts exactly what format makes.
func parseManifest(b []byte) (manifest, error) {
	r := strings.NewReader(string(b))
	var m manifest
	var key []byte
	var runs int
	_, err := fmt.Fscanf(r, manifestVersion+"\nlog %q\nkey %x\nfrom %d\nthrough %d\nnext %d\nruns %d\n", &m.log, &key, &m.from, &m.through, &m.next, &runs)
	if err != nil || len(key) != len(m.key) || runs < 0 || runs > len(b) {
		return m, fmt.Errorf("its head is not readable: %w", errDamaged)
	}
	m.key = [32]byte(key)
	at := m.from
	for range runs {
		var s span
		if _, err := fmt.Fscanf(r, "run %d %d %d %d\n", &s.number, &s.count, &s.from, &s.to); err != nil || s.from != at || s.to < s.from || s.count < 0 || s.number >= m.next {
			return m, fmt.Errorf("its runs are not readable: %w", errDamaged)
		}
		at = s.to
		m.runs = append(m.runs, s)
	}
	if at != m.through || string(m.format()) != string(b) {
		return m, fmt.Errorf("it is not what was written: %w", errDamaged)
	}
	return m, nil
}

// load reads the manifest and opens the runs, or begins anew.
func (x *Index) load(log string) error {
	err := x.read(log)
	if err == nil {
		return x.sweep()
	}
	if !errors.Is(err, errDamaged) && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if errors.Is(err, errDamaged) {
		x.opt.Tell(fmt.Errorf("index of records in %s begins anew: %w", x.dir, err))
	}
	return x.begin(log)
}

func (x *Index) read(log string) error {
	f, err := x.opt.FS.OpenFile(filepath.Join(x.dir, manifestName), os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxManifest))
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("read the manifest: %w", err)
	}
	if x.manifest, err = parseManifest(b); err != nil {
		return fmt.Errorf("manifest: %w", err)
	}
	if x.log != log {
		return fmt.Errorf("it is of another log, %s: %w", x.log, errDamaged)
	}
	x.through = x.manifest.through
	for _, s := range x.runs {
		r, err := x.openRun(s)
		if err != nil {
			return err
		}
		x.open = append(x.open, r)
	}
	return nil
}

// begin makes an empty index. The caller holds writing and mu, or has just opened.
func (x *Index) begin(log string) error {
	x.closeRuns()
	x.manifest, x.recent, x.through = newManifest(log), nil, 0
	if err := x.save(); err != nil {
		return err
	}
	return x.sweep()
}

func (x *Index) save() error {
	return durable.WriteFile(x.opt.FS, filepath.Join(x.dir, manifestName), x.format(), 0o600)
}

// sweep removes runs that the manifest does not name, and temporary files.
func (x *Index) sweep() error {
	known := map[string]bool{}
	for _, s := range x.runs {
		known[s.name()] = true
	}
	entries, err := x.opt.FS.ReadDir(x.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".run") || known[e.Name()] {
			continue
		}
		if err := x.opt.FS.Remove(filepath.Join(x.dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	_, err = durable.SweepTemp(x.opt.FS, x.dir)
	return err
}
