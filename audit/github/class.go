package github

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
)

// split takes an action apart: what it is about, and what was done.
func split(action string) (subject, verb string) {
	subject, verb, _ = strings.Cut(action, ".")
	return subject, verb
}

func isBot(name string) bool { return strings.HasSuffix(name, "[bot]") }

// failed are actions that tell of what was refused.
var failed = map[string]bool{"user.failed_login": true, "user.two_factor_challenge_failure": true, "user.forgot_password": false}

func outcome(action string) string {
	if failed[action] {
		return audit.OutcomeFailure
	}
	return audit.OutcomeSuccess
}

// A meaning is a class with one of its activities, and the action.
type meaning struct {
	class    audit.Class
	activity int64
	action   string
}

// meanings are those of the actions that are about sessions, users, their rights and
// groups. Activities of class 3001: 1 create, 3 password change, 4 password reset,
// 6 delete, 10 enable a second factor, 11 disable it. Of class 3005: 1 assign
// privileges, 2 revoke them. Of class 3006: 3 add user, 4 remove user, 5 delete,
// 6 create.
var meanings = map[string]meaning{
	"user.login":                        {audit.ClassAuthentication, audit.AuthLogon, audit.ActionLogin},
	"user.failed_login":                 {audit.ClassAuthentication, audit.AuthLogon, audit.ActionLogin},
	"user.logout":                       {audit.ClassAuthentication, audit.AuthLogoff, audit.ActionLogout},
	"org.sso_response":                  {audit.ClassAuthentication, audit.AuthLogon, audit.ActionLogin},
	"business.sso_response":             {audit.ClassAuthentication, audit.AuthLogon, audit.ActionLogin},
	"user.two_factor_challenge_failure": {audit.ClassAuthentication, audit.AuthLogon, audit.ActionLogin},

	"user.create":                        {audit.ClassAccountChange, 1, audit.ActionCreate},
	"user.change_password":               {audit.ClassAccountChange, 3, audit.ActionUpdate},
	"user.forgot_password":               {audit.ClassAccountChange, 4, audit.ActionUpdate},
	"user.destroy":                       {audit.ClassAccountChange, 6, audit.ActionDelete},
	"two_factor_authentication.enabled":  {audit.ClassAccountChange, 10, audit.ActionUpdate},
	"two_factor_authentication.disabled": {audit.ClassAccountChange, 11, audit.ActionUpdate},

	"org.add_member":                  {audit.ClassUserAccess, 1, audit.ActionCreate},
	"org.update_member":               {audit.ClassUserAccess, 1, audit.ActionUpdate},
	"org.remove_member":               {audit.ClassUserAccess, 2, audit.ActionDelete},
	"org.add_outside_collaborator":    {audit.ClassUserAccess, 1, audit.ActionCreate},
	"org.remove_outside_collaborator": {audit.ClassUserAccess, 2, audit.ActionDelete},
	"repo.add_member":                 {audit.ClassUserAccess, 1, audit.ActionCreate},
	"repo.update_member":              {audit.ClassUserAccess, 1, audit.ActionUpdate},
	"repo.remove_member":              {audit.ClassUserAccess, 2, audit.ActionDelete},
	"business.add_admin":              {audit.ClassUserAccess, 1, audit.ActionCreate},
	"business.remove_admin":           {audit.ClassUserAccess, 2, audit.ActionDelete},

	"team.add_member":        {audit.ClassGroup, 3, audit.ActionUpdate},
	"team.remove_member":     {audit.ClassGroup, 4, audit.ActionUpdate},
	"team.add_repository":    {audit.ClassGroup, 1, audit.ActionUpdate},
	"team.remove_repository": {audit.ClassGroup, 2, audit.ActionUpdate},
	"team.create":            {audit.ClassGroup, 6, audit.ActionCreate},
	"team.destroy":           {audit.ClassGroup, 5, audit.ActionDelete},
}

// operations are what GitHub itself calls the kind of an action.
var operations = map[string]string{
	"create": audit.ActionCreate, "access": audit.ActionRead, "modify": audit.ActionUpdate, "remove": audit.ActionDelete,
	"authentication": audit.ActionLogin, "transfer": audit.ActionUpdate, "restore": audit.ActionUpdate,
}

// verbs begin what was done, for events without a kind.
var verbs = []struct{ prefix, action string }{
	{"create", audit.ActionCreate}, {"add", audit.ActionCreate}, {"invite", audit.ActionCreate},
	{"destroy", audit.ActionDelete}, {"delete", audit.ActionDelete}, {"remove", audit.ActionDelete}, {"revoke", audit.ActionDelete}, {"cancel", audit.ActionDelete},
	{"download", audit.ActionRead}, {"clone", audit.ActionRead}, {"fetch", audit.ActionRead}, {"access", audit.ActionRead}, {"export", audit.ActionRead},
	{"update", audit.ActionUpdate}, {"change", audit.ActionUpdate}, {"enable", audit.ActionUpdate}, {"disable", audit.ActionUpdate}, {"set", audit.ActionUpdate},
	{"rename", audit.ActionUpdate}, {"transfer", audit.ActionUpdate}, {"push", audit.ActionUpdate}, {"merge", audit.ActionUpdate}, {"archive", audit.ActionUpdate},
}

// classify sets the event name, the action and the OCSF class.
func classify(action, operation string, d *draft.Draft) {
	if m, ok := meanings[action]; ok {
		d.Class(m.class, m.action, m.activity)
		return
	}
	done, ok := operations[operation]
	_, verb := split(action)
	for _, v := range verbs {
		if !ok && strings.HasPrefix(verb, v.prefix) {
			done, ok = v.action, true
		}
	}
	if !ok {
		done = audit.ActionOther
	}
	d.Class(audit.ClassAPI, done, audit.APIActivity(done))
}
