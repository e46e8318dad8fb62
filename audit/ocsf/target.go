package ocsf

import (
	"slices"
	"strings"

	"github.com/otelcol-custody/custody/audit"
)

// A target is something to which the event was done.
type target struct {
	id, typ, name, account, region string
	kind                           kind
	placed                         bool // the event holds all that is known of it
}

// A kind says what in a class a target is.
type kind uint8

const (
	other     kind = iota
	user           // whoever can act: a user, a service account, a role of AWS
	group          // of users
	app            // a service that is logged on to, and which may act as well
	privilege      // a role, a policy: what is given to a user
	public         // everybody, or everybody of a domain
)

// kinds are by the whole type, or by its last part without an "s" at the end.
var kinds = map[string]kind{
	"aws::iam::role": user, "serviceaccounts/token": user,
	"user": user, "principal": user, "member": user, "guest": user, "partner": user, "serviceaccount": user, "federateduser": user,
	"group": group, "usergroup": group, "securitygroup": group, "sharepointgroup": group, "team": group,
	"application": app, "app": app, "serviceprincipal": app,
	"role": privilege, "clusterrole": privilege, "roledefinition": privilege, "policy": privilege, "managedpolicy": privilege,
	"permissionset": privilege, "approle": privilege, "iamrole": privilege,
	"alluser": public, "allauthenticateduser": public, "domain": public,
}

func kindOf(typ string) kind {
	typ = strings.ToLower(typ)
	if k, ok := kinds[typ]; ok {
		return k
	}
	last := typ[strings.LastIndexAny(typ, "/:.")+1:]
	return kinds[strings.TrimSuffix(strings.ReplaceAll(last, "_", ""), "s")]
}

// loadTargets reads the list of targets, or the one that there is.
func (e *event) loadTargets() {
	list, _ := e.lookup(audit.AttrTargets, audit.Maps)
	if list == nil {
		t := target{
			id: e.peek(audit.AttrTargetID), typ: e.peek(audit.AttrTargetType), name: e.peek(audit.AttrTargetName),
			account: e.peek(audit.AttrTargetAccountID), region: e.peek(audit.AttrTargetRegion),
		}
		if t.id != "" || t.name != "" {
			t.kind = kindOf(t.typ)
			e.targets = append(e.targets, t)
		}
		return
	}
	for _, m := range list.Maps {
		var t target
		for _, a := range m {
			switch a.Key {
			case "id":
				t.id = a.Value.Str
			case "type":
				t.typ = a.Value.Str
			case "name":
				t.name = a.Value.Str
			case "account.id":
				t.account = a.Value.Str
			case "region":
				t.region = a.Value.Str
			default:
				e.lost = true
			}
			e.lost = e.lost || a.Value.Kind != audit.String
		}
		t.kind = kindOf(t.typ)
		e.targets = append(e.targets, t)
	}
}

// pick is the first target that is not placed yet and of one of these kinds, the first
// kind preferred.
func (e *event) pick(wanted ...kind) *target {
	for _, k := range wanted {
		for i := range e.targets {
			if t := &e.targets[i]; t.kind == k && !t.placed && t.nameable() {
				return t
			}
		}
	}
	return nil
}

func (t *target) nameable() bool { return t.id != "" || t.name != "" }

// settleTargets: what all of the targets say, unmapped need not repeat.
func (e *event) settleTargets() {
	if len(e.targets) == 0 {
		return
	}
	kept := e.lost || slices.ContainsFunc(e.targets, func(t target) bool { return !t.placed })
	if !kept {
		e.drop(audit.AttrTargets)
	}
	first := &e.targets[0]
	if kept && !e.has(audit.AttrTargets) || first.id != e.peek(audit.AttrTargetID) {
		return
	}
	for _, key := range []string{audit.AttrTargetID, audit.AttrTargetType, audit.AttrTargetName, audit.AttrTargetAccountID, audit.AttrTargetRegion} {
		e.drop(key) // The list has it, too.
	}
}

// putTargetUser writes a target that is a user.
func (e *event) putTargetUser(key string, t *target) {
	e.object(key, func() {
		e.putEntity(t)
		e.int("type_id", t.userType())
		e.text("type", t.typ)
		if t.account != "" {
			e.object("account", func() { e.text("uid", t.account) })
		}
	})
	t.placed = t.region == ""
}

// userType is the type of a target that stands where a user does. What is called a
// principal may be anything.
func (t *target) userType() int64 {
	typ := strings.ToLower(t.typ)
	switch {
	case t.kind == group || t.kind == public:
		return audit.ActivityOther
	case t.kind == app:
		return typeService
	case strings.HasSuffix(typ, "principal"):
		return 0
	case strings.Contains(typ, "user"), typ == "member", typ == "guest", typ == "partner":
		return typeUser
	}
	return typeService
}

// isIn says whether a target is among some names.
func (t *target) isIn(names []string) bool {
	return slices.Contains(names, t.id) || t.name != "" && slices.Contains(names, t.name)
}

func (e *event) putEntity(t *target) {
	e.text("uid", t.id)
	e.text("name", t.name)
}

// putGroup writes a target that is a group.
func (e *event) putGroup(key string, t *target) {
	e.object(key, func() {
		e.putEntity(t)
		e.text("type", t.typ)
	})
	t.placed = t.account == "" && t.region == ""
}

// putResource writes a target that is a resource. Its region belongs to the profile of
// the cloud.
func (e *event) putResource(key string, t *target) {
	if !t.nameable() {
		return
	}
	e.object(key, func() {
		e.putEntity(t)
		e.text("type", t.typ)
		e.text("namespace", e.namespaceOf(t))
		if t.account != "" {
			e.object("owner", func() {
				e.object("account", func() { e.text("uid", t.account) })
			})
		}
		if e.cloudy() {
			e.text("region", t.region)
		}
		if id := e.peek(audit.AttrCloudResourceID); id != "" && t == &e.targets[0] {
			if id != t.id {
				e.text("uid_alt", id)
			}
			e.drop(audit.AttrCloudResourceID)
		}
		e.int("role_id", 1)
		e.text("role", "Target")
	})
	t.placed = t.region == "" || e.cloudy()
}

// namespaceOf is where the first target lies.
func (e *event) namespaceOf(t *target) string {
	if t != &e.targets[0] {
		return ""
	}
	return e.take(audit.AttrK8sNamespace)
}

// putResources writes the targets of these kinds that have no place yet; all of them
// without any.
func (e *event) putResources(wanted ...kind) {
	e.list("resources", func() {
		for i := range e.targets {
			if t := &e.targets[i]; !t.placed && (len(wanted) == 0 || slices.Contains(wanted, t.kind)) {
				e.putResource("", t)
			}
		}
	})
}
