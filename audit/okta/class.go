package okta

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
)

// A meaning is a class with one of its activities, and the action.
type meaning struct {
	class    audit.Class
	activity int64
	action   string
	event    string // if it is not that of the class
}

// meanings are those of the event types that are about sessions, users, their rights
// and groups. Activities of class 3001: 1 create, 2 enable, 3 password change,
// 4 password reset, 5 disable, 6 delete, 9 lock, 10 enable a second factor, 11 disable
// it, 12 unlock. Of class 3005: 1 assign privileges, 2 revoke them. Of class 3006: the
// same, 3 add user, 4 remove user, 5 delete, 6 create.
// https://developer.okta.com/docs/reference/api/event-types/
var meanings = map[string]meaning{
	"user.session.start":                             {class: audit.ClassAuthentication, activity: audit.AuthLogon, action: audit.ActionLogin},
	"user.session.end":                               {class: audit.ClassAuthentication, activity: audit.AuthLogoff, action: audit.ActionLogout},
	"user.session.clear":                             {class: audit.ClassAuthentication, activity: audit.AuthLogoff, action: audit.ActionLogout},
	"user.session.expire":                            {class: audit.ClassAuthentication, activity: audit.AuthLogoff, action: audit.ActionLogout},
	"user.session.impersonation.initiate":            {class: audit.ClassAuthentication, activity: audit.AuthLogon, action: audit.ActionLogin},
	"user.session.impersonation.end":                 {class: audit.ClassAuthentication, activity: audit.AuthLogoff, action: audit.ActionLogout},
	"user.session.impersonation.grant":               {class: audit.ClassUserAccess, activity: 1, action: audit.ActionCreate},
	"user.session.impersonation.extend":              {class: audit.ClassUserAccess, activity: 1, action: audit.ActionUpdate},
	"user.session.impersonation.revoke":              {class: audit.ClassUserAccess, activity: 2, action: audit.ActionDelete},
	"user.authentication.slo":                        {class: audit.ClassAuthentication, activity: audit.AuthLogoff, action: audit.ActionLogout},
	"user.authentication.universal_logout":           {class: audit.ClassAuthentication, activity: audit.AuthLogoff, action: audit.ActionLogout},
	"user.authentication.universal_logout.scheduled": {class: audit.ClassAuthentication, activity: audit.ActivityOther, action: audit.ActionOther},
	"app.oauth2.signon":                              {class: audit.ClassAuthentication, activity: audit.AuthLogon, action: audit.ActionLogin},
	"policy.evaluate_sign_on":                        {class: audit.ClassAuthentication, activity: audit.ActivityOther, action: audit.ActionOther},

	"user.lifecycle.create":                   {class: audit.ClassAccountChange, activity: 1, action: audit.ActionCreate},
	"user.lifecycle.activate":                 {class: audit.ClassAccountChange, activity: 2, action: audit.ActionUpdate},
	"user.lifecycle.reactivate":               {class: audit.ClassAccountChange, activity: 2, action: audit.ActionUpdate},
	"user.lifecycle.unsuspend":                {class: audit.ClassAccountChange, activity: 2, action: audit.ActionUpdate},
	"user.lifecycle.deactivate":               {class: audit.ClassAccountChange, activity: 5, action: audit.ActionUpdate},
	"user.lifecycle.suspend":                  {class: audit.ClassAccountChange, activity: 5, action: audit.ActionUpdate},
	"user.lifecycle.delete.initiated":         {class: audit.ClassAccountChange, activity: audit.ActivityOther, action: audit.ActionOther},
	"user.lifecycle.delete.completed":         {class: audit.ClassAccountChange, activity: 6, action: audit.ActionDelete},
	"user.account.update_password":            {class: audit.ClassAccountChange, activity: 3, action: audit.ActionUpdate},
	"user.account.reset_password":             {class: audit.ClassAccountChange, activity: 4, action: audit.ActionUpdate},
	"user.account.expire_password":            {class: audit.ClassAccountChange, activity: 4, action: audit.ActionUpdate},
	"user.account.lock":                       {class: audit.ClassAccountChange, activity: 9, action: audit.ActionUpdate},
	"user.account.unlock":                     {class: audit.ClassAccountChange, activity: 12, action: audit.ActionUpdate},
	"user.account.unlock_by_admin":            {class: audit.ClassAccountChange, activity: 12, action: audit.ActionUpdate},
	"user.mfa.factor.activate":                {class: audit.ClassAccountChange, activity: 10, action: audit.ActionUpdate},
	"user.mfa.factor.unsuspend":               {class: audit.ClassAccountChange, activity: 10, action: audit.ActionUpdate},
	"user.mfa.factor.deactivate":              {class: audit.ClassAccountChange, activity: 11, action: audit.ActionUpdate},
	"user.mfa.factor.suspend":                 {class: audit.ClassAccountChange, activity: 11, action: audit.ActionUpdate},
	"user.mfa.factor.reset_all":               {class: audit.ClassAccountChange, activity: 11, action: audit.ActionUpdate},
	"user.mfa.factor.update":                  {class: audit.ClassAccountChange, activity: audit.ActivityOther, action: audit.ActionUpdate},
	"user.mfa.attempt_bypass":                 {class: audit.ClassAuthentication, activity: audit.ActivityOther, action: audit.ActionOther},
	"user.account.privilege.grant":            {class: audit.ClassUserAccess, activity: 1, action: audit.ActionCreate},
	"user.account.privilege.revoke":           {class: audit.ClassUserAccess, activity: 2, action: audit.ActionDelete},
	"application.user_membership.add":         {class: audit.ClassUserAccess, activity: 1, action: audit.ActionCreate},
	"application.user_membership.remove":      {class: audit.ClassUserAccess, activity: 2, action: audit.ActionDelete},
	"application.user_membership.provision":   {class: audit.ClassUserAccess, activity: 1, action: audit.ActionCreate},
	"application.user_membership.deprovision": {class: audit.ClassUserAccess, activity: 2, action: audit.ActionDelete},
	"application.user_membership.revoke":      {class: audit.ClassUserAccess, activity: 2, action: audit.ActionDelete},
	"application.user_membership.restore":     {class: audit.ClassUserAccess, activity: 1, action: audit.ActionUpdate},
	"iam.resourceset.bindings.add":            {class: audit.ClassUserAccess, activity: 1, action: audit.ActionCreate},
	"iam.resourceset.bindings.delete":         {class: audit.ClassUserAccess, activity: 2, action: audit.ActionDelete},

	"group.privilege.grant":               {class: audit.ClassGroup, activity: 1, action: audit.ActionUpdate},
	"group.privilege.revoke":              {class: audit.ClassGroup, activity: 2, action: audit.ActionUpdate},
	"group.application_assignment.add":    {class: audit.ClassGroup, activity: 1, action: audit.ActionUpdate},
	"group.application_assignment.remove": {class: audit.ClassGroup, activity: 2, action: audit.ActionUpdate},
	"group.user_membership.add":           {class: audit.ClassGroup, activity: 3, action: audit.ActionUpdate},
	"group.user_membership.remove":        {class: audit.ClassGroup, activity: 4, action: audit.ActionUpdate},
	"group.lifecycle.delete":              {class: audit.ClassGroup, activity: 5, action: audit.ActionDelete},
	"group.lifecycle.create":              {class: audit.ClassGroup, activity: 6, action: audit.ActionCreate},
	"group.profile.update":                {class: audit.ClassGroup, activity: audit.ActivityOther, action: audit.ActionUpdate},

	"security.threat.detected":                           {class: audit.ClassFinding, activity: audit.FindingCreate, action: audit.ActionDetect},
	"security.session.detect_client_roaming":             {class: audit.ClassFinding, activity: audit.FindingCreate, action: audit.ActionDetect},
	"security.attack.start":                              {class: audit.ClassFinding, activity: audit.FindingCreate, action: audit.ActionDetect},
	"security.attack.end":                                {class: audit.ClassFinding, activity: audit.FindingClose, action: audit.ActionDetect},
	"security.breached_credential.detected":              {class: audit.ClassFinding, activity: audit.FindingCreate, action: audit.ActionDetect},
	"user.risk.detect":                                   {class: audit.ClassFinding, activity: audit.FindingCreate, action: audit.ActionDetect},
	"user.account.report_suspicious_activity_by_enduser": {class: audit.ClassFinding, activity: audit.FindingCreate, action: audit.ActionDetect},
}

// families are the beginnings of event types whose members are one of a kind.
var families = []struct {
	prefix string
	meaning
}{
	{"user.session.", meaning{class: audit.ClassAuthentication, activity: audit.ActivityOther}},
	{"user.authentication.", meaning{class: audit.ClassAuthentication, activity: audit.AuthLogon, action: audit.ActionLogin}},
	{"user.lifecycle.", meaning{class: audit.ClassAccountChange, activity: audit.ActivityOther}},
	{"user.account.", meaning{class: audit.ClassAccountChange, activity: audit.ActivityOther}},
	{"user.credential.", meaning{class: audit.ClassAccountChange, activity: audit.ActivityOther}},
	{"application.user_membership.", meaning{class: audit.ClassUserAccess, activity: audit.ActivityOther}},
	{"group.user_membership.", meaning{class: audit.ClassGroup, activity: audit.ActivityOther}},
	{"group.lifecycle.", meaning{class: audit.ClassGroup, activity: audit.ActivityOther}},
}

// meaningOf looks up an event type, its family, or else what its last words say.
func meaningOf(eventType string) meaning {
	if m, ok := meanings[eventType]; ok {
		return m
	}
	done := action(eventType)
	for _, f := range families {
		if strings.HasPrefix(eventType, f.prefix) {
			m := f.meaning
			if m.action == "" {
				m.action = done
			}
			return m
		}
	}
	return meaning{class: audit.ClassAPI, activity: audit.APIActivity(done), action: done}
}

// verbs begin a part of an event type; the last such part says what was done.
var verbs = []struct{ prefix, action string }{
	{"create", audit.ActionCreate}, {"add", audit.ActionCreate}, {"enroll", audit.ActionCreate}, {"grant", audit.ActionCreate}, {"assign", audit.ActionCreate},
	{"delete", audit.ActionDelete}, {"remove", audit.ActionDelete}, {"revoke", audit.ActionDelete}, {"purge", audit.ActionDelete}, {"unassign", audit.ActionDelete},
	{"update", audit.ActionUpdate}, {"activate", audit.ActionUpdate}, {"deactivate", audit.ActionUpdate}, {"reset", audit.ActionUpdate}, {"change", audit.ActionUpdate},
	{"enable", audit.ActionUpdate}, {"disable", audit.ActionUpdate}, {"lock", audit.ActionUpdate}, {"unlock", audit.ActionUpdate}, {"rotate", audit.ActionUpdate},
	{"import", audit.ActionUpdate}, {"suspend", audit.ActionUpdate}, {"unsuspend", audit.ActionUpdate}, {"reactivate", audit.ActionUpdate},
	{"read", audit.ActionRead}, {"list", audit.ActionRead}, {"view", audit.ActionRead}, {"get", audit.ActionRead}, {"export", audit.ActionRead}, {"download", audit.ActionRead}, {"reveal", audit.ActionRead}, {"show", audit.ActionRead},
	{"send", audit.ActionExecute}, {"start", audit.ActionExecute}, {"execute", audit.ActionExecute}, {"evaluate", audit.ActionExecute},
}

func action(eventType string) string {
	parts := strings.Split(eventType, ".")
	for i := len(parts) - 1; i > 0; i-- {
		for _, v := range verbs {
			if strings.HasPrefix(parts[i], v.prefix) {
				return v.action
			}
		}
	}
	return audit.ActionOther
}
