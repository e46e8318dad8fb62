package azure

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// A resource is what a resource id names. Id, kind and subscription are in lower case.
// https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
type resource struct {
	id, kind, name, subscription, region string
}

// parseID takes a resource id apart:
// /subscriptions/ID/resourceGroups/NAME/providers/NAMESPACE/TYPE/NAME/TYPE/NAME.
// Behind the last "providers" stands the resource itself.
func parseID(text string) resource {
	text = strings.TrimRight(text, "/")
	r := resource{id: strings.ToLower(text)}
	parts := strings.Split(strings.TrimPrefix(r.id, "/"), "/")
	if len(parts) > 1 && parts[0] == "subscriptions" {
		r.subscription = parts[1]
	}
	for i := len(parts) - 1; i >= 0 && r.kind == ""; i-- {
		if parts[i] == "providers" && i+2 < len(parts) {
			r.kind = kindOf(parts[i+1:])
		}
	}
	if r.kind == "" {
		r.kind = scopeKind(parts)
	}
	r.name = text[strings.LastIndexByte(text, '/')+1:]
	return r
}

// kindOf leaves the names out of NAMESPACE/TYPE/NAME/TYPE/NAME. A type with a dot is a
// namespace within a resource, such as rbac.authorization.k8s.io, and has none.
func kindOf(parts []string) string {
	kind := parts[0]
	for i := 1; i < len(parts); i++ {
		kind += "/" + parts[i]
		if !strings.Contains(parts[i], ".") {
			i++
		}
	}
	return kind
}

// scopeKind is the kind of what holds resources.
func scopeKind(parts []string) string {
	switch {
	case len(parts) > 3 && parts[2] == "resourcegroups":
		return "microsoft.resources/subscriptions/resourcegroups"
	case len(parts) > 1 && parts[0] == "subscriptions":
		return "microsoft.resources/subscriptions"
	case len(parts) > 1 && parts[0] == "tenants":
		return "microsoft.resources/tenants"
	}
	return ""
}

// targets are the resource; before it, where a role is given or taken, to whom, and
// behind it the role.
func (e *event) targets(target resource, d *draft.Draft) {
	role := e.assignment()
	d.AddTarget(draft.Target{ID: role.principal, Type: role.kind, Name: role.principalName})
	d.AddTarget(draft.Target{ID: target.id, Type: draft.First(strings.ToLower(e.Str(fResourceType)), target.kind),
		Name: target.name, Account: target.subscription, Region: target.region})
	d.AddTarget(draft.Target{ID: strings.ToLower(role.id), Type: "microsoft.authorization/roledefinitions", Name: role.name})
	d.PutList(audit.AttrPrivileges, draft.First(role.name, strings.ToLower(role.id)))
	if d.Targets() == 0 {
		d.AddTarget(draft.Target{ID: d.Rec.Resource.OrgID, Type: "microsoft.resources/tenants"})
	}
	d.PutTargets()
	if d.Targets() == 1 {
		d.Put(audit.AttrCloudResourceID, target.id)
	}
}

// A role is one that somebody is given, or loses.
type role struct{ principal, principalName, kind, id, name string }

// The fields of the request that assigns a role. Clients write the keys in both ways.
const (
	aPrincipal = iota
	aPrincipalLower
	aType
	aTypeLower
	aRole
	aRoleLower
)

var assignmentTable = jsonscan.NewTable([]string{
	aPrincipal: "Properties.PrincipalId", aPrincipalLower: "properties.principalId",
	aType: "Properties.PrincipalType", aTypeLower: "properties.principalType",
	aRole: "Properties.RoleDefinitionId", aRoleLower: "properties.roleDefinitionId",
})

// assignment reads the role out of the request, or out of what Privileged Identity
// Management says.
func (e *event) assignment() role {
	if subject := e.property(pSubjectID); subject != "" {
		return role{subject, e.property(pSubjectName), "principal", e.property(pRoleID), e.property(pRole)}
	}
	body := e.property(pRequestBody)
	if body == "" || meanings[e.operation].class != audit.ClassUserAccess {
		return role{}
	}
	f, err := jsonscan.Of(body, assignmentTable)
	if err != nil {
		return role{}
	}
	either := func(a, b int) string { return draft.First(f.Str(a), f.Str(b)) }
	kind := strings.ToLower(either(aType, aTypeLower))
	return role{principal: either(aPrincipal, aPrincipalLower), kind: draft.First(kind, "principal"), id: either(aRole, aRoleLower)}
}
