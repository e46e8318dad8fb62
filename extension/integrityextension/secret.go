package integrityextension

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/otelcol-custody/custody/internal/integrity/webhook"
)

// longestSecrets is far more than a file of secrets has, in bytes.
const longestSecrets = 64 << 10

// readSecrets reads the webhook's secrets from a file that only its owner may
// read.
func readSecrets(path string) ([][]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file", path)
	case info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("the mode of %s is %04o, others may read it; run: chmod 600 %[1]s", path, info.Mode().Perm())
	}
	b, err := io.ReadAll(io.LimitReader(f, longestSecrets+1))
	if err != nil {
		return nil, err
	}
	if len(b) > longestSecrets {
		return nil, errors.New("it is too long for a file of secrets")
	}
	return webhook.ParseSecrets(string(b))
}
