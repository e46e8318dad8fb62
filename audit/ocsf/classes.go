package ocsf

import (
	"cmp"
	"slices"
	"strings"

	"github.com/otelcol-custody/custody/audit"
)

// fillAPIActivity writes class 6003.
func (e *event) fillAPIActivity() {
	e.putActor(true)
	e.putAPI(true)
	e.putSource(true)
	e.putResources()
	e.putHTTP()
}

// putIAM writes what all classes about identities and their rights have.
func (e *event) putIAM() {
	e.putActor(false)
	if e.cloudy() { // The attribute belongs to the profile of the cloud.
		e.putAPI(false)
	}
	e.putSource(false)
	e.putHTTP()
}

// fillAccountChange writes class 3001. A change that names no account is one of the
// actor's own.
func (e *event) fillAccountChange() {
	e.putIAM()
	if t := e.pick(user, app); t != nil {
		e.putTargetUser("user", t)
	} else {
		e.putActorAs("user")
	}
	e.putPolicies()
}

// putPolicies writes the policies that are targets, and what else is given or taken.
func (e *event) putPolicies() {
	e.list("policies", func() {
		names := e.takeList(audit.AttrPrivileges)
		for t := e.pick(privilege); t != nil; t = e.pick(privilege) {
			names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return t.isIn([]string{name}) })
			e.object("", func() {
				e.putEntity(t)
				e.text("type", t.typ)
			})
			t.placed = true
			e.lost = e.lost || t.account != "" || t.region != ""
		}
		for _, name := range names {
			key := "name"
			if strings.HasPrefix(name, "arn:") {
				key = "uid"
			}
			e.object("", func() { e.text(key, name) })
		}
	})
}

// putActorAs writes the actor as the user that a class requires.
func (e *event) putActorAs(key string) {
	if e.has(userKeys...) {
		e.putActingUser(key)
	} else {
		e.putUnknownUser(key)
	}
}

// fillAuthentication writes class 3002. Who logs on is whose credentials were asked for,
// or else the actor; what is logged on to is an application, or else the service that
// tells of it.
func (e *event) fillAuthentication() {
	e.putIAM()
	if t := e.pick(user); t != nil {
		e.putTargetUser("user", t)
	} else {
		e.putActorAs("user")
		e.object("session", e.putSession)
	}
	e.putMFA()
	if t := e.pick(app); t != nil {
		e.object("service", func() { e.putEntity(t) })
		return // It stays in unmapped: a service has neither type nor account.
	}
	e.object("service", func() { e.text("name", cmp.Or(e.take(audit.AttrService), e.product())) })
}

// fillAuthorizeSession writes class 3003, in which either a group or privileges are
// assigned.
func (e *event) fillAuthorizeSession() {
	e.putIAM()
	if t := e.pick(user); t != nil {
		e.putTargetUser("user", t)
	} else {
		e.putActorAs("user")
	}
	e.object("session", e.putSession)
	activity, _ := e.lookup(audit.AttrOCSFActivity, audit.Int)
	if t := e.pick(group); t != nil && activity != nil && activity.Int == assignGroups {
		e.putGroup("group", t)
		return
	}
	e.putPrivileges(true)
}

// fillEntityManagement writes class 3004.
func (e *event) fillEntityManagement() {
	e.putIAM()
	t := &target{name: unknown}
	if len(e.targets) > 0 && e.targets[0].nameable() {
		t = &e.targets[0]
	}
	e.object("entity", func() {
		e.putEntity(t)
		id, caption := entityType(t.typ)
		e.int("type_id", id)
		e.text("type", cmp.Or(t.typ, caption))
	})
	t.placed = t.account == "" && t.region == ""
}

// entityType is the type of a managed entity.
func entityType(typ string) (int64, string) {
	switch k := kindOf(typ); {
	case typ == "":
		return 0, unknown
	case k == user:
		return 2, "User"
	case k == group:
		return 3, "Group"
	}
	switch strings.ToLower(typ) {
	case "device":
		return 1, "Device"
	case "organization", "tenant":
		return 4, "Organization"
	case "policy":
		return 5, "Policy"
	}
	return audit.ActivityOther, "Other"
}

// fillUserAccess writes class 3005. To whom rights were given is never the actor unless
// the record says so.
func (e *event) fillUserAccess() {
	e.putIAM()
	if t := e.pick(user, group, app, public); t != nil {
		e.putTargetUser("user", t)
	} else {
		e.putUnknownUser("user")
	}
	e.putPrivileges(true)
	e.putResources(other)
}

// fillGroupManagement writes class 3006.
func (e *event) fillGroupManagement() {
	e.putIAM()
	if t := e.pick(group); t != nil {
		e.putGroup("group", t)
	} else {
		e.object("group", func() { e.text("name", unknown) })
	}
	if t := e.pick(group); t != nil {
		e.putGroup("subgroup", t)
	}
	if t := e.pick(user, app); t != nil {
		e.putTargetUser("user", t)
	}
	e.putPrivileges(false)
	if t := e.pick(other); t != nil {
		e.putResource("resource", t)
	}
}

// putPrivileges writes what a record says is given or taken, and the roles and policies
// that are targets.
func (e *event) putPrivileges(required bool) {
	e.list("privileges", func() {
		names := slices.Clip(e.takeList(audit.AttrPrivileges))
		for t := e.pick(privilege); t != nil; t = e.pick(privilege) {
			if !t.isIn(names) {
				names = append(names, cmp.Or(t.id, t.name))
			}
			t.placed, e.lost = true, true // A privilege is nothing but a text.
		}
		found := false
		for _, name := range names {
			found = e.text("", name) || found
		}
		if required && !found {
			e.text("", unknown)
		}
	})
}

// fillFinding writes class 2004. What led to the finding is its evidence.
func (e *event) fillFinding() {
	e.object("finding_info", func() {
		e.text("uid", e.findingUID())
		e.text("title", cmp.Or(e.peek(audit.AttrOperation), unknown))
		e.list("types", func() { e.text("", e.peek(audit.AttrCategory)) })
	})
	e.list("evidences", func() {
		e.object("", func() {
			before := len(e.b)
			if e.peek(audit.AttrActorType) != audit.ActorSystem { // That is who found it.
				e.putActor(false)
			}
			e.putAPI(false)
			e.putSource(false)
			if len(e.b) > before { // A request alone is no evidence.
				e.putHTTP()
			}
		})
	})
	e.putResources()
}

// findingUID is the provider's id. Several insights of AWS tell of one finding, from its
// start to its end.
func (e *event) findingUID() string {
	id := ""
	if e.peek(audit.AttrCategory) == "insight" {
		id = e.peek(audit.AttrCorrelationID)
	}
	return cmp.Or(id, e.peek(audit.AttrOriginalID), e.peek(audit.AttrRecordID), unknown)
}
