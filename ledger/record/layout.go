package record

// A field is the kind of content that a named member has.
type field uint8

const (
	fieldMap field = iota
	fieldBody
	fieldUint32
	fieldInt32
	fieldTime
	fieldText
	fieldTexts
	fieldSpanID
	fieldTraceID
	fieldResource
	fieldScope
	fieldRefs
)

// A member is one member of an object with fixed members.
type member struct {
	head string // `"name":`
	kind field
}

// The members of each object, in the order of their names (spec §3.1).
var (
	recordMembers = []member{
		{`"attributes":`, fieldMap},
		{`"body":`, fieldBody},
		{`"custody":`, fieldMap},
		{`"dropped_attributes_count":`, fieldUint32},
		{`"event_name":`, fieldText},
		{`"flags":`, fieldUint32},
		{`"observed_time":`, fieldTime},
		{`"resource":`, fieldResource},
		{`"scope":`, fieldScope},
		{`"severity_number":`, fieldInt32},
		{`"severity_text":`, fieldText},
		{`"span_id":`, fieldSpanID},
		{`"time":`, fieldTime},
		{`"trace_id":`, fieldTraceID},
	}
	resourceMembers = []member{
		{`"attributes":`, fieldMap},
		{`"dropped_attributes_count":`, fieldUint32},
		{`"entity_refs":`, fieldRefs},
		{`"schema_url":`, fieldText},
	}
	scopeMembers = []member{
		{`"attributes":`, fieldMap},
		{`"dropped_attributes_count":`, fieldUint32},
		{`"name":`, fieldText},
		{`"schema_url":`, fieldText},
		{`"version":`, fieldText},
	}
	refMembers = []member{
		{`"description_keys":`, fieldTexts},
		{`"id_keys":`, fieldTexts},
		{`"schema_url":`, fieldText},
		{`"type":`, fieldText},
	}
)
