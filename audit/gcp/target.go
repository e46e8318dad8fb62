package gcp

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
)

// targets maps to what it was done: the user of a sign-in, the group and the member
// of a membership, what a perimeter protects; then the resource that is named; then
// who was given a role or lost it.
func (e *entry) targets(m meaning) {
	if e.service == loginService || e.service == adminService {
		e.workspaceTargets(m)
	}
	for _, name := range e.Strs(fProtected) {
		e.AddTarget(e.named(name))
	}
	main := e.named(e.Str(fResourceName))
	if e.Str(fResourceType) == "service_account" {
		main = e.serviceAccount(main)
	}
	e.AddTarget(main)
	if e.Targets() == 0 {
		for i := range e.Elements(fPermissionResource) {
			e.AddTarget(e.named(e.StrAt(fPermissionResource, i)))
		}
	}
	one := e.Targets() == 1
	for _, member := range distinct(e.Strs(fDeltaMember)) {
		kind, name, _ := strings.Cut(member, ":")
		e.AddTarget(draft.Target{ID: member, Type: kind, Name: name})
	}
	e.PutTargets()
	if one && strings.Contains(main.ID, "/") && strings.HasSuffix(e.service, ".googleapis.com") {
		e.Put(audit.AttrCloudResourceID, "//"+e.service+"/"+main.ID)
	}
}

// named is a target of the type that the log or its permissions give.
func (e *entry) named(name string) draft.Target {
	kind := e.Str(fResourceType)
	if kind == "" || kind == "audited_resource" {
		kind = draft.First(e.Str(fPermissionResourceType), kind)
	}
	return draft.Target{ID: name, Type: kind, Account: e.Str(fProject), Region: e.region()}
}

// serviceAccount names the account where the resource is the project in which it is
// made.
func (e *entry) serviceAccount(t draft.Target) draft.Target {
	t.Name = draft.First(e.Str(fAccountEmail), e.Str(fResponseEmail))
	if !strings.Contains(t.ID, "/serviceAccounts/") {
		t.ID = draft.First(e.Str(fResponseName), t.Name, t.ID)
	}
	return t
}

// changes lists who gained a role and who lost one, where the log tells.
func (e *entry) changes() {
	var all [][]audit.Attribute
	for i := range e.Elements(fDeltaAction, fDeltaMember) {
		change := []audit.Attribute{audit.StringAttr("path", e.StrAt(fDeltaRole, i))}
		switch member := e.StrAt(fDeltaMember, i); e.StrAt(fDeltaAction, i) {
		case "ADD":
			change = append(change, audit.StringAttr("new", member))
		case "REMOVE":
			change = append(change, audit.StringAttr("old", member))
		default:
			continue
		}
		all = append(all, change)
	}
	e.PutMaps(audit.AttrChanges, all)
}

func distinct(values []string) (all []string) {
	seen := map[string]bool{}
	for _, v := range values {
		if !seen[v] {
			seen[v], all = true, append(all, v)
		}
	}
	return all
}
