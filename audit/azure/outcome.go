package azure

import (
	"strconv"
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// outcomes are what the log says of an operation, in lower case. What has begun or is
// under way is not done, whatever a message beside it says.
var outcomes = map[string]string{
	"success": audit.OutcomeSuccess, "succeeded": audit.OutcomeSuccess, "active": audit.OutcomeSuccess, "resolved": audit.OutcomeSuccess,
	"updated": audit.OutcomeSuccess,
	"failed":  audit.OutcomeFailure, "failure": audit.OutcomeFailure,
	"start": audit.OutcomeUnknown, "started": audit.OutcomeUnknown, "accept": audit.OutcomeUnknown, "accepted": audit.OutcomeUnknown,
	"in progress": audit.OutcomeUnknown, "inprogress": audit.OutcomeUnknown, "canceled": audit.OutcomeUnknown, "cancelled": audit.OutcomeUnknown,
}

// statusCodes are those that stand in words, in lower case and without spaces.
var statusCodes = map[string]int64{
	"ok": 200, "created": 201, "accepted": 202, "nocontent": 204, "notmodified": 304, "badrequest": 400, "unauthorized": 401,
	"forbidden": 403, "notfound": 404, "methodnotallowed": 405, "conflict": 409, "gone": 410, "preconditionfailed": 412,
	"unprocessableentity": 422, "toomanyrequests": 429, "internalservererror": 500, "notimplemented": 501, "badgateway": 502,
	"serviceunavailable": 503, "gatewaytimeout": 504,
}

// outcome adds what came of it, and says whether the answer was that something is new.
func (e *event) outcome(category string, d *draft.Draft) (created bool) {
	word := e.either(fResultType, fStatusValue)
	outcome, known := outcomes[strings.ToLower(word)]
	code := e.statusCode()
	if !known {
		outcome = byStatus(code, category)
	}
	d.Put(audit.AttrOutcome, outcome)
	if activityLog[category] {
		d.Put(audit.AttrPhase, word)
	}
	if code != 0 {
		d.PutInt(audit.AttrHTTPStatus, code)
	}
	if outcome != audit.OutcomeSuccess {
		e.failure(outcome, d)
	}
	return code == 201
}

// byStatus is the outcome where no word tells it. An operation of the Activity Log that
// was accepted (202) has begun; a call in a resource's own logs is over.
func byStatus(code int64, category string) string {
	switch {
	case code == 202 && activityLog[category]:
		return audit.OutcomeUnknown
	case code >= 400:
		return audit.OutcomeFailure
	case code >= 200:
		return audit.OutcomeSuccess
	}
	return audit.OutcomeUnknown
}

// statusCode is the HTTP status: a number, its name, or "Failed.Forbidden".
func (e *event) statusCode() int64 {
	for _, text := range [...]string{e.property(pStatusCode, pHTTPStatus), e.Str(fStatusCode), e.either(fSignature, fSubStatus)} {
		text = strings.ToLower(text[strings.LastIndexByte(text, '.')+1:])
		if code, ok := statusCodes[strings.ReplaceAll(text, " ", "")]; ok {
			return code
		}
		if len(text) != 3 {
			continue
		}
		if code, err := strconv.ParseInt(text, 10, 64); err == nil && code >= 100 && code < 600 {
			return code
		}
	}
	return 0
}

const (
	mErrorCode = iota
	mErrorMessage
	mCode
	mMessage
)

var messageTable = jsonscan.NewTable([]string{
	mErrorCode: "error.code", mErrorMessage: "error.message", mCode: "code", mMessage: "message",
})

// failure adds why it failed, or what is said while nobody knows yet. The message is
// JSON in a string, sometimes a string again, or plain text.
func (e *event) failure(outcome string, d *draft.Draft) {
	text := jsonscan.Unquote(e.property(pStatusMessage))
	kind, reason := "", text
	if f, err := jsonscan.Of(text, messageTable); err == nil {
		kind = draft.First(f.Str(mErrorCode), f.Str(mCode))
		reason = draft.First(f.Str(mErrorMessage), f.Str(mMessage), kind)
	}
	if outcome == audit.OutcomeFailure {
		d.Put(audit.AttrErrorType, draft.First(kind, strings.TrimSuffix(e.either(fSubStatus, fSignature), "."), e.property(pStatusCode)))
	}
	d.Put(audit.AttrOutcomeReason, draft.First(reason, e.Str(fDescription)))
}
