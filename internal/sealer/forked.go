package sealer

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/durable"
)

// ErrForked means that this writer was found to be forked, in this process or in
// one before it.
var ErrForked = errors.New("this state directory was found to be forked")

// forkedFile remembers a fork. Without it a supervisor that starts the process
// again, while the store that told of the fork is away, would have records
// acknowledged at positions that are taken.
const forkedFile = "forked"

// rememberFork writes down why the log cannot be continued, if it is for a fork.
func (s *Sealer) rememberFork(cause error) {
	if fork := (*delivery.ForkError)(nil); !errors.As(cause, &fork) {
		return
	}
	err := durable.WriteFile(s.cfg.FS, filepath.Join(s.cfg.Dir, forkedFile), []byte(cause.Error()+"\n"), 0o600)
	if err != nil {
		s.obs.Notice(fmt.Sprintf("the fork could not be written down: %v. Do not start this collector again before the fork is dealt with", err))
	}
}

// maxForkedText is how many bytes of what was remembered are shown.
const maxForkedText = 4096

// checkForked refuses a state directory that was found to be forked.
func checkForked(c *Config) error {
	text, known, err := readForked(c)
	if err != nil {
		return fmt.Errorf("state directory: %w", err)
	}
	if !known {
		return nil
	}
	return fmt.Errorf("%w: %s. It is not continued before otelcol-custody recover --config FILE --log %s has looked at it (%s remembers this)", ErrForked, text, c.Log, filepath.Join(c.Dir, forkedFile))
}

// readForked reads what is remembered of a fork, in one line.
func readForked(c *Config) (text string, known bool, err error) {
	b, err := readFile(c.FS, filepath.Join(c.Dir, forkedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	b = bytes.TrimSpace(b[:min(len(b), maxForkedText)])
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(string(b), " ")), err == nil, err
}

// ForgetFork takes the memory of a fork away. Only who has found that the state
// is whole and that no store holds another history may call it, with the lock.
func ForgetFork(c Config) error {
	err := durable.Remove(c.FS, filepath.Join(c.Dir, forkedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
