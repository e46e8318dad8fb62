//go:build unix

package main

import (
	"syscall"
	"testing"
)

// A named pipe in a store is not waited for.
func TestPipe(t *testing.T) {
	f := newFixture(t)
	f.remove(f.segment(1))
	if err := syscall.Mkfifo(f.segment(1), 0o644); err != nil {
		t.Fatal(err)
	}
	f.verify()
	f.want(exitTampered, "segment-altered: log test, segment 3", "not a regular file")
}
