package awsnotify

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

const (
	bucket = "acme-trail"
	plain  = "AWSLogs/111122223333/CloudTrail/eu-central-1/2026/03/01/111122223333_CloudTrail_eu-central-1_20260301T1425Z_AbCdEfGh01234567.json.gz"
)

func s3Record(event, key string) string {
	return fmt.Sprintf(`{"eventVersion":"2.3","eventSource":"aws:s3","awsRegion":"eu-central-1","eventTime":"2026-03-01T14:25:10.616Z",
		"eventName":%q,"s3":{"s3SchemaVersion":"1.0","configurationId":"audit","bucket":{"name":"acme-trail","arn":"arn:aws:s3:::acme-trail"},
		"object":{"key":%q,"size":4096,"eTag":"d41d8cd98f00b204e9800998ecf8427e","versionId":"v1","sequencer":"0055AED6DCD90281E5"}}}`, event, key)
}

func s3Event(records ...string) string { return `{"Records":[` + strings.Join(records, ",") + `]}` }

func bridgeEvent(what, key, more string) string {
	return fmt.Sprintf(`{"version":"0","id":"00000000-0000-4000-8000-000000000001","detail-type":%q,"source":"aws.s3","account":"111122223333",
		"time":"2026-03-01T14:25:10Z","region":"eu-central-1","resources":["arn:aws:s3:::acme-trail"],"detail":{"version":"0","bucket":{"name":"acme-trail"},
		"object":{"key":%q,"size":4096,"etag":"d41d8cd98f00b204e9800998ecf8427e","version-id":"v1","sequencer":"0055AED6DCD90281E5"},
		"request-id":"R","requester":"111122223333"%s}}`, what, key, more)
}

const testTopic = "arn:aws:sns:eu-central-1:111122223333:audit"

// envelope is what SNS makes of a message; more are members such as `,"Subject":"x"`.
func envelope(kind, message, more string) string {
	text, _ := json.Marshal(message)
	return fmt.Sprintf(`{"Type":%q,"MessageId":"00000000-0000-4000-8000-000000000002","TopicArn":%q,"Message":%s,
		"Timestamp":"2026-03-01T14:25:11.796Z"%s}`, kind, testTopic, text, more)
}

func wanted(change Change, event string) Object {
	return Object{
		Bucket: bucket, Key: plain, VersionID: "v1", ETag: "d41d8cd98f00b204e9800998ecf8427e", Size: 4096, Sequencer: "0055AED6DCD90281E5",
		Region: "eu-central-1", Change: change, Event: event, Time: time.Date(2026, 3, 1, 14, 25, 10, 616e6, time.UTC),
	}
}

func bridged(change Change, event string) Object {
	o := wanted(change, event)
	o.Time = o.Time.Truncate(time.Second)
	return o
}

func TestShapes(t *testing.T) {
	created := s3Event(s3Record("ObjectCreated:Put", plain))
	cloudTrail := `{"s3Bucket":"acme-trail","s3ObjectKey":["a","b+c d%20"]}`
	listed := []Object{{Bucket: bucket, Key: "a", Size: -1, Change: Created}, {Bucket: bucket, Key: "b+c d%20", Size: -1, Change: Created}}
	testEvent := `{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-03-01T14:25:10Z","Bucket":"acme-trail","RequestId":"R","HostId":"H"}`
	put := bridgeEvent("Object Created", plain, `,"reason":"PutObject"`)
	for name, c := range map[string]struct {
		body string
		want Message
	}{
		"S3":            {created, Message{Kind: S3, Objects: []Object{wanted(Created, "ObjectCreated:Put")}}},
		"S3 in SNS":     {envelope("Notification", created, ""), Message{Kind: S3, Objects: []Object{wanted(Created, "ObjectCreated:Put")}}},
		"S3 many":       {s3Event(s3Record("ObjectCreated:Put", plain), s3Record("ObjectRemoved:DeleteMarkerCreated", plain)), Message{Kind: S3, Objects: []Object{wanted(Created, "ObjectCreated:Put"), wanted(Deleted, "ObjectRemoved:DeleteMarkerCreated")}}},
		"S3 expired":    {s3Event(s3Record("LifecycleExpiration:Delete", plain)), Message{Kind: S3, Objects: []Object{wanted(Deleted, "LifecycleExpiration:Delete")}}},
		"S3 restored":   {s3Event(s3Record("ObjectRestore:Completed", plain)), Message{Kind: S3, Objects: []Object{wanted(Other, "ObjectRestore:Completed")}}},
		"CloudTrail":    {cloudTrail, Message{Kind: CloudTrail, Objects: listed}},
		"… in SNS":      {envelope("Notification", cloudTrail, ""), Message{Kind: CloudTrail, Objects: listed}},
		"bridge":        {put, Message{Kind: EventBridge, Objects: []Object{bridged(Created, "Object Created, PutObject")}}},
		"bridge in SNS": {envelope("Notification", put, ""), Message{Kind: EventBridge, Objects: []Object{bridged(Created, "Object Created, PutObject")}}},
		"bridge deleted": {
			bridgeEvent("Object Deleted", plain, `,"reason":"DeleteObject","deletion-type":"Permanently Deleted"`),
			Message{Kind: EventBridge, Objects: []Object{bridged(Deleted, "Object Deleted, Permanently Deleted, DeleteObject")}},
		},
		"bridge tags":       {bridgeEvent("Object Tags Added", plain, ""), Message{Kind: EventBridge, Objects: []Object{bridged(Other, "Object Tags Added")}}},
		"test":              {testEvent, Message{Kind: Control, Control: ControlTest}},
		"test in SNS":       {envelope("Notification", testEvent, ""), Message{Kind: Control, Control: ControlTest}},
		"validation":        {"CloudTrail validation message.", Message{Kind: Control, Control: ControlValidation}},
		"validation in SNS": {envelope("Notification", "CloudTrail validation message.", ""), Message{Kind: Control, Control: ControlValidation}},
		"subscribe":         {envelope("SubscriptionConfirmation", "You have chosen", `,"Token":"t","SubscribeURL":"https://example.com/"`), Message{Kind: Control, Control: ControlSubscribe}},
		"unsubscribe":       {envelope("UnsubscribeConfirmation", "You have chosen", ""), Message{Kind: Control, Control: ControlUnsubscribe}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Parse([]byte(c.body))
			if err != nil {
				t.Fatal(err)
			}
			if inSNS := strings.Contains(c.body, "TopicArn"); inSNS != (got.SNS != nil) {
				t.Errorf("envelope: %v", got.SNS)
			} else if inSNS && (got.SNS.TopicARN != testTopic || got.SNS.MessageID == "" || got.SNS.Timestamp.Nanosecond() != 796e6) {
				t.Errorf("envelope: %+v", got.SNS)
			}
			got.SNS = nil
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestKeys(t *testing.T) {
	for _, c := range []struct{ encoded, s3, bridge string }{
		{"a+b", "a b", "a+b"},
		{"a%2Bb", "a+b", "a%2Bb"},
		{"a%2Fb%3D%25", "a/b=%", "a%2Fb%3D%25"},
		{"%C3%A4/%E2%82%AC", "ä/€", "%C3%A4/%E2%82%AC"},
		{"ä", "ä", "ä"},
	} {
		for body, want := range map[string]string{
			s3Event(s3Record("ObjectCreated:Put", c.encoded)):      c.s3,
			bridgeEvent("Object Created", c.encoded, ""):           c.bridge,
			`{"s3Bucket":"b","s3ObjectKey":["` + c.encoded + `"]}`: c.bridge,
		} {
			m, err := Parse([]byte(body))
			if err != nil {
				t.Fatal(err)
			}
			if got := m.Objects[0].Key; got != want {
				t.Errorf("%s: key %q of kind %s, want %q", c.encoded, got, m.Kind, want)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	record := s3Record("ObjectCreated:Put", plain)
	cut := func(from, to string) string {
		if !strings.Contains(record, from) {
			t.Fatalf("nothing to change: %s", from)
		}
		return s3Event(strings.Replace(record, from, to, 1))
	}
	many := `"` + strings.Repeat(`k","`, MaxObjects) + `k"`
	for name, c := range map[string]struct{ body, want string }{
		"text":            {"hello", "not JSON"},
		"empty":           {"", "not JSON"},
		"null":            {"null", "found JSON null"},
		"list":            {"[1]", "found a JSON list"},
		"not UTF-8":       {"{\"Records\":\"\xff\"}", "not UTF-8"},
		"two values":      {s3Event(record) + s3Event(record), "not JSON"},
		"unknown":         {`{"b":1,"a":2}`, `the keys ["a" "b"]`},
		"many keys":       {`{"1":0,"2":0,"3":0,"4":0,"5":0,"6":0,"7":0,"8":0,"9":0}`, "and 1 more"},
		"deep":            {strings.Repeat("[", 40) + strings.Repeat("]", 40), "nested deeper"},
		"large":           {strings.Repeat(" ", MaxBody+1), "at most"},
		"other case":      {`{"records":[` + record + `]}`, `the keys ["records"]`},
		"twice":           {`{"Records":[` + record + `],"Records":[` + record + `]}`, `the key "Records" twice`},
		"twice inside":    {cut(`"size":4096`, `"size":4096,"size":4097`), `the key "size" twice`},
		"twice, escaped":  {cut(`"size":4096`, `"size":4096,"\u0073ize":4097`), `the key "size" twice`},
		"no records":      {s3Event(), "it names no object"},
		"records":         {`{"Records":{}}`, "Records: must be a list, found a JSON object"},
		"record":          {`{"Records":[7]}`, "Records[0]: must be a JSON object, found a number"},
		"second record":   {s3Event(record, `{}`), "Records[1].eventSource: missing"},
		"Lambda":          {`{"Records":[{"EventSource":"aws:sns","Sns":{}}]}`, `must be aws:s3, found "aws:sns"`},
		"version":         {cut(`"2.3"`, `"3.0"`), "eventVersion: must be 2"},
		"no key":          {cut(`"key":`, `"Key":`), "Records[0].s3.object.key: missing"},
		"bad escape":      {s3Event(s3Record("ObjectCreated:Put", "%zz")), "must be URL-encoded"},
		"escaped bytes":   {s3Event(s3Record("ObjectCreated:Put", "%ff")), "in UTF-8"},
		"half a letter":   {strings.Replace(bridgeEvent("Object Created", "KEY", ""), "KEY", `\ud800`, 1), "in UTF-8"},
		"size":            {cut("4096", "-1"), "size: must be a whole number"},
		"size, text":      {cut("4096", `"4096"`), "size: must be a whole number"},
		"size, fraction":  {cut("4096", "1.5"), "size: must be a whole number"},
		"time":            {cut("2026-03-01T14:25:10.616Z", "yesterday"), "eventTime: must be a time"},
		"bucket":          {cut(`"name":"acme-trail"`, `"name":7`), "s3.bucket.name: must be a text, found a number"},
		"one key":         {`{"s3Bucket":"b","s3ObjectKey":"k"}`, "must be a list, found a JSON text"},
		"empty key":       {`{"s3Bucket":"b","s3ObjectKey":[""]}`, "s3ObjectKey[0]"},
		"too many":        {`{"s3Bucket":"b","s3ObjectKey":[` + many + `]}`, "at most 1000"},
		"other event":     {strings.Replace(bridgeEvent("Object Created", "k", ""), "aws.s3", "aws.ec2", 1), `of "aws.ec2"`},
		"event version":   {bridgeEvent("Object Created", "k", `,"event-version":"2.0"`), "detail.event-version: must be 1"},
		"API call":        {bridgeEvent("AWS API Call via CloudTrail", "k", ""), "AWS API Call via CloudTrail"},
		"SNS in SNS":      {envelope("Notification", envelope("Notification", s3Event(record), ""), ""), "found a JSON object"},
		"S3 in SNS":       {envelope("Notification", cut(`"2.3"`, `"3.0"`), ""), "SNS message, S3 event: Records[0].eventVersion"},
		"SNS type":        {envelope("Other", "x", ""), `Type: unknown: "Other"`},
		"SNS list":        {envelope("Notification", "hello", ""), "SNS message: found text that is not JSON"},
		"SNS without id":  {strings.Replace(envelope("Notification", s3Event(record), ""), `"MessageId"`, `"messageId"`, 1), "MessageId: missing"},
		"signature, type": {envelope("Notification", s3Event(record), `,"Signature":7`), "Signature: must be a text"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := Parse([]byte(c.body))
			var bad *FormatError
			if !errors.As(err, &bad) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %+v, %v; want an error with %q", m, err, c.want)
			}
		})
	}
}

func TestNewer(t *testing.T) {
	at := func(s string) Object { return Object{Bucket: "b", Key: "k", Sequencer: s} }
	for _, c := range []struct {
		a, b      Object
		newer, ok bool
	}{
		{at("0055AED6DCD90281E6"), at("0055AED6DCD90281E5"), true, true},
		{at("0055AED6DCD90281E5"), at("0055AED6DCD90281E5"), false, true},
		{at("0055aed6dcd90281e6"), at("0055AED6DCD90281E5"), true, true},
		{at("0055"), at("00550"), false, true},
		{at("00551"), at("0055"), true, true},
		{at(""), at("0055"), false, false},
		{at("1"), Object{Bucket: "b", Key: "other", Sequencer: "0"}, false, false},
	} {
		if newer, ok := Newer(c.a, c.b); newer != c.newer || ok != c.ok {
			t.Errorf("%s after %s: %v, %v", c.a.Sequencer, c.b.Sequencer, newer, ok)
		}
	}
}

// FuzzParse: a message that is read names objects that can be fetched, or none.
func FuzzParse(f *testing.F) {
	f.Add(s3Event(s3Record("ObjectCreated:Put", "a+b%2B")))
	f.Add(envelope("Notification", s3Event(s3Record("ObjectRemoved:Delete", plain)), `,"SignatureVersion":"1"`))
	f.Add(`{"s3Bucket":"b","s3ObjectKey":["a","b"]}`)
	f.Add(bridgeEvent("Object Deleted", "a+b", `,"reason":"x"`))
	f.Add("CloudTrail validation message.")
	f.Add(`{"Event":"s3:TestEvent"}`)
	f.Fuzz(func(t *testing.T, body string) {
		m, err := Parse([]byte(body))
		if err != nil {
			if _, ok := err.(*FormatError); !ok {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		if (m.Kind == Control) != (len(m.Objects) == 0) || (m.Kind == Control) != (m.Control != "") || len(m.Objects) > MaxObjects {
			t.Fatalf("%+v", m)
		}
		for _, o := range m.Objects {
			if o.Bucket == "" || o.Key == "" || o.Change == 0 || o.Size < -1 {
				t.Fatalf("%+v", o)
			}
		}
		if m.SNS != nil {
			_, _ = m.SNS.signed.canonical()
		}
	})
}

// TestSamples reads the notifications of others, if CUSTODY_SAMPLES says where they are:
// none may panic, and all that S3 documents must be read.
func TestSamples(t *testing.T) {
	dir := os.Getenv("CUSTODY_SAMPLES")
	if dir == "" {
		return
	}
	files, err := filepath.Glob(filepath.Join(dir, "aws_envelopes", "*", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples below %s: %v", dir, err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Parse(body)
		name := filepath.Base(file)
		t.Logf("%s: %s %s %d objects, %v", name, m.Kind, m.Control, len(m.Objects), err)
		known := regexp.MustCompile(`^(s3-|eventbridge-|notification|sns_notification)`).MatchString(name)
		if known != (err == nil) && !strings.Contains(name, "unsupported-version") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
