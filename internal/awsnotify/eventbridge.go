package awsnotify

import "strings"

// parseEventBridge reads an event of S3 about an object. Its key is not encoded.
func parseEventBridge(members map[string]any) (Message, error) {
	f := newFields("EventBridge event", members)
	source, what := f.text("source"), f.text("detail-type")
	if source != "aws.s3" || !strings.HasPrefix(what, "Object ") {
		f.fail("detail-type", "must be that of an S3 event about an object, found "+shown(what)+" of "+shown(source))
		return Message{}, *f.err
	}
	detail := f.object("detail")
	if version := detail.optional("event-version"); version != "" && !strings.HasPrefix(version, "1.") {
		detail.fail("event-version", "must be 1 and a minor version, found "+shown(version))
	}
	object := detail.object("object")
	o := Object{
		Bucket: detail.object("bucket").text("name"), Key: object.isKey("key", object.text("key")),
		VersionID: object.optional("version-id"), ETag: object.optional("etag"), Size: object.size("size"),
		Sequencer: object.optional("sequencer"), Region: f.optional("region"), Time: f.time("time"),
		Change: bridgeChange(what), Event: what,
	}
	for _, more := range []string{"deletion-type", "reason"} {
		if text := detail.optional(more); text != "" {
			o.Event += ", " + text
		}
	}
	if *f.err != nil {
		return Message{}, *f.err
	}
	return Message{Kind: EventBridge, Objects: []Object{o}}, nil
}

func bridgeChange(what string) Change {
	switch what {
	case "Object Created":
		return Created
	case "Object Deleted":
		return Deleted
	}
	return Other
}
