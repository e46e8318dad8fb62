package kubeapi

import (
	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
)

const (
	groupRBAC           = "rbac.authorization.k8s.io"
	groupAuthentication = "authentication.k8s.io"
	groupAuthorization  = "authorization.k8s.io"
)

// actions are what verbs do. Those of calls outside the API are HTTP's methods.
var actions = map[string]string{
	"create": audit.ActionCreate,
	"get":    audit.ActionRead, "list": audit.ActionRead, "watch": audit.ActionRead, "head": audit.ActionRead, "options": audit.ActionRead,
	"update": audit.ActionUpdate, "patch": audit.ActionUpdate, "put": audit.ActionUpdate,
	"delete": audit.ActionDelete, "deletecollection": audit.ActionDelete,
	"connect": audit.ActionExecute, "proxy": audit.ActionExecute,
}

// subresources are those with which a call does something else than its verb says. A
// session in a container may begin with get, since WebSockets do.
var subresources = map[string]string{
	"exec": audit.ActionExecute, "attach": audit.ActionExecute, "portforward": audit.ActionExecute, "proxy": audit.ActionExecute,
	"eviction": audit.ActionDelete, "binding": audit.ActionUpdate,
}

// asks says whether a call is a question in the form of a creation: nothing is kept.
func (c *Call) asks() bool {
	return c.Verb == "create" && (c.Group == groupAuthorization || c.Group == groupAuthentication && c.Resource == "selfsubjectreviews")
}

// IsTokenReview says whether the call asks whose a token is.
func (c *Call) IsTokenReview() bool {
	return c.Group == groupAuthentication && c.Resource == "tokenreviews"
}

// Binds says whether the call makes or replaces a binding of a role.
func (c *Call) Binds() bool {
	return c.Group == groupRBAC && (c.Resource == "rolebindings" || c.Resource == "clusterrolebindings") &&
		(c.Verb == "create" || c.Verb == "update")
}

func (c *Call) isTokenRequest() bool {
	return c.Group == "" && c.Resource == "serviceaccounts" && c.Subresource == "token"
}

func (c *Call) action() string {
	if action, ok := subresources[c.Subresource]; ok && (c.Resource == "pods" || c.Resource == "services" || c.Resource == "nodes") {
		return action
	}
	if c.asks() {
		return audit.ActionRead
	}
	if action, ok := actions[c.Verb]; ok {
		return action
	}
	return audit.ActionOther
}

// Classify sets the event name, the action and the OCSF class.
//
// Roles and their bindings are class 3005, updates of a user's privileges: 1 assigns
// them, 2 revokes; an update may do either. Service accounts are class 3001 and not
// 3004: OCSF 1.6 has the user type Service, 3001 tells of accounts that are created,
// changed and deleted, and 3004 of the entities of a management console. To ask for a
// service account's token is to log on as it (3002), as it is with other clouds; a
// TokenReview is a step of somebody's logon. 3003 fits neither: no privileges are
// given to a session. Who only reads any of these is in class 6003.
func (c *Call) Classify(d *draft.Draft) {
	action := c.action()
	switch {
	case c.Verb == "create" && c.isTokenRequest():
		d.Class(audit.ClassAuthentication, audit.ActionLogin, audit.AuthLogon)
	case c.Verb == "create" && c.IsTokenReview():
		d.Class(audit.ClassAuthentication, audit.ActionExecute, audit.ActivityOther)
	case action == audit.ActionRead:
		d.Class(audit.ClassAPI, action, audit.APIRead)
	case c.Group == groupRBAC:
		d.Class(audit.ClassUserAccess, action, activity(action, 1, 2))
	case c.Group == "" && c.Resource == "serviceaccounts":
		d.Class(audit.ClassAccountChange, action, activity(action, 1, 6))
	default:
		d.Class(audit.ClassAPI, action, audit.APIActivity(action))
	}
}

func activity(action string, created, deleted int64) int64 {
	switch action {
	case audit.ActionCreate:
		return created
	case audit.ActionDelete:
		return deleted
	}
	return audit.ActivityOther
}

// A Grant is what an object of RBAC says about who gets what.
type Grant struct {
	Role, RoleKind string
	Subjects       []Subject
}

// A Subject is a user, a group or a service account.
type Subject struct{ Kind, Name, Namespace string }

// Put adds what a call says about itself: its class, its API, its target, and who is
// given which role.
func (c *Call) Put(d *draft.Draft, g Grant) {
	c.Classify(d)
	d.Put(audit.AttrAPIVersion, c.APIVersion())
	namespace := c.Namespace
	if c.Resource == namespaces {
		namespace = c.Name
	}
	d.Put(audit.AttrK8sNamespace, namespace)
	d.AddTarget(c.Target())
	for _, s := range g.Subjects {
		name := s.Name
		if s.Kind == "ServiceAccount" {
			name = serviceAccount + s.Namespace + ":" + s.Name
		}
		d.AddTarget(draft.Target{ID: name, Type: s.Kind, Name: s.Name})
	}
	d.AddTarget(draft.Target{ID: g.Role, Type: g.RoleKind, Name: g.Role})
	d.PutTargets()
	d.PutList(audit.AttrPrivileges, g.Role)
}
