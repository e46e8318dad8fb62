package filewormexporter

import (
	"github.com/otelcol-custody/custody/internal/storeconfig"
	"github.com/otelcol-custody/custody/internal/storeconfig/wormconfig"
)

// Config is the configuration of file_worm.
type Config struct {
	Dir      dir                 `mapstructure:",squash"`
	Delivery wormconfig.Delivery `mapstructure:",squash"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// dir leaves the methods behind: the collector would call Validate and report
// its faults below a key that stands in no file.
type dir storeconfig.Dir

func createDefaultConfig() *Config {
	return &Config{Dir: dir(storeconfig.DefaultDir()), Delivery: wormconfig.DefaultDelivery()}
}

func (c *Config) store() *storeconfig.Dir { return (*storeconfig.Dir)(&c.Dir) }

// Parts implements [wormconfig.Config].
func (c *Config) Parts() (storeconfig.Store, wormconfig.Delivery) { return c.store(), c.Delivery }

// Validate reports every fault at once. It touches no file.
func (c *Config) Validate() error { return wormconfig.Validate(c.Parts()) }
