package gcp

import "github.com/otelcol-custody/custody/audit"

// privileges names the roles and permissions that are given or taken. Of a policy of
// which the log does not tell what changed, they are all that it holds now.
func (e *entry) privileges(m meaning) {
	if m.class != audit.ClassUserAccess {
		return
	}
	names := append(append(e.Strs(fDeltaRole), e.Strs(fAddedPermissions)...), e.Strs(fRemovedPermissions)...)
	if len(names) == 0 {
		names = e.Strs(fPolicyRole)
	}
	if e.service == adminService {
		p := e.parameters()
		names = append(names, p["ROLE_NAME"], p["PRIVILEGE_NAME"])
	}
	e.PutList(audit.AttrPrivileges, distinct(names)...)
}
