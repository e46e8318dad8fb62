package azure

import (
	"strconv"
	"strings"
	"time"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// actor maps who did it: the claims of the caller's token, or what stands for them.
func (e *event) actor(category string, d *draft.Draft) {
	caller := e.callerInfo()
	name := draft.First(e.claim(cUPN, cUPNShort, cName), caller.name)
	email := e.claim(cEmail)
	identity := e.Str(fIdentity) // a name, where it is a string
	app := e.claim(cAppID)
	id := draft.First(e.claim(cObjectID, cObjectIDShort), caller.id, dashed(e.Str(fPrincipalID)), e.Str(fCaller), name, email, identity, app)
	kind := e.actorType(draft.First(name, email, e.claim(cFullName), nameOf(e.Str(fCaller))), app)
	if isStatement(category) {
		// Azure's own statement often names nobody: the resource provider makes it.
		namespace, _, _ := strings.Cut(e.operation, "/")
		id, kind = draft.First(id, namespace), audit.ActorSystem
	}
	if id != "" {
		d.Put(audit.AttrActorID, id)
		d.Put(audit.AttrActorType, kind)
	}
	d.Put(audit.AttrActorTypeOriginal, draft.First(e.Str(fPrincipalType), caller.kind, e.claim(cType)))
	d.Put(audit.AttrUserID, draft.First(e.claim(cObjectID, cObjectIDShort), caller.id))
	d.Put(audit.AttrUserName, draft.First(name, e.Str(fCaller), identity))
	d.Put(audit.AttrUserEmail, email)
	d.Put(audit.AttrUserFullName, draft.First(e.claim(cFullName), caller.fullName))
	d.PutList(audit.AttrUserRoles, e.either(fRole, fRoleREST))
	d.Put(audit.AttrActorAccountID, e.claim(cTenant, cTenantShort))
	d.Put(audit.AttrActorCredentialID, e.claim(cToken))
	d.Put(audit.AttrActorAppID, app)
	d.Put(audit.AttrActorAppName, e.claim(cAppName))
	d.Put(audit.AttrActorIDP, e.claim(cIDP))
	e.session(d)
}

// nameOf is a caller that is a name, and not the id of a service principal.
func nameOf(caller string) string {
	if strings.Contains(caller, "@") {
		return caller
	}
	return ""
}

// actorType tells users from service principals and managed identities: the token
// says it, or the role assignment by which access was granted, or that there is an app
// and no name.
func (e *event) actorType(name, app string) string {
	switch kind := draft.First(e.claim(cType), e.Str(fPrincipalType)); {
	case strings.EqualFold(kind, "app"), strings.EqualFold(kind, "ServicePrincipal"):
		return audit.ActorService
	case kind == "" && name == "" && (app != "" || e.Str(fCaller) != ""):
		return audit.ActorService
	}
	return audit.ActorUser
}

// session maps what the token says of the session.
func (e *event) session(d *draft.Draft) {
	d.Put(audit.AttrSessionID, e.claim(cSession))
	d.Put(audit.AttrSessionIssuer, e.claim(cIssuer))
	if issued := e.claim(cIssuedAt); issued != "" {
		if seconds, err := strconv.ParseInt(issued, 10, 35); err == nil {
			d.Put(audit.AttrSessionCreated, time.Unix(seconds, 0).UTC().Format(time.RFC3339))
		}
	}
	if methods := e.claim(cMethods); methods != "" {
		d.PutBool(audit.AttrSessionMFA, strings.Contains(","+methods+",", ",mfa,"))
	}
}

// dashed writes 32 hex digits as a GUID is written everywhere else.
func dashed(id string) string {
	if len(id) != 32 || strings.Contains(id, "-") {
		return id
	}
	return id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
}

// A caller is who Privileged Identity Management says acted.
type caller struct{ id, name, fullName, kind string }

const (
	iType = iota
	iValue
)

var callerTable = jsonscan.NewTable([]string{iType: "[].CallerIdentityType", iValue: "[].CallerIdentityValue"})

// callerInfo reads a list of pairs, which is JSON in a string.
func (e *event) callerInfo() (c caller) {
	text := e.property(pCallerInfo)
	if text == "" {
		return c
	}
	f, err := jsonscan.Of(text, callerTable)
	if err != nil {
		return c
	}
	for _, sp := range f.All(iType) {
		value := f.StrAt(iValue, sp.Element)
		switch f.Of(sp) {
		case "ObjectID":
			c.id = value
		case "UPN":
			c.name = value
		case "Username", "Name":
			c.fullName = draft.First(c.fullName, value)
		case "ObjectClass":
			c.kind = value
		}
	}
	return c
}
