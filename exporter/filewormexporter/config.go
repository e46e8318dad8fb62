package filewormexporter

import (
	"errors"
	"fmt"
	"time"

	"github.com/otelcol-custody/custody/internal/wormexport"
	"github.com/otelcol-custody/custody/store/dirstore"
)

// Limits of the timeout: below, hardly any answer comes in time; above, one
// store that is away holds up the others in the same fan-out.
const (
	minTimeout = 10 * time.Millisecond
	maxTimeout = time.Minute
)

// Config is the configuration of file_worm.
type Config struct {
	// Path is the store's directory; it is made if it is missing.
	Path string `mapstructure:"path"`
	// LogKeys are files with the verifier keys of the logs that are stored.
	LogKeys []string `mapstructure:"log_keys"`
	// Immutable says whether files get the immutable attribute: auto, require
	// or off.
	Immutable string `mapstructure:"immutable"`
	// Timeout limits how long a delivery waits before it is told to ask again.
	Timeout time.Duration `mapstructure:"timeout"`

	// prevent unkeyed literal initialization
	_ struct{}
}

func createDefaultConfig() *Config {
	return &Config{Immutable: dirstore.ImmutableAuto.String(), Timeout: wormexport.DefaultTimeout}
}

// Validate reports every fault at once. It touches no file.
func (c *Config) Validate() error {
	var errs []error
	if c.Path == "" {
		errs = append(errs, errors.New("path: required: the directory that the store lies in"))
	}
	if len(c.LogKeys) == 0 {
		errs = append(errs, errors.New("log_keys: required: files with the public keys (.pub) of the logs to store"))
	}
	for i, file := range c.LogKeys {
		if file == "" {
			errs = append(errs, fmt.Errorf("log_keys[%d]: must name a file", i))
		}
	}
	if _, err := dirstore.ParseImmutable(c.Immutable); err != nil {
		errs = append(errs, fmt.Errorf("immutable: %w", err))
	}
	if c.Timeout < minTimeout || c.Timeout > maxTimeout {
		errs = append(errs, fmt.Errorf("timeout: must be between %v and %v, got %v", minTimeout, maxTimeout, c.Timeout))
	}
	return errors.Join(errs...)
}
