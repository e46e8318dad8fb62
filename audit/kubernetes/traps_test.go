package kubernetes

import (
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/audittest"
)

func TestHostile(t *testing.T) {
	parse.Hostile(t, event(`"verb":"delete","objectRef":{"resource":"pods","name":"p"},"responseStatus":{"code":403}`), "auditID")
}

// What the client wrote before the last address cannot hide it.
func TestForgedSourceCannotHide(t *testing.T) {
	for _, forged := range []string{`"a\"b"`, `""`, `null`, `7`, `["198.51.100.1"]`, `{"x":1}`} {
		r := parse.One(t, event(`"sourceIPs":[`+forged+`,"203.0.113.20"]`))
		audittest.Check(t, r, audit.AttrClientAddress, "203.0.113.20")
	}
	r := parse.One(t, event(`"sourceIPs":["198.51.100.1","\u0032\u0030\u0033.0.113.20"]`))
	audittest.Check(t, r, audit.AttrClientAddress, "203.0.113.20", audit.AttrSourceChain, "198.51.100.1")
	for _, none := range []string{`[]`, `null`, `{}`, `"203.0.113.20"`, `[null]`} {
		audittest.Check(t, parse.One(t, event(`"sourceIPs":`+none)), audit.AttrSourceID, "", audit.AttrSourceChain, "")
	}
}

// Who is impersonated, and the groups that come with it, are told; the actor stays who
// asked.
func TestImpersonatedGroups(t *testing.T) {
	r := parse.One(t, event(`"user":{"username":"ada","uid":"u-1","groups":["dev"]},"impersonatedUser":{"username":"x","uid":"u-2","groups":["system:masters"]}`))
	audittest.Check(t, r, audit.AttrActorID, "u-1", audit.AttrUserName, "ada", audit.AttrActorDelegation, "x", audit.AttrUserRoles, "dev | system:masters")
}

// A session in a container has begun with 101, whatever the stage.
func TestSwitchingProtocols(t *testing.T) {
	for _, stage := range []string{"ResponseStarted", "ResponseComplete"} {
		r := parse.One(t, strings.Replace(event(`"verb":"create","objectRef":{"resource":"pods","name":"p","subresource":"exec"},"responseStatus":{"code":101}`), "ResponseComplete", stage, 1))
		audittest.Check(t, r, audit.AttrOutcome, "success", audit.AttrHTTPStatus, "101", audit.AttrPhase, stage, audit.AttrAction, "EXECUTE", audit.AttrErrorType, "")
	}
}

// The events about one request are all kept, and meet by its id.
func TestStages(t *testing.T) {
	one := event(`"verb":"get"`)
	data := ""
	for _, stage := range []string{"RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"} {
		data += strings.Replace(one, "ResponseComplete", stage, 1) + "\n"
	}
	ids := map[string]bool{}
	for _, r := range parse.Records(t, []byte(data)) {
		audittest.Check(t, r, audit.AttrCorrelationID, "id-1", audit.AttrRequestID, "id-1")
		ids[audittest.Text(&r, audit.AttrRecordID)] = true
	}
	if len(ids) != 4 {
		t.Errorf("%d records, want 4", len(ids))
	}
	again := parse.Records(t, []byte(one+"\n"+one+"\n")) // a batch that was sent again
	if len(again) != 2 || audittest.Text(&again[0], audit.AttrRecordID) != audittest.Text(&again[1], audit.AttrRecordID) {
		t.Error("a copy has another id, or is lost")
	}
}

// Secrets in the objects of a request stay in the body.
func TestSecretsStayInTheBody(t *testing.T) {
	r := parse.One(t, event(`"verb":"create","objectRef":{"resource":"secrets","namespace":"n","name":"s"},"requestURI":"/api/v1/namespaces/n/secrets?token=c2VjcmV0","requestObject":{"data":{"p":"c2VjcmV0"}},"responseObject":{"status":{"token":"c2VjcmV0"}}`))
	for _, a := range r.Attributes {
		if strings.Contains(audittest.Text(&r, a.Key), "c2VjcmV0") {
			t.Errorf("%s holds the secret", a.Key)
		}
	}
}

// The log's legacy form is no JSON: its lines are kept as they are.
func TestLegacyText(t *testing.T) {
	const line = `2026-03-01T10:00:00.000001Z AUDIT: id="id-1" stage="ResponseComplete" ip="203.0.113.20" method="get" user="ada"`
	records := parse.Records(t, []byte(line+"\n"+event(`"verb":"get"`)+"\n"))
	if len(records) != 2 || !records[0].Quarantined || records[1].Quarantined {
		t.Fatalf("%d records", len(records))
	}
	if body := strings.TrimSpace(string(records[0].Body)); body != line {
		t.Errorf("body %q", body)
	}
}
