// Command gen writes the vectors and the example of the specification anew:
//
//	go run ./docs/spec/vectors/gen
//
// Everything that it writes is the same on every run.
package main

//go:generate go run -C ../../../.. ./docs/spec/vectors/gen

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run("docs/spec"); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "README.md")); err != nil {
		return fmt.Errorf("run this in the root of the repository: %w", err)
	}
	if err := writeRecords(filepath.Join(dir, "vectors", "records")); err != nil {
		return err
	}
	if err := writeStores(filepath.Join(dir, "vectors", "stores")); err != nil {
		return err
	}
	if err := writePacks(filepath.Join(dir, "vectors", "packs"), filepath.Join(dir, "pack-statement.txt")); err != nil {
		return err
	}
	return writeExample(filepath.Join(dir, "example.md"))
}
