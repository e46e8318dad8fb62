package awscloudtrailreceiver

import (
	"encoding/hex"
	"encoding/json"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/cloudtrail"
	"github.com/otelcol-custody/custody/internal/contents"
	"github.com/otelcol-custody/custody/internal/s3read"
)

// Attributes of a gap record.
const (
	attrGapHash   = "audit.gap.hash" // "sha256:" and hex, over the stored file
	attrGapSize   = "audit.gap.size" // bytes of the stored file
	attrGapReason = "audit.gap.reason"
)

// A gap is the body of a gap record: what can be said for sure of a file that could not
// be read whole, so that the file can be recognised if it is found later.
type gap struct {
	File   string `json:"file"`
	SHA256 string `json:"sha256,omitempty"`
	Size   int64  `json:"size,omitempty"`
	ETag   string `json:"etag,omitempty"`
	Reason string `json:"reason"`
}

// gapRecord is sealed where events of a file are missing: a silence would look as if
// there had been none.
func gapRecord(f *contents.File) *audit.Record {
	body, err := json.Marshal(map[string]gap{"gap": {
		File:   f.Path,
		SHA256: hex.EncodeToString(f.Digest[:]),
		Size:   f.Size,
		Reason: f.Fault.Error(),
	}})
	if err != nil {
		panic("aws_cloudtrail: gap record cannot be encoded: " + err.Error())
	}
	rec := audit.Quarantine(body, "aws", f.Fault)
	rec.Resource.Product = cloudtrail.Product
	rec.Attributes = append(rec.Attributes,
		audit.StringAttr(attrGapHash, audit.RawHash(f.Digest)),
		audit.IntAttr(attrGapSize, f.Size),
		audit.StringAttr(attrGapReason, f.Fault.Error()),
	)
	return rec
}

// objectGap stands for an object of which nothing could be read: its events are missing,
// and how many nobody knows. reason is one of few; cause is the store's own words.
func objectGap(ref s3read.Ref, reason string, cause error) *audit.Record {
	body, err := json.Marshal(map[string]gap{"gap": {
		File: ref.String(), Size: ref.Size, ETag: ref.ETag, Reason: reason + ": " + cause.Error(),
	}})
	if err != nil {
		panic("aws_cloudtrail: gap record cannot be encoded: " + err.Error())
	}
	rec := audit.SourceRecord(audit.EventSourceGap, "aws", body)
	rec.Resource.Product = cloudtrail.Product
	rec.Attributes = append(rec.Attributes, audit.StringAttr(attrGapReason, reason),
		audit.StringAttr(audit.AttrTargetID, ref.String()), audit.StringAttr(audit.AttrTargetType, "AWS::S3::Object"))
	return rec
}
