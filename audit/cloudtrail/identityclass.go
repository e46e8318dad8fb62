package cloudtrail

import "github.com/otelcol-custody/custody/audit"

// An ocsfClass is a class with one of its activities.
type ocsfClass struct {
	class    audit.Class
	activity int64
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
// second factor, 11 disable it. A virtual device is nobody's before EnableMFADevice gives it
// to a user, so that making or deleting one changes no account. Of class 3006: 1 assign privileges, 2 revoke
// them, 3 add user, 4 remove user, 5 delete, 6 create.
var iamClasses = map[string]ocsfClass{
	"CreateUser":                      {audit.ClassAccountChange, 1},
	"CreateRole":                      {audit.ClassAccountChange, 1},
	"CreateServiceLinkedRole":         {audit.ClassAccountChange, 1},
	"CreateLoginProfile":              {audit.ClassAccountChange, 2},
	"ChangePassword":                  {audit.ClassAccountChange, 3},
	"UpdateLoginProfile":              {audit.ClassAccountChange, 4},
	"DeleteLoginProfile":              {audit.ClassAccountChange, 5},
	"DeleteUser":                      {audit.ClassAccountChange, 6},
	"DeleteRole":                      {audit.ClassAccountChange, 6},
	"DeleteServiceLinkedRole":         {audit.ClassAccountChange, 6},
	"AttachUserPolicy":                {audit.ClassAccountChange, 7},
	"AttachRolePolicy":                {audit.ClassAccountChange, 7},
	"PutUserPolicy":                   {audit.ClassAccountChange, 7},
	"PutRolePolicy":                   {audit.ClassAccountChange, 7},
	"DetachUserPolicy":                {audit.ClassAccountChange, 8},
	"DetachRolePolicy":                {audit.ClassAccountChange, 8},
	"DeleteUserPolicy":                {audit.ClassAccountChange, 8},
	"DeleteRolePolicy":                {audit.ClassAccountChange, 8},
	"EnableMFADevice":                 {audit.ClassAccountChange, 10},
	"DeactivateMFADevice":             {audit.ClassAccountChange, 11},
	"ResyncMFADevice":                 {audit.ClassAccountChange, audit.ActivityOther},
	"CreateAccessKey":                 {audit.ClassAccountChange, audit.ActivityOther},
	"UpdateAccessKey":                 {audit.ClassAccountChange, audit.ActivityOther},
	"DeleteAccessKey":                 {audit.ClassAccountChange, audit.ActivityOther},
	"UpdateUser":                      {audit.ClassAccountChange, audit.ActivityOther},
	"UpdateRole":                      {audit.ClassAccountChange, audit.ActivityOther},
	"UpdateAssumeRolePolicy":          {audit.ClassAccountChange, audit.ActivityOther},
	"PutUserPermissionsBoundary":      {audit.ClassAccountChange, audit.ActivityOther},
	"PutRolePermissionsBoundary":      {audit.ClassAccountChange, audit.ActivityOther},
	"DeleteUserPermissionsBoundary":   {audit.ClassAccountChange, audit.ActivityOther},
	"DeleteRolePermissionsBoundary":   {audit.ClassAccountChange, audit.ActivityOther},
	"UploadSSHPublicKey":              {audit.ClassAccountChange, audit.ActivityOther},
	"UploadSigningCertificate":        {audit.ClassAccountChange, audit.ActivityOther},
	"CreateServiceSpecificCredential": {audit.ClassAccountChange, audit.ActivityOther},
	"ResetServiceSpecificCredential":  {audit.ClassAccountChange, audit.ActivityOther},

	"AttachGroupPolicy":   {audit.ClassGroup, 1},
	"PutGroupPolicy":      {audit.ClassGroup, 1},
	"DetachGroupPolicy":   {audit.ClassGroup, 2},
	"DeleteGroupPolicy":   {audit.ClassGroup, 2},
	"AddUserToGroup":      {audit.ClassGroup, 3},
	"RemoveUserFromGroup": {audit.ClassGroup, 4},
	"DeleteGroup":         {audit.ClassGroup, 5},
	"CreateGroup":         {audit.ClassGroup, 6},
	"UpdateGroup":         {audit.ClassGroup, audit.ActivityOther},
}

var directoryClasses = map[string]ocsfClass{
	"CreateUser":            {audit.ClassAccountChange, 1},
	"EnableUser":            {audit.ClassAccountChange, 2},
	"UpdatePassword":        {audit.ClassAccountChange, 4},
	"DisableUser":           {audit.ClassAccountChange, 5},
	"DeleteUser":            {audit.ClassAccountChange, 6},
	"UpdateUser":            {audit.ClassAccountChange, audit.ActivityOther},
	"AddMemberToGroup":      {audit.ClassGroup, 3},
	"CreateGroupMembership": {audit.ClassGroup, 3},
	"RemoveMemberFromGroup": {audit.ClassGroup, 4},
	"DeleteGroupMembership": {audit.ClassGroup, 4},
	"DeleteGroup":           {audit.ClassGroup, 5},
	"CreateGroup":           {audit.ClassGroup, 6},
	"UpdateGroup":           {audit.ClassGroup, audit.ActivityOther},
}

// Activities of class 3005: 1 assign privileges, 2 revoke them.
var assignmentClasses = map[string]ocsfClass{
	"CreateAccountAssignment": {audit.ClassUserAccess, 1},
	"DeleteAccountAssignment": {audit.ClassUserAccess, 2},
}
