package gcp

import (
	"testing"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/audittest"
)

// What is given or taken has a name in the log, however it tells.
func TestPrivileges(t *testing.T) {
	admin := `"serviceName":"admin.googleapis.com","methodName":"google.admin.AdminService.`
	iam := `"serviceName":"iam.googleapis.com","methodName":"google.iam.admin.v1.`
	bindings := `"request":{"policy":{"bindings":[{"role":"roles/viewer","members":["user:ada@example.com"]},{"role":"roles/owner"}]}}`
	for payload, want := range map[string]string{
		`"methodName":"SetIamPolicy",` + bindings: "roles/viewer | roles/owner",
		`"methodName":"SetIamPolicy",` + bindings + `,"serviceData":{"policyDelta":{"bindingDeltas":[` +
			`{"action":"ADD","role":"roles/editor","member":"a"},{"action":"REMOVE","role":"roles/editor","member":"b"}]}}`: "roles/editor",
		iam + `CreateRole","serviceData":{"permissionDelta":{"addedPermissions":["a.get","a.list"]}}`:                       "a.get | a.list",
		iam + `UpdateRole","serviceData":{"permissionDelta":{"addedPermissions":["a.get"],"removedPermissions":["b.get"]}}`: "a.get | b.get",
		admin + `assignRole","metadata":{"event":[{"parameter":[{"name":"ROLE_NAME","value":"_SEED_ADMIN_ROLE"}]}]}`:        "_SEED_ADMIN_ROLE",
		admin + `addPrivilege","metadata":{"event":[{"parameter":[{"name":"PRIVILEGE_NAME","value":"USERS_ALL"}]}]}`:        "USERS_ALL",
		`"methodName":"storage.buckets.get",` + bindings:                                                                    "",
	} {
		audittest.Check(t, parse.One(t, entryOf("activity", payload)), audit.AttrPrivileges, want)
	}
}
