package integrityextension

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-custody/custody/internal/storeconfig"
)

// Stores are the stores to watch, by a name of one's own: a kind, and something
// behind a slash where there are several of a kind, as in s3/eu. Each has the
// settings of its exporter; those that are about writing have no effect.
type Stores struct{ byName map[string]storeconfig.Store }

// kinds makes the defaults of each kind of store.
var kinds = map[string]func() storeconfig.Store{
	"s3":        func() storeconfig.Store { c := storeconfig.DefaultS3(); return &c },
	"gcs":       func() storeconfig.Store { c := storeconfig.DefaultGCS(); return &c },
	"azureblob": func() storeconfig.Store { c := storeconfig.DefaultAzureBlob(); return &c },
	"file":      func() storeconfig.Store { c := storeconfig.DefaultDir(); return &c },
}

// Unmarshal implements confmap.Unmarshaler: what stands below a name depends on
// the name.
func (s *Stores) Unmarshal(conf *confmap.Conf) error {
	s.byName = map[string]storeconfig.Store{}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(conf.ToStringMap())) {
		kind, rest, named := strings.Cut(name, "/")
		defaults, known := kinds[kind]
		if !known || named && rest == "" {
			errs = append(errs, fmt.Errorf("%s: no such kind of store; write %s, with /NAME behind it where there are several", name, strings.Join(slices.Sorted(maps.Keys(kinds)), ", ")))
			continue
		}
		sub, err := conf.Sub(name)
		if err == nil {
			s.byName[name] = defaults()
			err = sub.Unmarshal(s.byName[name])
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// Marshal implements confmap.Marshaler, for the command print-config.
func (s Stores) Marshal(conf *confmap.Conf) error {
	all := map[string]any{}
	for name, c := range s.byName {
		one := confmap.New()
		if err := one.Marshal(c); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		all[name] = one.ToStringMap()
	}
	return conf.Merge(confmap.NewFromStringMap(all))
}

// names are in the order in which the stores are told of.
func (s Stores) names() []string { return slices.Sorted(maps.Keys(s.byName)) }

// check reports every fault of every store, led by its key.
func (s Stores) check(f *faults) {
	if len(s.byName) == 0 {
		f.add("stores", "required: which stores to watch, such as file: {path: /srv/evidence}")
	}
	first := map[string]string{}
	for _, name := range s.names() {
		c := s.byName[name]
		if err := c.Validate(); err != nil {
			for _, fault := range each(err) {
				f.add("stores::"+name, "%w", fault)
			}
			continue
		}
		if other := first[c.ID()]; other != "" {
			f.add("stores::"+name, "is the same as %s: %s", other, c.ID())
		}
		first[c.ID()] = name
	}
}

// each takes joined errors apart.
func each(err error) []error {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		return all.Unwrap()
	}
	return []error{err}
}
