package entra

import (
	"slices"
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
)

// elevatedRole is what an elevation gives, and its end takes, as their names say.
const elevatedRole = "User Access Administrator"

// privileges names the roles and permissions that are given or taken: those among the
// targets, in the properties that changed and in the details. Several permissions stand
// with spaces between them.
func (e *event) privileges(activity string, changes [][]audit.Attribute) (all []string) {
	add := func(names ...string) {
		for _, name := range names {
			if name != "" && !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	if strings.EqualFold(activity, elevation) || strings.EqualFold(activity, elevationEnd) {
		add(elevatedRole)
	}
	for i := range e.Elements(e.base + fTargets) {
		if strings.EqualFold(e.StrAt(e.base+fTargetType, i), "role") {
			add(e.StrAt(e.base+fTargetName, i))
		}
	}
	for _, change := range changes {
		add(given(change)...)
	}
	add(e.detail("RoleName"))
	return all
}

// given are the roles and permissions of a property that changed.
func given(change []audit.Attribute) []string {
	side := map[string]string{}
	for _, a := range change {
		side[a.Key] = a.Value.Str
	}
	value := draft.First(side["new"], side["old"])
	switch side["path"] {
	case "Role.DisplayName", "AppRole.Value":
		return []string{value}
	case "DelegatedPermissionGrant.Scope":
		return strings.Fields(value)
	}
	return nil
}
