package cloudtrail

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
)

// classify sets the event name, the action and the OCSF class.
func (m *mapper) classify(category string) {
	name := m.str(slotName)
	switch category {
	case categoryInsight:
		m.Class(audit.ClassFinding, audit.ActionDetect, m.findingActivity())
		return
	case categoryAggregated:
		m.Class(audit.ClassAPI, audit.ActionReport, audit.ActivityOther)
		return
	}
	service := m.str(slotSource)
	if activity, ok := authActivity(service, name); ok {
		m.Class(audit.ClassAuthentication, authAction(activity), activity)
		return
	}
	action := m.action(name)
	if c, ok := identityClass(service, name); ok {
		m.Class(c.class, action, c.activity)
		return
	}
	event := audit.EventAPIActivity
	if m.isServiceEvent() {
		event = audit.EventSystem
	}
	m.ClassOf(event, audit.ClassAPI, action, apiActivity(action, name))
}

func (m *mapper) findingActivity() int64 {
	switch m.str(slotInsightState) {
	case "Start":
		return audit.FindingCreate
	case "End":
		return audit.FindingClose
	}
	return audit.FindingUpdate
}

// authActivity knows the calls that begin or end a session, and the steps in
// between.
func authActivity(service, name string) (int64, bool) {
	switch service {
	case "signin.amazonaws.com", "sso.amazonaws.com":
		return signinActivity(service, name)
	case "sts.amazonaws.com":
		if strings.HasPrefix(name, "AssumeRo") || name == "GetFederationToken" || name == "GetSessionToken" {
			return audit.AuthLogon, true
		}
	}
	return 0, false
}

func signinActivity(service, name string) (int64, bool) {
	switch name {
	case "ConsoleLogin", "SwitchRole", "RenewRole", "GetSigninToken", "Authenticate", "Federate", "UserAuthentication":
		return audit.AuthLogon, true
	case "Logout", "ExitRole":
		return audit.AuthLogoff, true
	}
	return audit.ActivityOther, service == "signin.amazonaws.com"
}

func authAction(activity int64) string {
	switch activity {
	case audit.AuthLogon:
		return audit.ActionLogin
	case audit.AuthLogoff:
		return audit.ActionLogout
	}
	return audit.ActionExecute
}

func apiActivity(action, name string) int64 {
	if name == "" {
		return audit.ActivityUnknown
	}
	return audit.APIActivity(action)
}
