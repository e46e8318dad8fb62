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
	m.Rec.EventName = audit.EventSystem
	m.Rec.Resource = audit.Resource{
		Provider:  provider,
		AccountID: m.str(slotDigestAccount),
		Region:    digestRegion(object),
		Product:   Product,
		Stream:    stream(categoryDigest),
	}
	m.Identify(provider, m.Rec.Resource.AccountID+"/"+m.Rec.Resource.Region, object)
	m.Time("digestEndTime", m.str(slotDigestEnd))
	m.Put(audit.AttrCategory, categoryDigest)
	m.Put(audit.AttrAction, audit.ActionReport)
	m.Put(audit.AttrOutcome, audit.OutcomeUnknown)
	m.Put(audit.AttrActorID, cloudTrailService)
	m.Put(audit.AttrActorType, audit.ActorSystem)
	if bucket := m.str(slotDigestBucket); bucket != "" {
		m.Put(audit.AttrTargetID, "s3://"+bucket+"/"+object)
		m.Put(audit.AttrTargetType, "AWS::S3::Object")
	}
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
