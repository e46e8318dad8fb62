package integrityeventsreceiver

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"

	"github.com/otelcol-custody/custody/receiver/integrityeventsreceiver/internal/metadata"
)

// Config is the configuration of integrity_events.
type Config struct {
	// Extension is the integrity extension whose findings are handed on.
	Extension component.ID `mapstructure:"extension"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// Validate touches nothing.
func (c *Config) Validate() error {
	if c.Extension == (component.ID{}) {
		return errors.New("extension: required: which integrity extension, such as integrity")
	}
	return nil
}

// CheckStart finds for the command validate what only a start would find: that
// the extension is not among those that are started.
func (c *Config) CheckStart(extensions []component.ID) error {
	if !slices.Contains(extensions, c.Extension) {
		return missing(c.Extension)
	}
	return nil
}

func missing(id component.ID) error {
	return fmt.Errorf("extension: there is no extension %q; configure it below `extensions` and list it in `service::extensions`", id)
}

var integrity = component.MustNewType("integrity")

// NewFactory returns the factory of the integrity_events receiver.
func NewFactory() receiver.Factory {
	return receiver.NewFactory(metadata.Type,
		func() component.Config { return &Config{Extension: component.NewID(integrity)} },
		receiver.WithLogs(create, metadata.LogsStability))
}

func create(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Logs) (receiver.Logs, error) {
	return newReceiver(cfg.(*Config), set, next)
}
