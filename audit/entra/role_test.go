package entra

import (
	"testing"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/audittest"
)

// Privileged Identity Management has a name for each step of a request. Only the last
// one gives or takes a role.
func TestRoles(t *testing.T) {
	for activity, want := range map[string][2]string{
		"Add member to role":          {"300501", "CREATE"},
		"Add eligible member to role": {"300501", "CREATE"},
		"Add scoped member to role":   {"300501", "CREATE"},
		"Add member to role scoped over Restricted Management Administrative Unit": {"300501", "CREATE"},
		"Add member to role completed (PIM activation)":                            {"300501", "CREATE"},
		"Add member to role in PIM completed (permanent)":                          {"300501", "CREATE"},
		"Add member to role in PIM completed (timebound)":                          {"300501", "CREATE"},
		"Add eligible member to role in PIM completed (timebound)":                 {"300501", "CREATE"},
		"Restore member from role in PIM completed":                                {"300501", "CREATE"},
		"Restore permanent direct role assignment":                                 {"300501", "CREATE"},
		"Restore eligible member from role in PIM comleted":                        {"300501", "CREATE"}, // as Microsoft writes it
		"Remove member from role":                                                  {"300502", "DELETE"},
		"Remove scoped member from role":                                           {"300502", "DELETE"},
		"Remove member from role (PIM activation expired)":                         {"300502", "DELETE"},
		"Remove member from role completed (PIM deactivate)":                       {"300502", "DELETE"},
		"Remove eligible member from role in PIM completed (permanent)":            {"300502", "DELETE"},
		"Remove permanent eligible role assignment":                                {"300502", "DELETE"},
		"Add member to role requested (PIM activation)":                            {"300599", "OTHER"},
		"Add member to role request denied (PIM activation)":                       {"300599", "OTHER"},
		"Add member to role request approved (PIM activation)":                     {"300599", "OTHER"},
		"Add member to role approval requested (PIM activation)":                   {"300599", "OTHER"},
		"Add member to role canceled (PIM activation)":                             {"300599", "OTHER"},
		"Add member to role in PIM requested (renew)":                              {"300599", "OTHER"},
		"Add eligible member to role in PIM canceled (timebound)":                  {"300599", "OTHER"},
		"Remove member from role in PIM requested (timebound)":                     {"300599", "OTHER"},
		"Remove eligible member from role in PIM requested (permanent)":            {"300599", "OTHER"},
		"Add member to role outside of PIM (permanent)":                            {"300599", "OTHER"}, // what was found, again and again
		"Add member to group":                                                      {"300603", "UPDATE"},
		"Add member to rolegroup":                                                  {"300401", "CREATE"},
	} {
		r := parse.One(t, `{"time":"2025-11-23T11:00:00Z","tenantId":"t1","category":"AuditLogs","properties":{"activityDisplayName":"`+activity+`"}}`)
		audittest.Check(t, r, audit.AttrOperation, activity, audit.AttrOCSFType, want[0], audit.AttrAction, want[1])
	}
}

// What else is about accounts, rights and groups.
func TestClasses(t *testing.T) {
	for activity, want := range map[string]string{
		"Add user": "300101", "Delete user": "300106", "Reset password (by admin)": "300104", "Change password (self-service)": "300103",
		"Unlock user account (self-service)": "300112", "Disable account": "300105", "Enable account": "300102", "Update user": "300199",
		"Consent to application": "300501", "Add app role assignment to service principal": "300501", "Remove delegated permission grant": "300502",
		"User has elevated their access to User Access Administrator for their Azure Resources": "300501",
		"The role assignment of User Access Administrator has been removed from the user":       "300502",
		"Add group": "300606", "Delete group": "300605", "Remove member from group": "300604", "Add conditional access policy": "300401",
	} {
		r := parse.One(t, `{"time":"2025-11-23T11:00:00Z","tenantId":"t1","category":"AuditLogs","properties":{"activityDisplayName":"`+activity+`"}}`)
		audittest.Check(t, r, audit.AttrOCSFType, want)
	}
}
