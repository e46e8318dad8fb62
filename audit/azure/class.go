package azure

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/entra"
	"github.com/otelcol-custody/custody/audit/internal/draft"
)

// A meaning is a class with one of its activities.
type meaning struct {
	class    audit.Class
	activity int64
}

// meanings are those of the operations that are about rights and accounts. Activities
// of class 3005: 1 assign privileges, 2 revoke them; of class 3001: 6 delete.
var meanings = map[string]meaning{
	"microsoft.authorization/roleassignments/write":                                        {audit.ClassUserAccess, 1},
	"microsoft.authorization/roleassignments/delete":                                       {audit.ClassUserAccess, 2},
	"microsoft.authorization/classicadministrators/write":                                  {audit.ClassUserAccess, 1},
	"microsoft.authorization/classicadministrators/delete":                                 {audit.ClassUserAccess, 2},
	"microsoft.authorization/elevateaccess/action":                                         {audit.ClassUserAccess, 1},
	"microsoft.authorization/roleassignmentschedulerequests/write":                         {audit.ClassUserAccess, audit.ActivityOther},
	"microsoft.authorization/roleeligibilityschedulerequests/write":                        {audit.ClassUserAccess, audit.ActivityOther},
	"microsoft.authorization/denyassignments/write":                                        {audit.ClassUserAccess, audit.ActivityOther},
	"microsoft.authorization/denyassignments/delete":                                       {audit.ClassUserAccess, audit.ActivityOther},
	"microsoft.managedidentity/userassignedidentities/write":                               {audit.ClassAccountChange, audit.ActivityOther},
	"microsoft.managedidentity/userassignedidentities/delete":                              {audit.ClassAccountChange, 6},
	"microsoft.compute/virtualmachines/login/action":                                       {audit.ClassAuthentication, audit.AuthLogon},
	"microsoft.compute/virtualmachines/loginasadmin/action":                                {audit.ClassAuthentication, audit.AuthLogon},
	"microsoft.hybridcompute/machines/login/action":                                        {audit.ClassAuthentication, audit.AuthLogon},
	"microsoft.hybridcompute/machines/loginasadmin/action":                                 {audit.ClassAuthentication, audit.AuthLogon},
	"microsoft.keyvault/vaults/accesspolicies/write":                                       {audit.ClassUserAccess, audit.ActivityOther},
	"microsoft.managedidentity/userassignedidentities/federatedidentitycredentials/write":  {audit.ClassAccountChange, audit.ActivityOther},
	"microsoft.managedidentity/userassignedidentities/federatedidentitycredentials/delete": {audit.ClassAccountChange, audit.ActivityOther},
	"microsoft.managedidentity/userassignedidentities/assign/action":                       {audit.ClassAccountChange, audit.ActivityOther},
	"microsoft.authorization/roleassignmentscheduleinstances/write":                        {audit.ClassUserAccess, 1},
	"microsoft.authorization/roleassignmentscheduleinstances/delete":                       {audit.ClassUserAccess, 2},
}

// classify sets the event name, the action and the OCSF class.
func (e *event) classify(category string, created bool, d *draft.Draft) {
	if category == "Security" {
		d.Class(audit.ClassFinding, audit.ActionDetect, findingActivity(e.either(fResultType, fStatusValue)))
		d.Put(audit.AttrFindingSeverity, e.property(pSeverity, pSeverityUpper))
		return
	}
	if entra.ClassifyRole(e.operation, d) { // what Privileged Identity Management calls it, in free text
		return
	}
	act := action(e.operation, created)
	if activity, ok := clusterRights(e.operation); ok {
		d.Class(audit.ClassUserAccess, act, activity)
		return
	}
	if m, ok := meanings[e.operation]; ok {
		if m.class == audit.ClassAuthentication {
			act = audit.ActionLogin
		}
		d.Class(m.class, act, m.activity)
		return
	}
	event := audit.EventAPIActivity
	if isStatement(category) {
		event, act = audit.EventSystem, audit.ActionReport
	}
	d.ClassOf(event, audit.ClassAPI, act, audit.APIActivity(act))
}

// clusterRights knows the bindings of roles in a Kubernetes cluster that Azure runs or
// watches, whose resource types lie below those of several providers.
func clusterRights(operation string) (activity int64, ok bool) {
	rest, verb := cutLast(operation)
	if !strings.HasSuffix(rest, "/rbac.authorization.k8s.io/rolebindings") && !strings.HasSuffix(rest, "/rbac.authorization.k8s.io/clusterrolebindings") {
		return 0, false
	}
	switch verb {
	case "write":
		return 1, true
	case "delete":
		return 2, true
	}
	return 0, false
}

// isStatement says whether Azure itself tells something, and nobody asked for it.
func isStatement(category string) bool {
	switch category {
	case "ServiceHealth", "ResourceHealth", "Recommendation", "Alert", "Autoscale", "Security":
		return true
	}
	return false
}

func findingActivity(status string) int64 {
	switch strings.ToLower(status) {
	case "active":
		return audit.FindingCreate
	case "resolved":
		return audit.FindingClose
	}
	return audit.FindingUpdate
}

// action reads the end of an operation: NAMESPACE/TYPE/write, …/delete, …/read, or
// …/VERB/action. A write creates or changes; only the answer tells which.
func action(name string, created bool) string {
	rest, last := cutLast(name)
	switch last {
	case "write":
		if created {
			return audit.ActionCreate
		}
		return audit.ActionUpdate
	case "delete":
		return audit.ActionDelete
	case "read":
		return audit.ActionRead
	case "action":
		_, last = cutLast(rest)
		return verb(last, audit.ActionExecute)
	}
	return verb(last, audit.ActionOther)
}

// cutLast cuts a path before its last part.
func cutLast(path string) (before, last string) {
	slash := strings.LastIndexByte(path, '/')
	return path[:max(slash, 0)], path[slash+1:]
}

// verbs begin or, as in SecretGet, end the name of an action.
var verbs = []struct{ verb, action string }{
	{"list", audit.ActionRead}, {"get", audit.ActionRead}, {"read", audit.ActionRead}, {"download", audit.ActionRead},
	{"export", audit.ActionRead}, {"query", audit.ActionRead}, {"search", audit.ActionRead}, {"check", audit.ActionRead},
	{"create", audit.ActionCreate}, {"add", audit.ActionCreate}, {"import", audit.ActionCreate},
	{"delete", audit.ActionDelete}, {"remove", audit.ActionDelete}, {"purge", audit.ActionDelete},
	{"update", audit.ActionUpdate}, {"set", audit.ActionUpdate}, {"put", audit.ActionUpdate}, {"regenerate", audit.ActionUpdate},
	{"rotate", audit.ActionUpdate}, {"reset", audit.ActionUpdate},
}

func verb(word, otherwise string) string {
	for _, v := range verbs {
		if strings.HasPrefix(word, v.verb) {
			return v.action
		}
	}
	for _, v := range verbs {
		if strings.HasSuffix(word, v.verb) {
			return v.action
		}
	}
	return otherwise
}
