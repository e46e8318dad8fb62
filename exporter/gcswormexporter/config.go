package gcswormexporter

import (
	"github.com/otelcol-custody/custody/internal/storeconfig"
	"github.com/otelcol-custody/custody/internal/storeconfig/wormconfig"
)

// Config is the configuration of gcs_worm.
type Config struct {
	Bucket   bucket              `mapstructure:",squash"`
	Delivery wormconfig.Delivery `mapstructure:",squash"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// bucket leaves the methods behind: the collector would call Validate and
// report its faults below a key that stands in no file.
type bucket storeconfig.GCS

func createDefaultConfig() *Config {
	return &Config{Bucket: bucket(storeconfig.DefaultGCS()), Delivery: wormconfig.DefaultDelivery()}
}

// Parts implements [wormconfig.Config].
func (c *Config) Parts() (storeconfig.Store, wormconfig.Delivery) {
	return (*storeconfig.GCS)(&c.Bucket), c.Delivery
}

// Validate reports every fault at once. It touches nothing.
func (c *Config) Validate() error { return wormconfig.Validate(c.Parts()) }
