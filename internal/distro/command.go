// Package distro is the collector's command line.
package distro

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/featuregate"
	"go.opentelemetry.io/collector/otelcol"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-custody/custody/internal/storeconfig"
)

const (
	name        = "otelcol-custody"
	description = "OpenTelemetry Collector that turns audit logs into verifiable evidence"

	// componentStatusGate lets health_check answer from what components report.
	// Without it the extension says 200 while nothing is being stored.
	componentStatusGate = "extension.healthcheck.useComponentStatus"
)

// ErrFatal means that the collector stopped itself: a component reported a
// fatal status. The log says which one and why.
var ErrFatal = errors.New("stopped by a fatal error; the last error in the log above names the component and the reason")

// NewCommand returns the collector's command with its sub-commands (validate,
// components, print-config, featuregate; fetch, replicate, retain,
// verify-cloudtrail; recover, drain, backfill). version is what the linker set, or empty. Execute returns an error
// whenever the collector did not run and stop as it was asked to; [ExitCode] says
// what to exit with.
func NewCommand(factories func() (otelcol.Factories, error), version string) *cobra.Command {
	enableByDefault(componentStatusGate)
	var plain bool
	watch := &fatalWatch{deadline: newDeadline()}
	set := settings(watch.haltable(factories), resolveVersion(version), zap.WrapCore(func(core zapcore.Core) zapcore.Core {
		if plain {
			core = plainCore{out: zapcore.Lock(os.Stderr)}
		}
		return watch.wrap(core)
	}))
	checks := &preflight{}
	resolver := &set.ConfigProviderSettings.ResolverSettings
	resolver.ConverterFactories = append(resolver.ConverterFactories, checks.converter())
	cmd := otelcol.NewCommand(set)
	checks.join(cmd, factories)
	cmd.Flags().BoolVar(&plain, "plain", false, "Log for a person at a terminal: short lines, only what matters")
	cmd.Short = description
	cmd.Long = long
	cmd.Example = example
	failOnFatal(cmd, watch)
	s := &stores{parse: storeconfig.Parse, now: time.Now, software: name + " " + resolveVersion(version)}
	cmd.AddCommand(s.commands()...)
	l := &logCommands{stores: s, collector: cmd, factories: factories, version: version}
	cmd.AddCommand(l.commands()...)
	return cmd
}

const long = description + `.

It takes records in, seals them into a hash-chained, signed log and stores the
log's objects where nobody can change them. An answer to a sender means that its
records are durable. The custody command verifies what was stored, offline.

Exit status: 0 stopped as asked, 1 anything else. SIGHUP reloads the
configuration; a faulty one stops the collector, so validate it first.`

const example = `  otelcol-custody --config config/quickstart.yaml
  otelcol-custody validate --config gateway.yaml && kill -HUP "$(pidof otelcol-custody)"
  otelcol-custody components`

func settings(factories func() (otelcol.Factories, error), version string, logging ...zap.Option) otelcol.CollectorSettings {
	return otelcol.CollectorSettings{
		BuildInfo: component.BuildInfo{Command: name, Description: description, Version: version},
		Factories: factories,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{
			ResolverSettings: confmap.ResolverSettings{ProviderFactories: providers(), ConverterFactories: converters()},
		},
		ProviderModules: providerModules(),
		// Where in the code an error was logged tells an operator nothing.
		LoggingOptions: append([]zap.Option{zap.AddStacktrace(zapcore.DPanicLevel)}, logging...),
	}
}

// enableByDefault turns a feature gate on before flags are read, so that
// --feature-gates=-gate still turns it off. The gate belongs to a component that
// is linked in; if an upgrade took it away, the binary must not start blind.
func enableByDefault(gate string) {
	if err := featuregate.GlobalRegistry().Set(gate, true); err != nil {
		panic(fmt.Sprintf("distro: %v", err))
	}
}

// failOnFatal makes cmd return an error after a fatal status: the collector
// itself returns nil when it could shut down cleanly.
func failOnFatal(cmd *cobra.Command, watch *fatalWatch) {
	run := cmd.RunE
	cmd.RunE = func(c *cobra.Command, args []string) error {
		ctx, cancel := context.WithCancel(c.Context())
		defer cancel()
		c.SetContext(ctx)
		watch.end = cancel
		defer watch.deadline.listen(ctx)()
		err := withHint(run(c, args))
		if watch.seen.Load() {
			return errors.Join(ErrFatal, err)
		}
		return err
	}
}
