package s3wormexporter

import (
	"github.com/otelcol-custody/custody/internal/storeconfig"
	"github.com/otelcol-custody/custody/internal/storeconfig/wormconfig"
)

// Config is the configuration of s3_worm.
type Config struct {
	Bucket   bucket              `mapstructure:",squash"`
	Delivery wormconfig.Delivery `mapstructure:",squash"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// bucket leaves the methods behind: the collector would call Validate and
// report its faults below a key that stands in no file.
type bucket storeconfig.S3

func createDefaultConfig() *Config {
	return &Config{Bucket: bucket(storeconfig.DefaultS3()), Delivery: wormconfig.DefaultDelivery()}
}

// Parts implements [wormconfig.Config].
func (c *Config) Parts() (storeconfig.Store, wormconfig.Delivery) {
	return (*storeconfig.S3)(&c.Bucket), c.Delivery
}

// Validate reports every fault at once. It touches nothing.
func (c *Config) Validate() error { return wormconfig.Validate(c.Parts()) }
