package generic

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/audittest"
)

var check = audittest.Check

func TestTimes(t *testing.T) {
	const missing, none = "time: missing", "time: in none of the mapping's layouts"
	for _, tt := range []struct{ layouts, in, want, fault, warning string }{
		{"[]", `"2026-11-20T10:08:07.123456789+01:00"`, "2026-11-20T09:08:07.123456789Z", "", ""},
		{"[]", `1795166887`, "", none, ""},
		{"[]", `null`, "", missing, ""},
		{"[unix_s]", `1795166887`, "2026-11-20T09:28:07Z", "", ""},
		{"[unix_s]", `"1795166887.123456789999"`, "2026-11-20T09:28:07.123456789Z", "", ""},
		{"[unix_s]", `1795166887.5`, "2026-11-20T09:28:07.5Z", "", ""},
		{"[unix_ms]", `1795166887001`, "2026-11-20T09:28:07.001Z", "", ""},
		{"[unix_ms]", `1795166887001.25`, "2026-11-20T09:28:07.00125Z", "", ""},
		{"[unix_us]", `1795166887000001`, "2026-11-20T09:28:07.000001Z", "", ""},
		{"[unix_ns]", `1795166887000000001`, "2026-11-20T09:28:07.000000001Z", "", ""},
		{"[unix_ns]", `1795166887000000001.9`, "2026-11-20T09:28:07.000000001Z", "", ""},
		{"[unix_ms]", `-1500`, "", "time: not in the years 1970 to 2262", ""},
		{"[unix_s]", `-1.5`, "", none, ""},
		{"[unix_s]", `"1."`, "", none, ""},
		{"[unix_s]", `"1.2x"`, "", none, ""},
		{"[unix_s]", `1.7e9`, "", none, ""},
		{"[unix_s]", `253402300800`, "", none, ""},
		{"[unix_s]", `9223372036854775807`, "", none, ""},
		{"[unix_s]", `99999999999999999999`, "", none, ""},
		{"['2006-01-02 15:04:05']", `"2026-11-20 09:08:07.25"`, "2026-11-20T09:08:07.25Z", "", "time: without a zone, taken as UTC"},
		{"['2006-01-02 15:04:05 UTC']", `"2026-11-20 09:08:07 UTC"`, "2026-11-20T09:08:07Z", "", ""},
		{"['02/Jan/2006:15:04:05 -0700']", `"20/Nov/2026:10:08:07 +0100"`, "2026-11-20T09:08:07Z", "", ""},
		{"[rfc3339, unix_s]", `1795166887`, "2026-11-20T09:28:07Z", "", ""},
		{"['2006-01-02 15:04']", `"2026-02-30 09:08"`, "", none, ""},
	} {
		parse := ofText(t, strings.Replace(plain, "{path: at}", "{path: at, layouts: "+tt.layouts+"}", 1))
		r := parse.One(t, `{"op":"x","at":`+tt.in+`}`)
		got := ""
		if !r.Time.IsZero() {
			got = r.Time.Format(time.RFC3339Nano)
		}
		if got != tt.want || r.Quarantined {
			t.Errorf("%s of %s: %q, want %q", tt.layouts, tt.in, got, tt.want)
		}
		check(t, r, audit.AttrParseError, tt.fault, audit.AttrParseWarning, tt.warning)
	}
}

func TestOutcome(t *testing.T) {
	const words, all = "{path: r, success: [ok, true], failure: [no], unknown: [wait]}", "{path: r, success: [ok], failure: [no], status: s, error: e.code, reason: e.text}"
	for _, tt := range []struct{ mapping, members, want string }{
		{words, `"r":"ok"`, "success"}, {words, `"r":true`, "success"}, {words, `"r":"no"`, "failure"}, {words, `"r":"wait"`, "unknown"},
		{words, `"r":"OK"`, "unknown"}, {words, `"r":null`, "unknown"}, {words, `"x":1`, "unknown"},
		{"{error: e}", `"x":1`, "success"}, {"{error: e}", `"e":null`, "success"}, {"{error: e}", `"e":""`, "success"}, {"{error: e}", `"e":"E1"`, "failure"},
		{"{status: s}", `"s":200`, "success"}, {"{status: s}", `"s":"399"`, "success"}, {"{status: s}", `"s":400`, "failure"}, {"{status: s}", `"s":503`, "failure"},
		{"{status: s}", `"s":0`, "unknown"}, {"{status: s}", `"s":"fine"`, "unknown"}, {"{status: s}", `"x":1`, "unknown"}, {"{status: s}", `"s":99999999999999999999`, "unknown"},
		{all, `"r":"ok","s":200`, "success"}, {all, `"r":"ok"`, "success"}, {all, `"s":204`, "success"}, {all, `"r":"ok","s":500`, "failure"},
		{all, `"r":"ok","e":{"code":"E1"}`, "failure"}, {all, `"r":"odd","s":200`, "unknown"}, {all, `"x":1`, "unknown"},
	} {
		r := ofText(t, strings.Replace(plain, "{error: err}", strings.ReplaceAll(tt.mapping, "true", `"true"`), 1)).One(t, `{"op":"x",`+tt.members+`}`)
		if got := audittest.Text(&r, audit.AttrOutcome); got != tt.want {
			t.Errorf("%s of %s is %s, want %s", tt.mapping, tt.members, got, tt.want)
		}
	}
	parse := ofText(t, strings.Replace(plain, "{error: err}", all, 1))
	check(t, parse.One(t, `{"op":"x","s":403,"e":{"code":"E1","text":"why"}}`), audit.AttrOutcomeReason, "why", audit.AttrErrorType, "E1", audit.AttrHTTPStatus, "403")
	check(t, parse.One(t, `{"op":"x","s":200,"e":{"text":"all is well"}}`), audit.AttrOutcomeReason, "", audit.AttrErrorType, "")
}

func TestActions(t *testing.T) {
	parse := ofText(t, plain+`
actions:
  - {match: [Get, "Get*Secret"], action: READ, class: host_event}
  - {match: ["*"], path: rw, action: UPDATE, class: group_management}
`)
	for members, want := range map[string][3]string{
		`"op":"Get"`:                  {"audit.host_event", "READ", "600302"},
		`"op":"GetSecret"`:            {"audit.host_event", "READ", "600302"},
		`"op":"GetMySecret"`:          {"audit.host_event", "READ", "600302"},
		`"op":"GetSecre"`:             {"audit.api_activity", "OTHER", "600399"},
		`"op":"get"`:                  {"audit.api_activity", "OTHER", "600399"},
		`"op":"x","rw":"w"`:           {"audit.group_management", "UPDATE", "300699"},
		`"op":"x","rw":""`:            {"audit.api_activity", "OTHER", "600399"},
		`"op":{"x":1},"rw":"w"`:       {"audit.group_management", "UPDATE", "300699"},
		`"op":"Get","rw":"w"`:         {"audit.host_event", "READ", "600302"},
		`"op":"Getx","op":"Get"`:      {"audit.api_activity", "OTHER", "600399"},
		`"OP":"Get","op":"Sec\u0072"`: {"audit.api_activity", "OTHER", "600399"},
	} {
		r := parse.One(t, "{"+members+"}")
		if r.EventName != want[0] {
			t.Errorf("%s is %s", members, r.EventName)
		}
		check(t, r, audit.AttrAction, want[1], audit.AttrOCSFType, want[2])
	}
}

// TestLists: events lie in lists that are named, however deep, or beside them.
func TestLists(t *testing.T) {
	parse := ofText(t, plain+"lists: [data.items, more]\n")
	const a, b = `{"op":"a"}`, `{"op":"b"}`
	for data, want := range map[string]int{
		`{"data":{"items":[` + a + `,` + b + `]}}`:                     2,
		`{"data":{"n":1,"items":[` + a + `]},"more":[` + b + `]}`:      2,
		`{"data":{},"more":[` + b + `]}`:                               1,
		`{"data":{"items":[]}}`:                                        0,
		`[` + a + `,` + b + `]`:                                        2,
		a + "\n" + b:                                                   2,
		`{"data":{"items":[` + a + `]}}{"data":{"items":[` + b + `]}}`: 2,
		`{"op":"a","data":{"items":[` + b + `]}}`:                      1,
		`{"data":{"items":[` + a + `],"x":tru},"more":[` + b + `]}`:    2,
		`{"data":{"items":[` + a:                                       2,
		`{"data":{"items":{"op":"a"}}}`:                                1,
	} {
		if got := len(parse.Records(t, []byte(data))); got != want {
			t.Errorf("%s: %d records, want %d", data, got, want)
		}
	}
}

// TestIdentity: the scope separates equal ids, and another body is another record.
func TestIdentity(t *testing.T) {
	parse := ofText(t, plain+"id: id\nscope: [a, b]\n")
	const one = `{"op":"x","id":"1","a":"t","b":"u"}`
	r := parse.One(t, one)
	check(t, r, audit.AttrRecordID, audit.RecordID("X", "t/u", "1", []byte(one)), audit.AttrOriginalID, "1")
	byPlace := ofText(t, plain+"id: id\naccount: a\nregion: b\nprovider: p\n").One(t, one)
	check(t, byPlace, audit.AttrRecordID, audit.RecordID("p", "t/u", "1", []byte(one)))
}

// TestRequestIDMayBeTheEventID: Alibaba's own example has it so.
func TestRequestIDMayBeTheEventID(t *testing.T) {
	r := of(t, "actiontrail").One(t, `{"eventVersion":"1","eventName":"X","eventId":"same","requestId":"same"}`)
	check(t, r, audit.AttrOriginalID, "same", audit.AttrRequestID, "same")
}

// TestRequestIDIsNotUnique: MinIO writes several events for one request.
func TestRequestIDIsNotUnique(t *testing.T) {
	parse := of(t, "minio")
	a := parse.One(t, `{"deploymentid":"d","requestID":"r","api":{"name":"PutObject"}}`)
	b := parse.One(t, `{"deploymentid":"d","requestID":"r","api":{"name":"PutObjectPart"}}`)
	if audittest.Text(&a, audit.AttrRecordID) == audittest.Text(&b, audit.AttrRecordID) {
		t.Error("two events have one record id")
	}
}

// TestProbe: MinIO asks with an empty object whether its webhook is there. It is no event,
// and is kept.
func TestProbe(t *testing.T) {
	if r := of(t, "minio").One(t, `{}`); !r.Quarantined || string(r.Body) != `{}` {
		t.Errorf("%+v", r)
	}
}

// TestSecretsStayInTheBody: nothing is masked, and no attribute repeats a signature.
func TestSecretsStayInTheBody(t *testing.T) {
	const raw = `{"deploymentid":"d","api":{"name":"GetObject"},"requestPath":"/b/k?X-Amz-Signature=0123","requestHeader":{"Authorization":"Signature=0123456789abcdef"}}`
	r := of(t, "minio").One(t, raw)
	if string(r.Body) != raw {
		t.Errorf("body %s", r.Body)
	}
	for _, a := range r.Attributes {
		if strings.Contains(audittest.Text(&r, a.Key), "Signature") {
			t.Errorf("%s holds the signature", a.Key)
		}
	}
}

// TestConcurrentUse: one parser serves many.
func TestConcurrentUse(t *testing.T) {
	parse := of(t, "minio")
	var wait sync.WaitGroup
	for _, name := range []string{"A", "B", "C", "D"} {
		wait.Go(func() {
			for range 200 {
				_, err := parse([]byte(`{"deploymentid":"d","api":{"name":"`+name+`"}}`), func(r *audit.Record) error {
					if got := audittest.Text(r, audit.AttrOperation); got != name {
						t.Errorf("%s, want %s", got, name)
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
}
