package kubernetes

import (
	"strconv"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
	"github.com/otelcol-custody/custody/audit/internal/kubeapi"
)

func outcome(c *kubeapi.Call, f *jsonscan.Fields, d *draft.Draft) {
	code, err := strconv.ParseInt(f.Str(fCode), 10, 64)
	if err == nil {
		d.PutInt(audit.AttrHTTPStatus, code)
	}
	result := result(c, f, code)
	d.Put(audit.AttrOutcome, result)
	d.Put(audit.AttrOutcomeReason, draft.First(f.Str(fStatusMessage), f.Str(fReason)))
	if result == audit.OutcomeFailure && (code == 0 || code >= 400) {
		d.Put(audit.AttrErrorType, draft.First(f.Str(fStatusReason), f.Str(fCode)))
	}
}

// result says whether it worked. A request that was only received has no result yet;
// code 101 begins a session in a container, which has no other event until it ends.
func result(c *kubeapi.Call, f *jsonscan.Fields, code int64) string {
	switch {
	case f.Str(fStage) == "Panic" || f.Str(fDecision) == "forbid":
		return audit.OutcomeFailure
	case f.Str(fStage) == "RequestReceived":
		return audit.OutcomeUnknown
	case code >= 400 || f.Str(fStatus) == "Failure":
		return audit.OutcomeFailure
	case code == 0 && f.Str(fStatus) == "":
		return audit.OutcomeUnknown
	case c.IsTokenReview() && f.Has(fReview):
		// The server answers 201 to a token that is nobody's, too.
		if authentic, _ := f.Bool(fAuthenticated); !authentic {
			return audit.OutcomeFailure
		}
	}
	return audit.OutcomeSuccess
}
