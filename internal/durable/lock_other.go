//go:build !unix

package durable

import (
	"errors"
	"fmt"
	"io"
)

func lockFile(path string) (io.Closer, error) {
	return nil, fmt.Errorf("lock %s: %w on this operating system; open it read-only, or write from Linux", path, errors.ErrUnsupported)
}
