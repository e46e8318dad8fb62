package cloudtrail

import (
	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
)

// outcome maps whether it worked. A failure shows in errorCode, but a failed
// sign-in has none: it says so in errorMessage or in responseElements, where
// some services put their errors too.
func (m *mapper) outcome(category string) {
	switch category {
	case categoryInsight, categoryAggregated:
		// These tell of many requests, and their errors are not their own.
		m.Put(audit.AttrOutcome, audit.OutcomeUnknown)
		return
	}
	code := draft.First(m.str(slotErrorCode), m.str(slotResponseCode))
	reason := draft.First(m.str(slotErrorMessage), m.str(slotResponseMessage))
	if code == "" && reason == "" && !m.s.failed {
		m.Put(audit.AttrOutcome, audit.OutcomeSuccess)
		return
	}
	m.Put(audit.AttrOutcome, audit.OutcomeFailure)
	m.Put(audit.AttrErrorType, code)
	m.Put(audit.AttrOutcomeReason, reason)
}
