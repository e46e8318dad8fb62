package gcp

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// The services under which Google Workspace logs to Google Cloud.
//
// Source: https://cloud.google.com/logging/docs/audit/gsuite-audit-logging
const (
	adminService = "admin.googleapis.com"
	loginService = "login.googleapis.com"
)

// adminMeanings are those of google.admin.AdminService. To authorize the client of an
// API is to let it act as any user of the domain.
var adminMeanings = map[string]meaning{
	"createUser":                        {class: audit.ClassAccountChange, activity: 1, action: audit.ActionCreate},
	"createUserWithAutoProv":            {class: audit.ClassAccountChange, activity: 1, action: audit.ActionCreate},
	"unsuspendUser":                     {class: audit.ClassAccountChange, activity: 2, action: audit.ActionUpdate},
	"unsuspendAutoProvisionedUser":      {class: audit.ClassAccountChange, activity: 2, action: audit.ActionUpdate},
	"unarchiveUser":                     {class: audit.ClassAccountChange, activity: 2, action: audit.ActionUpdate},
	"changePassword":                    {class: audit.ClassAccountChange, activity: 4, action: audit.ActionUpdate},
	"suspendUser":                       {class: audit.ClassAccountChange, activity: 5, action: audit.ActionUpdate},
	"suspendAutoProvisionedUser":        {class: audit.ClassAccountChange, activity: 5, action: audit.ActionUpdate},
	"archiveUser":                       {class: audit.ClassAccountChange, activity: 5, action: audit.ActionUpdate},
	"deleteUser":                        {class: audit.ClassAccountChange, activity: 6, action: audit.ActionDelete},
	"deleteAutoProvisionedUser":         {class: audit.ClassAccountChange, activity: 6, action: audit.ActionDelete},
	"userEnrolledInTwoStepVerification": {class: audit.ClassAccountChange, activity: 10, action: audit.ActionUpdate},
	"unenrollUserFromStrongAuth":        {class: audit.ClassAccountChange, activity: 11, action: audit.ActionUpdate},
	"revokeSecurityKey":                 {class: audit.ClassAccountChange, activity: other, action: audit.ActionUpdate},
	"undeleteUser":                      {class: audit.ClassAccountChange, activity: other, action: audit.ActionUpdate},
	"renameUser":                        {class: audit.ClassAccountChange, activity: other, action: audit.ActionUpdate},

	"assignRole":               {class: audit.ClassUserAccess, activity: 1, action: audit.ActionUpdate},
	"unassignRole":             {class: audit.ClassUserAccess, activity: 2, action: audit.ActionUpdate},
	"grantAdminPrivilege":      {class: audit.ClassUserAccess, activity: 1, action: audit.ActionUpdate},
	"revokeAdminPrivilege":     {class: audit.ClassUserAccess, activity: 2, action: audit.ActionUpdate},
	"addPrivilege":             {class: audit.ClassUserAccess, activity: 1, action: audit.ActionUpdate},
	"removePrivilege":          {class: audit.ClassUserAccess, activity: 2, action: audit.ActionUpdate},
	"createRole":               {class: audit.ClassUserAccess, activity: 1, action: audit.ActionCreate},
	"deleteRole":               {class: audit.ClassUserAccess, activity: 2, action: audit.ActionDelete},
	"authorizeApiClientAccess": {class: audit.ClassUserAccess, activity: 1, action: audit.ActionUpdate},
	"removeApiClientAccess":    {class: audit.ClassUserAccess, activity: 2, action: audit.ActionUpdate},

	"addGroupMember":        {class: audit.ClassGroup, activity: 3, action: audit.ActionUpdate},
	"removeGroupMember":     {class: audit.ClassGroup, activity: 4, action: audit.ActionUpdate},
	"updateGroupMember":     {class: audit.ClassGroup, activity: other, action: audit.ActionUpdate},
	"groupMemberBulkUpload": {class: audit.ClassGroup, activity: other, action: audit.ActionUpdate},
	"changeGroupName":       {class: audit.ClassGroup, activity: other, action: audit.ActionUpdate},
	"changeGroupSetting":    {class: audit.ClassGroup, activity: other, action: audit.ActionUpdate},
	"deleteGroup":           {class: audit.ClassGroup, activity: 5, action: audit.ActionDelete},
	"createGroup":           {class: audit.ClassGroup, activity: 6, action: audit.ActionCreate},
}

// loginMeanings are those of google.login.LoginService. Its suspicious logins are such
// as Google blocked.
//
// Source: https://cloud.google.com/logging/docs/audit/gsuite-login-samples
var loginMeanings = map[string]meaning{
	"loginSuccess":                 {class: audit.ClassAuthentication, activity: audit.AuthLogon, action: audit.ActionLogin},
	"loginFailure":                 {class: audit.ClassAuthentication, activity: audit.AuthLogon, action: audit.ActionLogin, failed: true},
	"suspiciousLogin":              {class: audit.ClassAuthentication, activity: audit.AuthLogon, action: audit.ActionLogin, failed: true},
	"suspiciousLoginLessSecureApp": {class: audit.ClassAuthentication, activity: audit.AuthLogon, action: audit.ActionLogin, failed: true},
	"suspiciousProgrammaticLogin":  {class: audit.ClassAuthentication, activity: audit.AuthLogon, action: audit.ActionLogin, failed: true},
	"loginChallenge":               {class: audit.ClassAuthentication, activity: other, action: audit.ActionExecute},
	"loginVerification":            {class: audit.ClassAuthentication, activity: other, action: audit.ActionExecute},
	"riskySensitiveActionAllowed":  {class: audit.ClassAuthentication, activity: other, action: audit.ActionExecute},
	"riskySensitiveActionBlocked":  {class: audit.ClassAuthentication, activity: other, action: audit.ActionExecute, failed: true},
	"logout":                       {class: audit.ClassAuthentication, activity: audit.AuthLogoff, action: audit.ActionLogout},

	"passwordEdit":         {class: audit.ClassAccountChange, activity: 3, action: audit.ActionUpdate},
	"2svEnroll":            {class: audit.ClassAccountChange, activity: 10, action: audit.ActionUpdate},
	"2svDisable":           {class: audit.ClassAccountChange, activity: 11, action: audit.ActionUpdate},
	"recoveryEmailEdit":    {class: audit.ClassAccountChange, activity: other, action: audit.ActionUpdate},
	"recoveryPhoneEdit":    {class: audit.ClassAccountChange, activity: other, action: audit.ActionUpdate},
	"recoverySecretQaEdit": {class: audit.ClassAccountChange, activity: other, action: audit.ActionUpdate},
	"titaniumEnroll":       {class: audit.ClassAccountChange, activity: other, action: audit.ActionUpdate},
	"titaniumUnenroll":     {class: audit.ClassAccountChange, activity: other, action: audit.ActionUpdate},

	"accountDisabledGeneric":              {class: audit.ClassAccountChange, activity: 5, action: audit.ActionUpdate},
	"accountDisabledHijacked":             {class: audit.ClassAccountChange, activity: 5, action: audit.ActionUpdate},
	"accountDisabledPasswordLeak":         {class: audit.ClassAccountChange, activity: 5, action: audit.ActionUpdate},
	"accountDisabledSpamming":             {class: audit.ClassAccountChange, activity: 5, action: audit.ActionUpdate},
	"accountDisabledSpammingThroughRelay": {class: audit.ClassAccountChange, activity: 5, action: audit.ActionUpdate},
}

// The parts of a parameter of an event.
const (
	pName = iota
	pValue
	pBool
	pInt
	pMany
)

var parameterTable = jsonscan.NewTable([]string{pName: "name", pValue: "value", pBool: "boolValue", pInt: "intValue", pMany: "multiStrValue[]"})

// parameters are what an event of Google Workspace says about itself, in a list of
// names and values. Of a list of values, the values stand with spaces between them.
func (e *entry) parameters() map[string]string {
	all := map[string]string{}
	for _, sp := range e.All(fParameters) {
		p, err := jsonscan.Of(e.RawOf(sp), parameterTable)
		if err != nil {
			continue
		}
		if name := p.Str(pName); all[name] == "" {
			all[name] = draft.First(p.Str(pValue), p.Str(pBool), p.Str(pInt), strings.Join(p.Strs(pMany), " "))
		}
	}
	return all
}

// workspaceTargets adds the group and the user that an event is about, and how the user
// signed in. A sign-in is the user's own.
func (e *entry) workspaceTargets(m meaning) {
	p := e.parameters()
	user := draft.First(p["USER_EMAIL"], p["affected_email_address"])
	if user == "" && e.service == loginService {
		user = e.Str(fPrincipal)
	}
	group := draft.Target{ID: p["GROUP_EMAIL"], Type: "group", Name: p["GROUP_EMAIL"]}
	if m.class == audit.ClassGroup {
		e.AddTarget(group)
	}
	e.AddTarget(draft.Target{ID: user, Type: "user", Name: user})
	e.AddTarget(draft.Target{ID: p["ROLE_NAME"], Type: "role", Name: p["ROLE_NAME"]})
	if used, known := secondFactor(p); known {
		e.PutBool(audit.AttrSessionMFA, used)
	}
}

// secondFactors are challenges that a password is not enough for. Others, such as a
// question after the place of work, only make sure.
//
// Source: https://developers.google.com/workspace/admin/reports/v1/appendix/activity/login
var secondFactors = map[string]bool{
	"backup_code": true, "google_authenticator": true, "google_prompt": true, "internal_two_factor": true,
	"offline_otp": true, "security_key": true, "security_key_otp": true,
}

// secondFactor says whether a second factor was used, where the event tells: it lists
// the challenges that a user was given.
func secondFactor(parameters map[string]string) (used, known bool) {
	if parameters["is_second_factor"] == "true" {
		return true, true
	}
	challenges := strings.Fields(parameters["login_challenge_method"])
	known = len(challenges) > 0
	for _, c := range challenges {
		if secondFactors[c] {
			return true, true
		}
		known = known && c == "password"
	}
	return false, known
}
