package okta

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// targets maps to what it was done. What the class is about comes first: the group
// whose members change, the user whose rights do. A session or an account without a
// target is that of the actor.
func targets(f *jsonscan.Fields, m meaning, d *draft.Draft) {
	n := f.Elements(fTargetID, fTargetAlternate)
	first := firstOf(f, m.class, n)
	if first >= 0 {
		d.AddTarget(targetAt(f, first))
	}
	for i := range n {
		if i != first {
			d.AddTarget(targetAt(f, i))
		}
	}
	if d.Targets() == 0 && (m.class == audit.ClassAuthentication || m.class == audit.ClassAccountChange) {
		name := known(f.Str(fActorAlternate))
		d.AddTarget(draft.Target{ID: draft.First(known(f.Str(fActorID)), name), Type: f.Str(fActorType), Name: name})
	}
	d.PutTargets()
	d.PutList(audit.AttrPrivileges, privileges(f)...)
}

// privileges are what an administrator is granted or loses, with commas between them.
func privileges(f *jsonscan.Fields) (all []string) {
	for _, name := range strings.Split(draft.First(f.Str(fGranted), f.Str(fRevoked)), ",") {
		all = append(all, strings.TrimSpace(name))
	}
	return all
}

// firstOf finds the target that a class is about; -1 if there is none.
func firstOf(f *jsonscan.Fields, class audit.Class, n int) int {
	var wanted string
	switch class {
	case audit.ClassGroup:
		wanted = "UserGroup"
	case audit.ClassAccountChange, audit.ClassUserAccess:
		wanted = "User"
	}
	for i := range n {
		if kind := f.StrAt(fTargetType, i); kind == wanted && wanted != "" {
			return i
		}
	}
	return -1
}

func targetAt(f *jsonscan.Fields, i int) draft.Target {
	name := draft.First(known(f.StrAt(fTargetAlternate, i)), known(f.StrAt(fTargetName, i)))
	return draft.Target{ID: draft.First(known(f.StrAt(fTargetID, i)), name), Type: f.StrAt(fTargetType, i), Name: name}
}

// changes are those of the targets, each the JSON of what was and of what is. Their
// path is the target's type.
func changes(f *jsonscan.Fields) (all [][]audit.Attribute) {
	for i := range f.Elements(fFrom, fTo) {
		before, after := rawAt(f, fFrom, i), rawAt(f, fTo, i)
		if before == "" && after == "" {
			continue
		}
		attrs := []audit.Attribute{audit.StringAttr("path", f.StrAt(fTargetType, i))}
		if before != "" {
			attrs = append(attrs, audit.StringAttr("old", before))
		}
		if after != "" {
			attrs = append(attrs, audit.StringAttr("new", after))
		}
		all = append(all, attrs)
	}
	return all
}

func rawAt(f *jsonscan.Fields, field, element int) string {
	for _, sp := range f.All(field) {
		if sp.Element == element && sp.Kind != jsonscan.Null {
			return f.RawOf(sp)
		}
	}
	return ""
}
