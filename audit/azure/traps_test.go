package azure

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/audittest"
	"github.com/otelcol-custody/custody/audit/entra"
)

// record is an event with more members than the few that it needs.
func record(members string) string {
	return `{"time":"2025-11-23T08:00:00.1234567Z","operationName":"Microsoft.Compute/virtualMachines/write","category":"Administrative",` +
		`"resourceId":"/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm1"` + members + `}`
}

func noRemarks(t *testing.T, r audit.Record) {
	t.Helper()
	audittest.Check(t, r, audit.AttrParseError, "", audit.AttrParseWarning, "")
	if r.Quarantined {
		t.Error("quarantined")
	}
}

// Level and level, one a number and one a string, are two keys.
func TestLevelAndLevel(t *testing.T) {
	r := parse.One(t, record(`,"Level":5,"level":"Informational","OperationName":7,"Category":{},"RESULTTYPE":"Failed","resultType":"Success"`))
	noRemarks(t, r)
	audittest.Check(t, r, audit.AttrOutcome, "success", audit.AttrOperation, "Microsoft.Compute/virtualMachines/write")
}

func TestIdentityShapes(t *testing.T) {
	for identity, want := range map[string][2]string{
		`{"claims":{"appid":"app-1","idtyp":"app"}}`:      {"app-1", "service"},
		`{"claims":{"upn":"ada@example.com"}}`:            {"ada@example.com", "user"},
		`{"claim":{"oid":"o-1","upn":"ada@example.com"}}`: {"o-1", "user"},
		`{"authorization":{"evidence":{"principalId":"0123456789abcdef0123456789abcdef","principalType":"ServicePrincipal"}}}`: {"01234567-89ab-cdef-0123-456789abcdef", "service"},
		`{"claims":{"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress":"ada@example.com"}}`:                  {"ada@example.com", "user"},
		`{"claims":{"oid":"o-1","name":"Ada","appid":"app-1"}}`:                                                                {"o-1", "user"}, // a program has no full name
		`{"claims":{"oid":"o-1","appid":"app-1"}}`:                                                                             {"o-1", "service"},
		`"ada@example.com"`: {"ada@example.com", "user"},
		`null`:              {"", ""},
		`{}`:                {"", ""},
		`[1]`:               {"", ""},
	} {
		r := parse.One(t, record(`,"identity":`+identity))
		noRemarks(t, r)
		audittest.Check(t, r, audit.AttrActorID, want[0], audit.AttrActorType, want[1])
	}
}

// Properties are an object, or the same as a string, with more strings inside.
func TestPropertiesAsString(t *testing.T) {
	object := `{"statusCode":"Forbidden","statusMessage":"{\"error\":{\"code\":\"Denied\",\"message\":\"no \\\"access\\\"\"}}"}`
	want := []string{audit.AttrHTTPStatus, "403", audit.AttrErrorType, "Denied", audit.AttrOutcomeReason, `no "access"`, audit.AttrOutcome, "failure"}
	quoted := fmt.Sprintf("%q", object)
	for _, properties := range []string{object, quoted, `{"eventProperties":` + object + `}`} {
		r := parse.One(t, record(`,"resultType":"Failed","properties":`+properties))
		noRemarks(t, r)
		audittest.Check(t, r, want...)
	}
	// What is no JSON is kept in the body only, and said.
	r := parse.One(t, record(`,"resultType":"Failed","properties":"{'a': 1}"`))
	audittest.Check(t, r, audit.AttrParseWarning, "properties: a string that is not JSON", audit.AttrOutcome, "failure")
}

func TestOperationInAnyCase(t *testing.T) {
	for _, name := range []string{"Microsoft.Authorization/roleAssignments/delete", "MICROSOFT.AUTHORIZATION/ROLEASSIGNMENTS/DELETE"} {
		r := parse.One(t, `{"time":"2025-11-23T08:00:00Z","category":"Administrative","operationName":"`+name+`"}`)
		audittest.Check(t, r, audit.AttrOperation, name, audit.AttrAction, "DELETE", audit.AttrService, "microsoft.authorization",
			audit.AttrOCSFClass, "3005", audit.AttrOCSFActivity, "2")
	}
}

// What gives or takes rights is told apart from other writes.
func TestPrivileges(t *testing.T) {
	for operation, want := range map[string]string{
		"Microsoft.Authorization/roleAssignments/write": "300501", "Microsoft.Authorization/roleAssignments/delete": "300502",
		"Microsoft.Authorization/elevateAccess/action": "300501", "Microsoft.KeyVault/vaults/accessPolicies/write": "300599",
		"Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write":  "300199",
		"Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/delete": "300199",
		"Microsoft.KeyVault/vaults/write": "600303",
		"Microsoft.ContainerService/managedClusters/rbac.authorization.k8s.io/clusterrolebindings/write": "300501",
		"Microsoft.Kubernetes/connectedClusters/rbac.authorization.k8s.io/rolebindings/delete":           "300502",
	} {
		audittest.Check(t, parse.One(t, `{"time":"2025-11-23T08:00:00Z","category":"Administrative","operationName":"`+operation+`"}`), audit.AttrOCSFType, want)
	}
}

func TestOperationInFreeText(t *testing.T) {
	for name, activity := range map[string]string{
		"Add member to role completed (PIM activation)":            "1",
		"Remove member from role (PIM activation expired)":         "2",
		"Add member to role requested (PIM activation)":            "99",
		"Add eligible member to role in PIM requested (renew)":     "99",
		"Add eligible member to role completed (PIM, timebound)":   "1",
		"Add member to role in PIM completed (timebound)":          "1",
		"Add eligible member to role in PIM completed (permanent)": "1",
		"Remove member from role in PIM completed (timebound)":     "2",
		"Remove member from role in PIM requested (timebound)":     "99",
		"Remove member from role requested (PIM deactivate)":       "99",
	} {
		r := parse.One(t, `{"time":"2025-11-23T08:00:00Z","category":"Administrative","operationName":"`+name+`"}`)
		audittest.Check(t, r, audit.AttrOperation, name, audit.AttrOCSFClass, "3005", audit.AttrOCSFActivity, activity)
	}
}

// One write gives several records: none is merged into another, and only the last has
// an outcome.
func TestStartAcceptSuccess(t *testing.T) {
	var list []string
	for _, result := range []string{"Start", "Accept", "Success", "Failure"} {
		list = append(list, record(`,"correlationId":"c1","resultType":"`+result+`"`))
	}
	records := parse.Records(t, []byte(`{"records":[`+strings.Join(list, ",")+`]}`))
	if len(records) != 4 {
		t.Fatalf("%d records, want 4", len(records))
	}
	ids := map[string]bool{}
	for i, want := range []string{"unknown", "unknown", "success", "failure"} {
		audittest.Check(t, records[i], audit.AttrOutcome, want, audit.AttrCorrelationID, "c1")
		ids[audittest.Text(&records[i], audit.AttrRecordID)] = true
	}
	if len(ids) != 4 {
		t.Errorf("%d ids, want 4", len(ids))
	}
	audittest.Check(t, records[0], audit.AttrPhase, "Start")
}

// What has only been started has not failed, whatever a message beside it says.
func TestStartWithFailedMessage(t *testing.T) {
	r := parse.One(t, record(`,"resultType":"Start","properties":{"statusCode":"Conflict","statusMessage":"{\"status\":\"Failed\",\"error\":{\"code\":\"X\"}}"}`))
	audittest.Check(t, r, audit.AttrOutcome, "unknown", audit.AttrErrorType, "", audit.AttrPhase, "Start")
}

func TestOutcomes(t *testing.T) {
	for members, want := range map[string]string{
		`"resultType":"Succeeded"`: "success", `"resultType":"Active"`: "success", `"resultType":"Resolved"`: "success",
		`"resultType":"Failed"`: "failure", `"resultType":"FAILURE"`: "failure",
		`"resultType":"Started"`: "unknown", `"resultType":"Accepted","resultSignature":"Accepted.OK"`: "unknown", `"resultType":"In Progress"`: "unknown",
		`"statusCode":"404"`: "failure", `"statusCode":200`: "success", `"resultSignature":"Failed.Forbidden"`: "failure",
		`"resultType":"","properties":{"httpStatusCode":201}`: "success", `"resultType":"Perhaps"`: "unknown", `"x":1`: "unknown",
		`"properties":{"statusCode":"Accepted"}`: "unknown", `"resultType":"Canceled","properties":{"statusCode":"OK"}`: "unknown",
		`"resultType":"Cancelled","properties":{"statusCode":"OK"}`: "unknown", `"resultType":"Perhaps","properties":{"statusCode":"Conflict"}`: "failure",
		`"status":{"value":"Failed"}`: "failure",
	} {
		audittest.Check(t, parse.One(t, record(","+members)), audit.AttrOutcome, want)
	}
}

// A raw newline in a string is no JSON. No sample of what Azure delivers has one; such
// an event is kept byte for byte, and costs no other.
func TestRawNewlineInString(t *testing.T) {
	bad := record(`,"properties":{"requestbody":"a` + "\n" + `b"}`)
	for _, data := range []string{
		`{"records":[` + record("") + `,` + bad + `,` + record(`,"x":1`) + `]}`,
		record("") + "\n" + bad + "\n" + record(`,"x":1`) + "\n",
	} {
		records := parse.Records(t, []byte(data))
		if len(records) != 3 || !records[1].Quarantined || records[0].Quarantined || records[2].Quarantined {
			t.Fatalf("%d records", len(records))
		}
		if got := strings.TrimSuffix(string(records[1].Body), "\n"); got != bad {
			t.Errorf("body %q", got)
		}
	}
	// Between members, newlines are white space.
	noRemarks(t, parse.One(t, strings.ReplaceAll(record(`,"level":"x"`), `,"`, ",\r\n \""+``)))
}

func TestDurationOfAnyKind(t *testing.T) {
	for _, duration := range []string{`"0"`, `0`, `2826`, `null`, `1e400`} {
		noRemarks(t, parse.One(t, record(`,"durationMs":`+duration)))
	}
}

func TestTimes(t *testing.T) {
	if got := parse.One(t, record("")).Time.Nanosecond(); got != 123456700 {
		t.Errorf("%d ns, want all seven digits", got)
	}
	for _, text := range []string{"2025-11-23 08:00:00.1234567", "2025-11-23T08:00:00.1234567"} {
		r := parse.One(t, `{"time":"`+text+`","operationName":"x/write"}`)
		audittest.Check(t, r, audit.AttrParseWarning, "time: without a zone, taken as UTC", audit.AttrParseError, "")
		if want := parse.One(t, record("")).Time; !r.Time.Equal(want) {
			t.Errorf("%s is %v", text, r.Time)
		}
	}
	for _, members := range []string{`"time":"yesterday",`, `"time":null,`, ``} {
		r := parse.One(t, `{`+members+`"operationName":"x/write"}`)
		if !r.Time.IsZero() || r.Quarantined || audittest.Text(&r, audit.AttrParseError) == "" {
			t.Errorf("%s: %v %+v", members, r.Time, r)
		}
	}
}

func TestCallerAddress(t *testing.T) {
	for native, want := range map[string][3]string{
		"203.0.113.7": {"203.0.113.7", "", "ipv4"}, "203.0.113.7:51234": {"203.0.113.7", "51234", "ipv4"},
		"2001:db8::7": {"2001:db8::7", "", "ipv6"}, "[2001:db8::7]:443": {"2001:db8::7", "443", "ipv6"},
		"::ffff:203.0.113.7": {"203.0.113.7", "", "ipv4"}, "[::ffff:203.0.113.7]:443": {"203.0.113.7", "443", "ipv4"}, "[::ffff:203.0.113.7]": {"203.0.113.7", "", "ipv4"},
		"fd40:203:113:7::a": {"fd40:203:113:7::a", "", "ipv6"}, "fe80::1%eth0": {"fe80::1%eth0", "", "ipv6"}, // a private link's, and one with a zone
		"203.0.113.7:0": {"203.0.113.7", "", "ipv4"}, "203.0.113.7:99999": {"", "", ""}, "203.0.113": {"", "", ""}, "999.0.113.7": {"", "", ""},
		"internal": {"", "", ""}, "": {"", "", ""}, "203.0.113.7, 198.51.100.2": {"", "", ""},
	} {
		r := parse.One(t, record(`,"callerIpAddress":"`+native+`"`))
		audittest.Check(t, r, audit.AttrSourceID, native, audit.AttrClientAddress, want[0], audit.AttrClientPort, want[1], audit.AttrSourceType, want[2])
	}
}

// The same resource is the same target, however its id is written.
func TestResourceIDInAnyCase(t *testing.T) {
	const id = "/subscriptions/S1/resourceGroups/Rg/providers/Microsoft.Sql/servers/Db1/databases/Main"
	for _, id := range []string{id, strings.ToUpper(id), strings.ToLower(id)} {
		r := parse.One(t, `{"time":"2025-11-23T08:00:00Z","operationName":"x/read","resourceId":"`+id+`"}`)
		audittest.Check(t, r, audit.AttrTargetID, strings.ToLower(id), audit.AttrCloudResourceID, strings.ToLower(id), audit.AttrTargetType, "microsoft.sql/servers/databases")
		if r.Resource.AccountID != "s1" {
			t.Errorf("account %q", r.Resource.AccountID)
		}
	}
	// With a slash at its end, it is the same one.
	r := parse.One(t, `{"time":"2025-11-23T08:00:00Z","operationName":"x/read","resourceId":"`+id+`/"}`)
	audittest.Check(t, r, audit.AttrTargetID, strings.ToLower(id), audit.AttrTargetName, "Main")
	for id, want := range map[string]string{
		"/subscriptions/s1": "microsoft.resources/subscriptions", "/subscriptions/s1/resourceGroups/r/": "microsoft.resources/subscriptions/resourcegroups",
		"/subscriptions/s1/resourceGroups/r/providers/Microsoft.Kubernetes/connectedClusters/c/rbac.authorization.k8s.io/roleBindings/b": "microsoft.kubernetes/connectedclusters/rbac.authorization.k8s.io/rolebindings",
		"/tenants/t1": "microsoft.resources/tenants", "/": "", "/RESOURCE": "", "/providers/x": "",
		"/providers/Microsoft.Management/managementGroups/g/providers/Microsoft.Authorization/roleAssignments/a": "microsoft.authorization/roleassignments",
	} {
		if got := parseID(id).kind; got != want {
			t.Errorf("%s is %q, want %q", id, got, want)
		}
	}
}

// The location at the top of an activity is where it was processed.
func TestRegion(t *testing.T) {
	for members, want := range map[string]string{
		`"category":"Administrative","location":"centralus"`:                                         "",
		`"category":"Policy","location":"centralus","properties":{"resourceLocation":"West Europe"}`: "westeurope",
		`"category":"AuditEvent","location":"westeurope"`:                                            "westeurope",
	} {
		r := parse.One(t, `{"time":"2025-11-23T08:00:00Z","operationName":"x/read",`+members+`}`)
		if r.Resource.Region != want {
			t.Errorf("%s: region %q", members, r.Resource.Region)
		}
	}
}

// An operation on no resource: it belongs to the tenant that the caller names, and to
// nobody's without.
func TestParseTenant(t *testing.T) {
	in := func(tenant, event string) audit.Record {
		return audittest.Parse(func(data []byte, emit func(*audit.Record) error) (audit.Counts, error) {
			return ParseTenant(tenant, data, emit)
		}).One(t, event)
	}
	for _, event := range []string{
		`{"time":"2025-11-23T08:00:00Z","category":"Administrative","operationName":"Microsoft.Authorization/elevateAccess/action"}`,
		`{"id":"d1","activityDateTime":"2025-11-23T11:00:00Z","activityDisplayName":"Add user"}`,
	} {
		ids := map[string]bool{}
		for given, want := range map[string]string{"": "", "T1": "t1", "t2": "t2"} {
			r := in(given, event)
			if ids[audittest.Text(&r, audit.AttrRecordID)] = true; r.Resource.OrgID != want {
				t.Errorf("tenant %q, want %q", r.Resource.OrgID, want)
			}
		}
		if len(ids) != 3 {
			t.Errorf("%d ids, want 3", len(ids))
		}
	}
	if r := in("t9", record(`,"properties":{"TenantID":"T1"}`)); r.Resource.OrgID != "t1" {
		t.Errorf("an event of t1 is taken for one of %q", r.Resource.OrgID)
	}
	if r := in("t9", record(`,"identity":{"claims":{"tid":"t1"}}`)); r.Resource.OrgID != "t9" {
		t.Errorf("the log of t9 is taken for that of %q, which the caller is from", r.Resource.OrgID)
	}
	one, two := parse.One(t, record("")), in("t9", record("")) // a subscription is in one tenant
	audittest.Check(t, one, audit.AttrRecordID, audittest.Text(&two, audit.AttrRecordID))
}

// Records of one message belong to the subscriptions and tenants that they name.
func TestMixedResources(t *testing.T) {
	records := parse.Records(t, []byte(`{"records":[`+record(`,"tenantId":"T1"`)+`,`+
		strings.Replace(record(`,"identity":{"claims":{"http://schemas.microsoft.com/identity/claims/tenantid":"t2"}}`), "/s1/", "/s2/", 1)+`]}`))
	for i, want := range [][2]string{{"s1", "t1"}, {"s2", "t2"}} {
		if r := records[i].Resource; r.AccountID != want[0] || r.OrgID != want[1] || r.Provider != "azure" || r.Stream != "ActivityLog" {
			t.Errorf("record %d belongs to %+v", i, r)
		}
	}
}

// Without an id of its own, an event is told by its bytes.
func TestRecordIDs(t *testing.T) {
	records := parse.Records(t, []byte(record("")+"\n"+record("")+"\n"+record(`,"durationMs":1`)))
	id := func(i int) string { return audittest.Text(&records[i], audit.AttrRecordID) }
	if id(0) != id(1) || id(0) == id(2) {
		t.Errorf("ids %s %s %s", id(0), id(1), id(2))
	}
	audittest.Check(t, records[0], audit.AttrOriginalID, "")
}

func TestHostileBytes(t *testing.T) {
	r := parse.One(t, record(`,"resultType":"Success","resultType":"Failed"`))
	audittest.Check(t, r, audit.AttrOutcome, "success", audit.AttrParseWarning, "a key occurs twice: the first one counts")
	raw := record(",\"correlationId\":\"\xff\xfe\",\"properties\":{\"n\":9007199254740993}")
	if r := parse.One(t, raw); string(r.Body) != raw || audittest.Text(&r, audit.AttrCorrelationID) != "\xff\xfe" {
		t.Errorf("body %q", r.Body)
	}
	deep := record(`,"properties":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000))
	records := parse.Records(t, []byte(`{"records":[`+deep+`,`+record("")+`]}`))
	if len(records) != 2 || !records[0].Quarantined || records[1].Quarantined || string(records[0].Body) != deep {
		t.Errorf("%d records", len(records))
	}
}

// One function takes all that a hub carries: Entra ID's events come out as package
// entra makes them.
func TestOneHub(t *testing.T) {
	for _, file := range []string{"signins.json", "audits.jsonl", "graph.json"} {
		data, err := os.ReadFile("../entra/testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		sameAsEntra(t, file, data)
	}
	for _, event := range []string{
		`{"id":"p1","activityDateTime":"2025-11-23T11:00:00Z","tenantId":"t1","provisioningAction":"create"}`,
		`{"createdDateTime":"2025-11-23T11:00:00Z","id":"s1","userId":"u1","appId":"a1","status":{"errorCode":50126}}`,
		`{"time":"2025-11-23T11:00:00Z","category":"RoleManagement","properties":{"activityDisplayName":"Add member to role","loggedByService":"Core Directory"}}`,
	} {
		sameAsEntra(t, event, []byte(event))
	}
}

func sameAsEntra(t *testing.T, name string, data []byte) {
	t.Helper()
	got, want := parse.Records(t, data), audittest.Parse(entra.Parse).Records(t, data)
	if len(got) != len(want) {
		t.Fatalf("%s: %d records, want %d", name, len(got), len(want))
	}
	for i := range want {
		if want[i].Quarantined {
			continue // it is not Entra ID's
		}
		if g, w := fmt.Sprint(got[i].Attributes, got[i].Resource, got[i].Time), fmt.Sprint(want[i].Attributes, want[i].Resource, want[i].Time); g != w {
			t.Errorf("%s: record %d is %s, want %s", name, i, g, w)
		}
		if !bytes.Equal(got[i].Body, want[i].Body) {
			t.Errorf("%s: body %d differs", name, i)
		}
	}
}

// What an event means does not depend on what precedes it, though an event behind one
// of Entra ID's is read in another way.
func TestNeighbours(t *testing.T) {
	const signIn = `{"time":"2025-11-23T11:00:00Z","category":"SignInLogs","tenantId":"t1","properties":{"id":"s1","userId":"u1","status":{"errorCode":0}}}`
	for _, event := range []string{
		record(`,"caller":"ada@example.com"`), signIn, `{"id":"d1","activityDateTime":"2025-11-23T11:00:00Z","activityDisplayName":"Add user"}`,
		`{"properties":{"id":"s1","userId":"u1"},"category":"SignInLogs","time":"2025-11-23T11:00:00Z"}`,
		`{"time":"2025-11-23T11:00:00Z","category":"Sign\u0049nLogs","properties":{"id":"s1"}}`,
		`{"time":"2025-11-23T11:00:00Z","cat\u0065gory":"SignInLogs","category":"Administrative","operationName":"x/write"}`,
		`{"category":null,"category":"SignInLogs","operationName":"x/write"}`, `{"category":"Administrative","category":"SignInLogs","operationName":"x/write"}`,
		`{"category":"SignInLogs","category":"Administrative","operationName":"x/write"}`, `{"category":{"value":"SignInLogs"},"operationName":"x/write"}`,
		`{"category":"SignInLogs"}`, `{"category":"SignInLogs","properties":tru}`, `{"category":"SignInLogs"x}`, `{"categor` + "\n" + `y":1}`, `{}`, `{"x":1}`, `[]`, `7`, `"category"`,
	} {
		alone := parse.Records(t, []byte("["+event+"]"))
		behind := parse.Records(t, []byte("["+signIn+","+event+","+signIn+"]"))
		if len(alone) != 1 || len(behind) != 3 || fmt.Sprint(alone[0]) != fmt.Sprint(behind[1]) || fmt.Sprint(behind[0]) != fmt.Sprint(behind[2]) {
			t.Errorf("%s is\n%v\nbehind another\n%v", event, alone, behind)
		}
	}
}

// Requests and their addresses may hold keys and signatures: they stay in the body.
func TestSecretsStayInTheBody(t *testing.T) {
	for _, members := range []string{
		`,"properties":{"requestbody":"{\"properties\":{\"sas\":\"sig=s3cret\"}}","responseBody":"{\"keys\":[\"s3cret\"]}"}`,
		`,"httpRequest":{"uri":"https://store.example/c/b?sv=1&sig=s3cret","method":"PUT"}`,
		`,"identity":{"claims":{"rh":"s3cret","aio":"s3cret","upn":"ada@example.com"}}`,
	} {
		r := parse.One(t, record(members))
		for _, a := range r.Attributes {
			if strings.Contains(audittest.Text(&r, a.Key), "s3cret") {
				t.Errorf("%s = %s", a.Key, audittest.Text(&r, a.Key))
			}
		}
		if !strings.Contains(string(r.Body), "s3cret") {
			t.Errorf("body %s", r.Body)
		}
	}
	r := parse.One(t, record(`,"httpRequest":{"uri":"https://store.example/c/b?sig=s3cret"}`))
	audittest.Check(t, r, audit.AttrURLPath, "/c/b")
}

// What Azure states of its own accord has no user behind it, whatever name it gives.
func TestStatements(t *testing.T) {
	const event = `{"time":"2025-11-23T08:00:00Z","category":"Recommendation","operationName":"Microsoft.Advisor/recommendations/available/action","resultType":"Active"`
	r := parse.One(t, event+`}`)
	audittest.Check(t, r, audit.AttrActorID, "microsoft.advisor", audit.AttrActorType, "system", audit.AttrAction, "REPORT")
	if r.EventName != audit.EventSystem {
		t.Errorf("event name %s", r.EventName)
	}
	r = parse.One(t, event+`,"caller":"Microsoft.Advisor"}`)
	audittest.Check(t, r, audit.AttrActorID, "Microsoft.Advisor", audit.AttrActorType, "system")
}
