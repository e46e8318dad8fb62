package vault

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

// entry is a line about an operation on a path, with more members of the request.
func entry(kind, operation, path, members string) string {
	return `{"time":"2025-11-23T08:00:00.123456789Z","type":"` + kind + `","request":{"id":"r-1","operation":"` + operation + `","path":"` + path + `"` + members + `}}`
}

// with adds members to an object.
func with(object, members string) string { return strings.TrimSuffix(object, "}") + members + "}" }

func TestHostile(t *testing.T) {
	parse.Hostile(t, with(entry(response, "delete", "secret/x", `,"remote_address":"203.0.113.7"`), `,"auth":{"display_name":"root"}`), "type")
}

// A request's line and its answer have one id, and neither hides the other. Whatever a
// request's line says, only the answer has an outcome.
func TestRequestAndResponse(t *testing.T) {
	const failed = `,"error":"permission denied"`
	for _, c := range []struct{ members, want string }{{"", "success"}, {failed, "failure"}, {`,"error":""`, "success"}} {
		records := parse.Records(t, []byte(with(entry(request, "read", "secret/x", ""), c.members)+"\n"+with(entry(response, "read", "secret/x", ""), c.members)))
		if len(records) != 2 {
			t.Fatalf("%d records, want 2", len(records))
		}
		audittest.Check(t, records[0], audit.AttrPhase, "request", audit.AttrOutcome, "unknown", audit.AttrRequestID, "r-1")
		audittest.Check(t, records[1], audit.AttrPhase, "response", audit.AttrOutcome, c.want, audit.AttrRequestID, "r-1")
		if c.members == failed {
			audittest.Check(t, records[0], audit.AttrOutcomeReason, "permission denied")
			audittest.Check(t, records[1], audit.AttrOutcomeReason, "permission denied")
		}
		for _, key := range []string{audit.AttrRecordID, audit.AttrOriginalID} {
			if audittest.Text(&records[0], key) == audittest.Text(&records[1], key) {
				t.Errorf("both have the %s %q", key, audittest.Text(&records[0], key))
			}
		}
	}
}

// An answer may be an error without saying so at the top. Other data may have a member
// of that name.
func TestErrorInTheData(t *testing.T) {
	for data, want := range map[string]string{
		`{"error":"hmac-sha256:00"}`:                          "failure",
		`{"error":"no such user"}`:                            "failure",
		`{ "data" : {"x":[1]} , "error" : "hmac-sha256:00" }`: "failure",
		`{"error":"hmac-sha256:00","user":"hmac-sha256:11"}`:  "success",
		`{"data":{"error":"hmac-sha256:00"}}`:                 "success",
		`{"error":null}`:                                      "success",
		`{}`:                                                  "success",
		`null`:                                                "success",
	} {
		r := parse.One(t, with(entry(response, "update", "auth/userpass/login/ada", ""), `,"response":{"data":`+data+`}`))
		audittest.Check(t, r, audit.AttrOutcome, want)
		reason := ""
		if strings.Contains(data, "no such user") {
			reason = "no such user"
		}
		audittest.Check(t, r, audit.AttrOutcomeReason, reason)
	}
}

// Hashed values stay as they are.
func TestHashedValues(t *testing.T) {
	const accessor = "hmac-sha256:8b1e"
	r := parse.One(t, with(entry(response, "read", "secret/x", ""), `,"auth":{"accessor":"`+accessor+`","display_name":"root"}`))
	audittest.Check(t, r, audit.AttrActorCredentialID, accessor, audit.AttrActorID, "root")
	r = parse.One(t, entry(response, "read", "secret/x", `,"headers":{"user-agent":["hmac-sha256:77aa"]}`))
	audittest.Check(t, r, audit.AttrUserAgent, "hmac-sha256:77aa")
}

// What precedes the JSON on a line is no part of it, whatever it is, unless the line
// cannot be read.
func TestPrefixes(t *testing.T) {
	line := entry(response, "read", "secret/x", "")
	for _, prefix := range []string{"", "@cee: ", "<134>1 2025-11-23T08:00:00Z host vault 7 - - ", "vault: ", "é\xff ", "[vault] ", "vault[7]: {} "} {
		data := prefix + line + "\n" + prefix + line + "\n" + prefix + "{bad\n" + prefix + line + "\n"
		records := parse.Records(t, []byte(data))
		if len(records) != 4 {
			t.Fatalf("%q: %d records, want 4", prefix, len(records))
		}
		for i, r := range records {
			if bad := i == 2; r.Quarantined != bad || !bad && string(r.Body) != line {
				t.Errorf("%q: record %d is %q", prefix, i, r.Body)
			}
		}
		if body := string(records[2].Body); body != prefix+"{bad\n" {
			t.Errorf("the line that cannot be read is %q", body)
		}
	}
}

func TestTestMessage(t *testing.T) {
	r := parse.One(t, entry(request, "update", "sys/audit/test", ""))
	audittest.Check(t, r, audit.AttrActorID, "vault", audit.AttrActorType, "system", audit.AttrAction, "REPORT")
	if r.EventName != audit.EventSystem {
		t.Errorf("event name %s", r.EventName)
	}
}

func TestNotEntries(t *testing.T) {
	for _, data := range []string{`{"type":"audit","request":{"id":"1"}}`, `{"request":{"id":"1","path":"x"}}`, `{"type":"request"}`, `{"type":"request","request":null}`, `nonsense`, `<json:object/>`} {
		if r := parse.One(t, data); !r.Quarantined {
			t.Errorf("%s is taken", data)
		}
	}
}

func TestTimes(t *testing.T) {
	if ns := parse.One(t, entry(request, "read", "x", "")).Time.Nanosecond(); ns != 123456789 {
		t.Errorf("%d ns", ns)
	}
	// A device may be told to leave the time out.
	r := parse.One(t, `{"type":"request","request":{"id":"1","operation":"read","path":"x"}}`)
	audittest.Check(t, r, audit.AttrParseError, "time: missing")
	if r.Quarantined || !r.Time.IsZero() {
		t.Errorf("%+v", r)
	}
}

func TestSources(t *testing.T) {
	for members, want := range map[string][4]string{
		`"remote_address":"203.0.113.7","remote_port":51234`: {"203.0.113.7", "ipv4", "203.0.113.7", "51234"},
		`"remote_address":"2001:db8::7","remote_port":443`:   {"2001:db8::7", "ipv6", "2001:db8::7", "443"},
		`"remote_address":"203.0.113.7","remote_port":0`:     {"203.0.113.7", "ipv4", "203.0.113.7", ""},
		`"remote_address":"203.0.113.7","remote_port":70000`: {"203.0.113.7", "ipv4", "203.0.113.7", ""},
		`"remote_address":"@","remote_port":1`:               {"@", "", "", ""},
		`"x":1`:                                              {"", "", "", ""},
	} {
		r := parse.One(t, entry(request, "read", "x", ","+members))
		audittest.Check(t, r, audit.AttrSourceID, want[0], audit.AttrSourceType, want[1], audit.AttrClientAddress, want[2], audit.AttrClientPort, want[3])
	}
	r := parse.One(t, with(entry(request, "read", "x", `,"remote_address":"203.0.113.7"`), `,"forwarded_from":"198.51.100.2:8201"`))
	audittest.Check(t, r, audit.AttrSourceChain, "203.0.113.7 | 198.51.100.2:8201")
}

func TestNamespaces(t *testing.T) {
	for members, want := range map[string][2]string{
		`"namespace":{"id":"root"}`:                    {"root", "secret/x"},
		`"namespace":{"id":"n1","path":"team-a/dev/"}`: {"n1", "team-a/dev/secret/x"},
		`"x":1`: {"", "secret/x"},
	} {
		r := parse.One(t, entry(request, "read", "secret/x", ","+members))
		audittest.Check(t, r, audit.AttrTargetID, want[1])
		if r.Resource != (audit.Resource{Product: "Vault", AccountID: want[0], Stream: "audit"}) {
			t.Errorf("%s: %+v", members, r.Resource)
		}
	}
}

func TestActors(t *testing.T) {
	for members, want := range map[string][3]string{
		`"auth":{"display_name":"root","accessor":"a"}`:                                        {"root", "user", "root"},
		`"auth":{"entity_id":"e","display_name":"userpass-ada","metadata":{"username":"ada"}}`: {"e", "user", "ada"},
		`"auth":{"entity_id":"e","display_name":"approle"}`:                                    {"e", "service", "approle"},
		`"auth":{"entity_id":"e","display_name":"kubernetes-prod-app"}`:                        {"e", "service", "kubernetes-prod-app"},
		`"auth":{"entity_id":"e","display_name":"ci","metadata":{"role_name":"ci"}}`:           {"e", "service", "ci"},
		`"auth":{"accessor":"hmac-sha256:1"}`:                                                  {"hmac-sha256:1", "user", ""},
		`"auth":{"token_type":"default"}`:                                                      {"", "", ""},
		`"response":{"auth":{"entity_id":"e","display_name":"ldap-ada"}}`:                      {"e", "user", "ldap-ada"},
	} {
		r := parse.One(t, with(entry(response, "read", "x", ""), ","+members))
		audittest.Check(t, r, audit.AttrActorID, want[0], audit.AttrActorType, want[1], audit.AttrUserName, want[2])
	}
}

// OpenBao scans, and takes a login with a request: that is two requests, and the second
// one is the user's, though its token has no accessor.
func TestOpenBao(t *testing.T) {
	const scan = `,"namespace":{"id":"7uPe2x","path":"team-b/"},"mount_running_version":"v2.6.1+builtin.bao"`
	who := `,"auth":{"client_token":"hmac-sha256:0a","display_name":"userpass-grace","entity_id":"e-1","metadata":{"username":"grace"},"token_type":"batch"}`
	r := parse.One(t, with(entry(response, "scan", "secret/metadata/", scan), who))
	audittest.Check(t, r, audit.AttrAction, "READ", audit.AttrOutcome, "success", audit.AttrTargetID, "team-b/secret/metadata/", audit.AttrAPIVersion, "v2.6.1+builtin.bao",
		audit.AttrActorID, "e-1", audit.AttrUserName, "grace", audit.AttrActorCredentialID, "")
	r = parse.One(t, with(entry(response, "update", "auth/userpass/login/grace", ""), `,"response":`+strings.Replace(who[1:], `"auth"`, `{"auth"`, 1)+"}"))
	audittest.Check(t, r, audit.AttrAction, "LOGIN", audit.AttrActorID, "e-1", audit.AttrTargetName, "grace")
	if r.Resource.Product != "Vault" {
		t.Errorf("product %s", r.Resource.Product)
	}
}

// A copy of a line is the same record. Two devices hash with keys of their own, and may
// hold different lines: what each of them wrote is kept.
func TestCopies(t *testing.T) {
	line := func(key string) string {
		return entry(response, "read", "secret/x", `,"client_token":"hmac-sha256:`+key+`"`)
	}
	ids := map[string]bool{}
	for _, r := range parse.Records(t, []byte(line("00")+"\n"+line("00")+"\n"+line("11")+"\n")) {
		ids[audittest.Text(&r, audit.AttrRecordID)] = true
	}
	if len(ids) != 2 {
		t.Errorf("%d ids, want 2", len(ids))
	}
}
