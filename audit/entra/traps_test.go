package entra

import (
	"fmt"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/audittest"
)

// signInOf is a sign-in in the envelope, and auditOf a change in the directory.
func signInOf(category, payload string) string {
	return `{"time":"2025-11-23T11:00:00.1234567Z","resourceId":"/tenants/t1/providers/Microsoft.aadiam","operationName":"Sign-in activity",` +
		`"category":"` + category + `","Level":4,"level":"Informational","properties":{"id":"s1","createdDateTime":"2025-11-23T11:00:00.1234567Z",` + payload + `}}`
}

func auditOf(payload string) string {
	return `{"time":"2025-11-23T11:00:00Z","tenantId":"t1","category":"AuditLogs","operationName":"Update user","properties":{"id":"Directory_1","activityDisplayName":"Update user",` + payload + `}}`
}

func TestErrorCodes(t *testing.T) {
	for code, want := range map[string]string{
		`0`: "success", `"0"`: "success", `50125`: "unknown", `"50140"`: "unknown", `50126`: "failure", `"50074"`: "failure", `7000215`: "failure",
	} {
		audittest.Check(t, parse.One(t, signInOf("SignInLogs", `"status":{"errorCode":`+code+`}`)), audit.AttrOutcome, want)
		// The envelope repeats the code; it counts where the payload has none.
		outer := strings.Replace(signInOf("SignInLogs", `"x":1`), `"Level"`, `"resultType":`+code+`,"Level"`, 1)
		audittest.Check(t, parse.One(t, outer), audit.AttrOutcome, want)
	}
	r := parse.One(t, signInOf("SignInLogs", `"status":{"errorCode":50140,"failureReason":"why"}`))
	audittest.Check(t, r, audit.AttrErrorType, "50140", audit.AttrOutcomeReason, "why")
	audittest.Check(t, parse.One(t, signInOf("SignInLogs", `"x":1`)), audit.AttrOutcome, "unknown")
}

func TestAuditResults(t *testing.T) {
	for result, want := range map[string]string{
		"success": "success", "failure": "failure", "timeout": "unknown", "unknownFutureValue": "unknown", "": "unknown",
	} {
		audittest.Check(t, parse.One(t, auditOf(`"result":"`+result+`"`)), audit.AttrOutcome, want)
	}
}

// initiatedBy names a user or an app; the other one is null or not there.
func TestInitiatedBy(t *testing.T) {
	for by, want := range map[string][3]string{
		`{"user":{"id":"u1","userPrincipalName":"ada@example.com"},"app":null}`: {"u1", "user", ""},
		`{"user":null,"app":{"displayName":"sync","servicePrincipalId":"sp1"}}`: {"sp1", "service", "sync"},
		`{"app":{"displayName":"sync","appId":null}}`:                           {"sync", "service", "sync"},
		`{"user":{"id":null,"displayName":null},"app":{"appId":"a1"}}`:          {"a1", "service", ""},
		`{"user":{"id":"u1"},"app":{"displayName":"sync"}}`:                     {"u1", "user", "sync"},
		`{"user":null,"app":null}`:                                              {"PIM", "system", ""},
		`null`:                                                                  {"PIM", "system", ""},
	} {
		r := parse.One(t, auditOf(`"loggedByService":"PIM","initiatedBy":`+by))
		audittest.Check(t, r, audit.AttrActorID, want[0], audit.AttrActorType, want[1], audit.AttrActorAppName, want[2])
	}
}

// Values of modified properties are JSON in strings. Each stays with its property, also
// where others have none, and where several targets have some.
func TestModifiedProperties(t *testing.T) {
	r := parse.One(t, auditOf(`"targetResources":[`+
		`{"id":"a","modifiedProperties":[{"newValue":"\"one\"","displayName":"First"},{"displayName":"Second","oldValue":"[1,\"x\"]"},{"displayName":"Bare"}]},`+
		`{"id":"b","modifiedProperties":[]},`+
		`{"id":"c","modifiedProperties":[{"oldValue":null,"displayName":"Third","newValue":"\"say \\\"hi\\\"\""},{"oldValue":"\"\"","displayName":"Fourth","newValue":"\"cut"}]}]`))
	audittest.Check(t, r, audit.AttrChanges,
		`path=First new=one | path=Second old=[1,"x"] | path=Bare | path=Third new=say "hi" | path=Fourth new="cut`,
		audit.AttrTargets, "id=a | id=b | id=c")
}

// A sign-in that comes again with more in it is a second record of the same sign-in.
func TestLateCopy(t *testing.T) {
	early, late := signInOf("SignInLogs", `"riskState":"none"`), signInOf("SignInLogs", `"riskState":"atRisk"`)
	records := parse.Records(t, []byte(`{"records":[`+early+`,`+late+`,`+early+`]}`))
	if len(records) != 3 {
		t.Fatalf("%d records, want 3", len(records))
	}
	id := func(i int) string { return audittest.Text(&records[i], audit.AttrRecordID) }
	if id(0) == id(1) || id(0) != id(2) {
		t.Errorf("ids %s %s %s", id(0), id(1), id(2))
	}
	for _, r := range records {
		audittest.Check(t, r, audit.AttrOriginalID, "s1")
	}
}

func TestKinds(t *testing.T) {
	for category, want := range map[string][2]string{
		"SignInLogs": {"signin", "user"}, "NonInteractiveUserSignInLogs": {"signin_non_interactive", "user"},
		"ServicePrincipalSignInLogs": {"signin_service_principal", "service"}, "ManagedIdentitySignInLogs": {"signin_managed_identity", "service"},
	} {
		r := parse.One(t, signInOf(category, `"userId":"u1","servicePrincipalId":"u1","status":{"errorCode":0}`))
		audittest.Check(t, r, audit.AttrCategory, want[0], audit.AttrActorType, want[1], audit.AttrActorID, "u1", audit.AttrOCSFClass, "3002",
			audit.AttrParseError, "", audit.AttrParseWarning, "")
		if r.Resource != (audit.Resource{Provider: "azure", Product: Product, OrgID: "t1", Stream: category}) {
			t.Errorf("%+v", r.Resource)
		}
		if !Is(category) {
			t.Errorf("%s is not Entra ID's", category)
		}
	}
	if Is("Administrative") || Is("") || Is("signinlogs") {
		t.Error("Is takes anything")
	}
}

// The same sign-in means the same in the envelope and in Microsoft Graph.
func TestGraphMeansTheSame(t *testing.T) {
	const payload = `"id":"s1","createdDateTime":"2025-11-23T11:00:00Z","userId":"u1","appId":"a1","resourceId":"r1","resourceTenantId":"t1","correlationId":"c1",` +
		`"ipAddress":"203.0.113.7","location":{"countryOrRegion":"DE"},"status":{"errorCode":50126}`
	one := parse.One(t, `{"value":[{`+payload+`}],"@odata.nextLink":"https://graph.example/next"}`)
	two := parse.One(t, `{"time":"2025-11-23T11:00:00Z","category":"SignInLogs","tenantId":"t1","location":"DE","operationName":"Sign-in activity","properties":{`+payload+`}}`)
	three := parse.One(t, `{"time":"2025-11-23T11:00:00Z","category":"SignInLogs","tenantId":"t1","location":"DE","operationName":"Sign-in activity","properties":`+fmt.Sprintf("%q", "{"+payload+"}")+`}`)
	for _, other := range []audit.Record{two, three} {
		if one.Resource != other.Resource || !one.Time.Equal(other.Time) || len(one.Attributes) != len(other.Attributes) {
			t.Errorf("%+v and %+v", one, other)
		}
		for _, a := range one.Attributes {
			switch a.Key {
			case audit.AttrRecordID, audit.AttrRawHash, audit.AttrRawSize:
			default:
				audittest.Check(t, other, a.Key, audittest.Text(&one, a.Key))
			}
		}
	}
}

// Who is not known has the id of nobody, which is none.
func TestNobody(t *testing.T) {
	r := parse.One(t, signInOf("SignInLogs", `"userId":"00000000-0000-0000-0000-000000000000","userPrincipalName":"mallory@example.com","appId":"00000000-0000-0000-0000-000000000000"`))
	audittest.Check(t, r, audit.AttrActorID, "mallory@example.com", audit.AttrUserID, "", audit.AttrTargetID, "t1", audit.AttrTargetType, "tenant")
	r = parse.One(t, signInOf("SignInLogs", `"userId":""`))
	audittest.Check(t, r, audit.AttrActorID, "", audit.AttrActorType, "")
}

// Whether a second factor was used is said only where it is known.
func TestSecondFactor(t *testing.T) {
	for _, c := range [][3]string{
		{"singleFactorAuthentication", "0", "false"}, {"singleFactorAuthentication", "50126", "false"},
		{"multiFactorAuthentication", "0", "true"}, {"multiFactorAuthentication", "50074", ""}, {"", "0", ""},
	} {
		r := parse.One(t, signInOf("SignInLogs", `"authenticationRequirement":"`+c[0]+`","status":{"errorCode":`+c[1]+`}`))
		audittest.Check(t, r, audit.AttrSessionMFA, c[2])
	}
}

// Keys are compared exactly, and the first of two counts.
func TestKeys(t *testing.T) {
	r := parse.One(t, signInOf("SignInLogs", `"UserId":"x","userId":"u1","userid":"y","status":{"errorCode":0},"Status":{"errorCode":1}`))
	audittest.Check(t, r, audit.AttrActorID, "u1", audit.AttrOutcome, "success", audit.AttrParseWarning, "")
	r = parse.One(t, signInOf("SignInLogs", `"userId":"u1","userId":"mallory"`))
	audittest.Check(t, r, audit.AttrActorID, "u1", audit.AttrParseWarning, "a key occurs twice: the first one counts")
}

func TestBadTime(t *testing.T) {
	r := parse.One(t, `{"time":"soon","category":"SignInLogs","properties":{"id":"s1"}}`)
	audittest.Check(t, r, audit.AttrParseError, "time: not an RFC 3339 time", audit.AttrOriginalID, "s1")
	if r.Quarantined || !r.Time.IsZero() {
		t.Errorf("%+v", r)
	}
}

// A Mapper keeps nothing of one event for the next.
func TestMapper(t *testing.T) {
	var m Mapper
	if _, err := m.Map([]byte(`{"category":"Administrative"}`)); err != ErrNotEvent {
		t.Errorf("error %v", err)
	}
	if _, err := m.Map([]byte(`{"category":`)); err == nil {
		t.Error("half an event is mapped")
	}
	for range 2 {
		event := []byte(auditOf(`"result":"success"`))
		r, err := m.Map(event)
		if err != nil || &r.Body[0] != &event[0] || len(r.Body) != len(event) {
			t.Fatal(r, err)
		}
		audittest.Check(t, *r, audit.AttrOutcome, "success", audit.AttrOriginalID, "Directory_1")
		other := parse.One(t, string(event))
		audittest.Check(t, *r, audit.AttrRecordID, audittest.Text(&other, audit.AttrRecordID))
	}
}
