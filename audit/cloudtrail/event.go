package cloudtrail

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
)

// isEvent reports whether any field was found that only events have.
func (f *fields) isEvent() bool {
	for _, s := range [...]slot{slotVersion, slotName, slotEventID, slotAggregateID, slotTime, slotEventType, slotSource} {
		if f.has(s) {
			return true
		}
	}
	return false
}

// event makes the record of the event that was read, and which begins at base of the
// scanner's data.
func (m *mapper) event(body []byte, base int) error {
	m.begin(body, base)
	if err := m.checkVersion(); err != nil {
		return err
	}
	category := m.category()
	m.Rec.Resource = audit.Resource{
		Provider:  provider,
		AccountID: draft.First(m.str(slotRecipient), m.str(slotAccount), m.str(slotActorAccount)),
		Region:    m.str(slotRegion),
		Product:   Product,
		Stream:    stream(category),
	}
	id := m.str(slotEventID)
	if id == "" || category == categoryAggregated && m.s.has(slotAggregateID) {
		id = draft.First(m.str(slotAggregateID), id)
	}
	m.Identify(provider, m.Rec.Resource.AccountID+"/"+m.Rec.Resource.Region, id)
	if category == categoryAggregated && !m.s.has(slotTime) {
		m.Time("timeWindow.windowStart", m.str(slotWindowStart))
	} else {
		m.Time("eventTime", m.str(slotTime))
	}
	m.Put(audit.AttrSchemaVersion, m.str(slotVersion))
	m.Put(audit.AttrCategory, category)
	m.operation()
	m.classify(category)
	m.outcome(category)
	m.actor(category)
	m.source()
	m.target()
	m.privileges()
	m.amendment()
	return nil
}

// operation maps what was called; an Insight names what it is about.
func (m *mapper) operation() {
	m.Put(audit.AttrOperation, draft.First(m.str(slotName), m.str(slotInsightName)))
	m.Put(audit.AttrService, draft.First(m.str(slotSource), m.str(slotInsightSource)))
	m.Put(audit.AttrAPIVersion, m.str(slotAPIVersion))
	request := m.str(slotRequestID)
	m.Put(audit.AttrRequestID, request)
	m.Put(audit.AttrAWSRequestID, request)
}

// amendment ties the record to another one: the event that it amends, or the
// other half of an Insight pair, or the copy that another account got.
func (m *mapper) amendment() {
	m.Put(audit.AttrCorrelationID, draft.First(m.str(slotAddendumOriginal), m.str(slotSharedID)))
	m.Put(audit.AttrAmendment, m.str(slotAddendumReason))
}

// The values of audit.category.
const (
	categoryManagement = "management"
	categoryData       = "data"
	categoryInsight    = "insight"
	categoryNetwork    = "network"
	categoryAggregated = "aggregated"
	categoryDigest     = "digest"
)

// category returns the event's category. Events older than version 1.07 do
// not name it, and before 1.06 not even whether they are management events.
func (m *mapper) category() string {
	switch named := m.str(slotCategory); named {
	case "":
	case "Management":
		return categoryManagement
	case "Data":
		return categoryData
	case "Insight":
		return categoryInsight
	case "NetworkActivity":
		return categoryNetwork
	case "Aggregated":
		return categoryAggregated
	default:
		return strings.ToLower(named)
	}
	switch m.str(slotEventType) {
	case "AwsCloudTrailInsight":
		return categoryInsight
	case "AwsVpceEvent":
		return categoryNetwork
	case "AwsAggregatedEvent":
		return categoryAggregated
	}
	if m.version.before(1, 6) {
		return ""
	}
	management, ok := m.boolean(slotManagement)
	switch {
	case !ok:
		return ""
	case management:
		return categoryManagement
	}
	return categoryData
}

// stream is the folder in which CloudTrail delivers a category.
func stream(category string) string {
	switch category {
	case categoryInsight:
		return "CloudTrail-Insight"
	case categoryNetwork:
		return "CloudTrail-NetworkActivity"
	case categoryAggregated:
		return "CloudTrail-Aggregated"
	case categoryDigest:
		return "CloudTrail-Digest"
	}
	return "CloudTrail"
}
