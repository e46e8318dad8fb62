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
)

// A preflight lets the command validate find what only a start would: the
// collector's own makes the pipelines, but no extension, and starts nothing.
type preflight struct{ conf *confmap.Conf }

// Convert implements confmap.Converter: it takes the whole configuration, and
// changes nothing.
func (p *preflight) Convert(_ context.Context, conf *confmap.Conf) error {
	p.conf = conf
	return nil
}

func (p *preflight) converter() confmap.ConverterFactory {
	return confmap.NewConverterFactory(func(confmap.ConverterSettings) confmap.Converter { return p })
}

// A checker is the configuration of a component that names files or extensions.
type checker interface {
	// CheckStart says what a start would refuse, given which extensions are started.
	CheckStart(extensions []component.ID) error
}

// join adds the checks to the command validate of cmd.
func (p *preflight) join(cmd *cobra.Command, factories func() (otelcol.Factories, error)) {
	for _, c := range cmd.Commands() {
		if run := c.RunE; c.Name() == "validate" {
			c.RunE = func(cmd *cobra.Command, args []string) error {
				if err := run(cmd, args); err != nil {
					return err
				}
				all, err := factories()
				if err != nil {
					return err
				}
				return p.check(all)
			}
		}
	}
}

// check asks every component that is in use and can say; the configuration is one
// that the collector accepts.
func (p *preflight) check(all otelcol.Factories) error {
	extensions := ids(p.conf.Get("service::extensions"))
	var errs []error
	for _, id := range extensions {
		if f, ok := all.Extensions[id.Type()]; ok {
			errs = append(errs, p.ask("extensions::"+id.String(), f.CreateDefaultConfig(), extensions))
		}
	}
	for _, id := range p.receivers() {
		if f, ok := all.Receivers[id.Type()]; ok { // else it is a connector
			errs = append(errs, p.ask("receivers::"+id.String(), f.CreateDefaultConfig(), extensions))
		}
	}
	return errors.Join(errs...)
}

// ask asks the component at key, given its defaults.
func (p *preflight) ask(key string, cfg component.Config, extensions []component.ID) error {
	c, can := cfg.(checker)
	if !can || !p.conf.IsSet(key) {
		return nil
	}
	conf, err := p.conf.Sub(key)
	if err == nil {
		err = conf.Unmarshal(c)
	}
	if err == nil {
		err = c.CheckStart(extensions)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

// receivers are those in use, each once, in order.
func (p *preflight) receivers() (all []component.ID) {
	pipelines, _ := p.conf.Get("service::pipelines").(map[string]any)
	for _, one := range pipelines {
		one, _ := one.(map[string]any)
		all = append(all, ids(one["receivers"])...)
	}
	slices.SortFunc(all, func(a, b component.ID) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(all)
}

func ids(v any) (all []component.ID) {
	for _, name := range list(v) {
		var id component.ID
		if id.UnmarshalText([]byte(name)) == nil {
			all = append(all, id)
		}
	}
	return all
}
