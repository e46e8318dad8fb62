package cadf

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/audittest"
)

// What has been asked for has neither succeeded nor failed.
func TestOutcomes(t *testing.T) {
	for outcome, want := range map[string]string{
		"success": "success", "failure": "failure", "pending": "unknown", "unknown": "unknown", "": "unknown", "SUCCESS": "unknown",
	} {
		audittest.Check(t, parse.One(t, having(`,"action":"read","outcome":"`+outcome+`"`)), audit.AttrOutcome, want)
	}
	audittest.Check(t, parse.One(t, having(`,"action":"read"`)), audit.AttrOutcome, "unknown")
}

// The two events about one request have one id. Neither may hide the other.
func TestPendingAndAnswer(t *testing.T) {
	const form = `{"event_type":"audit.http.%s","message_id":"m-%d","payload":%s}`
	ask, answer := having(`,"action":"create","outcome":"pending"`), having(`,"action":"create","outcome":"success"`)
	for _, data := range []string{
		fmt.Sprintf(form, "request", 1, ask) + "\n" + fmt.Sprintf(form, "response", 2, answer),
		"[" + ask + "," + answer + "]",
	} {
		records := parse.Records(t, []byte(data))
		if len(records) != 2 {
			t.Fatalf("%d records, want 2", len(records))
		}
		a, b := records[0], records[1]
		audittest.Check(t, a, audit.AttrOutcome, "unknown")
		audittest.Check(t, b, audit.AttrOutcome, "success")
		for _, key := range []string{audit.AttrRecordID, audit.AttrOriginalID, audit.AttrPhase} {
			if audittest.Text(&a, key) == audittest.Text(&b, key) {
				t.Errorf("both have the %s %q", key, audittest.Text(&a, key))
			}
		}
	}
}

func TestTimes(t *testing.T) {
	want := time.Date(2025, 11, 23, 8, 0, 0, 123456000, time.UTC)
	for text, warning := range map[string]string{
		"2025-11-23T08:00:00.123456+0000":  "",
		"2025-11-23T08:00:00.123456+00:00": "",
		"2025-11-23T09:00:00.123456+0100":  "",
		"2025-11-23T03:00:00.123456-0500":  "",
		"2025-11-23T08:00:00.123456Z":      "",
		"2025-11-23T08:00:00.123456":       "eventTime: without a zone, taken as UTC",
		"2025-11-23 08:00:00.123456":       "eventTime: without a zone, taken as UTC",
	} {
		r := parse.One(t, `{"action":"read","eventTime":"`+text+`"}`)
		audittest.Check(t, r, audit.AttrParseError, "", audit.AttrParseWarning, warning)
		if !r.Time.Equal(want) {
			t.Errorf("%s is %v", text, r.Time)
		}
	}
	for _, text := range []string{`"yesterday"`, `null`, `7`, `"-0000"`, `""`} {
		r := parse.One(t, `{"action":"read","eventTime":`+text+`}`)
		if !r.Time.IsZero() || r.Quarantined || audittest.Text(&r, audit.AttrParseError) == "" {
			t.Errorf("%s: %v", text, r.Time)
		}
	}
}

// The time at which a notification was sent counts only where the event has none.
func TestNotificationTime(t *testing.T) {
	const sent = `"timestamp":"2025-11-23 09:30:00.000001"`
	r := parse.One(t, `{"event_type":"identity.authenticate",`+sent+`,"payload":`+having(`,"action":"authenticate"`)+`}`)
	audittest.Check(t, r, audit.AttrParseWarning, "")
	if r.Time.Hour() != 8 {
		t.Errorf("time %v", r.Time)
	}
	r = parse.One(t, `{"event_type":"identity.authenticate",`+sent+`,"payload":{"action":"authenticate"}}`)
	audittest.Check(t, r, audit.AttrParseError, "",
		audit.AttrParseWarning, "eventTime: missing, the time is that of the notification; timestamp: without a zone, taken as UTC")
	if want := time.Date(2025, 11, 23, 9, 30, 0, 1000, time.UTC); !r.Time.Equal(want) {
		t.Errorf("time %v, want %v", r.Time, want)
	}
}

// A notification's body holds all of it: who sent it, when, and in which context.
func TestBodyIsTheNotification(t *testing.T) {
	notification := `{"_context_request_id":"req-9","event_type":"identity.authenticate","message_id":"m-1","priority":"INFO","publisher_id":"identity.ctl1","payload":` +
		having(`,"action":"authenticate","outcome":"failure","initiator":{"user_id":"ada","id":"x"},"big":9007199254740993,"say":"\"é\u00e9"`) + `}`
	direct := parse.One(t, notification)
	if string(direct.Body) != notification {
		t.Errorf("body %s", direct.Body)
	}
	text, err := json.Marshal(notification)
	if err != nil {
		t.Fatal(err)
	}
	// The bus carries it as a string, and it is the same record.
	wrapped := parse.One(t, `{"oslo.version":"2.0","oslo.message":`+string(text)+`}`)
	if string(wrapped.Body) != notification {
		t.Errorf("body %s", wrapped.Body)
	}
	if got, want := fmt.Sprint(wrapped.Attributes, wrapped.Resource), fmt.Sprint(direct.Attributes, direct.Resource); got != want {
		t.Errorf("in an envelope: %s\nalone: %s", got, want)
	}
	audittest.Check(t, direct, audit.AttrActorID, "ada", audit.AttrOutcome, "failure")
}

func TestBadMessages(t *testing.T) {
	for _, message := range []string{`"{"`, `"7"`, `"{}"`, `"{\"a\":1} x"`, `"{\"payload\":{}}"`} {
		r := parse.One(t, `{"oslo.version":"2.0","oslo.message":`+message+`}`)
		audittest.Check(t, r, audit.AttrParseError, ErrMessage.Error())
		if !r.Quarantined {
			t.Errorf("%s is taken", message)
		}
	}
	r := parse.One(t, `{"oslo.message":"{\"action\":\"read\",\"action\":\"delete\"}"}`)
	audittest.Check(t, r, audit.AttrOperation, "read", audit.AttrParseWarning, "a key occurs twice: the first one counts")
}

// Other notifications travel on the same bus.
func TestOtherNotifications(t *testing.T) {
	records := parse.Records(t, []byte(`[{"event_type":"compute.instance.create.end","payload":{"instance_id":"i"}},`+having(`,"action":"read"`)+`]`))
	if len(records) != 2 || !records[0].Quarantined || records[1].Quarantined {
		t.Fatalf("%d records", len(records))
	}
	audittest.Check(t, records[0], audit.AttrParseError, ErrNotEvent.Error())
}

func TestCADFLog(t *testing.T) {
	records := parse.Records(t, []byte(`{"typeURI":"http://schemas.dmtf.org/cloud/audit/1.0/log","id":"l","logTime":"2025-11-23T08:00:00Z","events":[`+
		having(`,"action":"read"`)+`,`+having(`,"action":"delete"`)+`]}`))
	if len(records) != 2 || records[0].Quarantined || records[1].Quarantined {
		t.Fatalf("%d records", len(records))
	}
}

// Keystone makes an id of its own for a user whose id is no UUID.
func TestActors(t *testing.T) {
	for initiator, want := range map[string][2]string{
		`{"id":"made-up","user_id":"ada","username":"Ada","typeURI":"service/security/account/user"}`: {"ada", "user"},
		`{"id":"ada","typeURI":"service/security/account/user"}`:                                      {"ada", "user"},
		`{"id":"unknown","name":"ada"}`:                                                               {"ada", "user"},
		`{"id":"unknown","name":"unknown"}`:                                                           {"", ""},
		`{"id":"keystone","typeURI":"service/security"}`:                                              {"keystone", "service"},
		`{"id":"openstack:1","typeURI":"data/security/account"}`:                                      {"openstack:1", "user"},
		`{"id":"node","typeURI":"system/node"}`:                                                       {"node", "system"},
		`null`:                                                                                        {"", ""},
	} {
		r := parse.One(t, having(`,"action":"read","initiator":`+initiator))
		audittest.Check(t, r, audit.AttrActorID, want[0], audit.AttrActorType, want[1])
	}
	audittest.Check(t, parse.One(t, having(`,"action":"read","initiatorId":"ada"`)), audit.AttrActorID, "ada")
}

// A token is a secret, masked or not, and becomes no attribute.
func TestTokensStayInTheBody(t *testing.T) {
	r := parse.One(t, having(`,"action":"authenticate","initiator":{"id":"ada","credential":{"token":"gAAAAsecret","identity_provider":"ACME"}}`))
	for _, a := range r.Attributes {
		if strings.Contains(audittest.Text(&r, a.Key), "secret") {
			t.Errorf("%s holds the token", a.Key)
		}
	}
	audittest.Check(t, r, audit.AttrActorIDP, "ACME")
}

func TestTargets(t *testing.T) {
	const project, server = "0123456789abcdef0123456789abcdef", "aaaaaaaa-1111-4222-8333-444444444444"
	for _, c := range []struct{ members, id, kind, others string }{
		{`"action":"created.user","target":{"id":"made-up","typeURI":"data/security/account/user"},"resource_info":"eve"`, "eve", "data/security/account/user", ""},
		{`"action":"created.user","target":{"id":"eve","typeURI":"data/security/account/user"}`, "eve", "data/security/account/user", ""},
		{`"action":"deleted.role_assignment","target":{"id":"made-up"},"group":"g","role":"r","domain":"d"`, "g", "group", "id=g type=group | id=r type=role | id=d type=domain"},
		// A sign-in's own target is made up, whether it worked or not.
		{`"action":"authenticate","outcome":"failure","initiator":{"id":"made-up","user_id":"ada"},"target":{"id":"made-up-too","typeURI":"service/security/account/user"}`, "ada", "service/security/account/user", ""},
		{`"action":"authenticate","outcome":"failure","initiator":{"id":"unknown"},"target":{"id":"made-up","typeURI":"service/security/account/user"}`, "", "", ""},
		{`"action":"authenticate/login","target":{"id":"app","typeURI":"service/oss"}`, "app", "service/oss", ""},
		{`"action":"deleted.role_assignment","target":{"id":"t"}`, "t", "", ""},
		{`"action":"read","targetId":"x"`, "x", "", ""},
		{`"action":"read","initiator":{"project_id":"` + project + `"},"requestPath":"/v2.1/` + project + `/servers/` + server + `","target":{"id":"nova","typeURI":"service/compute/servers/server"}`,
			server, "service/compute/servers/server", "id=" + server + " type=service/compute/servers/server | id=nova type=service"},
		{`"action":"read/list","requestPath":"/v2.1/servers","target":{"id":"nova","typeURI":"service/compute/servers"}`, "nova", "service/compute/servers", ""},
	} {
		audittest.Check(t, parse.One(t, having(","+c.members)), audit.AttrTargetID, c.id, audit.AttrTargetType, c.kind, audit.AttrTargets, c.others)
	}
}

func TestClasses(t *testing.T) {
	for _, c := range [][4]string{
		{"created.user", "", "300101", "CREATE"}, {"disabled.user", "", "300105", "UPDATE"}, {"updated.user", "", "300199", "UPDATE"},
		{"deleted.user", "", "300106", "DELETE"}, {"created.group", "", "300606", "CREATE"}, {"deleted.group", "", "300605", "DELETE"},
		{"created.role_assignment", "", "300501", "CREATE"}, {"deleted.role_assignment", "", "300502", "DELETE"},
		{"created.OS-TRUST:trust", "", "300501", "CREATE"}, {"created.project", "", "600301", "CREATE"}, {"disabled.project", "", "600303", "UPDATE"},
		{"authenticate", "", "300201", "LOGIN"}, {"authenticate/login", "", "300201", "LOGIN"},
		{"create", "service/security/users", "300101", "CREATE"}, {"delete", "service/security/users/user", "300106", "DELETE"},
		{"update", "service/security/groups/group/users/user", "300603", "UPDATE"}, {"delete", "service/security/groups/group/users/user", "300604", "DELETE"},
		{"update", "service/security/projects/project/users/user/roles/role", "300501", "UPDATE"},
		{"create", "service/security/users/user/password", "300103", "CREATE"},
		{"create", "service/security/auth/tokens", "300201", "LOGIN"}, {"delete", "service/security/auth/tokens", "300202", "LOGOUT"},
		{"read", "service/security/users/user", "600302", "READ"}, {"read/list", "service/compute/servers", "600302", "READ"},
		{"update/resize", "service/compute/servers/server/action", "600303", "UPDATE"}, {"create", "service/network/security-groups", "600301", "CREATE"},
		{"delete", "service/compute/users/user", "600304", "DELETE"}, {"start", "compute/machine", "600399", "EXECUTE"},
		{"unknown", "", "600399", "OTHER"},
	} {
		r := parse.One(t, having(`,"action":"`+c[0]+`","target":{"id":"x","typeURI":"`+c[1]+`"}`))
		audittest.Check(t, r, audit.AttrOperation, c[0], audit.AttrOCSFType, c[2], audit.AttrAction, c[3])
	}
}

func TestReasons(t *testing.T) {
	for reason, want := range map[string][3]string{
		`{"reasonCode":401,"reasonType":"The password is expired"}`: {"401", "401", "The password is expired"},
		`{"reasonCode":"403","reasonType":"HTTP"}`:                  {"403", "403", ""},
		`{"reasonCode":"E17","reasonType":"x"}`:                     {"", "E17", "x"},
		`null`:                                                      {"", "", ""},
	} {
		r := parse.One(t, having(`,"action":"read","outcome":"failure","reason":`+reason))
		audittest.Check(t, r, audit.AttrHTTPStatus, want[0], audit.AttrErrorType, want[1], audit.AttrOutcomeReason, want[2])
	}
}

// The records of one delivery belong to the projects and services that they name.
func TestMixedResources(t *testing.T) {
	records := parse.Records(t, []byte(having(`,"action":"read","initiator":{"project_id":"p1"},"target":{"typeURI":"service/compute/servers"}`)+"\n"+
		having(`,"action":"read","initiator":{"project_id":"p2"},"target":{"typeURI":"service/network/networks"}`)))
	for i, want := range []audit.Resource{
		{Provider: "openstack", Product: "OpenStack", AccountID: "p1", Stream: "compute"},
		{Provider: "openstack", Product: "OpenStack", AccountID: "p2", Stream: "network"},
	} {
		if records[i].Resource != want {
			t.Errorf("record %d belongs to %+v", i, records[i].Resource)
		}
	}
}
