package s3wormexporter

import (
	"go.opentelemetry.io/collector/exporter"

	"github.com/otelcol-custody/custody/exporter/s3wormexporter/internal/metadata"
	"github.com/otelcol-custody/custody/internal/storeconfig/wormconfig"
)

// NewFactory returns the factory of s3_worm.
func NewFactory() exporter.Factory {
	return wormconfig.NewFactory(metadata.Type, metadata.LogsStability, func() wormconfig.Config { return createDefaultConfig() })
}
