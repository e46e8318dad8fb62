package cloudtrail

import (
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/audittest"
)

// What CloudTrail's events trip their readers with, each by its name. Mixed accounts,
// duplicate keys, omitted members and addenda stand in mapping_test.go.

// TestVersionIsNoFloat: 1.10 comes after 1.9, and is not 1.1, which is older than the
// versions that name a category.
func TestVersionIsNoFloat(t *testing.T) {
	for text, want := range map[string]version{"1.10": {1, 10}, "1.1": {1, 1}, "1.01": {1, 1}, "1.09": {1, 9}} {
		if got, ok := parseVersion(text); !ok || got != want {
			t.Errorf("version %s is %v", text, got)
		}
	}
	if ten, _ := parseVersion("1.10"); ten.before(1, 9) {
		t.Error("1.10 is before 1.9")
	}
	for version, category := range map[string]string{"1.10": "data", "1.1": ""} {
		r := one(t, `{"eventVersion":"`+version+`","eventName":"GetObject","managementEvent":false}`)
		check(t, r, audit.AttrSchemaVersion, version, audit.AttrCategory, category)
	}
	for _, text := range []string{"", "1", "1.x", "-1.0", "1.-1"} {
		if v, ok := parseVersion(text); ok {
			t.Errorf("%q is version %v", text, v)
		}
	}
}

// TestSourceThatIsNoAddress: "AWS Internal" and services' names are no clients'.
func TestSourceThatIsNoAddress(t *testing.T) {
	for _, source := range []string{"AWS Internal", "secretsmanager.amazonaws.com"} {
		check(t, one(t, event(`"sourceIPAddress":"`+source+`"`)),
			audit.AttrSourceID, source, audit.AttrSourceType, audit.SourceService, audit.AttrClientAddress, "")
	}
}

// TestFailedLoginWithoutErrorCode: the failure of a sign-in stands in its answer, or in a
// message.
func TestFailedLoginWithoutErrorCode(t *testing.T) {
	for _, members := range []string{`"responseElements":{"ConsoleLogin":"Failure"}`, `"errorMessage":"Failed authentication"`} {
		r := one(t, event(`"eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin"`, members))
		check(t, r, audit.AttrOutcome, audit.OutcomeFailure, audit.AttrErrorType, "", audit.AttrAction, audit.ActionLogin)
		if r.EventName != audit.EventAuthentication {
			t.Errorf("event name %s", r.EventName)
		}
	}
}

// TestMFAIsTextOrBoolean: one service says "Yes", another one true.
func TestMFAIsTextOrBoolean(t *testing.T) {
	for in, want := range map[string]string{`"Yes"`: "true", `"No"`: "false", `true`: "true", `false`: "false"} {
		check(t, one(t, event(`"eventName":"ConsoleLogin","additionalEventData":{"MFAUsed":`+in+`}`)), audit.AttrSessionMFA, want)
	}
}

// TestAggregatedEvents: they come as a list without {"Records":…}, and spell the id with
// a small d, which is not the id of other events.
func TestAggregatedEvents(t *testing.T) {
	aggregated := `{"eventVersion":"1.0","accountId":"111122223333","eventId":"small","eventCategory":"Aggregated","eventType":"AwsAggregatedEvent",` +
		`"timeWindow":{"windowStart":"2026-11-20T09:05:00Z"},"summary":{}}`
	records := parse(t, []byte("["+aggregated+","+event(`"eventID":"large","eventId":"small"`)+"]"))
	check(t, records[0], audit.AttrOriginalID, "small", audit.AttrCategory, "aggregated", audit.AttrParseError, "")
	check(t, records[1], audit.AttrOriginalID, "large", audit.AttrParseWarning, "")
	if records[0].Resource.AccountID != "111122223333" || records[0].Resource.Stream != "CloudTrail-Aggregated" {
		t.Errorf("resource %+v", records[0].Resource)
	}
}

// TestSharedEvent: what two accounts saw are two events with one shared id.
func TestSharedEvent(t *testing.T) {
	seen := func(account, id string) string {
		return event(`"eventID":"` + id + `","sharedEventID":"s","recipientAccountId":"` + account + `"`)
	}
	records := parse(t, []byte(container(seen("111122223333", "a"), seen("444455556666", "b"))))
	if text(&records[0], audit.AttrRecordID) == text(&records[1], audit.AttrRecordID) {
		t.Error("two accounts' events have one record id")
	}
	for _, r := range records {
		check(t, r, audit.AttrCorrelationID, "s")
	}
}

// TestTimeOrderIsNotKept: a file is in no order, and none is made.
func TestTimeOrderIsNotKept(t *testing.T) {
	late := strings.Replace(eventA, "09:00:00", "11:00:00", 1)
	records := parse(t, []byte(container(late, eventB)))
	if !records[0].Time.After(records[1].Time) {
		t.Error("the events have been put into another order")
	}
}

func TestHostile(t *testing.T) {
	ofCloudTrail.Hostile(t, event(`"eventName":"DeleteTrail","eventID":"a","errorCode":"AccessDenied","requestParameters":{"name":"all"},"userIdentity":{"type":"Root","arn":"arn:aws:iam::111122223333:root"}`), "eventName")
}

// TestSecretsStayInTheBody: what AWS leaves in parameters and answers, no attribute repeats.
func TestSecretsStayInTheBody(t *testing.T) {
	for _, members := range []string{
		`"eventSource":"sts.amazonaws.com","eventName":"AssumeRole","requestParameters":{"externalId":"s3cret"},"responseElements":{"credentials":{"sessionToken":"s3cret"}}`,
		`"eventSource":"iam.amazonaws.com","eventName":"CreateLoginProfile","requestParameters":{"userName":"al","password":"s3cret"}`,
		`"eventSource":"ssm.amazonaws.com","eventName":"PutParameter","requestParameters":{"name":"p","value":"s3cret"}`,
		`"eventSource":"s3.amazonaws.com","eventName":"GetObject","requestParameters":{"bucketName":"b","key":"k","X-Amz-Signature":"s3cret"}`,
		`"eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","additionalEventData":{"LoginTo":"https://console.example/?token=s3cret"}`,
	} {
		r := one(t, event(members))
		for _, a := range r.Attributes {
			if strings.Contains(audittest.Text(&r, a.Key), "s3cret") {
				t.Errorf("%s: %s holds the secret", members, a.Key)
			}
		}
	}
}

// A long field stands in its attribute only in part: else the record would be twice as
// large as its event, and might not be sealed whole.
func TestLongFieldIsCut(t *testing.T) {
	long := strings.Repeat("é", 40<<10) + "x"
	r := audittest.Parse(Parse).One(t, `{"eventVersion":"1.11","eventID":"e","eventName":"N","eventSource":"s3.amazonaws.com","userAgent":"`+long+`"}`)
	if got := audittest.Text(&r, audit.AttrUserAgent); len(got) != 64<<10 || !strings.HasPrefix(long, got) {
		t.Errorf("%d bytes, want %d", len(got), 64<<10)
	}
	if got := audittest.Text(&r, audit.AttrParseWarning); !strings.Contains(got, audit.AttrUserAgent+": longer than 64 KiB") {
		t.Errorf("warning %q", got)
	}
	if !strings.Contains(string(r.Body), long) {
		t.Error("the body is cut, too")
	}
}
