package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// The programs under test.
var collectorBin, custodyBin string

const binEnv = "CUSTODY_E2E_BIN"

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir := os.Getenv(binEnv)
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "custody-e2e-"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = os.RemoveAll(dir) }()
		if err := build(dir); err != nil {
			fmt.Fprintln(os.Stderr, "e2e: build the programs:", err)
			return 1
		}
	}
	collectorBin, custodyBin = filepath.Join(dir, "otelcol-custody"), filepath.Join(dir, "custody")
	return m.Run()
}

// lookAtSources makes a change to any source run the tests again: the go command
// keeps results by what tests themselves looked at, and not by what TestMain had
// built.
var lookAtSources = sync.OnceValue(func() error {
	return filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		hidden := d.IsDir() && path != root && strings.HasPrefix(d.Name(), ".")
		if err == nil && (hidden || path == filepath.Join(root, "bin") || path == filepath.Join(root, "custody-data")) {
			return filepath.SkipDir
		}
		if err == nil && !d.IsDir() {
			_, err = os.Stat(path)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // Removed meanwhile.
		}
		return err
	})
})

// build makes the programs as the Makefile does, so that both share the cache.
func build(dir string) error {
	for out, pkg := range map[string]string{"otelcol-custody": ".", "custody": "./cmd/custody"} {
		cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid= -X main.version=v0.1.0-e2e",
			"-o", filepath.Join(dir, out), pkg)
		cmd.Dir = root
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s: %w", pkg, err)
		}
	}
	return nil
}

// root is the project's folder, seen from here.
const root = "../.."

func fromRoot(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return abs
}
