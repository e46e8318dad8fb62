package entra

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
)

// A meaning is a class with one of its activities, and the action.
type meaning struct {
	class    audit.Class
	activity int64
	action   string
}

// meanings are those of the activities that are about accounts, rights and groups.
// Activities of class 3001: 1 create, 2 enable, 3 password change, 4 password reset,
// 5 disable, 6 delete, 10 enable a second factor, 11 disable it, 12 unlock. Of class
// 3005: 1 assign privileges, 2 revoke them. Of class 3006: the same, 3 add user,
// 4 remove user, 5 delete, 6 create. Those about the members of roles are in role.go.
// https://learn.microsoft.com/entra/identity/monitoring-health/reference-audit-activities
var meanings = map[string]meaning{
	"add user":                           {audit.ClassAccountChange, 1, audit.ActionCreate},
	"invite external user":               {audit.ClassAccountChange, 1, audit.ActionCreate},
	"add service principal":              {audit.ClassAccountChange, 1, audit.ActionCreate},
	"enable account":                     {audit.ClassAccountChange, 2, audit.ActionUpdate},
	"change user password":               {audit.ClassAccountChange, 3, audit.ActionUpdate},
	"change password":                    {audit.ClassAccountChange, 3, audit.ActionUpdate},
	"reset user password":                {audit.ClassAccountChange, 4, audit.ActionUpdate},
	"reset password":                     {audit.ClassAccountChange, 4, audit.ActionUpdate},
	"unlock user account":                {audit.ClassAccountChange, 12, audit.ActionUpdate},
	"disable account":                    {audit.ClassAccountChange, 5, audit.ActionUpdate},
	"delete user":                        {audit.ClassAccountChange, 6, audit.ActionDelete},
	"hard delete user":                   {audit.ClassAccountChange, 6, audit.ActionDelete},
	"remove service principal":           {audit.ClassAccountChange, 6, audit.ActionDelete},
	"hard delete service principal":      {audit.ClassAccountChange, 6, audit.ActionDelete},
	"enable strong authentication":       {audit.ClassAccountChange, 10, audit.ActionUpdate},
	"user registered security info":      {audit.ClassAccountChange, 10, audit.ActionUpdate},
	"admin registered security info":     {audit.ClassAccountChange, 10, audit.ActionUpdate},
	"disable strong authentication":      {audit.ClassAccountChange, 11, audit.ActionUpdate},
	"user deleted security info":         {audit.ClassAccountChange, 11, audit.ActionUpdate},
	"admin deleted security info":        {audit.ClassAccountChange, 11, audit.ActionUpdate},
	"update user":                        {audit.ClassAccountChange, audit.ActivityOther, audit.ActionUpdate},
	"restore user":                       {audit.ClassAccountChange, audit.ActivityOther, audit.ActionUpdate},
	"update service principal":           {audit.ClassAccountChange, audit.ActivityOther, audit.ActionUpdate},
	"add service principal credentials":  {audit.ClassAccountChange, audit.ActivityOther, audit.ActionUpdate},
	"revoke all refresh tokens for user": {audit.ClassAccountChange, audit.ActivityOther, audit.ActionUpdate},

	"add app role assignment grant to user":             {audit.ClassUserAccess, 1, audit.ActionCreate},
	"add app role assignment to service principal":      {audit.ClassUserAccess, 1, audit.ActionCreate},
	"add app role assignment to group":                  {audit.ClassUserAccess, 1, audit.ActionCreate},
	"add delegated permission grant":                    {audit.ClassUserAccess, 1, audit.ActionCreate},
	"consent to application":                            {audit.ClassUserAccess, 1, audit.ActionCreate},
	"add owner to application":                          {audit.ClassUserAccess, 1, audit.ActionCreate},
	"add owner to service principal":                    {audit.ClassUserAccess, 1, audit.ActionCreate},
	elevation:                                           {audit.ClassUserAccess, 1, audit.ActionCreate},
	"remove app role assignment from user":              {audit.ClassUserAccess, 2, audit.ActionDelete},
	"remove app role assignment from service principal": {audit.ClassUserAccess, 2, audit.ActionDelete},
	"remove app role assignment from group":             {audit.ClassUserAccess, 2, audit.ActionDelete},
	"remove delegated permission grant":                 {audit.ClassUserAccess, 2, audit.ActionDelete},
	"remove owner from application":                     {audit.ClassUserAccess, 2, audit.ActionDelete},
	"remove owner from service principal":               {audit.ClassUserAccess, 2, audit.ActionDelete},
	elevationEnd:                                        {audit.ClassUserAccess, 2, audit.ActionDelete},
	"remove role assignment":                            {audit.ClassUserAccess, 2, audit.ActionDelete},
	"delete role assignment":                            {audit.ClassUserAccess, 2, audit.ActionDelete},

	"add owner to group":       {audit.ClassGroup, 1, audit.ActionUpdate},
	"remove owner from group":  {audit.ClassGroup, 2, audit.ActionUpdate},
	"add member to group":      {audit.ClassGroup, 3, audit.ActionUpdate},
	"remove member from group": {audit.ClassGroup, 4, audit.ActionUpdate},
	"delete group":             {audit.ClassGroup, 5, audit.ActionDelete},
	"hard delete group":        {audit.ClassGroup, 5, audit.ActionDelete},
	"add group":                {audit.ClassGroup, 6, audit.ActionCreate},
	"update group":             {audit.ClassGroup, audit.ActivityOther, audit.ActionUpdate},
	"restore group":            {audit.ClassGroup, audit.ActivityOther, audit.ActionUpdate},
}

// elevation is a global administrator who becomes one of all subscriptions, too.
// https://learn.microsoft.com/azure/role-based-access-control/elevate-access-global-admin
const (
	elevation    = "user has elevated their access to user access administrator for their azure resources"
	elevationEnd = "the role assignment of user access administrator has been removed from the user"
)

// verbs begin the name of an activity, or are its operationType.
var verbs = map[string]string{
	"add": audit.ActionCreate, "create": audit.ActionCreate, "invite": audit.ActionCreate, "register": audit.ActionCreate,
	"delete": audit.ActionDelete, "remove": audit.ActionDelete, "hard": audit.ActionDelete, "unregister": audit.ActionDelete,
	"update": audit.ActionUpdate, "set": audit.ActionUpdate, "change": audit.ActionUpdate, "reset": audit.ActionUpdate,
	"restore": audit.ActionUpdate, "enable": audit.ActionUpdate, "disable": audit.ActionUpdate, "assign": audit.ActionUpdate,
	"unassign": audit.ActionUpdate, "revoke": audit.ActionUpdate, "grant": audit.ActionUpdate, "approve": audit.ActionUpdate,
	"get": audit.ActionRead, "read": audit.ActionRead, "view": audit.ActionRead, "download": audit.ActionRead, "export": audit.ActionRead,
}

// Classify sets the event name, the action and the OCSF class of an activity in the
// directory that another log tells of. Microsoft 365 writes a full stop behind some.
func Classify(activity string, d *draft.Draft) {
	classify(strings.TrimSuffix(activity, "."), "", d)
}

// classify sets the event name, the action and the OCSF class.
func classify(activity, operation string, d *draft.Draft) {
	name := plain(activity)
	m, ok := meanings[name]
	if !ok {
		m, ok = roleMeaning(name)
	}
	if ok {
		d.Class(m.class, m.action, m.activity)
		return
	}
	verb, _, _ := strings.Cut(name, " ")
	action := draft.First(verbs[verb], verbs[strings.ToLower(operation)], audit.ActionOther)
	d.Class(audit.ClassEntity, action, audit.APIActivity(action))
}
