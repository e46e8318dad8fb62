package distro

import (
	"runtime/debug"
	"strings"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
)

// unreleased is the version of a binary that nobody named.
const unreleased = "v0.1.0-dev"

// The schemes that a configuration may come from. None reaches the network: who
// can change the configuration can end the evidence, so it stays on the machine.
// builder-config.yaml lists the same modules; a test compares.
var schemes = []struct {
	module  string
	factory confmap.ProviderFactory
}{
	{"go.opentelemetry.io/collector/confmap/provider/envprovider", envprovider.NewFactory()},
	{"go.opentelemetry.io/collector/confmap/provider/fileprovider", fileprovider.NewFactory()},
	{"go.opentelemetry.io/collector/confmap/provider/yamlprovider", yamlprovider.NewFactory()},
}

func providers() []confmap.ProviderFactory {
	var list []confmap.ProviderFactory
	for _, s := range schemes {
		list = append(list, naming(s.factory))
	}
	return list
}

// providerModules is what the components command prints of the providers.
func providerModules() map[string]string {
	versions := map[string]string{}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			versions[m.Path] = m.Version
		}
	}
	modules := map[string]string{}
	for _, s := range schemes {
		scheme := s.factory.Create(confmap.ProviderSettings{}).Scheme()
		modules[scheme] = strings.TrimSpace(s.module + " " + versions[s.module])
	}
	return modules
}

// resolveVersion prefers what the linker set, then the version that `go install
// module@version` records, and else admits that there is none.
func resolveVersion(linked string) string {
	if linked != "" {
		return linked
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return unreleased
	}
	return info.Main.Version
}
