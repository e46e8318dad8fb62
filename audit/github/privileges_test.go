package github

import (
	"testing"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/audittest"
)

func TestPrivileges(t *testing.T) {
	for members, want := range map[string]string{
		`"permission":"admin","old_permission":"read"`: "admin", `"old_permission":"read"`: "read", `"user":"grace"`: "",
	} {
		audittest.Check(t, parse.One(t, event("repo.update_member", ","+members)), audit.AttrPrivileges, want)
	}
}
