package cloudtrail

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/audit"
)

func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func logEvents(kind string, messages ...string) string {
	var list []string
	for i, m := range messages {
		list = append(list, fmt.Sprintf(`{"id":"%d","timestamp":1795169600000,"message":%s}`, i, quoted(m)))
	}
	return `{"messageType":"` + kind + `","owner":"111122223333","logGroup":"trail","logEvents":[` + strings.Join(list, ",") + `]}`
}

func eventBridge(kind, detail string) string {
	return `{"version":"0","id":"x","detail-type":"` + kind + `","source":"aws.iam","resources":[],"detail":` + detail + `}`
}

func lookedUp(event string) string {
	return `{"EventId":"a","EventName":"GetUser","Resources":[],"CloudTrailEvent":` + quoted(event) + `}`
}

const apiCall = "AWS API Call via CloudTrail"

// TestEnvelopes: by whatever way an event comes, its body and its record id are the
// same.
func TestEnvelopes(t *testing.T) {
	plain := one(t, eventA)
	for name, data := range map[string]string{
		"CloudWatch Logs":           logEvents("DATA_MESSAGE", eventA),
		"a log event alone":         `{"id":"1","timestamp":1,"message":` + quoted(eventA) + `}`,
		"EventBridge":               eventBridge(apiCall, eventA),
		"EventBridge, escaped":      eventBridge(`AWS API Call via CloudTrai\u006c`, eventA),
		"EventBridge, sign-in":      eventBridge("AWS Console Sign In via CloudTrail", eventA),
		"EventBridge, insight":      eventBridge("AWS Insight via CloudTrail", eventA),
		"EventBridge, pretty":       "[\n " + strings.ReplaceAll(eventBridge(apiCall, eventA), `"detail":`, "\"detail\" : \n") + "\n]",
		"LookupEvents":              `{"Events":[` + lookedUp(eventA) + `],"NextToken":"x"}`,
		"LookupEvents, one of them": lookedUp(eventA),
	} {
		r := one(t, data)
		if string(r.Body) != eventA || r.Quarantined {
			t.Errorf("%s: body %q, quarantined %v", name, r.Body, r.Quarantined)
		}
		check(t, r, audit.AttrRecordID, text(&plain, audit.AttrRecordID), audit.AttrOperation, "GetUser", audit.AttrParseWarning, "")
	}
}

// TestOtherKeyOrder: the same event with its keys in another order is another body, so
// another record; its native id ties both together.
func TestOtherKeyOrder(t *testing.T) {
	inFile := one(t, container(`{"eventVersion":"1.11","eventID":"a","eventName":"X"}`))
	inLogs := one(t, logEvents("DATA_MESSAGE", `{"eventName":"X","eventID":"a","eventVersion":"1.11"}`))
	if text(&inFile, audit.AttrRecordID) == text(&inLogs, audit.AttrRecordID) {
		t.Error("two bodies have one record id")
	}
	check(t, inLogs, audit.AttrOriginalID, text(&inFile, audit.AttrOriginalID), audit.AttrOperation, "X")
}

// TestControlMessage: CloudWatch Logs asks whether anybody listens. That is no event;
// a message in which somebody claims so is one.
func TestControlMessage(t *testing.T) {
	control := logEvents("CONTROL_MESSAGE", "CWL CONTROL MESSAGE: Checking health of destination.")
	for data, want := range map[string]int{
		control: 0,
		control + logEvents("DATA_MESSAGE", eventA) + control:                           1,
		`{"messageType":"CONTROL_MESSAGE","logEvents":[]}`:                              0,
		logEvents("DATA_MESSAGE"):                                                       0,
		logEvents("DATA_MESSAGE", "CWL CONTROL MESSAGE: x"):                             1,
		`{"messageType":"CONTROL_MESSAGE"}`:                                             1,
		`{"messageType":"CONTROL_MESSAGE","Records":[` + eventA + `],"logEvents":[{}]}`: 1,
		control[:len(control)-5]:                                                        1,
	} {
		if got := len(parse(t, []byte(data))); got != want {
			t.Errorf("%s: %d records, want %d", data, got, want)
		}
	}
}

// TestEnvelopeWithoutAnEvent: what is in it is sealed with all that is around it.
func TestEnvelopeWithoutAnEvent(t *testing.T) {
	const why = "the envelope holds no CloudTrail event"
	for envelope, reason := range map[string]string{
		`{"id":"1","message":"text"}`:                                      why + ": not valid JSON",
		`{"id":"1","message":""}`:                                          why + ": the data ends in the middle of a value",
		`{"id":"1","message":"{\"a\":1}"}`:                                 why + ": " + ErrNotEvent.Error(),
		`{"id":"1","message":"[1]"}`:                                       why + ": " + ErrNotEvent.Error(),
		`{"id":"1","message":7}`:                                           why,
		`{"id":"1","message":` + quoted(eventA+eventB) + `}`:               why + ": not valid JSON",
		`{"id":"1","message":` + quoted(`{"eventVersion":"2.0"}`) + `}`:    why + ": malformed event: eventVersion has major version 2, only 1 is known",
		`{"id":"1","message":` + quoted(`{"id":"1","message":"{}"}`) + `}`: why + ": " + ErrNotEvent.Error(),
		lookedUp(`{"eventName":tru}`):                                      why + ": not valid JSON",
		eventBridge(apiCall, `"x"`):                                        why,
		eventBridge("Object Created", eventA):                              why,
		eventBridge(apiCall, `{"a":1}`):                                    why + ": " + ErrNotEvent.Error(),
		`{"detail":` + eventA + `}`:                                        why,
	} {
		records := parse(t, []byte("["+eventA+","+envelope+","+eventB+"]"))
		if len(records) != 3 || !records[1].Quarantined || records[0].Quarantined || records[2].Quarantined {
			t.Errorf("%s: %d records", envelope, len(records))
			continue
		}
		if string(records[1].Body) != envelope {
			t.Errorf("body %q, want %q", records[1].Body, envelope)
		}
		check(t, records[1], audit.AttrParseError, reason)
	}
}

// TestEnvelopeRemarks: what is noticed of the event and of its envelope is told.
func TestEnvelopeRemarks(t *testing.T) {
	const twice = "a key occurs twice: the first one counts"
	check(t, one(t, `{"message":`+quoted(eventA)+`,"message":"x"}`), audit.AttrParseWarning, twice, audit.AttrOperation, "GetUser")
	check(t, one(t, lookedUp(event(`"eventName":"A","eventName":"B"`))), audit.AttrParseWarning, twice, audit.AttrOperation, "A")
	check(t, one(t, lookedUp(event(`"requestParameters":{"omitted":true}`))), audit.AttrTruncated, "true")
	records := parse(t, []byte(logEvents("DATA_MESSAGE", event(`"omitted":true`), eventA)))
	check(t, records[1], audit.AttrTruncated, "", audit.AttrParseWarning, "")
	// An event of its own that has a member named like an envelope's stays itself.
	check(t, one(t, event(`"eventName":"X","message":"{}","detail":{}`)), audit.AttrOperation, "X", audit.AttrQuarantined, "")
}
