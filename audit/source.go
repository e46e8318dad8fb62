package audit

import "crypto/sha256"

// SourceRecord returns a record that the collector makes about a source: name is one of
// the EventSource names, body a JSON object that says what. It keeps body. The record's
// time is zero: it is observed, and nothing happened at the provider.
func SourceRecord(name, provider string, body []byte) *Record {
	sum := sha256.Sum256(body)
	return &Record{
		Body:      body,
		EventName: name,
		Resource:  Resource{Provider: provider},
		Attributes: []Attribute{
			StringAttr(AttrRecordID, RecordIDOfHash(provider, "custody", name, sum)),
			StringAttr(AttrAction, ActionReport),
			StringAttr(AttrActorID, "custody"),
			StringAttr(AttrActorType, ActorSystem),
			StringAttr(AttrOutcome, sourceOutcome(name)),
			StringAttr(AttrRawHash, RawHash(sum)),
			IntAttr(AttrRawSize, int64(len(body))),
		},
	}
}

func sourceOutcome(name string) string {
	switch name {
	case EventSourceVerified:
		return OutcomeSuccess
	case EventSourceFailed, EventSourceGap:
		return OutcomeFailure
	}
	return OutcomeUnknown
}
