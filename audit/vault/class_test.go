package vault

import (
	"testing"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/audittest"
)

func TestClasses(t *testing.T) {
	for _, c := range []struct{ operation, path, mount, class, action, kind, name string }{
		{"update", "auth/userpass/login/ada", "auth/userpass/", "300201", "LOGIN", "login", "ada"},
		{"update", "auth/userpass/login/ada", "", "300201", "LOGIN", "login", "ada"},
		{"update", "auth/corp/prod/login", "auth/corp/prod/", "300201", "LOGIN", "login", ""},
		{"read", "auth/oidc/oidc/callback", "auth/oidc/", "300201", "LOGIN", "login", ""},
		{"help", "auth/userpass/login/ada", "auth/userpass/", "600302", "READ", "", ""},
		{"update", "auth/oidc/oidc/auth_url", "auth/oidc/", "600303", "UPDATE", "", ""},
		{"create", "auth/userpass/users/login", "auth/userpass/", "300101", "CREATE", "user", "login"},
		{"update", "auth/userpass/users/ada", "auth/userpass/", "300199", "UPDATE", "user", "ada"},
		{"delete", "auth/userpass/users/callback", "auth/userpass/", "300106", "DELETE", "user", "callback"},
		{"update", "auth/userpass/users/ada/password", "auth/userpass/", "300103", "UPDATE", "user", "ada"},
		{"update", "auth/userpass/users/ada/policies", "auth/userpass/", "300501", "UPDATE", "user", "ada"},
		{"read", "auth/userpass/users/ada", "auth/userpass/", "600302", "READ", "", ""},
		{"update", "auth/ldap/groups/ops", "auth/ldap/", "300601", "UPDATE", "group", "ops"},
		{"delete", "auth/ldap/groups/ops", "auth/ldap/", "300602", "DELETE", "group", "ops"},
		{"create", "auth/approle/role/ci", "auth/approle/", "300501", "CREATE", "role", "ci"},
		{"update", "auth/approle/role/ci/secret-id", "auth/approle/", "300199", "UPDATE", "role", "ci"},
		{"delete", "auth/approle/role/ci", "auth/approle/", "300502", "DELETE", "role", "ci"},

		{"update", "auth/token/create", "auth/token/", "300299", "CREATE", "token", ""},
		{"update", "auth/token/create/ci", "", "300299", "CREATE", "token", ""},
		{"read", "auth/token/lookup-self", "auth/token/", "300299", "READ", "token", ""},
		{"update", "auth/token/lookup", "auth/token/", "300299", "READ", "token", ""},
		{"update", "auth/token/renew-self", "auth/token/", "300299", "UPDATE", "token", ""},
		{"update", "auth/token/revoke-self", "auth/token/", "300202", "LOGOUT", "token", ""},
		{"update", "auth/token/revoke-accessor", "auth/token/", "300202", "DELETE", "token", ""},
		{"update", "auth/token/roles/ci", "auth/token/", "600303", "UPDATE", "", ""},

		{"update", "identity/entity", "", "300101", "CREATE", "entity", ""},
		{"update", "identity/entity/id/e-1", "", "300199", "UPDATE", "entity", "e-1"},
		{"delete", "identity/entity/name/ada", "", "300106", "DELETE", "entity", "ada"},
		{"update", "identity/entity/batch-delete", "", "300106", "DELETE", "entity", ""},
		{"update", "identity/entity-alias", "", "300199", "UPDATE", "entity-alias", ""},
		{"read", "identity/entity/id/e-1", "", "600302", "READ", "", "e-1"},
		{"update", "identity/lookup/entity", "", "600302", "READ", "", ""},
		{"update", "identity/group", "", "300606", "CREATE", "group", ""},
		{"update", "identity/group/id/g-1", "", "300699", "UPDATE", "group", "g-1"},
		{"delete", "identity/group/id/g-1", "", "300605", "DELETE", "group", "g-1"},

		{"update", "sys/policy/admins", "", "300501", "UPDATE", "policy", "admins"},
		{"delete", "sys/policies/acl/admins", "", "300502", "DELETE", "policy", "admins"},
		{"update", "sys/policies/password/strong", "", "600303", "UPDATE", "", ""},
		{"read", "sys/policies/acl/admins", "", "600302", "READ", "policy", "admins"},
		{"update", "sys/seal", "", "600303", "UPDATE", "", ""},
		{"delete", "sys/audit/file", "", "600304", "DELETE", "", ""},
		{"create", "secret/data/x", "secret/", "600301", "CREATE", "", ""},
		{"list", "secret/metadata/", "secret/", "600302", "READ", "", ""},
		{"rollback", "pki/x", "pki/", "600399", "OTHER", "", ""},
	} {
		r := parse.One(t, entry(request, c.operation, c.path, `,"mount_point":"`+c.mount+`"`))
		audittest.Check(t, r, audit.AttrOCSFType, c.class, audit.AttrAction, c.action, audit.AttrTargetType, c.kind, audit.AttrTargetName, c.name, audit.AttrOperation, c.operation)
		if t.Failed() {
			t.Fatalf("%s %s", c.operation, c.path)
		}
	}
}

// With an id among its data, a write changes what is there.
func TestEntityWithID(t *testing.T) {
	r := parse.One(t, entry(request, "update", "identity/entity", `,"data":{"id":"hmac-sha256:1"}`))
	audittest.Check(t, r, audit.AttrOCSFType, "300199", audit.AttrAction, "UPDATE")
}

// In a namespace, mounts may be named with it.
func TestLoginInNamespace(t *testing.T) {
	for _, mount := range []string{"auth/userpass/", "team-a/auth/userpass/"} {
		r := parse.One(t, entry(request, "update", "auth/userpass/login/ada", `,"mount_point":"`+mount+`","namespace":{"id":"n","path":"team-a/"}`))
		audittest.Check(t, r, audit.AttrOCSFType, "300201", audit.AttrActorID, "ada", audit.AttrTargetID, "team-a/auth/userpass/login/ada")
	}
}
