package gcp

import (
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/audittest"
)

// However long a list of permissions is, each one of them counts.
func TestDeniedBehindMany(t *testing.T) {
	granted := strings.Repeat(`{"permission":"a","granted":true},`, 100)
	r := parse.One(t, entryOf("activity", `"status":{},"authorizationInfo":[`+granted+`{"granted":false,"permission":"b.\u0063"}]`))
	audittest.Check(t, r, audit.AttrOutcome, "failure", audit.AttrOutcomeReason, "not granted: b.c")
	r = parse.One(t, entryOf("activity", `"status":{},"authorizationInfo":[`+granted+`{"granted":true}]`))
	audittest.Check(t, r, audit.AttrOutcome, "success")
}

// Google's JSON leaves out what is false.
func TestGrantedLeftOut(t *testing.T) {
	for list, want := range map[string]string{
		`[{"permission":"a","granted":true},{"permission":"b","resource":"r"}]`: "failure",
		`[{"permission":"a","granted":null}]`:                                   "failure",
		`[{"permission":"a","granted":"false"}]`:                                "failure",
		`[{"resource":"r"}]`:                                                    "success",
		`[]`:                                                                    "success", `null`: "success", `{"granted":false}`: "success",
	} {
		audittest.Check(t, parse.One(t, entryOf("activity", `"status":{},"authorizationInfo":`+list)), audit.AttrOutcome, want)
	}
}

// A permission that is granted and is not is told.
func TestGrantedTwice(t *testing.T) {
	r := parse.One(t, entryOf("activity", `"authorizationInfo":[{"permission":"a","granted":true,"granted":false}]`))
	audittest.Check(t, r, audit.AttrParseWarning, "a key occurs twice: the first one counts")
}

// A change of policy that gives and takes is neither, however long.
func TestManyDeltas(t *testing.T) {
	adds := strings.Repeat(`{"action":"ADD","role":"r","member":"user:a"},`, 100)
	const policy = `"methodName":"SetIamPolicy","serviceData":{"policyDelta":{"bindingDeltas":[`
	audittest.Check(t, parse.One(t, entryOf("activity", policy+adds+`{"action":"REMOVE"}]}}`)), audit.AttrOCSFType, "300599")
	audittest.Check(t, parse.One(t, entryOf("activity", policy+adds+`{"action":"ADD"}]}}`)), audit.AttrOCSFType, "300501")
}

// What the cluster answered counts, as in its own log.
func TestKubernetesAnswer(t *testing.T) {
	const call = `"serviceName":"k8s.io","methodName":"io.k8s.core.v1.pods.create","resourceName":"core/v1/namespaces/n/pods/p"`
	for answer, want := range map[string]string{
		`{"@type":"core.k8s.io/v1.Status","code":403,"status":"Failure"}`: "failure",
		`{"@type":"core.k8s.io/v1.Status","code":201}`:                    "success",
		`{"@type":"core.k8s.io/v1.Pod"}`:                                  "success",
	} {
		audittest.Check(t, parse.One(t, entryOf("activity", call+`,"response":`+answer)), audit.AttrOutcome, want)
	}
}

// The parts of one entry of an operation meet by their entry, its entries by the operation.
func TestSplitOfOperation(t *testing.T) {
	r := parse.One(t, entryOf("activity", `"methodName":"m","status":{}`, `"operation":{"id":"o","first":true},"split":{"uid":"u","index":0,"totalSplits":2}`))
	audittest.Check(t, r, audit.AttrOutcome, "unknown", audit.AttrPhase, "first")
	if !strings.Contains(audittest.Text(&r, audit.AttrParseWarning), "split entry u") {
		t.Errorf("the entry of which it is a part is not named: %q", audittest.Text(&r, audit.AttrParseWarning))
	}
}

func TestHostile(t *testing.T) {
	parse.Hostile(t, entryOf("activity", `"serviceName":"x","methodName":"get","status":{"code":7}`), "insertId")
}

// An escape may be written in either case.
func TestLogName(t *testing.T) {
	r := parse.One(t, strings.Replace(entryOf("data_access", `"methodName":"m"`), "%2F", "%2f", 1))
	audittest.Check(t, r, audit.AttrCategory, "data_access")
	if r.Resource.Stream != "data_access" {
		t.Errorf("stream %q", r.Resource.Stream)
	}
}

// The records of one delivery belong to the projects, regions and logs that they name.
// A path may hold secrets behind a question mark: the body alone repeats them.
func TestSecretsStayInTheBody(t *testing.T) {
	r := parse.One(t, entryOf("activity", `"methodName":"m.Get","requestMetadata":{"requestAttributes":{"method":"GET","path":"/v1/things?key=s3cret"}}`, `"a":1`))
	audittest.Check(t, r, audit.AttrHTTPMethod, "GET", audit.AttrURLPath, "/v1/things")
	for _, a := range r.Attributes {
		if strings.Contains(audittest.Text(&r, a.Key), "s3cret") {
			t.Errorf("%s holds the secret", a.Key)
		}
	}
}

func TestMixedResources(t *testing.T) {
	labels := func(project, zone string) string {
		return `"resource":{"labels":{"project_id":"` + project + `","zone":"` + zone + `"}}`
	}
	records := parse.Records(t, []byte(entryOf("activity", `"methodName":"m"`, labels("p1", "europe-west1-b"))+"\n"+entryOf("data_access", `"methodName":"m"`, labels("p2", "us-east1-c"))))
	for i, want := range []audit.Resource{
		{Provider: "gcp", Product: format.Product, AccountID: "p1", Region: "europe-west1", Stream: "activity"},
		{Provider: "gcp", Product: format.Product, AccountID: "p2", Region: "us-east1", Stream: "data_access"},
	} {
		if records[i].Resource != want {
			t.Errorf("record %d belongs to %+v", i, records[i].Resource)
		}
	}
}

// A copy is the same record; the time of receipt is Google's, and makes another one.
func TestCopies(t *testing.T) {
	a := entryOf("activity", `"methodName":"m"`)
	records := parse.Records(t, []byte(a+"\n"+a+"\n"))
	if len(records) != 2 || audittest.Text(&records[0], audit.AttrRecordID) != audittest.Text(&records[1], audit.AttrRecordID) {
		t.Error("a copy has another id, or is lost")
	}
}
