//go:build !linux

package durable

import (
	"errors"
	"os"
	"runtime"
)

func openDir(name string) (*os.File, error) { return os.Open(name) }

func syncDir(d *os.File) error {
	if runtime.GOOS == "windows" {
		// Folders cannot be flushed there; NTFS journals names by itself.
		return nil
	}
	return d.Sync()
}

func syncData(f *os.File) error { return f.Sync() }

func renameNoReplace(_, _ string) error { return errors.ErrUnsupported }

func setImmutable(_ string, _ bool) error { return errors.ErrUnsupported }

func isImmutable(_ string) (bool, error) { return false, errors.ErrUnsupported }
