package m365

import (
	"testing"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/audittest"
)

// What is given or taken stands where the workload puts it.
func TestPrivileges(t *testing.T) {
	for _, c := range []struct{ operation, members, want string }{
		{"Add-MailboxPermission", `"Parameters":[{"Name":"User","Value":"eve"},{"Name":"AccessRights","Value":"FullAccess"}]`, "FullAccess"},
		{"New-ManagementRoleAssignment", `"Parameters":[{"Name":"Role","Value":"Mailbox Search"},{"Name":"User","Value":"eve"}]`, "Mailbox Search"},
		{"SharingSet", `"EventData":"<Permissions granted>Contribute</Permissions granted>"`, "Contribute"},
		{"SharingSet", `"EventData":"<Permissions granted>Contribute"`, ""},
		{"Add member to role.", `"Workload":"AzureActiveDirectory","ModifiedProperties":[{"Name":"Role.DisplayName","NewValue":"Reader","OldValue":""}]`, "Reader"},
		{"Set-Mailbox", `"Parameters":[{"Name":"Role","Value":"x"}]`, ""},
	} {
		audittest.Check(t, parse.One(t, having(c.operation, ","+c.members)), audit.AttrPrivileges, c.want)
	}
}
