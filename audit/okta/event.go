package okta

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// The fields of an event that the mapping wants.
const (
	fUUID = iota
	fPublished
	fType
	fVersion
	fResult
	fReason
	fActorID
	fActorType
	fActorAlternate
	fActorName
	fClientID
	fIP
	fUserAgent
	fCountry
	fCity
	fChain
	fTransaction
	fAPIToken
	fSession
	fRootSession
	fProvider
	fCredentialProvider
	fIssuer
	fRequestID
	fRequestURI
	fTargetID
	fTargetType
	fTargetAlternate
	fTargetName
	fFrom
	fTo
	fGranted
	fRevoked
)

var table = jsonscan.NewTable([]string{
	fUUID: "uuid", fPublished: "published", fType: "eventType", fVersion: "version",
	fResult: "outcome.result", fReason: "outcome.reason",
	fActorID: "actor.id", fActorType: "actor.type", fActorAlternate: "actor.alternateId", fActorName: "actor.displayName",
	fClientID: "client.id", fIP: "client.ipAddress", fUserAgent: "client.userAgent.rawUserAgent",
	fCountry: "client.geographicalContext.country", fCity: "client.geographicalContext.city", fChain: "request.ipChain[].ip",
	fTransaction: "transaction.id", fAPIToken: "transaction.detail.requestApiTokenId",
	fSession: "authenticationContext.externalSessionId", fRootSession: "authenticationContext.rootSessionId",
	fProvider: "authenticationContext.authenticationProvider", fCredentialProvider: "authenticationContext.credentialProvider",
	fIssuer:    "authenticationContext.issuer.id",
	fRequestID: "debugContext.debugData.requestId", fRequestURI: "debugContext.debugData.requestUri",
	fTargetID: "target[].id", fTargetType: "target[].type", fTargetAlternate: "target[].alternateId", fTargetName: "target[].displayName",
	fFrom: "target[].changeDetails.from", fTo: "target[].changeDetails.to",
	fGranted: "debugContext.debugData.privilegeGranted", fRevoked: "debugContext.debugData.privilegeRevoked",
})

func mapEvent(org string, f *jsonscan.Fields, d *draft.Draft) error {
	eventType := f.Str(fType)
	if eventType == "" {
		return ErrNotEvent
	}
	d.Rec.Resource = audit.Resource{Product: format.Product, OrgID: org, Stream: "system_log"}
	d.Identify("okta", org, f.Str(fUUID))
	d.TimeUTC("published", f.Str(fPublished))
	d.Put(audit.AttrOperation, eventType)
	service, _, _ := strings.Cut(eventType, ".")
	d.Put(audit.AttrService, service)
	d.Put(audit.AttrAPIVersion, f.Str(fVersion))
	transaction := known(f.Str(fTransaction))
	d.Put(audit.AttrCorrelationID, transaction)
	d.Put(audit.AttrRequestID, draft.First(f.Str(fRequestID), transaction))
	d.Put(audit.AttrURLPath, draft.WithoutQuery(f.Str(fRequestURI)))
	m := meaningOf(eventType)
	d.ClassOf(draft.First(m.event, m.class.Event), m.class, m.action, m.activity)
	result := outcome(f, d)
	actor(f, d)
	session(f, eventType, result, d)
	source(f, d)
	targets(f, m, d)
	d.PutMaps(audit.AttrChanges, changes(f))
	return nil
}

// known is a value, unless Okta says that it does not know it.
func known(value string) string {
	if strings.EqualFold(value, "unknown") {
		return ""
	}
	return value
}

// outcomes are Okta's results. What a policy denies has failed for whoever asked. A
// challenge is a question in between, and what was skipped was not done.
var outcomes = map[string]string{
	"SUCCESS": audit.OutcomeSuccess, "ALLOW": audit.OutcomeSuccess,
	"FAILURE": audit.OutcomeFailure, "DENY": audit.OutcomeFailure,
	"SKIPPED": audit.OutcomeUnknown, "CHALLENGE": audit.OutcomeUnknown, "UNKNOWN": audit.OutcomeUnknown,
}

func outcome(f *jsonscan.Fields, d *draft.Draft) string {
	native, reason := f.Str(fResult), f.Str(fReason)
	result := draft.First(outcomes[native], audit.OutcomeUnknown)
	d.Put(audit.AttrOutcome, result)
	if result == audit.OutcomeFailure {
		d.Put(audit.AttrErrorType, draft.First(code(reason), native))
	}
	if result == audit.OutcomeUnknown {
		reason = draft.First(reason, native)
	}
	d.Put(audit.AttrOutcomeReason, reason)
	return result
}

// code is a reason that is a code, such as INVALID_CREDENTIALS, and no sentence.
func code(reason string) string {
	for _, c := range []byte(reason) {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' {
			return ""
		}
	}
	return reason
}

// actor maps who did it. Somebody who could not be authenticated has no id, only the
// name that they gave.
func actor(f *jsonscan.Fields, d *draft.Draft) {
	id, name, fullName := known(f.Str(fActorID)), known(f.Str(fActorAlternate)), known(f.Str(fActorName))
	if actor := draft.First(id, name, fullName); actor != "" {
		d.Put(audit.AttrActorID, actor)
		d.Put(audit.AttrActorType, actorType(f.Str(fActorType)))
	}
	d.Put(audit.AttrActorTypeOriginal, f.Str(fActorType))
	d.Put(audit.AttrUserID, id)
	d.Put(audit.AttrUserName, name)
	if strings.Contains(name, "@") {
		d.Put(audit.AttrUserEmail, name)
	}
	d.Put(audit.AttrUserFullName, fullName)
	d.Put(audit.AttrActorCredentialID, f.Str(fAPIToken))
	d.Put(audit.AttrActorAppID, f.Str(fClientID))
}

func actorType(kind string) string {
	switch {
	case kind == "SystemPrincipal":
		return audit.ActorSystem
	case strings.HasSuffix(kind, "App"), strings.HasSuffix(kind, "Client"), strings.Contains(kind, "Agent"), kind == "AppInstance":
		return audit.ActorService
	}
	return audit.ActorUser
}

// session maps the session, and where its user was authenticated. That a second factor
// was used, only the event about it says.
func session(f *jsonscan.Fields, eventType, result string, d *draft.Draft) {
	d.Put(audit.AttrSessionID, draft.First(known(f.Str(fSession)), known(f.Str(fRootSession))))
	d.Put(audit.AttrSessionIssuer, f.Str(fIssuer))
	d.Put(audit.AttrActorIDP, draft.First(known(f.Str(fCredentialProvider)), known(f.Str(fProvider))))
	if eventType == "user.authentication.auth_via_mfa" && result == audit.OutcomeSuccess {
		d.PutBool(audit.AttrSessionMFA, true)
	}
}

// source maps from where it came. The actor of a threat may be an address. A country is
// a name, and only sometimes its code.
func source(f *jsonscan.Fields, d *draft.Draft) {
	chain := f.Strs(fChain)
	ip := f.Str(fIP)
	switch {
	case ip != "":
	case len(chain) > 0:
		ip = chain[0]
	case f.Str(fActorType) == "IP address":
		ip = f.Str(fActorID)
	}
	d.Source(ip)
	d.PutList(audit.AttrSourceChain, chain...)
	d.Put(audit.AttrUserAgent, known(f.Str(fUserAgent)))
	if country := f.Str(fCountry); len(country) == 2 {
		d.Put(audit.AttrGeoCountry, country)
	}
	d.Put(audit.AttrGeoLocality, f.Str(fCity))
}
