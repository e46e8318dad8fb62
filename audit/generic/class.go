package generic

import (
	"maps"
	"slices"
	"strings"

	"github.com/otelcol-custody/custody/audit"
)

// A class is one of OCSF's with the names of its activities, whose numbers are their
// places, from 1 on (https://schema.ocsf.io/1.6.0/classes).
type class struct {
	audit.Class
	activities []string
}

// classes are named as the event names are. What a system or a host did is API activity
// under another event name.
var classes = map[string]class{
	"api_activity": {audit.ClassAPI, apiActivities},
	"system_event": {audit.Class{UID: audit.ClassAPI.UID, Event: audit.EventSystem}, apiActivities},
	"host_event":   {audit.Class{UID: audit.ClassAPI.UID, Event: audit.EventHost}, apiActivities},
	"finding":      {audit.ClassFinding, []string{"create", "update", "close"}},
	"account_change": {audit.ClassAccountChange, []string{
		"create", "enable", "password_change", "password_reset", "disable", "delete", "attach_policy", "detach_policy",
		"lock", "mfa_factor_enable", "mfa_factor_disable", "unlock",
	}},
	"authentication": {audit.ClassAuthentication, []string{
		"logon", "logoff", "authentication_ticket", "service_ticket_request", "service_ticket_renew", "preauth", "account_switch",
	}},
	"authorize_session": {audit.ClassAuthorizeSession, []string{"assign_privileges", "assign_groups"}},
	"entity_management": {audit.ClassEntity, []string{
		"create", "read", "update", "delete", "move", "enroll", "unenroll", "enable", "disable", "activate", "deactivate", "suspend", "resume",
	}},
	"user_access": {audit.ClassUserAccess, []string{"assign_privileges", "revoke_privileges"}},
	"group_management": {audit.ClassGroup, []string{
		"assign_privileges", "revoke_privileges", "add_user", "remove_user", "delete", "create", "add_subgroup", "remove_subgroup",
	}},
}

var apiActivities = []string{"create", "read", "update", "delete"}

// same are the activities that an action is where a class has no activity of its name.
var same = map[string]string{audit.ActionLogin: "logon", audit.ActionLogout: "logoff", audit.ActionDetect: "create"}

var actions = []string{
	audit.ActionCreate, audit.ActionRead, audit.ActionUpdate, audit.ActionDelete, audit.ActionLogin,
	audit.ActionLogout, audit.ActionExecute, audit.ActionDetect, audit.ActionReport, audit.ActionOther,
}

func classNames() string {
	return strings.Join(slices.Sorted(maps.Keys(classes)), ", ")
}

// activity is the number of an activity by its name.
func (c class) activity(name string) (int64, bool) {
	if name == "other" {
		return audit.ActivityOther, true
	}
	i := slices.Index(c.activities, name)
	return int64(i + 1), i >= 0
}

// activityOf is the number of what an action is in a class.
func (c class) activityOf(action string) int64 {
	for _, name := range [...]string{strings.ToLower(action), same[action]} {
		if number, ok := c.activity(name); ok {
			return number
		}
	}
	return audit.ActivityOther
}
