package distro

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/otelcol"
)

// picky is the configuration of an extension that only a start would refuse.
type picky struct {
	Wants component.ID `mapstructure:"wants"`
}

func (p *picky) CheckStart(extensions []component.ID) error {
	if !slices.Contains(extensions, p.Wants) {
		return fmt.Errorf("wants: %s is not started", p.Wants)
	}
	return nil
}

// The command validate asks what is in use, and nothing else.
func TestValidateAsks(t *testing.T) {
	kind := component.MustNewType("picky")
	made := errors.New("an extension was made: validate touches nothing")
	factories := func() (otelcol.Factories, error) {
		f, err := factoriesWith(&reporter{})()
		f.Extensions[kind] = extension.NewFactory(kind, func() component.Config { return &picky{} },
			func(context.Context, extension.Settings, component.Config) (extension.Extension, error) {
				return nil, made
			}, component.StabilityLevelStable)
		return f, err
	}
	for used, want := range map[string]string{
		"health_check":                   "",
		"health_check, picky":            "",
		"health_check, picky/a":          "extensions::picky/a: wants: picky/none is not started",
		"health_check, picky/a, picky/b": "extensions::picky/a: wants: picky/none is not started\nextensions::picky/b: wants: picky/none is not started",
	} {
		text := fmt.Sprintf(configText, "127.0.0.1:0", "error")
		text = strings.Replace(text, "extensions: [health_check]", "extensions: ["+used+"]", 1)
		cmd := NewCommand(factories, "v1.2.3")
		cmd.SilenceErrors = true
		cmd.SetArgs([]string{"validate", "--config", "yaml:extensions: {picky: {wants: health_check}, picky/a: {wants: picky/none}, picky/b: {wants: health_check}}",
			"--config", "yaml:" + text, "--set", "extensions.picky/b.wants=picky/none"})
		got := ""
		if err := cmd.ExecuteContext(t.Context()); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("with %s: got %q, want %q", used, got, want)
		}
	}
}
