package generic

import (
	"fmt"
	"slices"
	"strings"

	"github.com/otelcol-custody/custody/audit"
)

func (b *builder) actions(m *Mapping) (list []rule) {
	for i, a := range m.Actions {
		key := fmt.Sprintf("actions[%d]", i)
		b.check(len(a.Match) > 0, key+".match", "required: name the values that have this action; \"*\" is any")
		b.check(slices.Contains(actions, a.Action), key+".action", "unknown action %q: write one of %s", a.Action, strings.Join(actions, ", "))
		b.check(len(a.Path)+len(m.Operation) > 0, key+".path", "required where there is no operation: name the path of what is compared")
		name := a.Class
		if name == "" {
			name = "api_activity"
		}
		c, ok := classes[name]
		b.check(ok, key+".class", "unknown class %q: write one of %s", a.Class, classNames())
		activity := c.activityOf(a.Action)
		if a.Activity != "" && ok {
			activity, ok = c.activity(a.Activity)
			b.check(ok, key+".activity", "%s has no activity %q: write one of %s, other", name, a.Activity, strings.Join(c.activities, ", "))
		}
		r := rule{b.paths(key+".path", a.Path), b.patterns(key+".match", a.Match), a.Action, c.Class, activity}
		b.reached(key+".match", list, r)
		list = append(list, r)
	}
	return list
}

// reached finds what an earlier rule takes away from a later one: the order would do
// something else than its author thinks.
func (b *builder) reached(key string, earlier []rule, r rule) {
	for i := range earlier {
		if !slices.Equal(earlier[i].paths, r.paths) {
			continue
		}
		for _, late := range r.match {
			for _, early := range earlier[i].match {
				b.check(!early.covers(late), key, "%q is never reached, since %q of actions[%d] matches it before: put this one first", late, early, i)
			}
		}
	}
}

func (b *builder) outcome(o *Outcome) outcome {
	out := outcome{
		value: b.paths("outcome.path", o.Path), status: b.paths("outcome.status", o.Status),
		failure: b.paths("outcome.error", o.Error), reason: b.paths("outcome.reason", o.Reason), words: map[string]string{},
	}
	for _, w := range []struct {
		meaning string
		values  []string
	}{{audit.OutcomeSuccess, o.Success}, {audit.OutcomeFailure, o.Failure}, {audit.OutcomeUnknown, o.Unknown}} {
		for _, v := range w.values {
			b.check(v != "", "outcome."+w.meaning, "an empty value is none: leave it out, the outcome is unknown then")
			other, twice := out.words[v]
			b.check(!twice, "outcome."+w.meaning, "%q is in outcome.%s, too: a value means one thing", v, other)
			out.words[v] = w.meaning
		}
	}
	b.check(len(o.Path) > 0 || len(out.words) == 0, "outcome.path", "required: name the path of the values that are listed")
	b.check(len(o.Path) == 0 || len(out.words) > 0, "outcome.success", "required with outcome.path: list the values that mean success, and in outcome.failure those that mean failure")
	b.check(len(o.Path)+len(o.Status)+len(o.Error) > 0, "outcome", "required: name outcome.path with lists of values, outcome.status or outcome.error")
	return out
}

func (b *builder) actor(a *Actor) actor {
	b.check(len(a.ID) > 0, "actor.id", "required: name the path of who did it")
	b.check(len(a.Type) > 0 || len(a.Services)+len(a.Systems) == 0, "actor.type", "required: name the path of what actor.services and actor.systems match")
	return actor{
		id: b.paths("actor.id", a.ID), name: b.paths("actor.name", a.Name), kind: b.paths("actor.type", a.Type), mfa: b.paths("actor.mfa", a.MFA),
		roles: b.paths("actor.roles", a.Roles), delegation: b.paths("actor.delegation", a.Delegation),
		services: b.patterns("actor.services", a.Services), systems: b.patterns("actor.systems", a.Systems),
		simple: b.simple(map[string]keyed{
			audit.AttrUserEmail: {"actor.email", a.Email}, audit.AttrUserFullName: {"actor.full_name", a.FullName}, audit.AttrActorAccountID: {"actor.account", a.Account},
			audit.AttrActorCredentialID: {"actor.credential", a.Credential}, audit.AttrActorAppID: {"actor.app", a.App},
		}),
	}
}

func (b *builder) targets(list []Target) (targets []target) {
	for i, t := range list {
		key := fmt.Sprintf("targets[%d]", i)
		b.check(len(t.ID) > 0, key+".id", "required: name the path of the target's id")
		b.check(t.Join == "" || len(t.ID) > 1, key+".join", "joins nothing: name all paths that it joins in %s.id, or leave it out", key)
		out := target{
			id: b.paths(key+".id", t.ID), kind: b.paths(key+".type", t.Type), name: b.paths(key+".name", t.Name),
			account: b.paths(key+".account", t.Account), region: b.paths(key+".region", t.Region),
			join: t.Join, otherwise: t.Kind, inList: map[int]bool{},
		}
		for _, fields := range []paths{out.id, out.kind, out.name, out.account, out.region} {
			for _, field := range fields {
				out.inList[field] = b.inList[field]
			}
		}
		for _, field := range out.id {
			out.each = out.each || out.inList[field]
		}
		targets = append(targets, out)
	}
	return targets
}
