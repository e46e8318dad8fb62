package generic

import (
	"slices"
	"strconv"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

type outcome struct {
	value, status, failure, reason paths
	words                          map[string]string // what the values mean
}

// put adds the outcome and what tells of it, and returns it.
func (o *outcome) put(f *jsonscan.Fields, d *draft.Draft) string {
	code := o.failure.of(f)
	says := []string{o.byValue(f), o.byStatus(f, d)}
	if len(o.failure) > 0 && code != "" {
		says = append(says, audit.OutcomeFailure)
	}
	result := audit.OutcomeUnknown
	switch {
	case slices.Contains(says, audit.OutcomeFailure):
		result = audit.OutcomeFailure
	case slices.Contains(says, audit.OutcomeUnknown):
	case slices.Contains(says, audit.OutcomeSuccess), len(o.failure) > 0 && len(o.value)+len(o.status) == 0:
		result = audit.OutcomeSuccess
	}
	d.Put(audit.AttrOutcome, result)
	d.Put(audit.AttrErrorType, code)
	return result
}

// byValue returns "" when there is nothing.
func (o *outcome) byValue(f *jsonscan.Fields) string {
	value := o.value.of(f)
	if value == "" {
		return ""
	}
	return draft.First(o.words[value], audit.OutcomeUnknown)
}

// byStatus reads an HTTP status code; what is none tells nothing. It returns "" when
// there is nothing.
func (o *outcome) byStatus(f *jsonscan.Fields, d *draft.Draft) string {
	text := o.status.of(f)
	if text == "" {
		return ""
	}
	code, err := strconv.ParseInt(text, 10, 64)
	if err != nil || code < 100 || code > 599 {
		return audit.OutcomeUnknown
	}
	d.PutInt(audit.AttrHTTPStatus, code)
	if code >= 400 {
		return audit.OutcomeFailure
	}
	return audit.OutcomeSuccess
}
