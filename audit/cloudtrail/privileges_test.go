package cloudtrail

import (
	"testing"

	"github.com/otelcol-custody/custody/audit"
)

func TestPrivileges(t *testing.T) {
	iam := `"eventSource":"iam.amazonaws.com","eventName":`
	for e, want := range map[string]string{
		iam + `"AttachUserPolicy","requestParameters":{"userName":"al","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}`:  "arn:aws:iam::aws:policy/AdministratorAccess",
		iam + `"PutRolePolicy","requestParameters":{"roleName":"r","policyName":"inline"}`:                                          "inline",
		iam + `"AttachGroupPolicy","requestParameters":{"groupName":"g","policyArn":"arn:p"}`:                                       "arn:p",
		iam + `"CreateUser","requestParameters":{"userName":"al"}`:                                                                  "",
		iam + `"GetPolicy","requestParameters":{"policyArn":"arn:p"}`:                                                               "",
		`"eventSource":"sso.amazonaws.com","eventName":"CreateAccountAssignment","requestParameters":{"permissionSetArn":"arn:ps"}`: "arn:ps",
	} {
		check(t, one(t, event(e)), audit.AttrPrivileges, want)
	}
}

// An assignment of Identity Center names first who got it.
func TestAssignment(t *testing.T) {
	r := one(t, event(`"eventSource":"sso.amazonaws.com","eventName":"CreateAccountAssignment","requestParameters":{"permissionSetArn":"arn:ps",`+
		`"principalType":"GROUP","principalId":"g-1","targetType":"AWS_ACCOUNT","targetId":"111122223333"}`))
	check(t, r, audit.AttrTargetID, "g-1", audit.AttrTargetType, "AWS::IdentityStore::Group", audit.AttrTargets,
		"id=g-1 type=AWS::IdentityStore::Group | id=111122223333 type=AWS::Organizations::Account | id=arn:ps type=AWS::SSO::PermissionSet")
}
