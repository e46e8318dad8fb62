package awsnotify

import (
	"fmt"
	"strings"
)

// Parse reads one message from a queue. Any error is a [*FormatError].
func Parse(body []byte) (Message, error) {
	if len(body) > MaxBody {
		return Message{}, &FormatError{Reason: fmt.Sprintf("found %d bytes, at most %d are taken", len(body), MaxBody)}
	}
	return parse(string(body), true)
}

// parse reads a message or, when outer is false, what SNS passed on.
func parse(body string, outer bool) (Message, error) {
	if strings.TrimSpace(body) == ControlValidation+"." {
		return Message{Kind: Control, Control: ControlValidation}, nil
	}
	v, err := decode([]byte(body))
	if err != nil {
		return Message{}, &FormatError{Reason: err.Error()}
	}
	members, ok := v.(map[string]any)
	if !ok {
		return Message{}, &FormatError{Reason: found(v)}
	}
	has := func(keys ...string) bool {
		for _, k := range keys {
			if _, ok := members[k]; !ok {
				return false
			}
		}
		return true
	}
	switch {
	case has("Type", "TopicArn") && outer:
		return parseSNS(members)
	case has("Records"):
		return parseS3(members)
	case members["Event"] == ControlTest:
		return Message{Kind: Control, Control: ControlTest}, nil
	case has("s3Bucket", "s3ObjectKey"):
		return parseCloudTrail(members)
	case has("detail-type", "source"):
		return parseEventBridge(members)
	}
	return Message{}, &FormatError{Reason: found(members)}
}

func parseSNS(members map[string]any) (Message, error) {
	f := newFields("SNS message", members)
	env := &Envelope{
		Type: f.text("Type"), TopicARN: f.text("TopicArn"), MessageID: f.text("MessageId"),
		Timestamp: f.time("Timestamp"),
	}
	env.signed = readSigned(f)
	text := f.text("Message")
	if *f.err != nil {
		return Message{}, *f.err
	}
	switch env.Type {
	case "Notification":
	case ControlSubscribe, ControlUnsubscribe:
		return Message{Kind: Control, Control: env.Type, SNS: env}, nil
	default:
		return Message{}, &FormatError{Shape: "SNS message", Path: "Type", Reason: "unknown: " + shown(env.Type)}
	}
	m, err := parse(text, false)
	if err != nil {
		return Message{}, inEnvelope(err)
	}
	m.SNS = env
	return m, nil
}

func inEnvelope(err error) error {
	inner, ok := err.(*FormatError)
	if !ok {
		return err
	}
	shape := "SNS message"
	if inner.Shape != "" {
		shape += ", " + inner.Shape
	}
	return &FormatError{Shape: shape, Path: inner.Path, Reason: inner.Reason}
}

// parseCloudTrail reads what CloudTrail publishes when it has delivered log files. The
// keys are not encoded.
func parseCloudTrail(members map[string]any) (Message, error) {
	f := newFields("CloudTrail notification", members)
	bucket := f.text("s3Bucket")
	m := Message{Kind: CloudTrail}
	for i, v := range f.list("s3ObjectKey") {
		key, ok := v.(string)
		if !ok {
			f.fail("s3ObjectKey", "must be a list of texts, found "+typeName(v))
		}
		f.isKey(fmt.Sprintf("s3ObjectKey[%d]", i), key)
		m.Objects = append(m.Objects, Object{Bucket: bucket, Key: key, Size: -1, Change: Created})
	}
	if *f.err != nil {
		return Message{}, *f.err
	}
	return m, nil
}
