package entra

import (
	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
)

// signIn maps a sign-in: somebody wants a token for a resource, through an app.
func signIn(e *event, d *draft.Draft, k kind) {
	d.Put(audit.AttrCategory, k.category)
	d.Put(audit.AttrOperation, draft.First(e.env(fOperation), "Sign-in activity"))
	d.Put(audit.AttrService, aadiam)
	d.Put(audit.AttrRequestID, e.str(fID)) // what the portal calls the request id
	d.Class(audit.ClassAuthentication, audit.ActionLogin, audit.AuthLogon)
	outcome := e.signInOutcome(d)
	e.signInActor(d, k)
	e.session(d, outcome)
	d.Source(draft.First(e.str(fIP), e.env(fCallerIP)))
	d.Put(audit.AttrGeoCountry, e.str(fCountry))
	d.Put(audit.AttrGeoLocality, e.str(fCity))
	d.Put(audit.AttrUserAgent, e.str(fUserAgent))
	e.signInTarget(d)
}

// interrupts are the codes of what belongs to a sign-in that goes on: registering for
// the reset of the password (50125), whether to stay signed in (50140), whether this is
// the app that was meant (50199). What they interrupt ends in a sign-in of its own.
// Other codes that ask for something, such as a second factor (50074, 50076), say that
// it was not given, and are failures.
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes
var interrupts = map[string]bool{"50125": true, "50140": true, "50199": true}

// CodeOutcome is what the error code of a sign-in says, or a result in words.
func CodeOutcome(code string) string {
	switch {
	case code == "0":
		return audit.OutcomeSuccess
	case interrupts[code]:
		return audit.OutcomeUnknown
	case isNumber(code):
		return audit.OutcomeFailure
	}
	return resultOutcome(code)
}

// signInOutcome reads the error code, which the envelope repeats as its resultType.
func (e *event) signInOutcome(d *draft.Draft) string {
	code := draft.First(e.str(fErrorCode), e.env(fResultType))
	outcome := CodeOutcome(code)
	d.Put(audit.AttrOutcome, outcome)
	if outcome != audit.OutcomeSuccess {
		d.Put(audit.AttrErrorType, code)
		d.Put(audit.AttrOutcomeReason, draft.First(e.str(fFailureReason), e.env(fResultText), e.str(fDetails)))
	}
	return outcome
}

func isNumber(text string) bool {
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return text != ""
}

func (e *event) signInActor(d *draft.Draft, k kind) {
	user, name := id(e.str(fUserID)), e.str(fUserName)
	original := e.str(fUserType)
	kind := audit.ActorUser
	if k.actor != "" || user+name == "" && e.str(fPrincipalID) != "" {
		user, name = id(e.str(fPrincipalID)), e.str(fPrincipalName)
		kind, original = audit.ActorService, draft.First(k.actor, principal)
		user = draft.First(user, id(e.str(fAppID)))
	}
	fullName := draft.First(e.str(fUserFullName), e.env(fIdentity))
	if actor := draft.First(user, name, fullName); actor != "" {
		d.Put(audit.AttrActorID, actor)
		d.Put(audit.AttrActorType, kind)
	}
	d.Put(audit.AttrActorTypeOriginal, original)
	d.Put(audit.AttrUserID, user)
	d.Put(audit.AttrUserName, name)
	if kind == audit.ActorUser {
		d.Put(audit.AttrUserFullName, fullName)
	}
	d.Put(audit.AttrActorAccountID, id(e.str(fHomeTenant)))
	d.Put(audit.AttrActorCredentialID, draft.First(e.str(fPrincipalKey), e.str(fTokenID)))
	d.Put(audit.AttrActorAppID, e.str(fAppID))
	d.Put(audit.AttrActorAppName, e.str(fAppName))
	d.Put(audit.AttrActorIDP, draft.First(e.str(fIssuerName), e.str(fIssuerType)))
}

// session says whether a second factor was used: none was where none was required,
// and one was where it was and the sign-in succeeded. Otherwise nobody knows.
func (e *event) session(d *draft.Draft, outcome string) {
	d.Put(audit.AttrSessionID, e.str(fSession))
	switch e.str(fRequirement) {
	case "singleFactorAuthentication":
		d.PutBool(audit.AttrSessionMFA, false)
	case "multiFactorAuthentication":
		if outcome == audit.OutcomeSuccess {
			d.PutBool(audit.AttrSessionMFA, true)
		}
	}
}

// signInTarget is the resource that the token is for; the app where none is named, or
// the tenant.
func (e *event) signInTarget(d *draft.Draft) {
	account := id(e.str(fResourceTenant))
	if resource := id(e.str(fResourceID)); resource != "" {
		d.AddTarget(draft.Target{ID: resource, Type: "application", Name: e.str(fResourceName), Account: account})
	} else if resource = draft.First(id(e.str(fResourcePrincipal)), e.str(fResourceName)); resource != "" {
		d.AddTarget(draft.Target{ID: resource, Type: "service_principal", Name: e.str(fResourceName), Account: account})
	} else if app := id(e.str(fAppID)); app != "" {
		d.AddTarget(draft.Target{ID: app, Type: "application", Name: e.str(fAppName), Account: account})
	} else {
		d.AddTarget(draft.Target{ID: e.tenant(), Type: "tenant"})
	}
	d.PutTargets()
}
