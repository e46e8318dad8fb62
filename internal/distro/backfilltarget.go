package distro

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-custody/custody/receiver/awscloudtrailreceiver"
)

// choose finds the receiver that is to read, and sets what it reads.
func (b *backfilling) choose(t *target, f *backfillFlags, given func(flag string) bool) error {
	b.target = t
	var found []string
	for _, p := range b.upstream() {
		for _, id := range t.pipelines[p].Receivers {
			if _, ok := t.config.Receivers[id].(*awscloudtrailreceiver.Config); ok && !slices.Contains(found, id.String()) {
				found = append(found, id.String())
			}
		}
	}
	slices.Sort(found)
	switch {
	case len(found) == 0:
		return usagef("--config: no aws_cloudtrail receiver leads to log %s; configure one, with its storage and credentials", t.chain.Log)
	case f.receiver == "" && len(found) > 1:
		return usagef("--receiver is missing: log %s has the receivers %s", t.chain.Log, strings.Join(found, ", "))
	case f.receiver != "" && !slices.Contains(found, f.receiver):
		return usagef("--receiver: log %s has no aws_cloudtrail receiver %q, it has %s", t.chain.Log, f.receiver, strings.Join(found, ", "))
	case f.receiver != "":
		found = []string{f.receiver}
	}
	if err := b.receiver.UnmarshalText([]byte(found[0])); err != nil {
		return usagef("--receiver: %w", err)
	}
	return b.set(*t.config.Receivers[b.receiver].(*awscloudtrailreceiver.Config), f, given)
}

// set makes the receiver's configuration: its own, but with the bucket as the only
// source, to be looked at until all is read.
func (b *backfilling) set(c awscloudtrailreceiver.Config, f *backfillFlags, given func(flag string) bool) error {
	c.SQS = configoptional.None[awscloudtrailreceiver.SQSConfig]()
	c.Lookup = configoptional.None[awscloudtrailreceiver.LookupConfig]()
	c.Directory = configoptional.None[awscloudtrailreceiver.DirectoryConfig]()
	if given("bucket") && (!c.Bucket.HasValue() || c.Bucket.Get().Name != f.bucket) { // What is said of another bucket says nothing of this one.
		c.Bucket = awscloudtrailreceiver.NewFactory().CreateDefaultConfig().(*awscloudtrailreceiver.Config).Bucket
	}
	if !given("bucket") && !c.Bucket.HasValue() {
		return usagef("--bucket is missing: receiver %s lists none", b.receiver)
	}
	in := c.Bucket.GetOrInsertDefault()
	for flag, set := range map[string]func(){
		"bucket":   func() { in.Name = f.bucket },
		"prefix":   func() { in.Prefix = f.prefix },
		"accounts": func() { in.Accounts = f.accounts },
		"regions":  func() { in.Regions = f.regions },
		"from":     func() { in.From = f.from },
		"to":       func() { in.To = f.to },
		"workers":  func() { in.Workers = f.workers },
	} {
		if given(flag) {
			set()
		}
	}
	in.PollInterval, in.Progress = 0, b.progress
	if err := confmap.Validate(&c); err != nil {
		return usagef("what is to be read: %w", err)
	}
	b.config = &c
	return nil
}

// place is where it reads, for people.
func (b *backfilling) place() string {
	in := b.config.Bucket.Get()
	return "s3://" + in.Name + "/" + in.Prefix
}

// upstream are the log's pipeline and all that lead to it through connectors.
func (b *backfilling) upstream() []string {
	t := b.target
	list := []string{t.pipeline}
	for i := 0; i < len(list); i++ {
		for name, p := range t.pipelines {
			if !slices.Contains(list, name) && slices.ContainsFunc(p.Exporters, b.leadsTo(list[i])) {
				list = append(list, name)
			}
		}
	}
	return list
}

// leadsTo reports whether an exporter is a connector that feeds a pipeline.
func (b *backfilling) leadsTo(pipeline string) func(component.ID) bool {
	return func(id component.ID) bool {
		_, connects := b.target.config.Connectors[id]
		return connects && slices.Contains(b.target.pipelines[pipeline].Receivers, id)
	}
}

// path are the pipelines from the receiver to the log's own.
func (b *backfilling) path() (list []string) {
	up := b.upstream()
	for _, name := range up {
		if slices.Contains(b.target.pipelines[name].Receivers, b.receiver) {
			list = append(list, name)
		}
	}
	for i := 0; i < len(list); i++ {
		for _, name := range up {
			if !slices.Contains(list, name) && slices.ContainsFunc(b.target.pipelines[list[i]].Exporters, b.leadsTo(name)) {
				list = append(list, name)
			}
		}
	}
	return list
}

// Convert implements confmap.Converter: it leaves of the configuration what lies
// between the receiver and the log, and behind that.
func (b *backfilling) Convert(_ context.Context, conf *confmap.Conf) error {
	t, path := b.target, b.path()
	kept := map[string]any{}
	for name, connectors := range t.behind {
		p := t.pipelines[name]
		kept[name] = map[string]any{"receivers": names(connectors), "processors": names(p.Processors), "exporters": names(p.Exporters)}
	}
	for _, name := range path {
		p := t.pipelines[name]
		receivers := slices.DeleteFunc(slices.Clone(p.Receivers), func(id component.ID) bool { return id != b.receiver && !b.fedBy(id, path) })
		exporters := slices.DeleteFunc(slices.Clone(p.Exporters), func(id component.ID) bool {
			_, connects := t.config.Connectors[id]
			return connects && name != t.pipeline && !slices.ContainsFunc(path, func(to string) bool { return b.leadsTo(to)(id) })
		})
		kept[name] = map[string]any{"receivers": names(receivers), "processors": names(p.Processors), "exporters": names(exporters)}
	}
	extensions := slices.DeleteFunc(slices.Clone(t.config.Service.Extensions), func(id component.ID) bool {
		return slices.Contains(listeners, id.Type().String())
	})
	own := conf.Get("receivers::" + b.receiver.String())
	for _, key := range []string{"receivers", "service::pipelines", "service::extensions", "service::telemetry::metrics"} {
		conf.Delete(key)
	}
	return conf.Merge(confmap.NewFromStringMap(map[string]any{
		"receivers": map[string]any{b.receiver.String(): own},
		"service": map[string]any{
			"pipelines": kept, "extensions": names(extensions),
			"telemetry": map[string]any{"metrics": map[string]any{"level": "none"}},
		},
	}))
}

// fedBy reports whether a connector comes from one of the pipelines.
func (b *backfilling) fedBy(id component.ID, pipelines []string) bool {
	_, connects := b.target.config.Connectors[id]
	return connects && slices.ContainsFunc(pipelines, func(name string) bool { return slices.Contains(b.target.pipelines[name].Exporters, id) })
}

// undelivered says what waits, and who delivers it.
func (b *backfilling) undelivered(segments int64) error {
	return fmt.Errorf("%w: %s of it wait in %s until the stores take them, and the collector delivers them after its next start; nothing has to be read again",
		errUndelivered, several(uint64(segments), "segment"), b.target.chain.StateDir)
}
