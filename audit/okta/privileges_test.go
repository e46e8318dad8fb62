package okta

import (
	"testing"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/audittest"
)

func TestPrivileges(t *testing.T) {
	for data, want := range map[string]string{
		`"privilegeGranted":"Organization administrator, Application administrator (all)"`: "Organization administrator | Application administrator (all)",
		`"privilegeRevoked":"Super administrator"`:                                         "Super administrator", `"x":"y"`: "",
	} {
		r := parse.One(t, event("user.account.privilege.grant", `,"debugContext":{"debugData":{`+data+`}}`))
		audittest.Check(t, r, audit.AttrPrivileges, want)
	}
}
