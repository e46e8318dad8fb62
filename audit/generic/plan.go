package generic

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// A plan is a mapping whose paths have become fields of a table.
type plan struct {
	product, provider, stream string

	require              []required
	id, scope            paths
	account, region, org paths
	time                 paths
	layouts              []layout
	operation            paths
	actions              []rule
	outcome              outcome
	actor                actor
	source               source
	targets              []target
	privileges           paths
	urlPath              paths
	simple               []simple
}

// paths are fields of the table, the first of which that has a value counts.
type paths []int

func (p paths) of(f *jsonscan.Fields) string {
	for _, field := range p {
		if v := f.Str(field); v != "" {
			return v
		}
	}
	return ""
}

// all are the values of all of them, every element of lists included.
func (p paths) all(f *jsonscan.Fields) (values []string) {
	for _, field := range p {
		values = append(values, f.Strs(field)...)
	}
	return values
}

type required struct {
	path  string
	field int
}

// A simple field becomes an attribute as it is.
type simple struct {
	attr  string
	paths paths
}

// A pattern matches one text, or all that begin and end so.
type pattern struct {
	head, tail string
	open       bool
}

func (p pattern) matches(s string) bool {
	if !p.open {
		return s == p.head
	}
	return len(s) >= len(p.head)+len(p.tail) && strings.HasPrefix(s, p.head) && strings.HasSuffix(s, p.tail)
}

// covers says whether p matches all that q does.
func (p pattern) covers(q pattern) bool {
	if !q.open {
		return p.matches(q.head)
	}
	return p.open && strings.HasPrefix(q.head, p.head) && strings.HasSuffix(q.tail, p.tail)
}

func (p pattern) String() string {
	if p.open {
		return p.head + "*" + p.tail
	}
	return p.head
}

func anyMatches(patterns []pattern, s string) bool {
	for _, p := range patterns {
		if p.matches(s) {
			return true
		}
	}
	return false
}

// A rule says what the operations that it matches are.
type rule struct {
	paths    paths // of what is compared; none: the operation
	match    []pattern
	action   string
	class    audit.Class
	activity int64
}

func (p *plan) classify(f *jsonscan.Fields, d *draft.Draft) {
	operation := p.operation.of(f)
	d.Put(audit.AttrOperation, operation)
	for i := range p.actions {
		r := &p.actions[i]
		value := operation
		if len(r.paths) > 0 {
			value = r.paths.of(f)
		}
		if value != "" && anyMatches(r.match, value) {
			d.Class(r.class, r.action, r.activity)
			return
		}
	}
	d.Class(audit.ClassAPI, audit.ActionOther, audit.ActivityOther)
}

type actor struct {
	id, name, kind, mfa, roles, delegation paths
	services, systems                      []pattern
	simple                                 []simple
}

func (a *actor) put(f *jsonscan.Fields, d *draft.Draft) {
	kind, name := a.kind.of(f), a.name.of(f)
	if id := a.id.of(f); id != "" {
		d.Put(audit.AttrActorID, id)
		if id != name { // a name is not an id because there is no better one
			d.Put(audit.AttrUserID, id)
		}
		switch {
		case anyMatches(a.services, kind):
			d.Put(audit.AttrActorType, audit.ActorService)
		case anyMatches(a.systems, kind):
			d.Put(audit.AttrActorType, audit.ActorSystem)
		default:
			d.Put(audit.AttrActorType, audit.ActorUser)
		}
	}
	d.Put(audit.AttrActorTypeOriginal, kind)
	d.Put(audit.AttrUserName, name)
	for _, s := range a.simple {
		d.Put(s.attr, s.paths.of(f))
	}
	d.PutList(audit.AttrUserRoles, a.roles.all(f)...)
	d.PutList(audit.AttrActorDelegation, a.delegation.all(f)...)
	for _, field := range a.mfa {
		if used, ok := f.Bool(field); ok {
			d.PutBool(audit.AttrSessionMFA, used)
			return
		}
	}
}

type source struct {
	paths, chain paths
	services     []pattern
}

func (s *source) put(f *jsonscan.Fields, d *draft.Draft) {
	native := s.paths.of(f)
	if anyMatches(s.services, native) {
		d.SourceOf(native, audit.SourceService)
	} else {
		d.Source(native)
	}
	d.PutList(audit.AttrSourceChain, s.chain.all(f)...)
}

// A target is one, or one for each element of a list.
type target struct {
	id, kind, name, account, region paths
	join, otherwise                 string
	each                            bool
	inList                          map[int]bool // the fields that have a value for each element
}

func (t *target) add(f *jsonscan.Fields, d *draft.Draft) {
	n := 1
	if t.each {
		n = 0
		for _, field := range t.id {
			if t.inList[field] {
				n = max(n, f.Elements(field))
			}
		}
	}
	for i := range n {
		d.AddTarget(draft.Target{
			ID: t.joined(f, i), Type: draft.First(t.at(f, t.kind, i), t.otherwise), Name: t.at(f, t.name, i),
			Account: t.at(f, t.account, i), Region: t.at(f, t.region, i),
		})
	}
}

// at is the value for one element.
func (t *target) at(f *jsonscan.Fields, p paths, element int) string {
	for _, field := range p {
		if v := t.value(f, field, element); v != "" {
			return v
		}
	}
	return ""
}

func (t *target) value(f *jsonscan.Fields, field, element int) string {
	if t.inList[field] {
		return f.StrAt(field, element)
	}
	return f.Str(field)
}

func (t *target) joined(f *jsonscan.Fields, element int) string {
	if t.join == "" {
		return t.at(f, t.id, element)
	}
	var parts []string
	for _, field := range t.id {
		part := t.value(f, field, element)
		if part == "" {
			return ""
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, t.join)
}
