package entra

import (
	"testing"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/audittest"
)

// What is given or taken stands among the targets, the changes or the details, or in
// the name of the activity.
func TestPrivileges(t *testing.T) {
	user := `{"id":"u1","type":"User","userPrincipalName":"eve@example.com","modifiedProperties":[`
	for payload, want := range map[string]string{
		`"activityDisplayName":"Add member to role","targetResources":[` + user + `{"displayName":"Role.DisplayName","newValue":"\"Reader\""}]}]`:                                         "Reader",
		`"activityDisplayName":"Remove member from role","targetResources":[` + user + `{"displayName":"Role.DisplayName","oldValue":"\"Reader\""}]}]`:                                    "Reader",
		`"activityDisplayName":"Add member to role","targetResources":[` + user + `{"displayName":"Role.DisplayName","newValue":"\"R\""}]},{"id":"r1","type":"Role","displayName":"R"}]`:  "R",
		`"activityDisplayName":"Add app role assignment grant to user","targetResources":[` + user + `{"displayName":"AppRole.Value","newValue":"\"Mail.Read\""}]}]`:                      "Mail.Read",
		`"activityDisplayName":"Add delegated permission grant","targetResources":[` + user + `{"displayName":"DelegatedPermissionGrant.Scope","newValue":"\" Mail.Read User.Read\""}]}]`: "Mail.Read | User.Read",
		`"activityDisplayName":"Remove role assignment","additionalDetails":[{"key":"RoleName","value":"Owner"}]`:                                                                         "Owner",
		`"activityDisplayName":"The role assignment of User Access Administrator has been removed from the user"`:                                                                         "User Access Administrator",
		`"activityDisplayName":"Update user","targetResources":[` + user + `{"displayName":"Role.DisplayName","newValue":"\"Reader\""}]}]`:                                                "",
	} {
		audittest.Check(t, parse.One(t, auditAs(payload)), audit.AttrPrivileges, want)
	}
}

// Who becomes an administrator of all subscriptions is whoever asked for it.
func TestElevation(t *testing.T) {
	r := parse.One(t, auditAs(`"activityDisplayName":"User has elevated their access to User Access Administrator for their Azure Resources",`+
		`"initiatedBy":{"user":{"id":"u1","userPrincipalName":"ada@example.com"}}`))
	audittest.Check(t, r, audit.AttrPrivileges, "User Access Administrator", audit.AttrTargetID, "u1", audit.AttrTargetName, "ada@example.com", audit.AttrTargetType, "user")
}

// auditAs is a change in the directory whose members name the activity.
func auditAs(payload string) string {
	return `{"time":"2025-11-23T11:00:00Z","tenantId":"t1","category":"AuditLogs","properties":{"id":"Directory_1",` + payload + `}}`
}
