package gcp

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// outcome maps whether it worked. The status' code says it, except where it is silent:
// of a denied permission, of a sign-in, of an operation that has only begun, and in a
// part of an entry.
func (e *entry) outcome(m meaning) {
	result, code, reason := e.result(m)
	e.Put(audit.AttrOutcome, result)
	e.Put(audit.AttrErrorType, code)
	e.Put(audit.AttrOutcomeReason, draft.First(reason, e.Str(fReason)))
}

// result returns the error's code where there is one, and the reason.
func (e *entry) result(m meaning) (result, code, reason string) {
	code, reason = e.Str(fStatusCode), draft.First(e.Str(fStatusMessage), e.Str(fViolationReason))
	if code == "0" {
		code = ""
	}
	if dry, _ := e.Bool(fDryRun); dry {
		// A perimeter that is only tried out denies nothing: the log says what it would
		// have done, and not what came of the request.
		return audit.OutcomeUnknown, code, draft.First(reason, "dry run")
	}
	if permission, denied := e.denied(); code != "" || denied || e.category == policyDenied {
		return audit.OutcomeFailure, code, draft.First(reason, permission)
	}
	if failure, why := e.failedSignIn(m); failure {
		return audit.OutcomeFailure, code, draft.First(reason, why)
	}
	begun := e.isFirst() && !e.isLast() && !e.isKubernetes()
	part := e.Has(fSplitID) && !e.Has(fStatus)
	if begun || part {
		return audit.OutcomeUnknown, code, reason
	}
	return audit.OutcomeSuccess, code, reason
}

// The parts of an element of authorizationInfo.
const (
	aPermission = iota
	aGranted
)

var authorizationTable = jsonscan.NewTable([]string{aPermission: "permission", aGranted: "granted"})

// denied finds a permission that was not granted, however many there are. A status of 0
// may stand beside it, and granted may be missing: Google's JSON leaves out what is
// false.
func (e *entry) denied() (reason string, denied bool) {
	e.Each(fAuthorization, authorizationTable, func(a *jsonscan.Fields) {
		granted, permission := a.Str(aGranted), a.Str(aPermission)
		if !denied && (granted == "false" || granted == "" && permission != "") {
			reason, denied = strings.TrimSuffix("not granted: "+permission, ": "), true
		}
	})
	return reason, denied || e.Str(fDecision) == "forbid"
}

// failedSignIn reads what the events of Google Workspace's sign-ins say of themselves:
// they have no status.
func (e *entry) failedSignIn(m meaning) (failed bool, reason string) {
	if e.service != loginService {
		return m.failed, ""
	}
	parameters := e.parameters()
	challenge := parameters["login_challenge_status"]
	return m.failed || strings.Contains(challenge, "Failed"), draft.First(parameters["login_failure_type"], challenge)
}
