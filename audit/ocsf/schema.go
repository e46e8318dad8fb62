package ocsf

import "github.com/otelcol-custody/custody/audit"

// A schema is a version of OCSF. A later one is one more entry here: a class that moves,
// as Account Change and User Access Management do to class 3007, is another value under
// the number that records have.
type schema struct {
	version string
	base    *class
	classes map[int64]*class // by the class that records have
}

var schemas = map[string]*schema{
	"1.6.0": {"1.6.0", &baseEvent, map[int64]*class{
		audit.ClassFinding.UID:          &finding,
		audit.ClassAccountChange.UID:    &accountChange,
		audit.ClassAuthentication.UID:   &authentication,
		audit.ClassAuthorizeSession.UID: &authorizeSession,
		audit.ClassEntity.UID:           &entityManagement,
		audit.ClassUserAccess.UID:       &userAccess,
		audit.ClassGroup.UID:            &groupManagement,
		audit.ClassAPI.UID:              &apiActivity,
	}},
}

// A class is a class of events.
type class struct {
	uid         int64
	name        string
	categoryUID int64
	category    string
	event       string           // the event name that its records have
	activities  map[int64]string // beside 0 and 99
	fill        func(*event)     // writes the attributes that are the class's own
}

const (
	findingsUID, findings       = 2, "Findings"
	iamUID, iam                 = 3, "Identity & Access Management"
	applicationUID, application = 6, "Application Activity"
)

var baseEvent = class{0, "Base Event", 0, "Uncategorized", "", nil, func(*event) {}}

var apiActivity = class{6003, "API Activity", applicationUID, application, audit.EventAPIActivity,
	map[int64]string{1: "Create", 2: "Read", 3: "Update", 4: "Delete"}, (*event).fillAPIActivity}

var finding = class{2004, "Detection Finding", findingsUID, findings, audit.EventFinding,
	map[int64]string{1: "Create", 2: "Update", 3: "Close"}, (*event).fillFinding}

var accountChange = class{3001, "Account Change", iamUID, iam, audit.EventAccountChange, map[int64]string{
	1: "Create", 2: "Enable", 3: "Password Change", 4: "Password Reset", 5: "Disable", 6: "Delete", 7: "Attach Policy",
	8: "Detach Policy", 9: "Lock", 10: "MFA Factor Enable", 11: "MFA Factor Disable", 12: "Unlock",
}, (*event).fillAccountChange}

var authentication = class{3002, "Authentication", iamUID, iam, audit.EventAuthentication, map[int64]string{
	1: "Logon", 2: "Logoff", 3: "Authentication Ticket", 4: "Service Ticket Request", 5: "Service Ticket Renew",
	6: "Preauth", 7: "Account Switch",
}, (*event).fillAuthentication}

const assignGroups = 2 // of class 3003

var authorizeSession = class{3003, "Authorize Session", iamUID, iam, audit.EventAuthorizeSession,
	map[int64]string{1: "Assign Privileges", assignGroups: "Assign Groups"}, (*event).fillAuthorizeSession}

var entityManagement = class{3004, "Entity Management", iamUID, iam, audit.EventEntityManagement, map[int64]string{
	1: "Create", 2: "Read", 3: "Update", 4: "Delete", 5: "Move", 6: "Enroll", 7: "Unenroll", 8: "Enable", 9: "Disable",
	10: "Activate", 11: "Deactivate", 12: "Suspend", 13: "Resume",
}, (*event).fillEntityManagement}

var userAccess = class{3005, "User Access Management", iamUID, iam, audit.EventUserAccess,
	map[int64]string{1: "Assign Privileges", 2: "Revoke Privileges"}, (*event).fillUserAccess}

var groupManagement = class{3006, "Group Management", iamUID, iam, audit.EventGroupManagement, map[int64]string{
	1: "Assign Privileges", 2: "Revoke Privileges", 3: "Add User", 4: "Remove User", 5: "Delete", 6: "Create",
	7: "Add Subgroup", 8: "Remove Subgroup",
}, (*event).fillGroupManagement}

// A provider is what OCSF calls the provider of a cloud and its accounts.
type provider struct {
	cloud, vendor, product string
	accountTypeID          int64
	accountType            string
}

var providers = map[string]provider{
	"aws":   {"AWS", "AWS", "AWS CloudTrail", 10, "AWS Account"},
	"azure": {"Azure", "Microsoft", "Azure Monitor", 13, "Azure Subscription"},
	"gcp":   {"GCP", "Google Cloud", "Cloud Audit Logs", 11, "GCP Project"},
}
