package hashchainprocessor

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"

	"github.com/otelcol-custody/custody/internal/keyfile"
	"github.com/otelcol-custody/custody/processor/hashchainprocessor/internal/metadata"
)

// NewFactory returns the factory of the hash_chain processor.
func NewFactory() processor.Factory {
	return processor.NewFactory(metadata.Type, createDefaultConfig,
		processor.WithLogs(create, metadata.LogsStability))
}

var errMutates = errors.New("a component behind hash_chain changes the data that it gets, and what is sealed must arrive as it is: put processors that change data in front of hash_chain, or into the pipeline behind a forward connector")

// create refuses what can be seen before anything starts, so that the validate
// command finds it.
func create(_ context.Context, set processor.Settings, cfg component.Config, next consumer.Logs) (processor.Logs, error) {
	c := cfg.(*Config)
	if next.Capabilities().MutatesData {
		return nil, errMutates
	}
	signer, err := keyfile.ReadSigner(c.Key.File)
	if err != nil {
		return nil, fmt.Errorf("key::file: %w", err)
	}
	if c.Origin != "" && c.Origin != signer.Name() {
		return nil, fmt.Errorf("origin: is %q, yet the key in %s is named %q: a log's key bears its origin", c.Origin, c.Key.File, signer.Name())
	}
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return newProcessor(set, c, signer, next, telemetry), nil
}
