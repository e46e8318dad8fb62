package cloudtrail

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
)

// ocsfVersion is the version of OCSF whose classes and activities are used.
const ocsfVersion = "1.6.0"

// The OCSF classes, and the event name of each.
const (
	classFinding        = 2004 // Detection Finding
	classAccountChange  = 3001
	classAuthentication = 3002
	classUserAccess     = 3005
	classGroup          = 3006
	classAPI            = 6003
)

// The OCSF activities that the code names itself; the others are in tables.
const (
	activityUnknown = 0
	activityOther   = 99

	authLogon  = 1
	authLogoff = 2

	findingCreate = 1
	findingUpdate = 2
	findingClose  = 3
)

// classify sets the event name, the action and the OCSF class.
func (m *mapper) classify(category string) {
	name := m.str(slotName)
	switch category {
	case categoryInsight:
		m.setClass(audit.EventFinding, audit.ActionDetect, classFinding, m.findingActivity())
		return
	case categoryAggregated:
		m.setClass(audit.EventAPIActivity, audit.ActionReport, classAPI, activityOther)
		return
	}
	service := m.str(slotSource)
	if activity, ok := authActivity(service, name); ok {
		m.setClass(audit.EventAuthentication, authAction(activity), classAuthentication, activity)
		return
	}
	action := m.action(name)
	if c, ok := identityClass(service, name); ok {
		m.setClass(c.event(), action, c.class, c.activity)
		return
	}
	event := audit.EventAPIActivity
	if m.isServiceEvent() {
		event = audit.EventSystem
	}
	m.setClass(event, action, classAPI, apiActivity(action, name))
}

func (m *mapper) setClass(event, action string, class, activity int64) {
	m.rec.EventName = event
	m.put(audit.AttrAction, action)
	m.putInt(audit.AttrOCSFClass, class)
	m.putInt(audit.AttrOCSFActivity, activity)
	m.putInt(audit.AttrOCSFType, class*100+activity)
	m.put(audit.AttrOCSFVersion, ocsfVersion)
}

func (m *mapper) findingActivity() int64 {
	switch m.str(slotInsightState) {
	case "Start":
		return findingCreate
	case "End":
		return findingClose
	}
	return findingUpdate
}

// authActivity knows the calls that begin or end a session, and the steps in
// between.
func authActivity(service, name string) (int64, bool) {
	switch service {
	case "signin.amazonaws.com", "sso.amazonaws.com":
		return signinActivity(service, name)
	case "sts.amazonaws.com":
		if strings.HasPrefix(name, "AssumeRo") || name == "GetFederationToken" || name == "GetSessionToken" {
			return authLogon, true
		}
	}
	return 0, false
}

func signinActivity(service, name string) (int64, bool) {
	switch name {
	case "ConsoleLogin", "SwitchRole", "RenewRole", "GetSigninToken", "Authenticate", "Federate", "UserAuthentication":
		return authLogon, true
	case "Logout", "ExitRole":
		return authLogoff, true
	}
	return activityOther, service == "signin.amazonaws.com"
}

func authAction(activity int64) string {
	switch activity {
	case authLogon:
		return audit.ActionLogin
	case authLogoff:
		return audit.ActionLogout
	}
	return audit.ActionExecute
}

func apiActivity(action, name string) int64 {
	switch action {
	case audit.ActionCreate:
		return 1
	case audit.ActionRead:
		return 2
	case audit.ActionUpdate:
		return 3
	case audit.ActionDelete:
		return 4
	}
	if name == "" {
		return activityUnknown
	}
	return activityOther
}
