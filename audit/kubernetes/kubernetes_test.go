package kubernetes

import (
	"fmt"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/audittest"
)

var parse = audittest.Parse(func(data []byte, emit func(*audit.Record) error) (audit.Counts, error) {
	return ParseCluster("prod", data, emit)
})

func TestGolden(t *testing.T) { parse.Golden(t) }

func FuzzParse(f *testing.F) { parse.Fuzz(f) }

func BenchmarkParse(b *testing.B) { parse.Bench(b) }

// event is one with the given members beside those that each has.
func event(members ...string) string {
	all := `{"auditID":"id-1","stage":"ResponseComplete","requestReceivedTimestamp":"2026-03-01T10:00:00.000001Z"`
	for _, m := range members {
		all += "," + m
	}
	return all + "}"
}

// The Audit-ID is the client's to choose: who takes another request's must not be taken
// for its duplicate. The cluster and the stage count as well.
func TestReusedAuditID(t *testing.T) {
	seen := map[string]string{}
	for name, data := range map[string]string{
		"one":   event(`"verb":"get"`),
		"other": event(`"verb":"delete"`),
		"stage": strings.Replace(event(`"verb":"get"`), "Complete", "Started", 1),
	} {
		r := parse.One(t, data)
		audittest.Check(t, r, audit.AttrCorrelationID, "id-1")
		id := audittest.Text(&r, audit.AttrRecordID)
		if seen[id] != "" {
			t.Errorf("%s has the id of %s", name, seen[id])
		}
		seen[id] = name
	}
	r := audittest.Parse(Parse).One(t, event(`"verb":"get"`))
	if id := audittest.Text(&r, audit.AttrRecordID); seen[id] != "" {
		t.Error("the cluster does not count")
	}
	audittest.Check(t, r, audit.AttrK8sCluster, "")
	again := parse.One(t, event(`"verb":"get"`))
	if id := audittest.Text(&again, audit.AttrRecordID); seen[id] != "one" {
		t.Error("a copy has another id")
	}
}

// Only the last address is the server's own observation, however many the client wrote
// before it.
func TestForgedSource(t *testing.T) {
	forged := strings.Repeat(`"198.51.100.1",`, 100)
	r := parse.One(t, event(`"sourceIPs":[`+forged+`"203.0.113.20"]`))
	audittest.Check(t, r, audit.AttrClientAddress, "203.0.113.20", audit.AttrSourceID, "203.0.113.20")
	r = parse.One(t, event(`"sourceIPs":["198.51.100.1","203.0.113.20"]`))
	audittest.Check(t, r, audit.AttrClientAddress, "203.0.113.20", audit.AttrSourceChain, "198.51.100.1")
	r = parse.One(t, event(`"sourceIPs":["203.0.113.20"]`))
	audittest.Check(t, r, audit.AttrClientAddress, "203.0.113.20", audit.AttrSourceChain, "")
}

func TestOutcome(t *testing.T) {
	for _, tt := range []struct{ stage, members, outcome string }{
		{"RequestReceived", `"verb":"get"`, "unknown"},
		{"RequestReceived", `"responseStatus":{"code":200}`, "unknown"},
		{"ResponseStarted", `"responseStatus":{"code":101}`, "success"},
		{"ResponseStarted", `"responseStatus":{"code":200}`, "success"},
		{"ResponseComplete", `"responseStatus":{"code":399}`, "success"},
		{"ResponseComplete", `"responseStatus":{"code":400}`, "failure"},
		{"ResponseComplete", `"responseStatus":{"code":401}`, "failure"},
		{"ResponseComplete", `"responseStatus":{"code":403}`, "failure"},
		{"ResponseComplete", `"responseStatus":{"code":200},"annotations":{"authorization.k8s.io/decision":"forbid"}`, "failure"},
		{"ResponseComplete", `"responseStatus":{"status":"Failure"}`, "failure"},
		{"ResponseComplete", `"verb":"get"`, "unknown"},
		{"Panic", `"responseStatus":{"code":200}`, "failure"},
	} {
		r := parse.One(t, strings.Replace(event(tt.members), "ResponseComplete", tt.stage, 1))
		if got := audittest.Text(&r, audit.AttrOutcome); got != tt.outcome {
			t.Errorf("%s %s: %s, want %s", tt.stage, tt.members, got, tt.outcome)
		}
	}
}

// A review of a token is answered 201 whatever it finds.
func TestTokenReview(t *testing.T) {
	for status, want := range map[string]string{
		`{"user":{},"error":"expired"}`: "failure", `{"authenticated":true,"user":{"username":"ada"}}`: "success",
	} {
		r := parse.One(t, event(`"verb":"create","objectRef":{"resource":"tokenreviews","apiGroup":"authentication.k8s.io"},"responseStatus":{"code":201},"responseObject":{"status":`+status+`}`))
		audittest.Check(t, r, audit.AttrOutcome, want, audit.AttrOCSFType, "300299")
	}
}

func TestMeaning(t *testing.T) {
	const rbac, auth, authz = "rbac.authorization.k8s.io", "authentication.k8s.io", "authorization.k8s.io"
	for _, tt := range []struct{ verb, group, resource, sub, action, ocsf string }{
		{"create", "", "pods", "", "CREATE", "600301"},
		{"watch", "", "pods", "", "READ", "600302"},
		{"patch", "apps", "deployments", "scale", "UPDATE", "600303"},
		{"deletecollection", "", "pods", "", "DELETE", "600304"},
		{"create", "", "pods", "exec", "EXECUTE", "600399"},
		{"get", "", "pods", "exec", "EXECUTE", "600399"},
		{"get", "", "pods", "attach", "EXECUTE", "600399"},
		{"create", "", "pods", "portforward", "EXECUTE", "600399"},
		{"get", "", "nodes", "proxy", "EXECUTE", "600399"},
		{"get", "", "pods", "log", "READ", "600302"},
		{"create", "", "pods", "eviction", "DELETE", "600304"},
		{"create", "", "pods", "binding", "UPDATE", "600303"},
		{"create", "wardle.example.com", "flunders", "exec", "CREATE", "600301"},
		{"create", rbac, "roles", "", "CREATE", "300501"},
		{"delete", rbac, "clusterrolebindings", "", "DELETE", "300502"},
		{"patch", rbac, "rolebindings", "", "UPDATE", "300599"},
		{"list", rbac, "rolebindings", "", "READ", "600302"},
		{"create", "rbac.example.com", "roles", "", "CREATE", "600301"},
		{"create", "", "serviceaccounts", "", "CREATE", "300101"},
		{"update", "", "serviceaccounts", "", "UPDATE", "300199"},
		{"delete", "", "serviceaccounts", "", "DELETE", "300106"},
		{"get", "", "serviceaccounts", "", "READ", "600302"},
		{"create", "", "serviceaccounts", "token", "LOGIN", "300201"},
		{"create", auth, "tokenreviews", "", "EXECUTE", "300299"},
		{"create", auth, "selfsubjectreviews", "", "READ", "600302"},
		{"create", authz, "subjectaccessreviews", "", "READ", "600302"},
		{"frob", "", "pods", "", "OTHER", "600399"},
	} {
		r := parse.One(t, event(fmt.Sprintf(`"verb":%q,"objectRef":{"apiGroup":%q,"resource":%q,"subresource":%q}`, tt.verb, tt.group, tt.resource, tt.sub)))
		if action, ocsf := audittest.Text(&r, audit.AttrAction), audittest.Text(&r, audit.AttrOCSFType); action != tt.action || ocsf != tt.ocsf {
			t.Errorf("%s %s %s/%s: %s %s, want %s %s", tt.verb, tt.group, tt.resource, tt.sub, action, ocsf, tt.action, tt.ocsf)
		}
	}
}

func TestActor(t *testing.T) {
	for _, tt := range []struct{ user, id, kind string }{
		{`{"username":"ada@example.com","uid":"u-1"}`, "u-1", "user"},
		{`{"username":"system:anonymous"}`, "system:anonymous", "user"},
		{`{"username":"system:serviceaccount:ns:bot"}`, "system:serviceaccount:ns:bot", "service"},
		{`{"username":"system:node:n1"}`, "system:node:n1", "service"},
		{`{"username":"system:kube-scheduler"}`, "system:kube-scheduler", "system"},
		{`{}`, "", ""},
	} {
		audittest.Check(t, parse.One(t, event(`"user":`+tt.user)), audit.AttrActorID, tt.id, audit.AttrActorType, tt.kind)
	}
	r := parse.One(t, event(`"user":{"username":"ada"},"impersonatedUser":{"username":"root"}`))
	audittest.Check(t, r, audit.AttrActorID, "ada", audit.AttrActorDelegation, "root")
}

// An event within another's list of objects is no event, and a broken one costs only
// itself.
func TestBrokenNeighbour(t *testing.T) {
	good := event(`"verb":"get"`)
	data := `{"kind":"EventList","items":[` + good + `,{"level":"Request","auditID":"id-2","requestObject":{"items":[{"level":"x"}],"n":01}},` + good + `]}`
	records := parse.Records(t, []byte(data))
	if len(records) != 3 || records[0].Quarantined || !records[1].Quarantined || records[2].Quarantined {
		t.Fatalf("%d records", len(records))
	}
	// A string that is never closed: the next event is found, and not the next object.
	data = `{"items":[{"auditID":"id-2","x":"open,"subjects":[{"kind":"User"},{"kind":"Group"}]},` + good + `]}`
	records = parse.Records(t, []byte(data))
	if len(records) != 2 || !records[0].Quarantined || records[1].Quarantined {
		t.Fatalf("%d records behind an open string", len(records))
	}
}

// An empty list is what a server may send, and holds no event.
func TestEmptyList(t *testing.T) {
	if records := parse.Records(t, []byte(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[]}`)); len(records) != 0 {
		t.Errorf("%d records", len(records))
	}
}

// Keys count as they are written, and the first of two.
func TestKeys(t *testing.T) {
	r := parse.One(t, event(`"Verb":"delete","verb":"get","verb":"create"`))
	audittest.Check(t, r, audit.AttrOperation, "get", audit.AttrParseWarning, "a key occurs twice: the first one counts")
}

func TestTimes(t *testing.T) {
	r := parse.One(t, `{"auditID":"a","stage":"ResponseComplete","stageTimestamp":"2026-03-01T10:00:00.5Z"}`)
	if r.Time.IsZero() || audittest.Text(&r, audit.AttrParseWarning) == "" {
		t.Errorf("the stage's time is not taken, or not told: %v", r.Time)
	}
	r = parse.One(t, `{"auditID":"a","stage":"ResponseComplete"}`)
	if !r.Time.IsZero() || r.Quarantined || audittest.Text(&r, audit.AttrParseError) == "" {
		t.Errorf("an event without a time is not kept: %+v", r)
	}
}

func TestTruncated(t *testing.T) {
	r := parse.One(t, event(`"annotations":{"audit.k8s.io/truncated":"true"}`))
	audittest.Check(t, r, audit.AttrTruncated, "true")
}
