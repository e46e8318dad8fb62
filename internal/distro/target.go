package distro

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/service/pipelines"

	"github.com/otelcol-custody/custody/internal/storeconfig"
	"github.com/otelcol-custody/custody/internal/storeconfig/wormconfig"
	"github.com/otelcol-custody/custody/processor/hashchainprocessor"
)

// targetFlags say which log of which configuration a command is about. They are
// the collector's own, so that its command line can be taken over.
type targetFlags struct {
	configs, sets []string
	log           string
}

func (f *targetFlags) add(cmd, collector *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.configs, "config", nil, "The collector's configuration, a `FILE` or what else it takes; repeatable")
	cmd.Flags().StringArrayVar(&f.sets, "set", nil, "The collector's own flag: one setting as `KEY=VALUE`; repeatable")
	cmd.Flags().StringVar(&f.log, "log", "", "The log, by its `NAME` in hash_chain; needed if there are several")
	if gates := collector.Flags().Lookup("feature-gates"); gates != nil {
		shared := *gates
		shared.DefValue = "" // It is longer than all the rest.
		cmd.Flags().AddFlag(&shared)
	}
}

// uris are the configuration's sources as the collector itself reads its flags.
func (f *targetFlags) uris() ([]string, error) {
	if len(f.configs) == 0 {
		return nil, usagef("--config is missing: name the configuration with which the collector is run")
	}
	uris := slices.Clone(f.configs)
	for _, set := range f.sets {
		key, value, ok := strings.Cut(set, "=")
		if !ok {
			return nil, usagef("--set: write KEY=VALUE, got %q", set)
		}
		uris = append(uris, "yaml:"+strings.TrimSpace(strings.ReplaceAll(key, ".", "::"))+": "+strings.TrimSpace(value))
	}
	return uris, nil
}

func resolver(uris []string) otelcol.ConfigProviderSettings {
	return otelcol.ConfigProviderSettings{ResolverSettings: confmap.ResolverSettings{
		URIs: uris, ProviderFactories: providers(), ConverterFactories: converters(), DefaultScheme: "env",
	}}
}

// A target is a log, and what lies behind its hash_chain in the configuration.
type target struct {
	uris      []string
	config    *otelcol.Config
	pipelines map[string]*pipelines.PipelineConfig
	id        component.ID // of the hash_chain
	chain     *hashchainprocessor.Config
	pipeline  string                    // that it stands in
	behind    map[string][]component.ID // pipelines that are fed from it, and by which connectors
	stores    []storeconfig.Store       // of the WORM exporters behind it
}

// find reads the configuration, which must be one that the collector accepts, and
// finds the log in it.
func (f *targetFlags) find(ctx context.Context, factories func() (otelcol.Factories, error)) (*target, error) {
	uris, err := f.uris()
	if err != nil {
		return nil, err
	}
	t := &target{uris: uris, pipelines: map[string]*pipelines.PipelineConfig{}, behind: map[string][]component.ID{}}
	if t.config, err = load(ctx, uris, factories); err != nil {
		return nil, usagef("--config: %w", err)
	}
	for id, p := range t.config.Service.Pipelines {
		t.pipelines[id.String()] = p
	}
	if err := t.choose(f.log); err != nil {
		return nil, err
	}
	if err := t.place(); err != nil {
		return nil, err
	}
	t.follow()
	return t, nil
}

func load(ctx context.Context, uris []string, factories func() (otelcol.Factories, error)) (_ *otelcol.Config, err error) {
	all, err := factories()
	if err != nil {
		return nil, err
	}
	provider, err := otelcol.NewConfigProvider(resolver(uris))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, provider.Shutdown(ctx)) }()
	cfg, err := provider.Get(ctx, all)
	if err != nil {
		return nil, err
	}
	return cfg, confmap.Validate(cfg)
}

// choose finds the hash_chain of a log, which may be left out if there is one.
func (t *target) choose(log string) error {
	var logs []string
	var found []component.ID
	for id, cfg := range t.config.Processors {
		c, ok := cfg.(*hashchainprocessor.Config)
		if !ok {
			continue
		}
		logs = append(logs, c.Log)
		if log == "" || c.Log == log {
			found = append(found, id)
			t.id, t.chain = id, c
		}
	}
	slices.Sort(logs)
	logs = slices.Compact(logs)
	switch {
	case len(logs) == 0:
		return usagef("--config: there is no hash_chain processor in it, and so no log")
	case len(found) == 1:
		return nil
	case log == "" && len(logs) > 1:
		return usagef("--log is missing: the configuration has the logs %s", strings.Join(logs, ", "))
	case len(found) == 0:
		return usagef("--log: the configuration has no log %q, it has %s", log, strings.Join(logs, ", "))
	}
	return usagef("--config: log %s stands in %d hash_chain processors; give each log a hash_chain of its own", t.chain.Log, len(found))
}

// place finds the pipeline that the hash_chain stands in.
func (t *target) place() error {
	var in []string
	for name, p := range t.pipelines {
		if slices.Contains(p.Processors, t.id) {
			in = append(in, name)
			t.pipeline = name
		}
	}
	if len(in) != 1 {
		slices.Sort(in)
		return usagef("--config: %s, which keeps log %s, must stand in one pipeline, and stands in %d: %q", t.id, t.chain.Log, len(in), in)
	}
	return nil
}

// follow goes from the hash_chain's pipeline through connectors to all that lies
// behind it.
func (t *target) follow() {
	known := map[string]bool{}
	for queue := []string{t.pipeline}; len(queue) > 0; queue = queue[1:] {
		for _, id := range t.pipelines[queue[0]].Exporters {
			if _, ok := t.config.Connectors[id]; ok {
				queue = append(queue, t.feeds(id)...)
				continue
			}
			worm, ok := t.config.Exporters[id].(wormconfig.Config)
			if !ok {
				continue
			}
			if s, _ := worm.Parts(); !known[s.ID()] {
				known[s.ID()] = true
				t.stores = append(t.stores, s)
			}
		}
	}
	slices.SortFunc(t.stores, func(a, b storeconfig.Store) int { return strings.Compare(a.ID(), b.ID()) })
}

// feeds enters the pipelines that a connector feeds, and returns those that are
// new.
func (t *target) feeds(connector component.ID) (fresh []string) {
	for name, p := range t.pipelines {
		if name == t.pipeline || !slices.Contains(p.Receivers, connector) || slices.Contains(t.behind[name], connector) {
			continue
		}
		if t.behind[name] == nil {
			fresh = append(fresh, name)
		}
		t.behind[name] = append(t.behind[name], connector)
	}
	return fresh
}

// noStores is the error of a command that has to read stores and knows none.
func (t *target) noStores() error {
	return usagef("--store is missing: no WORM exporter stands behind %s; name the stores that the log goes to, for example those of the gateway", fmt.Sprint(t.id))
}
