package distro

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/forwardconnector"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/debugexporter"
	"go.opentelemetry.io/collector/exporter/otlpexporter"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/processor"

	"github.com/otelcol-custody/custody/exporter/filewormexporter"
	"github.com/otelcol-custody/custody/extension/integrityextension"
	"github.com/otelcol-custody/custody/internal/keyfile"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/processor/hashchainprocessor"
)

// sealing are factories with which logs can be sealed and stored.
func sealing() (otelcol.Factories, error) {
	f, err := factoriesWith(&reporter{})()
	if err != nil {
		return f, err
	}
	if f.Processors, err = otelcol.MakeFactoryMap[processor.Factory](hashchainprocessor.NewFactory()); err != nil {
		return f, err
	}
	if f.Connectors, err = otelcol.MakeFactoryMap[connector.Factory](forwardconnector.NewFactory()); err != nil {
		return f, err
	}
	judge := integrityextension.NewFactory()
	f.Extensions[judge.Type()] = judge
	f.Exporters, err = otelcol.MakeFactoryMap[exporter.Factory](debugexporter.NewFactory(), filewormexporter.NewFactory(), otlpexporter.NewFactory())
	return f, err
}

// site is a folder with a key, and a configuration for it.
func site(t *testing.T) string {
	t.Helper()
	enableByDefault(componentStatusGate) // as the command does
	dir := t.TempDir()
	public := ledgertest.Signer(t, logOrigin).VerifierKey()
	if err := keyfile.Write(filepath.Join(dir, "log"), ledgertest.SecretKey(logOrigin), public); err != nil {
		t.Fatal(err)
	}
	return dir
}

const siteText = `
receivers: {reporter: , reporter/two: }
processors:
  hash_chain: {log: test, state_dir: %[1]q, key: {file: %[2]q}, on_missing_head: genesis}
  hash_chain/other: {log: other, state_dir: %[1]q, key: {file: %[2]q}}
connectors: {forward: , forward/in: , forward/unrelated: }
exporters:
  debug:
  file_worm/a: {path: %[3]q, log_keys: [%[4]q], immutable: "off"}
  file_worm/b: {path: %[5]q, log_keys: [%[4]q], immutable: "off"}
  file_worm/c: {path: /unrelated, log_keys: [%[4]q], immutable: "off"}
extensions:
  health_check: {http: {endpoint: "localhost:0"}}
  integrity: {state_dir: /unrelated, log_keys: [%[4]q], stores: {file: {path: /unrelated}}}
service:
  extensions: [health_check, integrity]
  telemetry: {logs: {level: warn}, metrics: {level: none}}
  pipelines:
    logs/in: {receivers: [reporter], exporters: [forward/in]}
    logs: {receivers: [reporter/two, forward/in], processors: [hash_chain], exporters: [file_worm/a, forward]}
    logs/more: {receivers: [reporter, forward], exporters: [file_worm/b, debug]}
    logs/unrelated: {receivers: [reporter], processors: [hash_chain/other], exporters: [file_worm/c]}
`

// siteConfig is the text with the site's paths in it.
func siteConfig(dir string) string {
	in := func(name string) string { return filepath.Join(dir, name) }
	return fmt.Sprintf(siteText, in("state"), in("log.key"), in("a"), in("log.pub"), in("b"))
}

func findIn(t *testing.T, log string, configs ...string) (*target, error) {
	t.Helper()
	f := &targetFlags{log: log}
	for _, text := range configs {
		f.configs = append(f.configs, "yaml:"+text)
	}
	return f.find(t.Context(), sealing)
}

// A log's stores are those behind its hash_chain, through connectors too.
func TestTargetFindsTheLogsStores(t *testing.T) {
	dir := site(t)
	target, err := findIn(t, "test", siteConfig(dir))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, s := range target.stores {
		ids = append(ids, s.ID())
	}
	if want := []string{"file://" + dir + "/a", "file://" + dir + "/b"}; !reflect.DeepEqual(ids, want) {
		t.Errorf("stores are %q, want %q", ids, want)
	}
	if target.id.String() != "hash_chain" || target.pipeline != "logs" || target.chain.Log != "test" {
		t.Errorf("found %v in %s for %s", target.id, target.pipeline, target.chain.Log)
	}
}

func TestTargetFaults(t *testing.T) {
	dir := site(t)
	for name, c := range map[string]struct {
		log, overlay string
		says         []string
	}{
		"several logs":       {"", "{}", []string{"--log is missing", "other, test"}},
		"no such log":        {"web", "{}", []string{`no log "web"`, "other, test"}},
		"two of one name":    {"test", "processors: {hash_chain/other: {log: test}}", []string{"log test stands in 2 hash_chain processors"}},
		"in two pipelines":   {"test", "service: {pipelines: {logs/more: {processors: [hash_chain]}}}", []string{"must stand in one pipeline", `["logs" "logs/more"]`}},
		"in no pipeline":     {"test", "service: {pipelines: {logs: {processors: []}}}", []string{"must stand in one pipeline, and stands in 0"}},
		"an invalid setting": {"test", "processors: {hash_chain: {ack: later}}", []string{"--config", "ack: must be one of"}},
		"no hash_chain":      {"", "processors: ", []string{"--config"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := findIn(t, c.log, siteConfig(dir), c.overlay)
			if ExitCode(err) != exitUsage {
				t.Fatalf("got %v, want an error of usage", err)
			}
			for _, text := range c.says {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%q does not say %q", err, text)
				}
			}
		})
	}
	if _, err := (&targetFlags{}).find(t.Context(), sealing); ExitCode(err) != exitUsage || !strings.Contains(err.Error(), "--config is missing") {
		t.Errorf("without a configuration: %v", err)
	}
}

// The collector's own flag changes settings here, too.
func TestTargetTakesSettings(t *testing.T) {
	f := &targetFlags{configs: []string{"yaml:" + siteConfig(site(t))}, sets: []string{"processors.hash_chain.log=renamed"}, log: "renamed"}
	if _, err := f.find(t.Context(), sealing); err != nil {
		t.Error(err)
	}
	f.sets = []string{"no value"}
	if _, err := f.find(t.Context(), sealing); ExitCode(err) != exitUsage {
		t.Errorf("got %v", err)
	}
}

// What lies behind hash_chain stays as it is configured; all else goes.
func TestReducedConfiguration(t *testing.T) {
	text := siteConfig(site(t))
	target, err := findIn(t, "test", text)
	if err != nil {
		t.Fatal(err)
	}
	set := resolver([]string{"yaml:" + text})
	set.ResolverSettings.ConverterFactories = []confmap.ConverterFactory{
		confmap.NewConverterFactory(func(confmap.ConverterSettings) confmap.Converter { return target }),
	}
	r, err := confmap.NewResolver(set.ResolverSettings)
	if err != nil {
		t.Fatal(err)
	}
	conf, err := r.Resolve(t.Context())
	if err := errors.Join(err, r.Shutdown(context.WithoutCancel(t.Context()))); err != nil {
		t.Fatal(err)
	}
	got := conf.ToStringMap()
	list := func(names ...any) []any { return append([]any{}, names...) }
	want := map[string]any{
		"extensions": list(),
		"telemetry":  map[string]any{"logs": map[string]any{"level": "warn"}, "metrics": map[string]any{"level": "none"}},
		"pipelines": map[string]any{
			"logs":      map[string]any{"receivers": list("custody_drain"), "processors": list("hash_chain"), "exporters": list("file_worm/a", "forward")},
			"logs/more": map[string]any{"receivers": list("forward"), "processors": list(), "exporters": list("file_worm/b", "debug")},
		},
	}
	if !reflect.DeepEqual(got["service"], want) {
		t.Errorf("service is\n%v, want\n%v", got["service"], want)
	}
	if want := map[string]any{"custody_drain": nil}; !reflect.DeepEqual(got["receivers"], want) {
		t.Errorf("receivers are %v, want %v", got["receivers"], want)
	}
}

// No configuration can name the private receiver.
func TestPrivateReceiverIsPrivate(t *testing.T) {
	all, err := sealing()
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := all.Receivers[drainType]; ok {
		t.Error("the collector knows it")
	}
}
