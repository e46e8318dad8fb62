package ocsf

import (
	"cmp"
	"regexp"
	"time"

	"github.com/otelcol-custody/custody/audit"
)

// userKeys are the attributes about the user who acted.
var userKeys = []string{
	audit.AttrActorID, audit.AttrActorAccountID, audit.AttrActorCredentialID, audit.AttrUserID, audit.AttrUserName,
	audit.AttrUserEmail, audit.AttrUserFullName, audit.AttrUserRoles,
}

// putActor writes who did it. An actor is a user, a session or an application, so one
// that is required, or of whom only the identity provider is known, is unknown.
func (e *event) putActor(required bool) {
	e.object("actor", func() {
		before := len(e.b)
		if e.has(userKeys...) {
			e.putActingUser("user")
		}
		e.object("session", e.putSession)
		e.putAs("app_uid", audit.AttrActorAppID)
		e.putAs("app_name", audit.AttrActorAppName)
		if len(e.b) == before && (required || e.peek(audit.AttrActorIDP) != "") {
			e.putUnknownUser("user")
		}
		e.object("idp", func() { e.putAs("name", audit.AttrActorIDP) })
	})
}

// putActingUser writes the user who acted.
func (e *event) putActingUser(key string) {
	id, other := e.take(audit.AttrActorID), e.take(audit.AttrUserID)
	if id == "" {
		id, other = other, ""
	}
	e.object(key, func() {
		e.text("uid", id)
		if other != id {
			e.text("uid_alt", other)
		}
		name := e.take(audit.AttrUserName)
		account := e.take(audit.AttrActorAccountID)
		if id == "" && account == "" {
			name = cmp.Or(name, unknown)
		}
		e.text("name", name)
		e.putAs("full_name", audit.AttrUserFullName)
		if isEmail(e.peek(audit.AttrUserEmail)) {
			e.putAs("email_addr", audit.AttrUserEmail)
		}
		e.putUserType()
		e.object("account", func() { e.text("uid", account) })
		e.list("groups", func() {
			for _, role := range e.takeList(audit.AttrUserRoles) {
				e.object("", func() { e.text("name", role) })
			}
		})
		e.list("programmatic_credentials", func() {
			e.object("", func() { e.putAs("uid", audit.AttrActorCredentialID) })
		})
	})
}

// The types of users.
const (
	typeUser    = 1
	typeAdmin   = 2
	typeSystem  = 3
	typeService = 4
)

// putUserType writes the type with the provider's own word for it, if there is one.
func (e *event) putUserType() {
	id, caption := int64(0), unknown
	switch e.peek(audit.AttrActorType) {
	case audit.ActorUser:
		id, caption = typeUser, "User"
	case audit.ActorService:
		id, caption = typeService, "Service"
	case audit.ActorSystem:
		id, caption = typeSystem, "System"
	}
	native := e.take(audit.AttrActorTypeOriginal)
	if native == "Root" || native == "Admin" || native == "DcAdmin" { // Of an account of AWS; of Microsoft 365.
		id = typeAdmin
	}
	e.int("type_id", id)
	e.text("type", cmp.Or(native, caption))
	if id != 0 {
		e.drop(audit.AttrActorType)
	}
}

func (e *event) putUnknownUser(key string) {
	e.object(key, func() {
		e.text("name", unknown)
		e.int("type_id", 0)
		e.text("type", unknown)
	})
}

func (e *event) putSession() {
	id, name := e.take(audit.AttrSessionID), e.take(audit.AttrSessionName)
	e.text("uid", cmp.Or(id, name))
	if id != "" {
		e.text("uid_alt", name)
	}
	e.putAs("issuer", audit.AttrSessionIssuer)
	if at, err := time.Parse(time.RFC3339, e.peek(audit.AttrSessionCreated)); err == nil {
		e.int("created_time", millis(at))
		e.drop(audit.AttrSessionCreated)
	}
	e.putMFA()
}

func (e *event) putMFA() {
	if v, i := e.lookup(audit.AttrSessionMFA, audit.Bool); v != nil {
		e.bool("is_mfa", v.Bool)
		e.used[i] = true
	}
}

var email = regexp.MustCompile(`^[\w!#$%&'*+,./=?^{|}~` + "`" + `-]+@[A-Za-z0-9-]+\.[A-Za-z0-9.-]+$`)

func isEmail(s string) bool { return email.MatchString(s) }
