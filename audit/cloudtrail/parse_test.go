package cloudtrail

import (
	"errors"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/frame"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

const small = `{"eventVersion":"1.11","eventTime":"2026-11-20T09:00:00Z","eventID":"a","eventName":"GetUser"}`

var (
	eventA    = small
	eventB    = strings.Replace(small, `"a"`, `"b"`, 1)
	deepEvent = `{"eventVersion":"1.11","x":` + strings.Repeat("[", 600) + strings.Repeat("]", 600) + `}`
)

// shapes draws each kind of file as the bodies that must come out; a body that
// begins with "!" is quarantined.
var shapes = []struct {
	name, data string
	want       []string
}{
	{"container", container(eventA, eventB), []string{eventA, eventB}},
	{"container, other keys around", `{"v":[1,{}],"Records":[` + eventA + `],"Records":[` + eventB + `],"z":null}`, []string{eventA, eventB}},
	{"empty container", `{"Records":[]}`, nil},
	{"byte order mark and spaces", "\xef\xbb\xbf \r\n" + container(" "+eventA+" ", "\n"+eventB), []string{eventA, eventB}},
	{"list", `[` + eventA + `,` + eventB + `]`, []string{eventA, eventB}},
	{"single event", eventA + "\n", []string{eventA}},
	{"event per line", eventA + "\n" + eventB + "\n", []string{eventA, eventB}},
	{"two members of a gzip", container(eventA) + container(eventB), []string{eventA, eventB}},

	{"element is a number", container("17", eventA), []string{"!17", eventA}},
	{"element is a string with brackets", container(eventA, `"x]},{"`, eventB), []string{eventA, `!"x]},{"`, eventB}},
	{"element is null", container("null", eventA), []string{"!null", eventA}},
	{"element is a list", container(`[1,[2]]`, eventA), []string{"![1,[2]]", eventA}},
	{"element is an empty object", container(`{}`, eventA), []string{"!{}", eventA}},
	{"element is something else", container(eventA, `{"foo":{"eventName":1}}`), []string{eventA, `!{"foo":{"eventName":1}}`}},
	{"bad literal", container(`{"eventName":tru}`, eventA), []string{`!{"eventName":tru}`, eventA}},
	{"bad number", container(eventA, `{"eventName":01}`, eventB), []string{eventA, `!{"eventName":01}`, eventB}},
	{"bad escape", container(eventA, `{"eventName":"\x"}`, eventB), []string{eventA, `!{"eventName":"\x"}`, eventB}},
	{"control character", container(eventA, "{\"eventName\":\"\n\"}", eventB), []string{eventA, "!{\"eventName\":\"\n\"}", eventB}},
	{"comma too many", container(`{"eventName":1,}`, eventA), []string{`!{"eventName":1,}`, eventA}},
	{"too deep", container(eventA, deepEvent, eventB), []string{eventA, "!" + deepEvent, eventB}},
	{"comma between events lost", `{"Records":[` + eventA + "\n" + eventB + `]}`, []string{eventA, eventB}},
	{"comma doubled", `{"Records":[` + eventA + `,,` + eventB + `,]}`, []string{eventA, eventB}},
	{"brace lost", container(eventA, `{"eventVersion":"1.11","x":{"y":1`, eventB), []string{eventA, `!{"eventVersion":"1.11","x":{"y":1`, eventB}},
	{"quote lost", container(eventA, `{"eventVersion":"1.11","x":"y}`, eventB), []string{eventA, `!{"eventVersion":"1.11","x":"y}`, eventB}},
	{"other major version", container(`{"eventVersion":"2.1","eventName":"x"}`, eventA), []string{`!{"eventVersion":"2.1","eventName":"x"}`, eventA}},

	{"cut in an event", `{"Records":[` + eventA + `,{"eventVersion":"1.1`, []string{eventA, `!,{"eventVersion":"1.1`}},
	{"cut in a literal", `{"Records":[` + eventA + `,{"readOnly":tr`, []string{eventA, `!,{"readOnly":tr`}},
	{"cut in an escape", `{"Records":[` + eventA + `,{"x":"\u00`, []string{eventA, `!,{"x":"\u00`}},
	{"cut behind an event", `{"Records":[` + eventA, []string{eventA, "!"}},
	{"cut behind a comma", `{"Records":[` + eventA + `,`, []string{eventA, "!,"}},
	{"cut behind the list", `{"Records":[` + eventA + `]`, []string{eventA, "!]"}},
	{"cut before any event", `{"Records":[`, []string{`!{"Records":[`}},
	{"cut single event", eventA[:40], []string{"!" + eventA[:40]}},
	{"cut list", `[` + eventA + `,` + eventB[:9], []string{eventA, "!," + eventB[:9]}},

	{"empty", "", []string{"!"}},
	{"blank", " \n", []string{"! \n"}},
	{"text", "CloudTrail validation message.", []string{"!CloudTrail validation message."}},
	{"S3's test of a notification", `{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}`, []string{`!{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}`}},
	{"a topic asks for a confirmation", `{"Type":"SubscriptionConfirmation","Token":"t"}`, []string{`!{"Type":"SubscriptionConfirmation","Token":"t"}`}},
	{"other object", ` {"foo":1} `, []string{`! {"foo":1} `}},
	{"records is no list", `{"Records":null}`, []string{`!{"Records":null}`}},
	{"broken object", `{"foo":}`, []string{`!{"foo":}`}},
	{"garbage behind", container(eventA) + "garbage", []string{eventA, "!garbage"}},
	{"garbage in front", "garbage" + container(eventA), []string{"!garbage" + container(eventA)}},
	{"a zero byte", container(eventA, "\x00", eventB), []string{eventA, "!\x00", eventB}},
}

func TestShapes(t *testing.T) {
	for _, tt := range shapes {
		t.Run(tt.name, func(t *testing.T) {
			records := parse(t, []byte(tt.data))
			var got []string
			for _, r := range records {
				body := string(r.Body)
				if r.Quarantined {
					body = "!" + body
				}
				got = append(got, body)
			}
			if strings.Join(got, "\x1e") != strings.Join(tt.want, "\x1e") || len(got) != len(tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestQuarantineSaysWhy(t *testing.T) {
	tests := []struct{ data, want string }{
		{container("17"), ErrNotEvent.Error()},
		{"x", ErrNotCloudTrail.Error()},
		{`{"a":1}`, ErrNotCloudTrail.Error()},
		{"", ErrNotCloudTrail.Error() + ": nothing in it"},
		{`{"Records":[` + `{"a`, frame.ErrCutOff.Error()},
		{container(`{"eventName":tru}`), "malformed event: not valid JSON, at byte 13 of it"},
		{container(`{"eventVersion":"2.1"}`), "malformed event: eventVersion has major version 2, only 1 is known"},
		{container(strings.Repeat(`[`, 520) + strings.Repeat(`]`, 520)), "malformed event: nested deeper than 512 levels, at byte 512 of it"},
	}
	for _, tt := range tests {
		r := one(t, tt.data)
		check(t, r, audit.AttrQuarantined, "true", audit.AttrParseError, tt.want)
		if r.Resource.Provider != "aws" || r.Resource.Product != Product {
			t.Errorf("%q: resource %+v", tt.data, r.Resource)
		}
	}
}

func TestEmitErrorStops(t *testing.T) {
	stop := errors.New("stop")
	for _, data := range []string{container(small, small), `[` + small + `,7]`, small + small, container("1", small), "x"} {
		calls := 0
		counts, err := Parse([]byte(data), func(*audit.Record) error { calls++; return stop })
		if !errors.Is(err, stop) || calls != 1 || counts.Events != 1 {
			t.Errorf("%q: err %v, %d calls, %+v", data, err, calls, counts)
		}
	}
}

// TestDepthLimit: nesting at the limit passes, one level more does not. The
// event itself is the first level.
func TestDepthLimit(t *testing.T) {
	nested := func(n int) string {
		return `{"eventName":"X","x":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}`
	}
	if r := one(t, nested(jsonscan.MaxDepth-1)); r.Quarantined {
		t.Error("the limit itself is refused")
	}
	if r := one(t, nested(jsonscan.MaxDepth)); !r.Quarantined {
		t.Error("one beyond the limit is accepted")
	}
}

// TestManyMalformed: a file full of broken events takes linear time, since the
// search for their ends stops when its budget is spent.
func TestManyMalformed(t *testing.T) {
	const n = 5_000
	broken := `{"eventVersion":"1.11","x":{"y":1` // never closed
	data := []byte(container(strings.Repeat(broken+",", n) + small))
	records := parse(t, data)
	if len(records) != n+1 || records[n].Quarantined {
		t.Fatalf("%d records, want %d, the last one good", len(records), n+1)
	}
}

// TestStringsAreCopies: strings of a record stay when the caller's buffer is
// used for something else.
func TestStringsAreCopies(t *testing.T) {
	data := []byte(container(small))
	var op string
	if _, err := Parse(data, func(r *audit.Record) error { op = text(r, audit.AttrOperation); return nil }); err != nil {
		t.Fatal(err)
	}
	clear(data)
	if op != "GetUser" {
		t.Errorf("operation became %q", op)
	}
}
