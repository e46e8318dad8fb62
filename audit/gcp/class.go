package gcp

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// A meaning is a class with one of its activities, and the action.
type meaning struct {
	class    audit.Class
	activity int64
	action   string
	failed   bool // what it tells of did not succeed
}

const other = audit.ActivityOther

// classify sets the event name, the action and the OCSF class.
func (e *entry) classify() meaning {
	m, ok := e.meaning()
	if !ok {
		action := e.action()
		m = meaning{class: audit.ClassAPI, activity: audit.APIActivity(action), action: action}
	}
	name := m.class.Event
	if e.category == systemEvent {
		name = audit.EventSystem
	}
	e.ClassOf(name, m.class, m.action, m.activity)
	return m
}

// meaning knows the methods that are about sessions, accounts, rights and groups.
func (e *entry) meaning() (meaning, bool) {
	name := lastName(e.method)
	switch strings.ToLower(name) {
	case "setiampolicy", "setiampermissions":
		return meaning{class: audit.ClassUserAccess, activity: e.deltaActivity(), action: audit.ActionUpdate}, true
	}
	m, ok := meanings[e.service][name]
	return m, ok
}

var deltaTable = jsonscan.NewTable([]string{"action"})

// deltaActivity is 1 where a change of policy gives roles to members, 2 where it takes
// them away. Where it does both, or the log does not tell, it is neither.
func (e *entry) deltaActivity() int64 {
	adds, removes := 0, 0
	e.Each(fDeltas, deltaTable, func(d *jsonscan.Fields) {
		switch d.Str(0) {
		case "ADD":
			adds++
		case "REMOVE":
			removes++
		}
	})
	switch {
	case adds > 0 && removes == 0:
		return 1
	case removes > 0 && adds == 0:
		return 2
	}
	return other
}

// meanings are those of methods, by service and the last part of their name.
// Activities of class 3001: 1 create, 2 enable, 3 password change, 4 password reset,
// 5 disable, 6 delete, 10 enable a second factor, 11 disable it. Of class 3005: 1
// assign privileges, 2 revoke them. Of class 3006: 3 add user, 4 remove user, 5 delete,
// 6 create.
var meanings = map[string]map[string]meaning{
	"iam.googleapis.com": {
		"CreateServiceAccount":     {class: audit.ClassAccountChange, activity: 1, action: audit.ActionCreate},
		"EnableServiceAccount":     {class: audit.ClassAccountChange, activity: 2, action: audit.ActionUpdate},
		"DisableServiceAccount":    {class: audit.ClassAccountChange, activity: 5, action: audit.ActionUpdate},
		"DeleteServiceAccount":     {class: audit.ClassAccountChange, activity: 6, action: audit.ActionDelete},
		"UndeleteServiceAccount":   {class: audit.ClassAccountChange, activity: other, action: audit.ActionUpdate},
		"UpdateServiceAccount":     {class: audit.ClassAccountChange, activity: other, action: audit.ActionUpdate},
		"PatchServiceAccount":      {class: audit.ClassAccountChange, activity: other, action: audit.ActionUpdate},
		"CreateServiceAccountKey":  {class: audit.ClassAccountChange, activity: other, action: audit.ActionCreate},
		"UploadServiceAccountKey":  {class: audit.ClassAccountChange, activity: other, action: audit.ActionCreate},
		"EnableServiceAccountKey":  {class: audit.ClassAccountChange, activity: other, action: audit.ActionUpdate},
		"DisableServiceAccountKey": {class: audit.ClassAccountChange, activity: other, action: audit.ActionUpdate},
		"DeleteServiceAccountKey":  {class: audit.ClassAccountChange, activity: other, action: audit.ActionDelete},
		"CreateRole":               {class: audit.ClassUserAccess, activity: 1, action: audit.ActionCreate},
		"UpdateRole":               {class: audit.ClassUserAccess, activity: other, action: audit.ActionUpdate},
		"UndeleteRole":             {class: audit.ClassUserAccess, activity: other, action: audit.ActionUpdate},
		"DeleteRole":               {class: audit.ClassUserAccess, activity: 2, action: audit.ActionDelete},
	},
	// To ask for a credential of another identity is to log on as it.
	"iamcredentials.googleapis.com": {
		"GenerateAccessToken": {class: audit.ClassAuthentication, activity: audit.AuthLogon, action: audit.ActionLogin},
		"GenerateIdToken":     {class: audit.ClassAuthentication, activity: audit.AuthLogon, action: audit.ActionLogin},
	},
	"sts.googleapis.com": {
		"ExchangeToken": {class: audit.ClassAuthentication, activity: audit.AuthLogon, action: audit.ActionLogin},
	},
	"cloudidentity.googleapis.com": {
		"CreateGroup":           {class: audit.ClassGroup, activity: 6, action: audit.ActionCreate},
		"UpdateGroup":           {class: audit.ClassGroup, activity: other, action: audit.ActionUpdate},
		"DeleteGroup":           {class: audit.ClassGroup, activity: 5, action: audit.ActionDelete},
		"CreateMembership":      {class: audit.ClassGroup, activity: 3, action: audit.ActionUpdate},
		"DeleteMembership":      {class: audit.ClassGroup, activity: 4, action: audit.ActionUpdate},
		"UpdateMembership":      {class: audit.ClassGroup, activity: other, action: audit.ActionUpdate},
		"ModifyMembershipRoles": {class: audit.ClassGroup, activity: other, action: audit.ActionUpdate},
	},
	adminService: adminMeanings,
	loginService: loginMeanings,
}
