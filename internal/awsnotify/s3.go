package awsnotify

import (
	"fmt"
	"net/url"
	"strings"
)

// parseS3 reads an S3 event notification of structure version 2.
func parseS3(members map[string]any) (Message, error) {
	f := newFields("S3 event", members)
	m := Message{Kind: S3}
	for i, v := range f.list("Records") {
		record, ok := v.(map[string]any)
		name := fmt.Sprintf("Records[%d]", i)
		if !ok {
			f.fail(name, "must be a JSON object, found "+typeName(v))
			break
		}
		m.Objects = append(m.Objects, s3Object(fields{shape: f.shape, path: name, members: record, err: f.err}))
	}
	if *f.err != nil {
		return Message{}, *f.err
	}
	return m, nil
}

func s3Object(f fields) Object {
	if source := f.eventSource(); source != "aws:s3" {
		f.fail("eventSource", "must be aws:s3, found "+shown(source))
		return Object{}
	}
	if version := f.text("eventVersion"); !strings.HasPrefix(version, "2.") {
		f.fail("eventVersion", "must be 2 and a minor version, found "+shown(version))
	}
	s3 := f.object("s3")
	object := s3.object("object")
	event := f.text("eventName")
	return Object{
		Bucket: s3.object("bucket").text("name"), Key: object.encodedKey("key"),
		VersionID: object.optional("versionId"), ETag: object.optional("eTag"), Size: object.size("size"),
		Sequencer: object.optional("sequencer"), Region: f.optional("awsRegion"),
		Change: s3Change(event), Event: event, Time: f.time("eventTime"),
	}
}

// eventSource also knows the spelling of what Lambda gets from SNS, so that the error
// says what was found.
func (f fields) eventSource() string {
	if f.has("EventSource") && !f.has("eventSource") {
		return f.optional("EventSource")
	}
	return f.text("eventSource")
}

func s3Change(event string) Change {
	group, _, _ := strings.Cut(event, ":")
	switch group {
	case "ObjectCreated":
		return Created
	case "ObjectRemoved", "LifecycleExpiration", "ReducedRedundancyLostObject":
		return Deleted
	}
	return Other
}

// encodedKey reads a key as S3 events have it: encoded as in a query, with + for a space.
func (f fields) encodedKey(member string) string {
	text := f.text(member)
	key, err := url.QueryUnescape(text)
	if err != nil {
		f.fail(member, "must be URL-encoded, found "+shown(text))
	}
	return f.isKey(member, key)
}

func pad(sequencer string, length int) string {
	sequencer = strings.ToUpper(sequencer)
	return sequencer + strings.Repeat("0", max(0, length-len(sequencer)))
}
