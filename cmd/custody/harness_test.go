package main

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
)

const origin = "custody.example/test"

// soon is a time at which the fixtures' logs are not overdue.
var soon = ledgertest.Began.Add(3 * time.Minute)

// A fixture is a store on disk with one log of three segments named "test": the
// records 0 to 2, 3 to 7 and 8 to 9.
type fixture struct {
	t           *testing.T
	dir         string // of everything
	store, key  string
	log         *ledgertest.Log
	signer      *checkpoint.Signer
	now         time.Time
	clock       func() // called, if set, whenever the command asks for the time
	ctx         context.Context
	terminal    bool
	code        int
	stdout, err string
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	dir := t.TempDir()
	f := &fixture{t: t, dir: dir, store: filepath.Join(dir, "store"), signer: ledgertest.Signer(t, origin), now: soon, ctx: context.Background()}
	f.log = ledgertest.NewLog("test", f.signer)
	f.log.Add(t, 3, 5, 2)
	f.put(f.store, f.log)
	f.key = f.file("log.pub", f.signer.VerifierKey()+"\n")
	return f
}

// put writes a log as it lies in a store.
func (f *fixture) put(store string, l *ledgertest.Log) {
	f.t.Helper()
	for _, s := range l.Segments {
		base := filepath.Join(store, s.Seal.Log)
		f.write(filepath.Join(base, s.Seal.SegmentName()), s.Object)
		f.write(filepath.Join(base, s.Seal.Name()), s.Seal.Bytes())
		for _, tile := range s.Tiles {
			f.write(filepath.Join(base, ledger.TileName(tile.Level, tile.Index)), tile.Bytes())
		}
	}
}

func (f *fixture) write(path string, b []byte) {
	f.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		f.t.Fatal(err)
	}
}

// file writes a file beside the store and returns its path.
func (f *fixture) file(name, text string) string {
	f.t.Helper()
	path := filepath.Join(f.dir, name)
	f.write(path, []byte(text))
	return path
}

func (f *fixture) path(name string) string { return filepath.Join(f.dir, name) }

// segment and seal are the paths of the i-th segment and its seal.
func (f *fixture) segment(i int) string {
	return filepath.Join(f.store, "test", f.log.Segments[i].Seal.SegmentName())
}

func (f *fixture) seal(i int) string {
	return filepath.Join(f.store, "test", f.log.Segments[i].Seal.Name())
}

func (f *fixture) read(path string) []byte {
	f.t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		f.t.Fatal(err)
	}
	return b
}

func (f *fixture) remove(paths ...string) {
	f.t.Helper()
	for _, path := range paths {
		if err := os.RemoveAll(path); err != nil {
			f.t.Fatal(err)
		}
	}
}

// flip changes one bit in the middle of a file.
func (f *fixture) flip(path string) {
	f.t.Helper()
	b := f.read(path)
	b[len(b)/2] ^= 1
	f.write(path, b)
}

// run runs the command in this process.
func (f *fixture) run(args ...string) {
	f.t.Helper()
	var stdout, stderr bytes.Buffer
	f.code = run(f.ctx, args, env{stdout: &stdout, stderr: &stderr, now: f.time, terminal: f.terminal})
	f.stdout, f.err = stdout.String(), stderr.String()
}

func (f *fixture) time() time.Time {
	if f.clock != nil {
		f.clock()
	}
	return f.now
}

// want checks the exit code, and that stdout and stderr together hold each text.
func (f *fixture) want(code int, texts ...string) {
	f.t.Helper()
	if f.code != code {
		f.t.Errorf("exit %d, want %d", f.code, code)
	}
	for _, text := range texts {
		if !strings.Contains(f.stdout+f.err, text) {
			f.t.Errorf("the output lacks %q", text)
		}
	}
	if f.t.Failed() {
		f.t.Fatalf("stdout:\n%s\nstderr:\n%s", f.stdout, f.err)
	}
}

// verify verifies the store with the log's key and more flags.
func (f *fixture) verify(more ...string) {
	f.t.Helper()
	f.run(append([]string{"verify", f.store, "--key", f.key}, more...)...)
}

// files are all files below a folder with their content.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, path))
		out[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
