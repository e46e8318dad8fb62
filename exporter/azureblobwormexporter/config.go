package azureblobwormexporter

import (
	"github.com/otelcol-custody/custody/internal/storeconfig"
	"github.com/otelcol-custody/custody/internal/storeconfig/wormconfig"
)

// Config is the configuration of azureblob_worm.
type Config struct {
	Container container           `mapstructure:",squash"`
	Delivery  wormconfig.Delivery `mapstructure:",squash"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// container leaves the methods behind: the collector would call Validate and
// report its faults below a key that stands in no file.
type container storeconfig.AzureBlob

func createDefaultConfig() *Config {
	return &Config{Container: container(storeconfig.DefaultAzureBlob()), Delivery: wormconfig.DefaultDelivery()}
}

// Parts implements [wormconfig.Config].
func (c *Config) Parts() (storeconfig.Store, wormconfig.Delivery) {
	return (*storeconfig.AzureBlob)(&c.Container), c.Delivery
}

// Validate reports every fault at once. It touches nothing.
func (c *Config) Validate() error { return wormconfig.Validate(c.Parts()) }
