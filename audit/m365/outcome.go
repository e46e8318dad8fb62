package m365

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/entra"
	"github.com/otelcol-custody/custody/audit/internal/draft"
)

// results are those of ResultStatus, in lower case. What succeeded in part is neither.
var results = map[string]string{
	"true": audit.OutcomeSuccess, "success": audit.OutcomeSuccess, "succeeded": audit.OutcomeSuccess,
	"false": audit.OutcomeFailure, "failure": audit.OutcomeFailure, "failed": audit.OutcomeFailure, "fail": audit.OutcomeFailure,
	"partiallysucceeded": audit.OutcomeUnknown,
}

// outcome maps what came of it. Of a sign-in, ResultStatus says only that the request
// was answered, and the error decides. Many workloads tell only of what was done, and
// have no result; what failed has an operation of its own there.
func (r *record) outcome(operation string, d *draft.Draft) {
	code, logonError, native := r.Str(fErrorNumber), r.str(fLogonError), r.Str(fResult)
	result, isKnown := results[strings.ToLower(native)]
	switch {
	case code != "" && code != "0":
		result = entra.CodeOutcome(code)
	case logonError != "", isFailure(operation):
		result = audit.OutcomeFailure
	case native == "":
		result = audit.OutcomeSuccess
	case !isKnown:
		result = audit.OutcomeUnknown
	}
	d.Put(audit.AttrOutcome, result)
	if result == audit.OutcomeSuccess {
		return
	}
	d.Put(audit.AttrErrorType, draft.First(r.str(fErrorNumber), logonError))
	reason := draft.First(logonError, r.detail("ResultStatusDetail"))
	if result == audit.OutcomeUnknown {
		reason = draft.First(reason, native)
	}
	d.Put(audit.AttrOutcomeReason, reason)
}

// isFailure knows operations that are themselves failures, such as UserLoginFailed.
func isFailure(operation string) bool {
	return strings.HasSuffix(operation, "Failed") || operation == "SharingInvitationBlocked"
}
