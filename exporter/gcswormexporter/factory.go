package gcswormexporter

import (
	"go.opentelemetry.io/collector/exporter"

	"github.com/otelcol-custody/custody/exporter/gcswormexporter/internal/metadata"
	"github.com/otelcol-custody/custody/internal/storeconfig/wormconfig"
)

// NewFactory returns the factory of gcs_worm.
func NewFactory() exporter.Factory {
	return wormconfig.NewFactory(metadata.Type, metadata.LogsStability, func() wormconfig.Config { return createDefaultConfig() })
}
