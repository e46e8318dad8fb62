// Command conformance runs the conformance suites of all stores against all
// servers and writes docs/conformance.md: store × property × server. It fails if
// a test failed, and writes nothing if a result is missing. `make conformance`
// runs it from the root of the module.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

const file = "docs/conformance.md"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

func run() error {
	all, err := test()
	if err != nil {
		return err
	}
	if names := all.strangers(); len(names) > 0 {
		return fmt.Errorf("results for servers that test/conformance/servers.go does not list:\n\t%s", strings.Join(names, "\n\t"))
	}
	if names := missing(all); len(names) > 0 {
		return fmt.Errorf("no result, so %s stays as it is:\n\t%s", file, strings.Join(names, "\n\t"))
	}
	if err := os.WriteFile(file, []byte(document(all)), 0o644); err != nil {
		return err
	}
	if all.failed() {
		return errors.New("tests failed; " + file + " says which")
	}
	return nil
}

// test runs the suites. Tests may fail; that they cannot be run is an error.
func test() (results, error) {
	cmd := exec.Command("go", "test", "-json", "-count=1", "-timeout=20m", "-run", pattern(), "./store/...")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start go test: %w", err)
	}
	all, err := read(out, os.Stderr)
	if err := errors.Join(err, cmd.Wait()); err != nil && !all.failed() {
		return nil, fmt.Errorf("go test: %w", err)
	}
	return all, nil
}
