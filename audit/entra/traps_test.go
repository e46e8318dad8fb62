package entra

import (
	"fmt"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/audittest"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
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
		`0`: "success", `"0"`: "success", `50125`: "unknown", `"50140"`: "unknown", `50199`: "unknown", `16000`: "failure", `50126`: "failure", `"50074"`: "failure", `7000215`: "failure",
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

// A tenant is one, however its id is written. A guest's sign-in is in the logs of two
// tenants; Graph's payload does not say whose log it is.
func TestTenants(t *testing.T) {
	for event, want := range map[string]string{
		`{"time":"2025-11-23T11:00:00Z","category":"AuditLogs","tenantId":"T1","properties":{}}`:                                   "t1",
		`{"time":"2025-11-23T11:00:00Z","category":"AuditLogs","resourceId":"/TENANTS/T1/PROVIDERS/MICROSOFT.AADIAM"}`:             "t1",
		`{"time":"2025-11-23T11:00:00Z","category":"AuditLogs","properties":{"tenantId":"T1"}}`:                                    "t1",
		`{"createdDateTime":"2025-11-23T11:00:00Z","appId":"a","resourceTenantId":"T1"}`:                                           "t1",
		`{"createdDateTime":"2025-11-23T11:00:00Z","appId":"a","resourceTenantId":"T1","homeTenantId":"t1"}`:                       "t1",
		`{"createdDateTime":"2025-11-23T11:00:00Z","appId":"a","resourceTenantId":"t1","homeTenantId":"t2"}`:                       "",
		`{"activityDateTime":"2025-11-23T11:00:00Z","activityDisplayName":"Add user","initiatedBy":{"user":{"homeTenantId":"x"}}}`: "",
	} {
		if got := parse.One(t, event).Resource.OrgID; got != want {
			t.Errorf("%s: tenant %q, want %q", event, got, want)
		}
	}
}

// Equal events of two tenants are two records, where the events or the caller say whose
// they are. What an event says of itself counts.
func TestParseTenant(t *testing.T) {
	in := func(tenant, event string) audit.Record {
		return audittest.Parse(func(data []byte, emit func(*audit.Record) error) (audit.Counts, error) {
			return ParseTenant(tenant, data, emit)
		}).One(t, event)
	}
	const change = `{"id":"d1","activityDateTime":"2025-11-23T11:00:00Z","activityDisplayName":"Add user"}`
	ids := map[string]bool{}
	for given, want := range map[string]string{"": "", "T1": "t1", "t2": "t2"} {
		r := in(given, change)
		ids[audittest.Text(&r, audit.AttrRecordID)] = true
		if r.Resource.OrgID != want {
			t.Errorf("tenant %q, want %q", r.Resource.OrgID, want)
		}
	}
	if len(ids) != 3 {
		t.Errorf("%d ids, want 3", len(ids))
	}
	if r := in("t9", `{"createdDateTime":"2025-11-23T11:00:00Z","appId":"a","resourceTenantId":"t1"}`); r.Resource.OrgID != "t9" {
		t.Errorf("the log of t9 is taken for that of %q", r.Resource.OrgID)
	}
	if r := in("t9", auditOf(`"result":"success"`)); r.Resource.OrgID != "t1" {
		t.Errorf("an event of t1 is taken for one of %q", r.Resource.OrgID)
	}
}

// The year 1 stands for a time that was never set.
func TestTimeNeverSet(t *testing.T) {
	r := parse.One(t, `{"time":"0001-01-01T00:00:00Z","category":"AuditLogs","properties":{"id":"d1"}}`)
	audittest.Check(t, r, audit.AttrParseError, "time: not in the years 1970 to 2262")
	if r.Quarantined || !r.Time.IsZero() {
		t.Errorf("%v", r.Time)
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

// What Entra ID did to accounts of other systems: what was skipped was not done.
func TestProvisioning(t *testing.T) {
	for payload, want := range map[string][4]string{
		`"provisioningAction":"create","provisioningStatusInfo":{"status":"success"}`:                                                          {"CREATE", "success", "", ""},
		`"action":"Delete","provisioningStatusInfo":{"status":"failure","errorInformation":{"errorCode":"Conflict","reason":"it is claimed"}}`: {"DELETE", "failure", "Conflict", "it is claimed"},
		`"provisioningAction":"disable","provisioningStatusInfo":{"status":"skipped","errorInformation":null}`:                                 {"UPDATE", "unknown", "", "skipped"},
		`"provisioningAction":"other","provisioningStatusInfo":{"status":"warning"}`:                                                           {"OTHER", "unknown", "", "warning"},
	} {
		payload = `{"id":"p1","activityDateTime":"2025-11-23T11:00:00Z","tenantId":"T1","targetIdentity":{"id":"eve@example.net","displayName":"Eve","identityType":"User"},` + payload + `}`
		events := []string{`{"time":"2025-11-23T11:00:00Z","category":"ProvisioningLogs","operationName":"Provisioning activity","properties":` + payload + `}`}
		if strings.Contains(payload, "provisioningAction") { // Graph has no category
			events = append(events, payload)
		}
		for _, event := range events {
			r := parse.One(t, event)
			audittest.Check(t, r, audit.AttrAction, want[0], audit.AttrOutcome, want[1], audit.AttrErrorType, want[2], audit.AttrOutcomeReason, want[3],
				audit.AttrOriginalID, "p1", audit.AttrTargetID, "eve@example.net", audit.AttrTargetType, "user", audit.AttrActorType, "system", audit.AttrParseError, "")
			if r.Resource.OrgID != "t1" || r.EventName != audit.EventSystem {
				t.Errorf("%s of %+v", r.EventName, r.Resource)
			}
		}
	}
}

// A risk that was dealt with is a finding that is closed.
func TestRisks(t *testing.T) {
	for state, want := range map[string]string{"atRisk": "200401", "confirmedCompromised": "200401", "": "200401", "remediated": "200403", "dismissed": "200403", "confirmedSafe": "200403"} {
		r := parse.One(t, `{"time":"2025-11-23T11:00:00Z","category":"RiskyUsers","operationName":"Risky user","properties":{"id":"u1","riskLevel":"high","riskState":"`+state+`"}}`)
		audittest.Check(t, r, audit.AttrOCSFType, want, audit.AttrTargetID, "u1", audit.AttrFindingSeverity, "high")
	}
}

// A Mapper keeps nothing of one event for the next.
func TestMapper(t *testing.T) {
	var m Mapper
	other := `{"category":"Administrative"}`
	event := auditOf(`"result":"success"`)
	s := jsonscan.Scanner{Data: []byte(other + event + event + `{"category":`)}
	read := func(event string) (*audit.Record, error) {
		start := s.Pos
		if k, err := m.Read(&s); k != jsonscan.Object || err != nil || s.Pos != start+len(event) {
			t.Fatal(k, err, s.Pos)
		}
		return m.Map(s.Data[start:s.Pos], start)
	}
	if _, err := read(other); err != ErrNotEvent {
		t.Errorf("error %v", err)
	}
	for range 2 {
		r, err := read(event)
		if err != nil || string(r.Body) != event {
			t.Fatal(r, err)
		}
		audittest.Check(t, *r, audit.AttrOutcome, "success", audit.AttrOriginalID, "Directory_1")
		alone := parse.One(t, event)
		audittest.Check(t, *r, audit.AttrRecordID, audittest.Text(&alone, audit.AttrRecordID))
	}
	if _, err := m.Read(&s); err == nil {
		t.Error("half an event is read")
	}
}
