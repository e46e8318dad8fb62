package filewormexporter

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"

	"github.com/otelcol-custody/custody/exporter/filewormexporter/internal/metadata"
)

// NewFactory returns the factory of file_worm.
//
// The exporter is not built with exporterhelper: its queue answers before
// anything is stored, its retries end and then drop, and its timeout would end
// what goes on in the background here. hash_chain keeps each segment until the
// receipt and sends it again for ever.
func NewFactory() exporter.Factory {
	return exporter.NewFactory(
		metadata.Type,
		func() component.Config { return createDefaultConfig() },
		exporter.WithLogs(createLogs, metadata.LogsStability),
	)
}

func createLogs(_ context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
	return newExporter(set, cfg.(*Config))
}
