package audit

import "crypto/sha256"

// Quarantine returns the record of bytes that could not be understood, so
// that they are sealed raw instead of being dropped. It keeps body and does
// not copy it. reason goes into AttrParseError; the record's time is zero,
// its outcome unknown, and its id has neither scope nor native id.
func Quarantine(body []byte, provider string, reason error) *Record {
	sum := sha256.Sum256(body)
	return &Record{
		Body:        body,
		EventName:   EventSystem,
		Resource:    Resource{Provider: provider},
		Quarantined: true,
		Attributes: []Attribute{
			StringAttr(AttrRecordID, RecordIDOfHash(provider, "", "", sum)),
			BoolAttr(AttrQuarantined, true),
			StringAttr(AttrParseError, reason.Error()),
			StringAttr(AttrOutcome, OutcomeUnknown),
			StringAttr(AttrRawHash, RawHash(sum)),
			IntAttr(AttrRawSize, int64(len(body))),
		},
	}
}
