package cadf

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
)

// actions are the verbs of CADF's taxonomy, and those of Keystone's notifications.
var actions = map[string]string{
	"create": audit.ActionCreate, "created": audit.ActionCreate, "backup": audit.ActionCreate, "capture": audit.ActionCreate, "deploy": audit.ActionCreate,
	"read": audit.ActionRead, "list": audit.ActionRead, "monitor": audit.ActionRead, "receive": audit.ActionRead, "evaluate": audit.ActionRead,
	"update": audit.ActionUpdate, "updated": audit.ActionUpdate, "configure": audit.ActionUpdate, "enable": audit.ActionUpdate, "disable": audit.ActionUpdate,
	"disabled": audit.ActionUpdate, "enabled": audit.ActionUpdate, "restore": audit.ActionUpdate, "renew": audit.ActionUpdate, "refresh": audit.ActionUpdate,
	"delete": audit.ActionDelete, "deleted": audit.ActionDelete, "undeploy": audit.ActionDelete, "revoke": audit.ActionDelete,
	"start": audit.ActionExecute, "stop": audit.ActionExecute, "send": audit.ActionExecute, "notify": audit.ActionExecute,
}

// A meaning is a class with one of its activities.
type meaning struct {
	class    audit.Class
	activity int64
}

// meanings are those of what Keystone keeps. Activities of class 3001: 1 create,
// 2 enable, 3 password change, 5 disable, 6 delete. Of class 3005: 1 assign privileges,
// 2 revoke them. Of class 3006: 3 add user, 4 remove user, 5 delete, 6 create.
var meanings = map[string]meaning{
	"user CREATE":   {audit.ClassAccountChange, 1},
	"user enabled":  {audit.ClassAccountChange, 2},
	"user disabled": {audit.ClassAccountChange, 5},
	"user UPDATE":   {audit.ClassAccountChange, audit.ActivityOther},
	"user DELETE":   {audit.ClassAccountChange, 6},

	"password CREATE":               {audit.ClassAccountChange, 3},
	"password UPDATE":               {audit.ClassAccountChange, 3},
	"credential CREATE":             {audit.ClassAccountChange, audit.ActivityOther},
	"credential UPDATE":             {audit.ClassAccountChange, audit.ActivityOther},
	"credential DELETE":             {audit.ClassAccountChange, audit.ActivityOther},
	"application_credential CREATE": {audit.ClassAccountChange, audit.ActivityOther},
	"application_credential DELETE": {audit.ClassAccountChange, audit.ActivityOther},
	"access_token CREATE":           {audit.ClassAccountChange, audit.ActivityOther},
	"access_token DELETE":           {audit.ClassAccountChange, audit.ActivityOther},

	"role_assignment CREATE": {audit.ClassUserAccess, 1},
	"role_assignment UPDATE": {audit.ClassUserAccess, 1},
	"role_assignment DELETE": {audit.ClassUserAccess, 2},
	"trust CREATE":           {audit.ClassUserAccess, 1},
	"trust DELETE":           {audit.ClassUserAccess, 2},

	"membership CREATE": {audit.ClassGroup, 3},
	"membership UPDATE": {audit.ClassGroup, 3},
	"membership DELETE": {audit.ClassGroup, 4},
	"group DELETE":      {audit.ClassGroup, 5},
	"group CREATE":      {audit.ClassGroup, 6},
	"group UPDATE":      {audit.ClassGroup, audit.ActivityOther},
}

// classify sets the event name, the action and the OCSF class.
func classify(action, uri, kind string, d *draft.Draft) {
	verb, noun := split(action)
	if noun == "" {
		noun = nounOf(uri)
	}
	if verb == "authenticate" {
		d.Class(audit.ClassAuthentication, audit.ActionLogin, audit.AuthLogon)
		return
	}
	done := draft.First(actions[verb], audit.ActionOther)
	m, ok := meanings[noun+" "+verb]
	if !ok {
		m, ok = meanings[noun+" "+done]
	}
	switch {
	case noun == "token" && done == audit.ActionCreate:
		d.Class(audit.ClassAuthentication, audit.ActionLogin, audit.AuthLogon)
	case noun == "token" && done == audit.ActionDelete:
		d.Class(audit.ClassAuthentication, audit.ActionLogout, audit.AuthLogoff)
	case ok:
		d.Class(m.class, done, m.activity)
	case kind == "monitor":
		d.ClassOf(audit.EventSystem, audit.ClassAPI, done, audit.APIActivity(done))
	default:
		d.Class(audit.ClassAPI, done, audit.APIActivity(done))
	}
}

// split takes an action apart: "created.user" and "created.OS-TRUST:trust" are
// Keystone's form, "update/resize" is CADF's, which has no noun.
func split(action string) (verb, noun string) {
	if verb, noun, ok := strings.Cut(action, "."); ok {
		return strings.ToLower(verb), noun[strings.LastIndexByte(noun, ':')+1:]
	}
	verb, _, _ = strings.Cut(action, "/")
	return strings.ToLower(verb), ""
}

// nounOf says what of Keystone's a target's type means: "data/security/account/user",
// or a path like "service/security/users/user".
func nounOf(uri string) string {
	rest, ok := strings.CutPrefix(uri, "service/security/")
	if !ok {
		if rest, ok = strings.CutPrefix(uri, "data/security/"); !ok {
			return ""
		}
	}
	parts := strings.Split(rest, "/")
	noun := singular(parts[len(parts)-1])
	inGroup := strings.HasPrefix(rest, "groups/")
	switch {
	case noun == "user" && inGroup:
		return "membership"
	case noun == "role" && (strings.Contains(rest, "users/") || inGroup || strings.Contains(rest, "/groups/")):
		return "role_assignment"
	}
	return noun
}

func singular(noun string) string {
	switch noun {
	case "users", "groups", "tokens", "roles", "credentials", "application_credentials", "trusts":
		return noun[:len(noun)-1]
	}
	return noun
}
