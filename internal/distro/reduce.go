package distro

import (
	"context"
	"slices"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
)

// drainType is the receiver that a drained log gets instead of its own. No
// configuration can name it: only the command knows its factory.
var drainType = component.MustNewType("custody_drain")

// listeners are extensions that only listen or judge; nobody needs them to drain,
// and their ports or folders may be taken.
var listeners = []string{"health_check", "integrity", "pprof", "zpages"}

// Convert implements confmap.Converter: it leaves of the configuration what lies
// behind the log's hash_chain, and puts the private receiver in front of it.
func (t *target) Convert(_ context.Context, conf *confmap.Conf) error {
	own := t.pipelines[t.pipeline]
	kept := map[string]any{t.pipeline: map[string]any{
		"receivers":  []any{drainType.String()},
		"processors": names(own.Processors[slices.Index(own.Processors, t.id):]),
		"exporters":  names(own.Exporters),
	}}
	for name, connectors := range t.behind {
		p := t.pipelines[name]
		kept[name] = map[string]any{
			"receivers": names(connectors), "processors": names(p.Processors), "exporters": names(p.Exporters),
		}
	}
	extensions := slices.DeleteFunc(slices.Clone(t.config.Service.Extensions), func(id component.ID) bool {
		return slices.Contains(listeners, id.Type().String())
	})
	for _, key := range []string{"receivers", "service::pipelines", "service::extensions", "service::telemetry::metrics"} {
		conf.Delete(key)
	}
	return conf.Merge(confmap.NewFromStringMap(map[string]any{
		"receivers": map[string]any{drainType.String(): nil},
		"service": map[string]any{
			"pipelines": kept, "extensions": names(extensions),
			"telemetry": map[string]any{"metrics": map[string]any{"level": "none"}},
		},
	}))
}

func names(ids []component.ID) []any {
	list := []any{}
	for _, id := range ids {
		list = append(list, id.String())
	}
	return list
}
