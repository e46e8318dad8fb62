package github

import (
	"strconv"
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// split takes an action apart: what it is about, and what was done.
func split(action string) (subject, verb string) {
	subject, verb, _ = strings.Cut(action, ".")
	return subject, verb
}

func isBot(name string) bool { return strings.HasSuffix(name, "[bot]") }

// failed are actions that tell of what was refused.
var failed = map[string]bool{
	"user.failed_login": true, "user.two_factor_challenge_failure": true, "protected_branch.rejected_ref_update": true,
}

// apiRequest is a call of the API, which enterprises may choose to have streamed.
const apiRequest = "api.request"

// outcome adds what came of it. GitHub tells of what was done; an attempt that failed
// has an action of its own. Only a call of the API has a status.
func outcome(action string, f *jsonscan.Fields, d *draft.Draft) {
	result := audit.OutcomeSuccess
	switch {
	case failed[action]:
		result = audit.OutcomeFailure
	case action == apiRequest:
		result = answer(f, d)
	}
	d.Put(audit.AttrOutcome, result)
}

// answer adds the status of a call, and is the outcome that it says.
func answer(f *jsonscan.Fields, d *draft.Draft) string {
	status, err := strconv.ParseInt(f.Str(fStatus), 10, 16)
	if err != nil || status < 100 {
		return audit.OutcomeUnknown
	}
	d.PutInt(audit.AttrHTTPStatus, status)
	if status < 400 {
		return audit.OutcomeSuccess
	}
	d.Put(audit.AttrErrorType, f.Str(fStatus))
	return audit.OutcomeFailure
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
	"organization_role.assign":        {audit.ClassUserAccess, 1, audit.ActionCreate},
	"organization_role.revoke":        {audit.ClassUserAccess, 2, audit.ActionDelete},
	"business.add_admin":              {audit.ClassUserAccess, 1, audit.ActionCreate},
	"business.remove_admin":           {audit.ClassUserAccess, 2, audit.ActionDelete},

	"team.add_member":                   {audit.ClassGroup, 3, audit.ActionUpdate},
	"team.remove_member":                {audit.ClassGroup, 4, audit.ActionUpdate},
	"team.add_repository":               {audit.ClassGroup, 1, audit.ActionUpdate},
	"team.update_repository_permission": {audit.ClassGroup, 1, audit.ActionUpdate},
	"team.remove_repository":            {audit.ClassGroup, 2, audit.ActionUpdate},
	"team.create":                       {audit.ClassGroup, 6, audit.ActionCreate},
	"team.destroy":                      {audit.ClassGroup, 5, audit.ActionDelete},
}

// operations are what GitHub itself calls the kind of an action.
var operations = map[string]string{
	"create": audit.ActionCreate, "access": audit.ActionRead, "modify": audit.ActionUpdate, "remove": audit.ActionDelete,
	"authentication": audit.ActionLogin, "transfer": audit.ActionUpdate, "restore": audit.ActionUpdate,
}

// methods are those of calls of the API.
var methods = map[string]string{
	"GET": audit.ActionRead, "HEAD": audit.ActionRead, "POST": audit.ActionCreate, "PUT": audit.ActionUpdate,
	"PATCH": audit.ActionUpdate, "DELETE": audit.ActionDelete,
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
func classify(action string, f *jsonscan.Fields, d *draft.Draft) audit.Class {
	m, ok := meanings[action]
	if !ok {
		done := doneBy(action, f)
		m = meaning{audit.ClassAPI, audit.APIActivity(done), done}
	}
	d.Class(m.class, m.action, m.activity)
	return m.class
}

// doneBy is what the method of a call, GitHub's kind of the action, or its verb says.
func doneBy(action string, f *jsonscan.Fields) string {
	if action == apiRequest {
		return draft.First(methods[f.Str(fMethod)], audit.ActionOther)
	}
	if done, ok := operations[f.Str(fOperation)]; ok {
		return done
	}
	_, verb := split(action)
	for _, v := range verbs {
		if strings.HasPrefix(verb, v.prefix) {
			return v.action
		}
	}
	return audit.ActionOther
}
