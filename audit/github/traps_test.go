package github

import (
	"testing"
	"time"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/audittest"
)

// event is one of an action, with more members.
func event(action, members string) string {
	return `{"@timestamp":1763884800123,"_document_id":"d1","action":"` + action + `"` + members + `}`
}

// An org is a name or a list of names, its id a number or a list of numbers.
func TestOrgAsArray(t *testing.T) {
	for members, want := range map[string][3]string{
		`"org":"acme","org_id":7`:                         {"7", "acme", ""},
		`"org":["acme","lab"],"org_id":[7,8]`:             {"7", "acme", "id=acme type=organization name=acme | id=lab type=organization name=lab"},
		`"org":[],"org_id":[]`:                            {"", "", ""},
		`"org":null,"org_id":null`:                        {"", "", ""},
		`"org":[null,"lab"],"org_id":[8]`:                 {"8", "lab", ""},
		`"org":"acme","org_id":"7","business_id":9`:       {"7", "acme", ""},
		`"org":["acme"],"org_id":[9007199254740993]`:      {"9007199254740993", "acme", ""},
		`"ORG":"other","Org_Id":1,"org":"acme"`:           {"acme", "acme", ""},
		`"org":{"name":"x"},"org_id":{"id":1}`:            {"", "", ""},
		`"org":"acme","repo":["acme/a","acme/b"],"x":[1]`: {"acme", "acme/a", "id=acme/a type=repository name=acme/a | id=acme/b type=repository name=acme/b | id=acme type=organization name=acme"},
	} {
		r := parse.One(t, event("repo.create", ","+members))
		audittest.Check(t, r, audit.AttrTargetID, want[1], audit.AttrTargets, want[2], audit.AttrParseError, "")
		if r.Resource.AccountID != want[0] {
			t.Errorf("%s: account %q, want %q", members, r.Resource.AccountID, want[0])
		}
	}
}

// Times are milliseconds, and many events share one.
func TestTimes(t *testing.T) {
	if got, want := parse.One(t, event("x.y", "")).Time, time.Date(2025, 11, 23, 8, 0, 0, 123e6, time.UTC); !got.Equal(want) {
		t.Errorf("%v, want %v", got, want)
	}
	for _, at := range []string{`"soon"`, `null`, `1e300`, `9223372036854775807`, `-9223372036854775808`, `99999999999999999999`, `{}`} {
		r := parse.One(t, `{"action":"x.y","@timestamp":`+at+`}`)
		if !r.Time.IsZero() || r.Quarantined || audittest.Text(&r, audit.AttrParseError) == "" {
			t.Errorf("%s: %v %q", at, r.Time, audittest.Text(&r, audit.AttrParseError))
		}
	}
	records := parse.Records(t, []byte(event("git.push", `,"actor":"ada"`)+"\n"+event("git.push", `,"actor":"bob"`)+"\n"+event("git.push", `,"actor":"ada"`)))
	id := func(i int) string { return audittest.Text(&records[i], audit.AttrRecordID) }
	if id(0) == id(1) || id(0) != id(2) {
		t.Errorf("ids %s %s %s", id(0), id(1), id(2))
	}
}

// GitHub tells of what was done, save for attempts that have an action of their own,
// and requests to the API.
func TestOutcomes(t *testing.T) {
	for _, c := range [][4]string{
		{"repo.create", "", "success", ""}, {"user.failed_login", "", "failure", ""}, {"user.two_factor_challenge_failure", "", "failure", ""},
		{"user.forgot_password", "", "success", ""}, {"protected_branch.rejected_ref_update", "", "failure", ""},
		{"api.request", `,"status_code":200`, "success", ""}, {"api.request", `,"status_code":404`, "failure", "404"},
		{"api.request", `,"status_code":"503"`, "failure", "503"}, {"api.request", "", "unknown", ""}, {"api.request", `,"status_code":0`, "unknown", ""},
	} {
		audittest.Check(t, parse.One(t, event(c[0], c[1])), audit.AttrOutcome, c[2], audit.AttrErrorType, c[3])
	}
}

// A request to the API says with its method what it does.
func TestAPIRequest(t *testing.T) {
	for method, want := range map[string]string{"GET": "READ", "HEAD": "READ", "POST": "CREATE", "PUT": "UPDATE", "PATCH": "UPDATE", "DELETE": "DELETE", "": "OTHER"} {
		r := parse.One(t, event("api.request", `,"request_method":"`+method+`","url_path":"/orgs/acme/members?token=s3cret","status_code":200,"org":"acme"`))
		audittest.Check(t, r, audit.AttrAction, want, audit.AttrHTTPMethod, method, audit.AttrURLPath, "/orgs/acme/members", audit.AttrHTTPStatus, "200", audit.AttrOCSFClass, "6003")
	}
}

func TestActors(t *testing.T) {
	for members, want := range map[string][2]string{
		`"actor":"ada","actor_id":101`:                    {"101", "user"},
		`"actor":"ada"`:                                   {"ada", "user"},
		`"actor":"ada","actor_id":0`:                      {"ada", "user"},
		`"actor":"dependabot[bot]","actor_id":5`:          {"5", "service"},
		`"actor":"x","actor_id":5,"actor_is_bot":true`:    {"5", "service"},
		`"actor":"x","actor_id":5,"actor_is_bot":"false"`: {"5", "user"},
		`"actor":null,"actor_id":null`:                    {"github", "system"},
	} {
		audittest.Check(t, parse.One(t, event("x.y", ","+members)), audit.AttrActorID, want[0], audit.AttrActorType, want[1])
	}
}

// What the class is about comes first: the team whose members change, the user whose
// account or session it is.
func TestTargets(t *testing.T) {
	const ada = `,"actor":"ada","actor_id":1`
	for _, c := range [][3]string{
		{"team.add_member", ada + `,"user":"grace","user_id":2,"team":"acme/keepers","org":"acme"`, "acme/keepers 2 acme"},
		{"org.remove_member", ada + `,"user":"grace","user_id":2,"org":"acme"`, "2 acme"},
		{"user.login", ada, "1"}, {"user.login", ada + `,"user":"ada","user_id":1`, "1"}, {"user.failed_login", `,"actor":"ada"`, "ada"},
		{"two_factor_authentication.disabled", ada + `,"user":"ada"`, "1"}, {"org.sso_response", ada + `,"org":"acme"`, "1 acme"},
		{"repo.create", ada + `,"repo":"acme/x","org":"acme","business":"b"`, "acme/x acme b"}, {"repo.create", ada + `,"repository":"acme/x"`, "acme/x"},
		{"repo.create", ada, ""},
	} {
		r := parse.One(t, event(c[0], c[1]))
		got := audittest.Text(&r, audit.AttrTargetID)
		if v, ok := r.Get(audit.AttrTargets); ok {
			got = ""
			for i, m := range v.Maps {
				if i > 0 {
					got += " "
				}
				got += m[0].Value.Str
			}
		}
		if got != c[2] {
			t.Errorf("%s: targets %q, want %q", c[0], got, c[2])
		}
	}
}

// The actor's address is off by default, and of both versions.
func TestSources(t *testing.T) {
	for members, want := range map[string][2]string{
		``: {"", ""}, `,"actor_ip":null`: {"", ""}, `,"actor_ip":"203.0.113.7"`: {"203.0.113.7", "ipv4"}, `,"actor_ip":"2001:db8::7"`: {"2001:db8::7", "ipv6"},
		`,"actor_ip":"::ffff:203.0.113.7"`: {"203.0.113.7", "ipv4"},
	} {
		audittest.Check(t, parse.One(t, event("x.y", members)), audit.AttrClientAddress, want[0], audit.AttrSourceType, want[1])
	}
}

// Equal events of two organizations are two records.
func TestScopes(t *testing.T) {
	one, two := parse.One(t, event("x.y", `,"org":"acme"`)), parse.One(t, event("x.y", `,"org":"lab"`))
	if audittest.Text(&one, audit.AttrRecordID) == audittest.Text(&two, audit.AttrRecordID) || one.Resource == two.Resource {
		t.Errorf("%+v and %+v", one.Resource, two.Resource)
	}
}
