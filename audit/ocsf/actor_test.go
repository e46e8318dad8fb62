package ocsf_test

import (
	"testing"

	"github.com/otelcol-custody/custody/audit"
)

// Who may do everything is an administrator, whatever the provider calls that.
func TestActorTypes(t *testing.T) {
	for native, want := range map[string]string{"Root": "2", "Admin": "2", "DcAdmin": "2", "Regular": "1", "AssumedRole": "1"} {
		rec := ofClass(audit.ClassAPI, 2, audit.StringAttr(audit.AttrActorID, "x"), audit.StringAttr(audit.AttrActorType, audit.ActorUser), audit.StringAttr(audit.AttrActorTypeOriginal, native))
		check(t, render(t, newRenderer(t), rec), "actor/user/type_id", want, "actor/user/type", native)
	}
}
