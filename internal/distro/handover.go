package distro

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/confmap"
)

// handover refuses a configuration that loses what was answered: a hash_chain
// without stores of its own (min_stores: 0) takes the nil of the exporter behind
// it for the gateway's, and a sending queue gives it before the gateway has
// anything. Only the whole configuration shows both, so no component can.
type handover struct{}

// converters look at the whole configuration before the collector does.
func converters() []confmap.ConverterFactory {
	return []confmap.ConverterFactory{
		confmap.NewConverterFactory(func(confmap.ConverterSettings) confmap.Converter { return handover{} }),
	}
}

// Convert implements confmap.Converter; it changes nothing.
func (handover) Convert(_ context.Context, conf *confmap.Conf) error {
	var errs []error
	pipelines, _ := conf.Get("service::pipelines").(map[string]any)
	for _, p := range pipelines {
		p, _ := p.(map[string]any)
		if !slices.ContainsFunc(list(p["processors"]), func(id string) bool { return handsOver(conf, id) }) {
			continue
		}
		for _, id := range list(p["exporters"]) {
			if queues(conf, id) {
				errs = append(errs, fmt.Errorf("exporters::%s::sending_queue: it answers before the gateway has anything, and with min_stores: 0 hash_chain forgets a segment then: set sending_queue: {enabled: false}; the spool of hash_chain is the queue", id))
			}
		}
	}
	return errors.Join(errs...)
}

// handsOver says whether a processor is a hash_chain that waits for no receipt.
func handsOver(conf *confmap.Conf, id string) bool {
	settings, _ := conf.Get("processors::" + id).(map[string]any)
	least, set := settings["min_stores"]
	return typeOf(id) == "hash_chain" && set && fmt.Sprint(least) == "0"
}

// queues says whether an exporter has a queue: those for OTLP do unless told
// otherwise, and no WORM exporter does.
func queues(conf *confmap.Conf, id string) bool {
	if !strings.HasPrefix(typeOf(id), "otlp") {
		return false
	}
	settings, _ := conf.Get("exporters::" + id).(map[string]any)
	queue, _ := settings["sending_queue"].(map[string]any)
	on, set := queue["enabled"]
	return !set || fmt.Sprint(on) != "false"
}

func typeOf(id string) string {
	name, _, _ := strings.Cut(id, "/")
	return name
}

// list is a list of component ids, as far as it is one: the collector says what
// is wrong with others.
func list(v any) (ids []string) {
	all, _ := v.([]any)
	for _, id := range all {
		ids = append(ids, fmt.Sprint(id))
	}
	return ids
}
