package cloudtrail

import "github.com/otelcol-custody/custody/audit"

// outcome maps whether it worked. A failure shows in errorCode, but a failed
// sign-in has none: it says so in errorMessage or in responseElements, where
// some services put their errors too.
func (m *mapper) outcome(category string) {
	switch category {
	case categoryInsight, categoryAggregated:
		// These tell of many requests, and their errors are not their own.
		m.put(audit.AttrOutcome, audit.OutcomeUnknown)
		return
	}
	code := first(m.str(slotErrorCode), m.str(slotResponseCode))
	reason := first(m.str(slotErrorMessage), m.str(slotResponseMessage))
	if code == "" && reason == "" && !m.s.failed {
		m.put(audit.AttrOutcome, audit.OutcomeSuccess)
		return
	}
	m.put(audit.AttrOutcome, audit.OutcomeFailure)
	m.put(audit.AttrErrorType, code)
	m.put(audit.AttrOutcomeReason, reason)
}
