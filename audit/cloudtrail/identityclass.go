package cloudtrail

import "github.com/otelcol-custody/custody/audit"

// An ocsfClass is a class with one of its activities.
type ocsfClass struct{ class, activity int64 }

func (c ocsfClass) event() string {
	switch c.class {
	case classGroup:
		return audit.EventGroupManagement
	case classUserAccess:
		return audit.EventUserAccess
	}
	return audit.EventAccountChange
}

// identityClass knows the calls that change users, roles and groups.
func identityClass(service, name string) (ocsfClass, bool) {
	var table map[string]ocsfClass
	switch service {
	case "iam.amazonaws.com":
		table = iamClasses
	case "identitystore.amazonaws.com", "sso-directory.amazonaws.com":
		table = directoryClasses
	case "sso.amazonaws.com":
		table = assignmentClasses
	}
	c, ok := table[name]
	return c, ok
}

// Activities of class 3001: 1 create, 2 enable, 3 password change, 4 password
// reset, 5 disable, 6 delete, 7 attach policy, 8 detach policy, 10 enable a
// second factor, 11 disable it. Of class 3006: 1 assign privileges, 2 revoke
// them, 3 add user, 4 remove user, 5 delete, 6 create.
var iamClasses = map[string]ocsfClass{
	"CreateUser":                      {classAccountChange, 1},
	"CreateRole":                      {classAccountChange, 1},
	"CreateServiceLinkedRole":         {classAccountChange, 1},
	"CreateLoginProfile":              {classAccountChange, 2},
	"ChangePassword":                  {classAccountChange, 3},
	"UpdateLoginProfile":              {classAccountChange, 4},
	"DeleteLoginProfile":              {classAccountChange, 5},
	"DeleteUser":                      {classAccountChange, 6},
	"DeleteRole":                      {classAccountChange, 6},
	"DeleteServiceLinkedRole":         {classAccountChange, 6},
	"AttachUserPolicy":                {classAccountChange, 7},
	"AttachRolePolicy":                {classAccountChange, 7},
	"PutUserPolicy":                   {classAccountChange, 7},
	"PutRolePolicy":                   {classAccountChange, 7},
	"DetachUserPolicy":                {classAccountChange, 8},
	"DetachRolePolicy":                {classAccountChange, 8},
	"DeleteUserPolicy":                {classAccountChange, 8},
	"DeleteRolePolicy":                {classAccountChange, 8},
	"EnableMFADevice":                 {classAccountChange, 10},
	"DeactivateMFADevice":             {classAccountChange, 11},
	"CreateVirtualMFADevice":          {classAccountChange, activityOther},
	"DeleteVirtualMFADevice":          {classAccountChange, activityOther},
	"ResyncMFADevice":                 {classAccountChange, activityOther},
	"CreateAccessKey":                 {classAccountChange, activityOther},
	"UpdateAccessKey":                 {classAccountChange, activityOther},
	"DeleteAccessKey":                 {classAccountChange, activityOther},
	"UpdateUser":                      {classAccountChange, activityOther},
	"UpdateRole":                      {classAccountChange, activityOther},
	"UpdateAssumeRolePolicy":          {classAccountChange, activityOther},
	"PutUserPermissionsBoundary":      {classAccountChange, activityOther},
	"PutRolePermissionsBoundary":      {classAccountChange, activityOther},
	"DeleteUserPermissionsBoundary":   {classAccountChange, activityOther},
	"DeleteRolePermissionsBoundary":   {classAccountChange, activityOther},
	"UploadSSHPublicKey":              {classAccountChange, activityOther},
	"UploadSigningCertificate":        {classAccountChange, activityOther},
	"CreateServiceSpecificCredential": {classAccountChange, activityOther},
	"ResetServiceSpecificCredential":  {classAccountChange, activityOther},

	"AttachGroupPolicy":   {classGroup, 1},
	"PutGroupPolicy":      {classGroup, 1},
	"DetachGroupPolicy":   {classGroup, 2},
	"DeleteGroupPolicy":   {classGroup, 2},
	"AddUserToGroup":      {classGroup, 3},
	"RemoveUserFromGroup": {classGroup, 4},
	"DeleteGroup":         {classGroup, 5},
	"CreateGroup":         {classGroup, 6},
	"UpdateGroup":         {classGroup, activityOther},
}

var directoryClasses = map[string]ocsfClass{
	"CreateUser":            {classAccountChange, 1},
	"EnableUser":            {classAccountChange, 2},
	"UpdatePassword":        {classAccountChange, 4},
	"DisableUser":           {classAccountChange, 5},
	"DeleteUser":            {classAccountChange, 6},
	"UpdateUser":            {classAccountChange, activityOther},
	"AddMemberToGroup":      {classGroup, 3},
	"CreateGroupMembership": {classGroup, 3},
	"RemoveMemberFromGroup": {classGroup, 4},
	"DeleteGroupMembership": {classGroup, 4},
	"DeleteGroup":           {classGroup, 5},
	"CreateGroup":           {classGroup, 6},
	"UpdateGroup":           {classGroup, activityOther},
}

// Activities of class 3005: 1 assign privileges, 2 revoke them.
var assignmentClasses = map[string]ocsfClass{
	"CreateAccountAssignment": {classUserAccess, 1},
	"DeleteAccountAssignment": {classUserAccess, 2},
}
