package gcp

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/audittest"
	"github.com/otelcol-custody/custody/audit/kubernetes"
)

var parse = audittest.Parse(Parse)

func TestGolden(t *testing.T) { parse.Golden(t) }

func FuzzParse(f *testing.F) { parse.Fuzz(f) }

func BenchmarkParse(b *testing.B) { parse.Bench(b) }

// entry is one of the given log, with members of its payload and of itself.
func entryOf(log, payload string, members ...string) string {
	all := `{"insertId":"i","logName":"projects/p/logs/cloudaudit.googleapis.com%2F` + log + `","timestamp":"2026-03-01T10:00:00Z"`
	for _, m := range members {
		all += "," + m
	}
	return all + `,"protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog",` + payload + `}}`
}

func TestCategories(t *testing.T) {
	for log, want := range map[string]string{"activity": "admin_activity", "data_access": "data_access", "system_event": "system_event", "policy": "policy_denied"} {
		r := parse.One(t, entryOf(log, `"serviceName":"x.googleapis.com"`))
		audittest.Check(t, r, audit.AttrCategory, want)
		if r.Resource != (audit.Resource{Provider: "gcp", Product: "Google Cloud Audit Logs", AccountID: "p", Stream: log}) {
			t.Errorf("%s: resource %+v", log, r.Resource)
		}
		if (r.EventName == audit.EventSystem) != (log == "system_event") {
			t.Errorf("%s: event name %s", log, r.EventName)
		}
	}
}

func TestOutcome(t *testing.T) {
	const denied = `"authorizationInfo":[{"granted":true,"permission":"a"},{"permission":"b","granted":false}]`
	for _, tt := range []struct{ log, payload, member, outcome, code, reason string }{
		{"activity", `"status":{}`, `"a":1`, "success", "", ""},
		{"activity", `"methodName":"m"`, `"a":1`, "success", "", ""},
		{"activity", `"status":{"code":0}`, `"a":1`, "success", "", ""},
		{"activity", `"status":{"code":7,"message":"no"}`, `"a":1`, "failure", "7", "no"},
		// Not granted, though the status is 0.
		{"activity", `"status":{"code":0},` + denied, `"a":1`, "failure", "", "not granted: b"},
		{"activity", denied, `"a":1`, "failure", "", "not granted: b"},
		// A text without a code is no failure.
		{"system_event", `"status":{"message":"migrated"}`, `"a":1`, "success", "", "migrated"},
		{"policy", `"metadata":{"violationReason":"NO_MATCHING_ACCESS_LEVEL"}`, `"a":1`, "failure", "", "NO_MATCHING_ACCESS_LEVEL"},
		{"policy", `"metadata":{"dryRun":true},"status":{"code":7,"message":"(Dry Run Mode)"}`, `"a":1`, "unknown", "7", "(Dry Run Mode)"},
		// An operation's end tells how it went, its beginning only if it did not begin.
		{"activity", `"status":{}`, `"operation":{"id":"o","first":true}`, "unknown", "", ""},
		{"activity", `"status":{"code":3}`, `"operation":{"id":"o","first":true}`, "failure", "3", ""},
		{"activity", `"status":{}`, `"operation":{"id":"o","last":true}`, "success", "", ""},
		{"activity", `"status":{}`, `"operation":{"id":"o","first":true,"last":true}`, "success", "", ""},
		// A part of an entry may be one without the status.
		{"activity", `"methodName":"m"`, `"split":{"uid":"u","totalSplits":2}`, "unknown", "", ""},
		{"activity", `"status":{}`, `"split":{"uid":"u","totalSplits":2}`, "success", "", ""},
		{"activity", `"serviceName":"login.googleapis.com","methodName":"google.login.LoginService.loginFailure"`, `"a":1`, "failure", "", ""},
		{"activity", `"serviceName":"login.googleapis.com","methodName":"google.login.LoginService.loginSuccess"`, `"a":1`, "success", "", ""},
	} {
		t.Run(tt.payload, func(t *testing.T) {
			audittest.Check(t, parse.One(t, entryOf(tt.log, tt.payload, tt.member)),
				audit.AttrOutcome, tt.outcome, audit.AttrErrorType, tt.code, audit.AttrOutcomeReason, tt.reason)
		})
	}
}

func TestSource(t *testing.T) {
	for _, tt := range []struct{ log, ip, id, kind, client string }{
		{"activity", `"203.0.113.7"`, "203.0.113.7", "ipv4", "203.0.113.7"},
		{"activity", `"2001:db8::1"`, "2001:db8::1", "ipv6", "2001:db8::1"},
		{"activity", `"private"`, "private", "redacted", ""},
		{"activity", `"gce-internal-ip"`, "gce-internal-ip", "redacted", ""},
		{"activity", `""`, "", "redacted", ""},
		{"system_event", `""`, "", "", ""},
	} {
		audittest.Check(t, parse.One(t, entryOf(tt.log, `"requestMetadata":{"callerIp":`+tt.ip+`}`)),
			audit.AttrSourceID, tt.id, audit.AttrSourceType, tt.kind, audit.AttrClientAddress, tt.client)
	}
}

func TestActor(t *testing.T) {
	for _, tt := range []struct{ log, info, id, kind string }{
		{"activity", `"principalEmail":"ada@example.com"`, "ada@example.com", "user"},
		{"activity", `"principalEmail":"x@p.iam.gserviceaccount.com"`, "x@p.iam.gserviceaccount.com", "service"},
		{"activity", `"principalSubject":"principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/ci/subject/s"`,
			"principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/ci/subject/s", "service"},
		{"system_event", `"principalEmail":"system@google.com"`, "system@google.com", "system"},
		{"system_event", `"a":1`, "compute.googleapis.com", "system"},
		{"policy", `"a":1`, "", ""},
	} {
		r := parse.One(t, entryOf(tt.log, `"serviceName":"compute.googleapis.com","authenticationInfo":{`+tt.info+`}`))
		audittest.Check(t, r, audit.AttrActorID, tt.id, audit.AttrActorType, tt.kind)
	}
	r := parse.One(t, entryOf("activity", `"authenticationInfo":{"principalSubject":"principal://iam.googleapis.com/locations/global/workforcePools/staff/subject/ada"}`))
	audittest.Check(t, r, audit.AttrActorIDP, "locations/global/workforcePools/staff", audit.AttrActorType, "user")
}

// The order of delegation is Google's: who began it is the first.
func TestDelegation(t *testing.T) {
	r := parse.One(t, entryOf("activity", `"authenticationInfo":{"principalEmail":"c","serviceAccountDelegationInfo":[
		{"principalSubject":"user:a"},{"firstPartyPrincipal":{"principalEmail":"b@example.com"}},{"thirdPartyPrincipal":{"thirdPartyClaims":{"sub":"t"}}}]}`))
	audittest.Check(t, r, audit.AttrActorDelegation, "user:a | b@example.com | t")
}

// The parts of an entry are kept, and name what they are parts of.
func TestSplit(t *testing.T) {
	first := parse.One(t, entryOf("activity", `"methodName":"m"`, `"split":{"uid":"u","totalSplits":2}`))
	second := parse.One(t, entryOf("activity", `"methodName":"m"`, `"split":{"uid":"u","index":1,"totalSplits":2}`))
	audittest.Check(t, first, audit.AttrCorrelationID, "u", audit.AttrParseWarning, "part 1 of 2 of the split entry u")
	audittest.Check(t, second, audit.AttrCorrelationID, "u", audit.AttrParseWarning, "part 2 of 2 of the split entry u")
	if audittest.Text(&first, audit.AttrRecordID) == audittest.Text(&second, audit.AttrRecordID) {
		t.Error("two parts have one id")
	}
}

// The insertId does not bind the content; the record's id does.
func TestReusedInsertID(t *testing.T) {
	a := parse.One(t, entryOf("activity", `"methodName":"a"`))
	b := parse.One(t, entryOf("activity", `"methodName":"b"`))
	if audittest.Text(&a, audit.AttrOriginalID) != audittest.Text(&b, audit.AttrOriginalID) || audittest.Text(&a, audit.AttrRecordID) == audittest.Text(&b, audit.AttrRecordID) {
		t.Error("the id does not bind the content")
	}
}

// What is ahead of Google's own clock stays as it is, and is told.
func TestFutureTimestamp(t *testing.T) {
	r := parse.One(t, entryOf("activity", `"methodName":"m"`, `"receiveTimestamp":"2026-02-28T10:00:00Z"`))
	if r.Time.Format("2006-01-02") != "2026-03-01" || !strings.Contains(audittest.Text(&r, audit.AttrParseWarning), "ahead") {
		t.Errorf("time %v, warning %q", r.Time, audittest.Text(&r, audit.AttrParseWarning))
	}
	r = parse.One(t, entryOf("activity", `"methodName":"m"`, `"receiveTimestamp":"2026-03-01T10:00:01Z"`))
	audittest.Check(t, r, audit.AttrParseWarning, "")
}

// Google writes 64-bit numbers as strings; as numbers they are exact as well.
func TestLargeNumbers(t *testing.T) {
	for _, n := range []string{`"9007199254740993"`, `9007199254740993`} {
		r := parse.One(t, entryOf("activity", `"methodName":"m"`, `"resource":{"type":"t","labels":{"project_id":`+n+`}}`))
		if r.Resource.AccountID != "9007199254740993" {
			t.Errorf("%s became %s", n, r.Resource.AccountID)
		}
	}
}

func TestMeaning(t *testing.T) {
	for _, tt := range []struct{ service, method, more, action, ocsf string }{
		{"cloudresourcemanager.googleapis.com", "SetIamPolicy", "", "UPDATE", "300599"},
		{"iam.googleapis.com", "google.iam.admin.v1.SetIAMPolicy", "", "UPDATE", "300599"},
		{"storage.googleapis.com", "storage.setIamPermissions", "", "UPDATE", "300599"},
		{"compute.googleapis.com", "v1.compute.disks.setIamPolicy", "", "UPDATE", "300599"},
		{"x", "SetIamPolicy", `[{"action":"ADD"},{"action":"ADD"}]`, "UPDATE", "300501"},
		{"x", "SetIamPolicy", `[{"action":"REMOVE"}]`, "UPDATE", "300502"},
		{"x", "SetIamPolicy", `[{"action":"REMOVE"},{"action":"ADD"}]`, "UPDATE", "300599"},
		{"login.googleapis.com", "google.login.LoginService.loginSuccess", "", "LOGIN", "300201"},
		{"login.googleapis.com", "google.login.LoginService.logout", "", "LOGOUT", "300202"},
		{"login.googleapis.com", "google.login.LoginService.2svDisable", "", "UPDATE", "300111"},
		{"admin.googleapis.com", "google.admin.AdminService.addGroupMember", "", "UPDATE", "300603"},
		{"admin.googleapis.com", "google.admin.AdminService.removeGroupMember", "", "UPDATE", "300604"},
		{"admin.googleapis.com", "google.admin.AdminService.assignRole", "", "UPDATE", "300501"},
		{"cloudidentity.googleapis.com", "google.apps.cloudidentity.groups.v1.MembershipsService.CreateMembership", "", "UPDATE", "300603"},
		{"iam.googleapis.com", "google.iam.admin.v1.CreateServiceAccount", "", "CREATE", "300101"},
		{"iam.googleapis.com", "google.iam.admin.v1.DeleteServiceAccount", "", "DELETE", "300106"},
		{"iam.googleapis.com", "google.iam.admin.v1.CreateServiceAccountKey", "", "CREATE", "300199"},
		{"iamcredentials.googleapis.com", "GenerateAccessToken", "", "LOGIN", "300201"},
		{"storage.googleapis.com", "storage.objects.get", "", "READ", "600302"},
		{"compute.googleapis.com", "v1.compute.instances.insert", "", "CREATE", "600301"},
		{"compute.googleapis.com", "beta.compute.instances.setMetadata", "", "UPDATE", "600303"},
		{"firestore.googleapis.com", "google.firestore.v1.Firestore.BatchGetDocuments", "", "READ", "600302"},
		{"x", "google.x.v1.Y.Frobnicate", "", "OTHER", "600399"},
	} {
		payload := fmt.Sprintf(`"serviceName":%q,"methodName":%q`, tt.service, tt.method)
		if tt.more != "" {
			payload += `,"serviceData":{"policyDelta":{"bindingDeltas":` + tt.more + `}}`
		}
		r := parse.One(t, entryOf("activity", payload))
		if action, ocsf := audittest.Text(&r, audit.AttrAction), audittest.Text(&r, audit.AttrOCSFType); action != tt.action || ocsf != tt.ocsf {
			t.Errorf("%s: %s %s, want %s %s", tt.method, action, ocsf, tt.action, tt.ocsf)
		}
	}
}

// A name that says nothing is read by the kind of permission.
func TestPermissionType(t *testing.T) {
	for kind, want := range map[string]string{"ADMIN_READ": "READ", "DATA_READ": "READ", "ADMIN_WRITE": "UPDATE", "DATA_WRITE": "UPDATE"} {
		r := parse.One(t, entryOf("activity", `"methodName":"a.Frobnicate","authorizationInfo":[{"permissionType":"ADMIN_READ"},{"permissionType":"`+kind+`"}]`))
		audittest.Check(t, r, audit.AttrAction, want)
	}
}

// The same call has one meaning, whether the cluster tells of it or GKE.
func TestUnifiedWithKubernetes(t *testing.T) {
	for _, tt := range []struct{ verb, group, version, resource, sub, namespace, name, method, path string }{
		{"create", "", "v1", "pods", "", "shop", "web", "io.k8s.core.v1.pods.create", "core/v1/namespaces/shop/pods/web"},
		{"create", "", "v1", "pods", "exec", "shop", "web", "io.k8s.core.v1.pods.exec.create", "core/v1/namespaces/shop/pods/web/exec"},
		{"get", "", "v1", "pods", "attach", "shop", "web", "io.k8s.core.v1.pods.attach.get", "core/v1/namespaces/shop/pods/web/attach"},
		{"list", "", "v1", "pods", "", "shop", "", "io.k8s.core.v1.pods.list", "core/v1/namespaces/shop/pods"},
		{"list", "", "v1", "nodes", "", "", "", "io.k8s.core.v1.nodes.list", "core/v1/nodes"},
		{"patch", "apps", "v1", "deployments", "scale", "shop", "web", "io.k8s.apps.v1.deployments.scale.patch", "apps/v1/namespaces/shop/deployments/web/scale"},
		{"delete", "", "v1", "namespaces", "", "shop", "shop", "io.k8s.core.v1.namespaces.delete", "core/v1/namespaces/shop"},
		{"update", "", "v1", "namespaces", "finalize", "shop", "shop", "io.k8s.core.v1.namespaces.finalize.update", "core/v1/namespaces/shop/finalize"},
		{"create", "rbac.authorization.k8s.io", "v1", "clusterrolebindings", "", "", "b", "io.k8s.authorization.rbac.v1.clusterrolebindings.create", "rbac.authorization.k8s.io/v1/clusterrolebindings/b"},
		{"delete", "rbac.authorization.k8s.io", "v1", "roles", "", "shop", "r", "io.k8s.authorization.rbac.v1.roles.delete", "rbac.authorization.k8s.io/v1/namespaces/shop/roles/r"},
		{"create", "", "v1", "serviceaccounts", "", "shop", "bot", "io.k8s.core.v1.serviceaccounts.create", "core/v1/namespaces/shop/serviceaccounts/bot"},
		{"create", "", "v1", "serviceaccounts", "token", "shop", "bot", "io.k8s.core.v1.serviceaccounts.token.create", "core/v1/namespaces/shop/serviceaccounts/bot/token"},
		{"create", "authentication.k8s.io", "v1", "tokenreviews", "", "", "", "io.k8s.authentication.v1.tokenreviews.create", "authentication.k8s.io/v1/tokenreviews"},
		{"create", "networking.gke.io", "v1", "managedcertificates", "", "shop", "c", "io.gke.networking.v1.managedcertificates.create", "networking.gke.io/v1/namespaces/shop/managedcertificates/c"},
	} {
		own := audittest.Parse(func(data []byte, emit func(*audit.Record) error) (audit.Counts, error) {
			return kubernetes.ParseCluster("prod", data, emit)
		}).One(t, fmt.Sprintf(`{"auditID":"a","stage":"ResponseComplete","verb":%q,"objectRef":{"apiGroup":%q,"apiVersion":%q,"resource":%q,"subresource":%q,"namespace":%q,"name":%q}}`,
			tt.verb, tt.group, tt.version, tt.resource, tt.sub, tt.namespace, tt.name))
		gke := parse.One(t, entryOf("activity", fmt.Sprintf(`"serviceName":"k8s.io","methodName":%q,"resourceName":%q`, tt.method, tt.path), `"resource":{"labels":{"cluster_name":"prod"}}`))
		if own.EventName != gke.EventName {
			t.Errorf("%s: %s and %s", tt.method, own.EventName, gke.EventName)
		}
		for _, key := range []string{audit.AttrAction, audit.AttrOCSFType, audit.AttrTargetID, audit.AttrTargetType, audit.AttrTargetName,
			audit.AttrService, audit.AttrAPIVersion, audit.AttrK8sNamespace, audit.AttrK8sCluster} {
			if a, b := audittest.Text(&own, key), audittest.Text(&gke, key); a != b {
				t.Errorf("%s: %s is %q and %q", tt.method, key, a, b)
			}
		}
	}
}

func TestSecondFactor(t *testing.T) {
	for parameter, want := range map[string]string{
		`{"name":"login_challenge_method","multiStrValue":["password"]}`:                "false",
		`{"name":"login_challenge_method","multiStrValue":["password","security_key"]}`: "true",
		`{"name":"login_challenge_method","multiStrValue":["none"]}`:                    "",
		`{"name":"is_second_factor","boolValue":true}`:                                  "true",
		`{"name":"login_type","value":"saml"}`:                                          "",
	} {
		r := parse.One(t, entryOf("data_access", `"serviceName":"login.googleapis.com","methodName":"google.login.LoginService.loginSuccess","metadata":{"event":[{"parameter":[`+parameter+`]}]}`))
		audittest.Check(t, r, audit.AttrSessionMFA, want)
	}
}

// The cluster's own decision counts, and a session that has begun has worked.
func TestKubernetesOutcome(t *testing.T) {
	for member, want := range map[string]string{
		`"labels":{"authorization.k8s.io/decision":"forbid","authorization.k8s.io/reason":"no"}`: "failure",
		`"labels":{"authorization.k8s.io/decision":"allow"}`:                                     "success",
		`"operation":{"id":"a","first":true,"producer":"k8s.io"}`:                                "success",
	} {
		r := parse.One(t, entryOf("activity", `"serviceName":"k8s.io","methodName":"io.k8s.core.v1.pods.exec.create","resourceName":"core/v1/namespaces/n/pods/p/exec"`, member))
		audittest.Check(t, r, audit.AttrOutcome, want, audit.AttrAction, "EXECUTE")
	}
}

// Keys count as they are written, and the first of two; in a message, too.
func TestKeys(t *testing.T) {
	entry := entryOf("activity", `"MethodName":"x","methodName":"get","methodName":"delete"`)
	message := `{"message":{"data":"` + base64.StdEncoding.EncodeToString([]byte(entry)) + `"}}`
	for _, data := range []string{entry, message} {
		audittest.Check(t, parse.One(t, data), audit.AttrOperation, "get", audit.AttrParseWarning, "a key occurs twice: the first one counts")
	}
}

// In a message the entry's own bytes are the body: the record has the same id however
// the entry came.
func TestPubSub(t *testing.T) {
	entry := entryOf("activity", `"methodName":"m"`)
	data := base64.StdEncoding.EncodeToString([]byte(entry))
	alone := parse.One(t, entry)
	for _, envelope := range []string{
		`{"message":{"data":"` + data + `","messageId":"1"},"subscription":"s"}`,
		`{"subscription":"s","message":{"messageId":"1","data":"` + data + `"}}`,
		`{"receivedMessages":[{"ackId":"a","message":{"data":"` + data + `"}}]}`,
		`{"data":"` + data + `","messageId":"1"}`,
		`[{"message":{"data":"` + data + `"}}]`,
	} {
		r := parse.One(t, envelope)
		if string(r.Body) != entry || r.Quarantined {
			t.Errorf("%s: body %s", envelope, r.Body)
		}
		audittest.Check(t, r, audit.AttrRecordID, audittest.Text(&alone, audit.AttrRecordID), audit.AttrOperation, "m")
	}
}

// What is no audit log is kept with all that is around it, and says why.
func TestQuarantined(t *testing.T) {
	message := func(data string) string {
		return `{"message":{"data":"` + base64.StdEncoding.EncodeToString([]byte(data)) + `","messageId":"1"}}`
	}
	for data, why := range map[string]string{
		`{"insertId":"a","textPayload":"hello"}`:                              "it has a textPayload",
		`{"insertId":"a","jsonPayload":{"a":1}}`:                              "it has a jsonPayload",
		`{"insertId":"a","protoPayload":{"@type":"type.googleapis.com/x.Y"}}`: `its @type is "type.googleapis.com/x.Y"`,
		`{"insertId":"a"}`:                           ErrNotLog.Error(),
		`{"message":{"data":"%%%","messageId":"1"}}`: "not base64",
		message("hello"):                             ErrMessage.Error(),
		message(""):                                  ErrMessage.Error(),
		message(`{"textPayload":"x"}`):               "it has a textPayload",
		message(message(entryOf("activity", `"methodName":"m"`))):             ErrMessage.Error(),
		message(entryOf("activity", `"methodName":"m"`) + `{"insertId":"b"}`): ErrMessage.Error(),
	} {
		r := parse.One(t, data)
		if reason := audittest.Text(&r, audit.AttrParseError); !r.Quarantined || !strings.Contains(reason, why) || string(r.Body) != data {
			t.Errorf("%s: %q, body %s", data, reason, r.Body)
		}
	}
}

// An answer without entries holds no event, and is no fault.
func TestEmptyAnswer(t *testing.T) {
	for _, data := range []string{`{}`, " {}\n", `{"nextPageToken":"t"}`, `{"entries":[]}`} {
		if records := parse.Records(t, []byte(data)); len(records) != 0 {
			t.Errorf("%s: %d records", data, len(records))
		}
	}
	for _, data := range []string{`{"nextPageToken":"t","x":1}`, `{"x":1}`, `{}{`, `{"nextPageToken":7}`} {
		if records := parse.Records(t, []byte(data)); len(records) == 0 {
			t.Errorf("%s is lost", data)
		}
	}
}
