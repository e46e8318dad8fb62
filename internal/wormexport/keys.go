package wormexport

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/otelcol-custody/custody/ledger/checkpoint"
)

// maxKeyFile is far more than a file of keys needs.
const maxKeyFile = 1 << 20

// ReadKeys reads the files of public keys that the setting log_keys names, and
// reports each fault, led by its key in the configuration. A key may be in
// several files.
func ReadKeys(files []string) (*checkpoint.Keys, error) {
	var lines []string
	var errs []error
	for i, file := range files {
		b, err := readKeyFile(file)
		if err != nil {
			errs = append(errs, fmt.Errorf("log_keys[%d]: %w", i, err))
			continue
		}
		for line := range strings.Lines(string(b)) {
			if line = strings.TrimSpace(line); !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	keys, err := checkpoint.ParseKeys(strings.Join(lines, "\n"))
	if err != nil {
		return nil, fmt.Errorf("log_keys: %w", err)
	}
	return keys, nil
}

func readKeyFile(file string) ([]byte, error) {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: it is written beside the private key by `custody keygen`", err)
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || info.Size() > maxKeyFile:
		return nil, fmt.Errorf("%s is not a file of keys", file)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if _, err := checkpoint.ParseKeys(string(b)); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return b, nil
}
