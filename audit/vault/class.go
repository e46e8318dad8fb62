package vault

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// A meaning is what a request to a path is about.
type meaning struct {
	class    audit.Class
	activity int64
	action   string
	event    string // if it is not that of the class
	kind     string // of the target, if the path tells
	name     string // of the target
}

func (m *meaning) put(d *draft.Draft) {
	d.ClassOf(draft.First(m.event, m.class.Event), m.class, m.action, m.activity)
}

// actions are those of the operations.
// https://pkg.go.dev/github.com/openbao/openbao/sdk/v2/logical#Operation
var actions = map[string]string{
	"create": audit.ActionCreate, "read": audit.ActionRead, "list": audit.ActionRead, "scan": audit.ActionRead, "header": audit.ActionRead,
	"help": audit.ActionRead, "alias-lookahead": audit.ActionRead, "resolve-role": audit.ActionRead,
	"update": audit.ActionUpdate, "patch": audit.ActionUpdate, "renew": audit.ActionUpdate,
	"delete": audit.ActionDelete, "revoke": audit.ActionDelete,
}

// meaningOf reads the path. Where auth methods are mounted is free; the paths below
// them, and those of Vault's own parts, are not.
func meaningOf(f *jsonscan.Fields) meaning {
	operation, path := f.Str(fOperation), strings.TrimPrefix(f.Str(fPath), f.Str(fNamespace))
	m := meaning{class: audit.ClassAPI, action: draft.First(actions[operation], audit.ActionOther)}
	part, rest, _ := strings.Cut(path, "/")
	switch part {
	case "auth":
		mount := strings.TrimPrefix(f.Str(fMountPoint), f.Str(fNamespace))
		below, ok := strings.CutPrefix(path, mount)
		if mount == "" || !ok {
			_, below, _ = strings.Cut(rest, "/") // older versions do not name the mount
		}
		if strings.HasPrefix(path, "auth/token/") {
			m.ofToken(below)
		} else {
			m.ofMethod(operation, strings.Split(below, "/"))
		}
	case "identity":
		m.ofIdentity(strings.Split(rest, "/"), f.Has(fDataID))
	case "sys":
		m.ofSystem(rest)
	}
	if m.class == audit.ClassAPI {
		m.activity = audit.APIActivity(m.action)
	}
	return m
}

func (m *meaning) is(class audit.Class, activity int64) { m.class, m.activity = class, activity }

// writes says whether it changes anything.
func (m *meaning) writes() bool {
	return m.action == audit.ActionCreate || m.action == audit.ActionUpdate || m.action == audit.ActionDelete
}

// change is a write to something that is made, changed and deleted.
func (m *meaning) change(class audit.Class, create, update, remove int64) {
	switch m.action {
	case audit.ActionCreate:
		m.is(class, create)
	case audit.ActionUpdate:
		m.is(class, update)
	case audit.ActionDelete:
		m.is(class, remove)
	}
}

// ofToken is about tokens, which are sessions. Only a revoked one ends one.
func (m *meaning) ofToken(below string) {
	verb, _, _ := strings.Cut(below, "/")
	switch verb {
	case "create", "create-orphan":
		m.action = audit.ActionCreate
	case "lookup", "lookup-self", "lookup-accessor":
		m.action = audit.ActionRead
	case "renew", "renew-self", "renew-accessor":
		m.action = audit.ActionUpdate
	case "revoke", "revoke-accessor", "revoke-orphan":
		m.action = audit.ActionDelete
	case "revoke-self":
		m.action = audit.ActionLogout
	default:
		return
	}
	m.kind = "token"
	m.is(audit.ClassAuthentication, audit.ActivityOther)
	if strings.HasPrefix(verb, "revoke") {
		m.activity = audit.AuthLogoff
	}
}

// ofMethod is about an auth method: logins, and who may log in. Activities of classes
// 3005 and 3006: 1 assign privileges, 2 revoke them.
func (m *meaning) ofMethod(operation string, parts []string) {
	if parts[0] == "login" || parts[0] == "callback" || parts[0] == "oidc" && len(parts) == 2 && parts[1] == "callback" {
		m.ofLogin(operation, parts)
		return
	}
	if len(parts) < 2 || !m.writes() {
		return
	}
	switch parts[0] {
	case "users":
		m.ofUser(parts)
	case "groups":
		m.kind, m.name = "group", parts[1]
		m.change(audit.ClassGroup, 1, 1, 2)
	case "role", "roles", "certs":
		m.kind, m.name = "role", parts[1]
		if len(parts) > 2 && strings.Contains(parts[2], "secret-id") { // a password of the role's
			m.is(audit.ClassAccountChange, audit.ActivityOther)
			return
		}
		m.change(audit.ClassUserAccess, 1, 1, 2)
	}
}

func (m *meaning) ofLogin(operation string, parts []string) {
	if operation == "help" || operation == "list" {
		return
	}
	m.action, m.kind = audit.ActionLogin, "login"
	m.is(audit.ClassAuthentication, audit.AuthLogon)
	if parts[0] == "login" && len(parts) == 2 {
		m.name = parts[1]
	}
}

// ofUser is about a user of an auth method. Activities of class 3001: 1 create,
// 3 password change, 6 delete.
func (m *meaning) ofUser(parts []string) {
	m.kind, m.name = "user", parts[1]
	switch {
	case len(parts) == 2:
		m.change(audit.ClassAccountChange, 1, audit.ActivityOther, 6)
	case parts[2] == "password":
		m.is(audit.ClassAccountChange, 3)
	case parts[2] == "policies":
		m.change(audit.ClassUserAccess, 1, 1, 2)
	}
}

// ofIdentity is about entities, which are Vault's accounts, and groups. A write without
// an id makes a new one. Activities of class 3006: 5 delete, 6 create.
func (m *meaning) ofIdentity(parts []string, hasID bool) {
	if len(parts) > 2 {
		m.name = parts[len(parts)-1]
	}
	if parts[0] == "lookup" {
		m.action = audit.ActionRead
	}
	if !m.writes() {
		return
	}
	switch parts[0] {
	case "entity":
		m.kind = "entity"
		switch {
		case len(parts) == 1 && !hasID && m.action == audit.ActionUpdate:
			m.action = audit.ActionCreate
		case len(parts) == 2 && parts[1] == "batch-delete":
			m.action = audit.ActionDelete
		}
		m.change(audit.ClassAccountChange, 1, audit.ActivityOther, 6)
	case "entity-alias", "persona", "alias":
		m.kind = parts[0]
		m.is(audit.ClassAccountChange, audit.ActivityOther)
	case "group":
		m.kind = "group"
		if len(parts) == 1 && !hasID && m.action == audit.ActionUpdate {
			m.action = audit.ActionCreate
		}
		m.change(audit.ClassGroup, 6, audit.ActivityOther, 5)
	case "group-alias":
		m.kind = parts[0]
		m.is(audit.ClassGroup, audit.ActivityOther)
	}
}

// ofSystem is about Vault itself. Policies say who may do what; the test is what Vault
// writes when an audit device is switched on.
func (m *meaning) ofSystem(rest string) {
	parts := strings.Split(rest, "/")
	isPolicy := parts[0] == "policy" && len(parts) > 1 || parts[0] == "policies" && len(parts) > 2 && parts[1] != "password"
	switch {
	case rest == "audit/test":
		m.event, m.action = audit.EventSystem, audit.ActionReport
	case isPolicy:
		m.kind, m.name = "policy", parts[len(parts)-1]
		m.change(audit.ClassUserAccess, 1, 1, 2)
	}
}
