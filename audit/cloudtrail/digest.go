package cloudtrail

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
)

// isDigest reports whether the fields are those of a digest file, by which
// CloudTrail signs what it delivered.
func (f *fields) isDigest() bool { return f.has(slotDigestObject) && f.has(slotDigestEnd) }

// digest fills the record from a digest file. It says nothing about whether
// the digest is genuine.
func (m *mapper) digest() {
	object := m.str(slotDigestObject)
	m.rec.EventName = audit.EventSystem
	m.rec.Resource = audit.Resource{
		Provider:  provider,
		AccountID: m.str(slotDigestAccount),
		Region:    digestRegion(object),
		Product:   product,
		Stream:    stream(categoryDigest),
	}
	m.identify(object)
	m.setTime("digestEndTime", m.str(slotDigestEnd))
	m.put(audit.AttrCategory, categoryDigest)
	m.put(audit.AttrAction, audit.ActionReport)
	m.put(audit.AttrOutcome, audit.OutcomeUnknown)
	m.put(audit.AttrActorID, cloudTrailService)
	m.put(audit.AttrActorType, audit.ActorSystem)
	if bucket := m.str(slotDigestBucket); bucket != "" {
		m.put(audit.AttrTargetID, "s3://"+bucket+"/"+object)
		m.put(audit.AttrTargetType, "AWS::S3::Object")
	}
	m.remarks()
}

// digestRegion takes the region from a digest's key:
// …/CloudTrail-Digest/<region>/YYYY/….
func digestRegion(key string) string {
	_, rest, ok := strings.Cut(key, "/CloudTrail-Digest/")
	if !ok {
		return ""
	}
	region, _, _ := strings.Cut(rest, "/")
	return region
}
