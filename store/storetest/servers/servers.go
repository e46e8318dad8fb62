// Package servers starts the real object stores and emulators that tests talk
// to. Each listens on 127.0.0.1 at a free port, keeps its data in the test's
// temporary folder, sees none of the caller's environment, and is stopped when
// the test ends. `make servers` installs them; a test whose server is missing
// fails.
//
// What they enforce differs: see docs/conformance.md.
package servers

import (
	"os"
	"path/filepath"
	"testing"
)

// The folder of the servers is CUSTODY_SERVERS or .tools/servers at the root
// of this module. Below it are bin/ and npm/node_modules/.bin/.
const (
	variable = "CUSTODY_SERVERS"
	fallback = ".tools/servers"
)

// find returns the program at a path below the folder of the servers.
func find(t testing.TB, path string) string {
	t.Helper()
	dir := os.Getenv(variable)
	if dir == "" {
		dir = filepath.Join(root(t), fallback)
	}
	program := filepath.Join(dir, path)
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("the test needs a server that is missing: %v; install it with `make servers`", err)
	}
	return program
}

// root returns the folder of go.mod, above the folder that the test runs in.
func root(t testing.TB) string {
	t.Helper()
	start, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatalf("no go.mod above %s; say where the servers are in %s", start, variable)
		}
	}
}
