package integrityextension

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"

	"github.com/otelcol-custody/custody/extension/integrityextension/internal/metadata"
	"github.com/otelcol-custody/custody/internal/keyfile"
)

// NewFactory returns the factory of the integrity extension.
func NewFactory() extension.Factory {
	return extension.NewFactory(metadata.Type, func() component.Config { return createDefaultConfig() }, create, metadata.ExtensionStability)
}

// create reads keys and secret, so that the command validate finds a wrong file.
func create(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
	c := cfg.(*Config)
	keys, err := keyfile.ReadKeys(c.LogKeys...)
	if err != nil {
		return nil, fmt.Errorf("log_keys: %w", err)
	}
	var secrets [][]byte
	if w := c.Webhook.Get(); w != nil {
		if secrets, err = readSecrets(w.Secret.File); err != nil {
			return nil, fmt.Errorf("webhook::secret::file: %w", err)
		}
	}
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &judge{set: set, cfg: c, keys: keys, secrets: secrets, telemetry: telemetry}, nil
}
