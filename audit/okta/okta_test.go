package okta

import (
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/audittest"
)

var parse = audittest.Parse(Parse)

func TestGolden(t *testing.T) { parse.Golden(t) }

func FuzzParse(f *testing.F) { parse.Fuzz(f) }

func BenchmarkParse(b *testing.B) { parse.Bench(b) }

// event is one of a type, with more members.
func event(eventType, members string) string {
	return `{"uuid":"u-1","published":"2025-11-23T08:00:00.123Z","eventType":"` + eventType + `"` + members + `}`
}

func TestHostile(t *testing.T) {
	parse.Hostile(t, event("user.session.start", `,"outcome":{"result":"SUCCESS"},"actor":{"id":"00u1"}`), "eventType")
}

func TestOutcomes(t *testing.T) {
	for outcome, want := range map[string][3]string{
		`{"result":"SUCCESS","reason":null}`:                          {"success", "", ""},
		`{"result":"ALLOW"}`:                                          {"success", "", ""},
		`{"result":"FAILURE","reason":"INVALID_CREDENTIALS"}`:         {"failure", "INVALID_CREDENTIALS", "INVALID_CREDENTIALS"},
		`{"result":"FAILURE","reason":"The factor was not accepted"}`: {"failure", "FAILURE", "The factor was not accepted"},
		`{"result":"DENY"}`:                                           {"failure", "DENY", ""},
		`{"result":"SKIPPED"}`:                                        {"unknown", "", "SKIPPED"},
		`{"result":"CHALLENGE"}`:                                      {"unknown", "", "CHALLENGE"},
		`{"result":"UNKNOWN","reason":"why"}`:                         {"unknown", "", "why"},
		`{"result":"PERHAPS"}`:                                        {"unknown", "", "PERHAPS"},
		`null`:                                                        {"unknown", "", ""},
	} {
		r := parse.One(t, event("user.session.start", `,"outcome":`+outcome))
		audittest.Check(t, r, audit.AttrOutcome, want[0], audit.AttrErrorType, want[1], audit.AttrOutcomeReason, want[2])
	}
}

func TestTimes(t *testing.T) {
	if ns := parse.One(t, event("x.y", "")).Time.Nanosecond(); ns != 123_000_000 {
		t.Errorf("%d ns, want milliseconds", ns)
	}
	for _, published := range []string{`"published":null,`, `"published":"soon",`, `"published":1763884800123,`, ""} {
		r := parse.One(t, `{`+published+`"eventType":"x.y"}`)
		if !r.Time.IsZero() || r.Quarantined || audittest.Text(&r, audit.AttrParseError) == "" {
			t.Errorf("%s: %v", published, r.Time)
		}
	}
}

// Somebody who could not be authenticated has a name and no id.
func TestActors(t *testing.T) {
	for actor, want := range map[string][2]string{
		`{"id":"00u1","type":"User","alternateId":"ada@example.com"}`:                            {"00u1", "user"},
		`{"id":"unknown","type":"User","alternateId":"ada@example.com","displayName":"unknown"}`: {"ada@example.com", "user"},
		`{"id":"unknown","type":"User","alternateId":"unknown","displayName":"unknown"}`:         {"", ""},
		`{"id":"sp","type":"SystemPrincipal","alternateId":"system@okta.com"}`:                   {"sp", "system"},
		`{"id":"0oa1","type":"PublicClientApp"}`:                                                 {"0oa1", "service"},
		`null`:                                                                                   {"", ""},
	} {
		audittest.Check(t, parse.One(t, event("x.y", `,"actor":`+actor)), audit.AttrActorID, want[0], audit.AttrActorType, want[1])
	}
}

func TestSources(t *testing.T) {
	for members, want := range map[string][3]string{
		`"client":{"ipAddress":"203.0.113.7"},"request":{"ipChain":[{"ip":"203.0.113.7","geographicalContext":{"city":"X"}},{"ip":"198.51.100.2"}]}`: {"203.0.113.7", "ipv4", "203.0.113.7 | 198.51.100.2"},
		`"client":{"ipAddress":null},"request":{"ipChain":[{"ip":"2001:db8::7"}]}`:                                                                   {"2001:db8::7", "ipv6", "2001:db8::7"},
		`"client":null,"request":{"ipChain":[]}`:                                       {"", "", ""},
		`"actor":{"id":"203.0.113.9","type":"IP address"},"client":{"ipAddress":null}`: {"203.0.113.9", "ipv4", ""},
		`"client":{"ipAddress":"unknown"}`:                                             {"unknown", "", ""},
	} {
		r := parse.One(t, event("x.y", ","+members))
		audittest.Check(t, r, audit.AttrSourceID, want[0], audit.AttrSourceType, want[1], audit.AttrSourceChain, want[2])
	}
}

// A country's name is no code.
func TestCountry(t *testing.T) {
	for country, want := range map[string]string{"Germany": "", "DE": "DE", "": ""} {
		r := parse.One(t, event("x.y", `,"client":{"geographicalContext":{"country":"`+country+`","city":"Berlin"}}`))
		audittest.Check(t, r, audit.AttrGeoCountry, want, audit.AttrGeoLocality, "Berlin")
	}
}

// What the class is about comes first, whatever Okta names first.
func TestTargets(t *testing.T) {
	const user, group, app = `{"id":"u","type":"User"}`, `{"id":"g","type":"UserGroup"}`, `{"id":"a","type":"AppInstance"}`
	for _, c := range [][3]string{
		{"group.user_membership.add", user + "," + group, "g u"}, {"group.user_membership.add", group + "," + user, "g u"},
		{"user.account.privilege.grant", group + "," + user, "u g"}, {"user.authentication.sso", app + "," + user, "a u"},
		{"application.user_membership.add", app + "," + user, "u a"}, {"group.user_membership.remove", user, "u"},
		{"user.session.start", "", "00u1"}, {"user.account.lock", "", "00u1"}, {"system.api_token.create", "", ""},
		{"x.y", `{"id":null,"alternateId":"z"},7,null,` + app, "z a"},
	} {
		r := parse.One(t, event(c[0], `,"actor":{"id":"00u1","type":"User"},"target":[`+c[1]+`]`))
		var ids []string
		if v, ok := r.Get(audit.AttrTargets); ok {
			for _, m := range v.Maps {
				ids = append(ids, m[0].Value.Str)
			}
		} else if id := audittest.Text(&r, audit.AttrTargetID); id != "" {
			ids = append(ids, id)
		}
		if got := strings.Join(ids, " "); got != c[2] {
			t.Errorf("%s: targets %q, want %q", c[0], got, c[2])
		}
		if len(ids) > 0 {
			audittest.Check(t, r, audit.AttrTargetID, ids[0])
		}
	}
}

// What changed is JSON as Okta wrote it; a side may be missing.
func TestChanges(t *testing.T) {
	r := parse.One(t, event("x.y", `,"target":[{"id":"1","type":"A"},{"id":"2","type":"B","changeDetails":{"from":{"n":9007199254740993},"to":null}},{"id":"3","type":"C","changeDetails":{"to":["x"]}},{"id":"4","changeDetails":null}]`))
	audittest.Check(t, r, audit.AttrChanges, `path=B old={"n":9007199254740993} | path=C new=["x"]`)
}

// debugContext has no fixed form, and may be of any size. None of it but the request's
// id and path becomes an attribute.
func TestDebugContextStaysInTheBody(t *testing.T) {
	raw := event("x.y", `,"debugContext":{"debugData":{"requestId":"req-1","requestUri":"/a?token=s3cret","factor":"s3cret","more":{"x":[1,2,3]}}}`)
	r := parse.One(t, raw)
	audittest.Check(t, r, audit.AttrRequestID, "req-1", audit.AttrURLPath, "/a")
	for _, a := range r.Attributes {
		if strings.Contains(audittest.Text(&r, a.Key), "s3cret") {
			t.Errorf("%s = %s", a.Key, audittest.Text(&r, a.Key))
		}
	}
	if string(r.Body) != raw {
		t.Errorf("body %s", r.Body)
	}
}

func TestClasses(t *testing.T) {
	for eventType, want := range map[string][2]string{
		"user.session.start": {"300201", "LOGIN"}, "user.session.end": {"300202", "LOGOUT"}, "user.session.access_admin_app": {"300299", "OTHER"},
		"user.authentication.sso": {"300201", "LOGIN"}, "user.authentication.auth_via_mfa": {"300201", "LOGIN"}, "user.authentication.slo": {"300202", "LOGOUT"},
		"user.session.impersonation.grant": {"300501", "CREATE"}, "user.lifecycle.create": {"300101", "CREATE"}, "user.lifecycle.suspend": {"300105", "UPDATE"},
		"user.lifecycle.delete.initiated": {"300199", "OTHER"}, "user.lifecycle.delete.completed": {"300106", "DELETE"}, "user.lifecycle.jit.error": {"300199", "OTHER"},
		"user.account.lock": {"300109", "UPDATE"}, "user.account.update_profile": {"300199", "UPDATE"}, "user.mfa.factor.reset_all": {"300111", "UPDATE"},
		"user.account.privilege.revoke": {"300502", "DELETE"}, "application.user_membership.add": {"300501", "CREATE"}, "application.user_membership.update": {"300599", "UPDATE"}, "application.user_membership.show_password": {"300599", "READ"},
		"group.user_membership.remove": {"300604", "UPDATE"}, "group.lifecycle.create": {"300606", "CREATE"}, "group.privilege.grant": {"300601", "UPDATE"},
		"security.threat.detected": {"200401", "DETECT"}, "system.api_token.create": {"600301", "CREATE"}, "application.lifecycle.delete": {"600304", "DELETE"},
		"policy.rule.update": {"600303", "UPDATE"}, "zone.make_blacklist": {"600399", "OTHER"}, "nonsense": {"600399", "OTHER"},
	} {
		audittest.Check(t, parse.One(t, event(eventType, "")), audit.AttrOCSFType, want[0], audit.AttrAction, want[1], audit.AttrOperation, eventType)
	}
}

// That a second factor was used, only a success says.
func TestMFA(t *testing.T) {
	for result, want := range map[string]string{"SUCCESS": "true", "FAILURE": "", "CHALLENGE": ""} {
		audittest.Check(t, parse.One(t, event("user.authentication.auth_via_mfa", `,"outcome":{"result":"`+result+`"}`)), audit.AttrSessionMFA, want)
	}
	audittest.Check(t, parse.One(t, event("user.session.start", `,"outcome":{"result":"SUCCESS"}`)), audit.AttrSessionMFA, "")
}

// An event does not say whose it is. Equal events of two organizations are two records
// where the caller does.
func TestParseOrg(t *testing.T) {
	in := func(org string) audit.Record {
		return audittest.Parse(func(data []byte, emit func(*audit.Record) error) (audit.Counts, error) {
			return ParseOrg(org, data, emit)
		}).One(t, event("user.session.start", ""))
	}
	none, acme, lab := in(""), in("acme.okta.example"), in("lab.okta.example")
	ids := map[string]bool{}
	for _, r := range []audit.Record{none, acme, lab} {
		ids[audittest.Text(&r, audit.AttrRecordID)] = true
	}
	if len(ids) != 3 || none.Resource.OrgID != "" || acme.Resource.OrgID != "acme.okta.example" {
		t.Errorf("ids %v, resources %+v and %+v", ids, none.Resource, acme.Resource)
	}
	bare := parse.One(t, event("user.session.start", ""))
	audittest.Check(t, none, audit.AttrRecordID, audittest.Text(&bare, audit.AttrRecordID))
}

// An event hook delivers events in an envelope, which has an eventType, too.
func TestEventHook(t *testing.T) {
	one, two := event("user.session.start", `,"actor":{"id":"00u1"}`), `{"version":"0","severity":"INFO","eventType":"user.session.end"}`
	for _, data := range []string{
		`{"eventType":"com.okta.event_hook","eventTypeVersion":"1.0","cloudEventsVersion":"0.1","source":"https://acme.okta.example/api/v1/eventHooks/w1","eventId":"e1","data":{"events":[` + one + `,` + two + `]},"eventTime":"2025-11-23T08:00:01Z","contentType":"application/json"}`,
		`{"data":{"x":[1],"events":[` + one + `,` + two + `]},"eventType":"com.okta.event_hook"}`,
	} {
		records := parse.Records(t, []byte(data))
		if len(records) != 2 || string(records[0].Body) != one || string(records[1].Body) != two || records[0].Quarantined {
			t.Fatalf("%d records", len(records))
		}
		audittest.Check(t, records[0], audit.AttrOperation, "user.session.start", audit.AttrActorID, "00u1")
	}
	// What looks like an envelope within an event is the event's own.
	r := parse.One(t, event("user.session.start", `,"data":{"events":[1,2]}`))
	audittest.Check(t, r, audit.AttrOperation, "user.session.start")
}
