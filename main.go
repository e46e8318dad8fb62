// Program otelcol-custody is an OpenTelemetry Collector that turns audit logs
// into evidence: sealed in order, stored where nobody can change it, verifiable
// by anyone with the custody command.
package main

import (
	"os"

	"github.com/otelcol-custody/custody/internal/distro"
)

// version is set by the linker: -X main.version=v1.2.3.
var version string

func main() {
	// The command has already printed its error.
	os.Exit(distro.ExitCode(distro.NewCommand(components, version).Execute()))
}
