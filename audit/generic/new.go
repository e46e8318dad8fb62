package generic

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/frame"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// New makes a parser of a mapping. Its error names every fault at once, each led by its
// YAML key, and what would be right.
func New(m Mapping) (*Parser, error) {
	b := &builder{fields: map[string]int{}}
	b.check(strings.TrimSpace(m.Product) != "", "product", "required: name what writes the events")
	b.check(len(m.Require) > 0, "require", "required: name a path that every event has, so that what is no event is told from one")
	b.check(len(m.Time.Path) > 0, "time.path", "required: name the path of the event's time")
	p := &Parser{plan: plan{
		product: m.Product, provider: m.Provider, stream: m.Stream,
		id: b.paths("id", m.ID), scope: b.paths("scope", m.Scope),
		account: b.paths("account", m.Account), region: b.paths("region", m.Region), org: b.paths("org", m.Org),
		time: b.paths("time.path", m.Time.Path), layouts: b.layouts(m.Time.Layouts),
		operation: b.paths("operation", m.Operation), actions: b.actions(&m),
		outcome: b.outcome(&m.Outcome), actor: b.actor(&m.Actor), targets: b.targets(m.Targets), privileges: b.paths("privileges", m.Privileges), urlPath: b.paths("url_path", m.URLPath),
		source: source{b.paths("source.path", m.Source.Path), b.paths("source.chain", m.Source.Chain), b.patterns("source.services", m.Source.Services)},
	}}
	b.check(len(m.Source.Path) > 0 || len(m.Source.Services) == 0, "source.path", "required: name the path of what source.services match")
	for i, field := range b.paths("require", m.Require) {
		p.require = append(p.require, required{m.Require[i], field})
	}
	p.simple = b.simple(map[string]keyed{
		audit.AttrService: {"service", m.Service}, audit.AttrCategory: {"category", m.Category},
		audit.AttrSchemaVersion: {"version", m.Version}, audit.AttrAPIVersion: {"api_version", m.APIVersion},
		audit.AttrRequestID: {"request_id", m.RequestID}, audit.AttrCorrelationID: {"correlation_id", m.CorrelationID},
		audit.AttrSessionID: {"session_id", m.SessionID}, audit.AttrUserAgent: {"user_agent", m.UserAgent},
		audit.AttrHTTPMethod: {"http_method", m.HTTPMethod},
	})
	b.lists(m.Lists, m.Require)
	if err := errors.Join(b.faults...); err != nil {
		return nil, err
	}
	p.table = jsonscan.NewTable(b.all)
	p.format = formatOf(&m)
	return p, nil
}

// formatOf is how the events lie in what is delivered. The key of the first required path
// is what tells an event from an object with a list.
func formatOf(m *Mapping) frame.Format {
	own := []string{jsonscan.FirstKey(m.Require[0])}
	return frame.Format{
		Provider: m.Provider, Product: m.Product, Lists: m.Lists, Own: own, First: own,
		NotFile: ErrNotFile, NotEvent: ErrNotEvent,
	}
}

// A builder makes fields of paths, and collects what is wrong.
type builder struct {
	all    []string
	inList []bool // whether the path leads through a list
	fields map[string]int
	faults []error
}

func (b *builder) check(ok bool, key, format string, args ...any) {
	if ok {
		return
	}
	text := key + ": " + fmt.Sprintf(format, args...)
	if !slices.ContainsFunc(b.faults, func(f error) bool { return f.Error() == text }) { // a path may serve twice
		b.faults = append(b.faults, errors.New(text))
	}
}

// checkPath knows other ways of writing paths, too, and the keys that nobody sees.
func checkPath(path string) error {
	switch {
	case strings.TrimSpace(path) != path:
		return errors.New("it begins or ends with a space: put a key that does in quotes")
	case strings.HasPrefix(path, "$."):
		return errors.New("it begins with $: leave that out")
	case strings.HasPrefix(path, "/"):
		return errors.New("it begins with a slash: leave that out, and write dots")
	}
	return jsonscan.CheckPath(path)
}

// paths makes fields of paths; equal paths are one field, however they are written.
func (b *builder) paths(key string, list []string) (fields paths) {
	for _, path := range list {
		if err := checkPath(path); err != nil {
			b.check(false, key, "the path %q cannot be read: %v; write it like user.id, items[].id or labels.\"a.b\"", path, err)
			continue
		}
		clean, inList := jsonscan.CleanPath(path)
		field, ok := b.fields[clean]
		if !ok {
			field = len(b.all)
			b.all, b.inList, b.fields[clean] = append(b.all, clean), append(b.inList, inList), field
		}
		fields = append(fields, field)
	}
	return fields
}

type keyed struct {
	key   string
	paths []string
}

// simple leaves out what has no path. Attributes stand in the order of their keys.
func (b *builder) simple(byAttr map[string]keyed) (list []simple) {
	for _, attr := range slices.Sorted(maps.Keys(byAttr)) {
		if fields := b.paths(byAttr[attr].key, byAttr[attr].paths); len(fields) > 0 {
			list = append(list, simple{attr, fields})
		}
	}
	return list
}

// lists are keys and dots only: a list of lists is not looked into.
func (b *builder) lists(list, require []string) {
	for i, path := range list {
		key := fmt.Sprintf("lists[%d]", i)
		err := jsonscan.CheckPath(path)
		b.check(err == nil, key, "the path %q cannot be read: %v; write it like data.items", path, err)
		b.check(!strings.ContainsAny(path, `["`), key, "%q: write only keys with dots in between, such as data.items, without [] or quotes", path)
		for j, r := range require {
			first, isList := jsonscan.FirstKey(r), jsonscan.FirstKey(r) == path
			b.check(!isList, "require", "%q is a list of events by %s: name first what only an event has", r, key)
			// The key of the first one tells events from what is around the list.
			b.check(isList || j > 0 || first != jsonscan.FirstKey(path), "require", "%q begins like %s, in which events lie: name first a key that only an event has", r, key)
		}
	}
}

func (b *builder) layouts(texts []string) (list []layout) {
	if len(texts) == 0 {
		texts = []string{"rfc3339"}
	}
	for i, text := range texts {
		l, err := newLayout(text)
		b.check(err == nil, fmt.Sprintf("time.layouts[%d]", i), "%q is %v", text, err)
		list = append(list, l)
	}
	return list
}

func (b *builder) patterns(key string, texts []string) (list []pattern) {
	for _, text := range texts {
		head, tail, open := strings.Cut(text, "*")
		b.check(text != "", key, "an empty value matches nothing: leave it out")
		b.check(!strings.Contains(tail, "*"), key, "%q has more than one *: write several values", text)
		list = append(list, pattern{head, tail, open})
	}
	return list
}
