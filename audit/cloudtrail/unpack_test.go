package cloudtrail

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/audit"
)

// packed writes files as gzip in base64, each a member of its own.
func packed(t *testing.T, files ...string) string {
	t.Helper()
	var b bytes.Buffer
	for _, file := range files {
		w := gzip.NewWriter(&b)
		if _, err := w.Write([]byte(file)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func lambda(data string) string { return `{"awslogs":{"data":"` + data + `"}}` }

// TestPacked: in whatever a subscription ends, the events in it come out as they are in a
// file.
func TestPacked(t *testing.T) {
	plain := one(t, eventA)
	data := packed(t, logEvents("DATA_MESSAGE", eventA, eventB))
	for name, envelope := range map[string]string{
		"Lambda":          lambda(data),
		"pretty":          " {\n \"awslogs\" : {\n \"data\": \"" + data + "\"\n }\n}\n",
		"escaped slashes": lambda(strings.ReplaceAll(data, "/", `\/`)),
		"in a list":       "[" + lambda(data) + "]",
		"Firehose":        `{"requestId":"r","timestamp":1,"records":[{"data":"` + data + `"}]}`,
		"Kinesis":         `{"Records":[{"kinesis":{"partitionKey":"k","data":"` + data + `"},"eventSourceARN":"arn:x"}]}`,
		"two members":     lambda(packed(t, logEvents("DATA_MESSAGE", eventA), logEvents("DATA_MESSAGE", eventB))),
		"a member cut":    lambda(packed(t, `{"logEvents":[{"message":`+quoted(eventA)+`},{"mess`, `age":`+quoted(eventB)+`}]}`)),
		"a file":          lambda(packed(t, container(eventA, eventB))),
		"two envelopes":   lambda(packed(t, container(eventA))) + "\n" + lambda(packed(t, container(eventB))),
	} {
		records := parse(t, []byte(envelope))
		if len(records) != 2 || string(records[0].Body) != eventA || string(records[1].Body) != eventB {
			t.Errorf("%s: %d records", name, len(records))
			continue
		}
		check(t, records[0], audit.AttrRecordID, text(&plain, audit.AttrRecordID), audit.AttrQuarantined, "")
	}
	if n := len(parse(t, []byte(lambda(packed(t, logEvents("CONTROL_MESSAGE", "x")))))); n != 0 {
		t.Errorf("a control message is %d events", n)
	}
}

// TestPackedBadEvent: it costs only itself, and what follows the envelope comes out.
func TestPackedBadEvent(t *testing.T) {
	data := packed(t, logEvents("DATA_MESSAGE", eventA, "text", event(`"omitted":true`)))
	got := 0
	counts, err := Parse([]byte("["+lambda(data)+","+eventB+"]"), func(*audit.Record) error { got++; return nil })
	if want := (audit.Counts{Events: 4, Quarantined: 1, Truncated: 1}); err != nil || counts != want || got != 4 {
		t.Errorf("%+v, %d emitted, %v", counts, got, err)
	}
	stop := errors.New("stop")
	if _, err := Parse([]byte(lambda(data)+eventB), func(*audit.Record) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("emit's error is %v", err)
	}
}

// TestPackedHostile: what cannot be opened, or would inflate to too much, is sealed as it
// came.
func TestPackedHostile(t *testing.T) {
	good := packed(t, container(eventA))
	bomb := packed(t, container(strings.Repeat(" ", maxInflated)))
	for name, tt := range map[string]struct{ envelope, reason string }{
		"bomb":              {lambda(bomb), errInflated.Error()},
		"bomb in members":   {lambda(packed(t, strings.Repeat(" ", maxInflated), " ")), errInflated.Error()},
		"end cut off":       {lambda(good[:len(good)-8]), "unexpected EOF"},
		"no base64":         {lambda("%%%"), errNoGzip.Error()},
		"no gzip":           {lambda(base64.StdEncoding.EncodeToString([]byte(eventA))), errNoGzip.Error()},
		"number":            {`{"awslogs":{"data":7}}`, errNoGzip.Error()},
		"nothing":           {lambda(packed(t, "")), "nothing in it"},
		"trailing":          {lambda(base64.StdEncoding.EncodeToString(append(decoded(t, good), "rubbish behind it"...))), "gzip: invalid header"},
		"cut off":           {lambda(base64.StdEncoding.EncodeToString(decoded(t, good)[:40])), "unexpected EOF"},
		"an element's data": {`{"data":"text"}`, errNoGzip.Error()},
	} {
		records := parse(t, []byte("["+eventA+","+tt.envelope+","+eventB+"]"))
		if len(records) != 3 || !records[1].Quarantined || string(records[1].Body) != tt.envelope || records[2].Quarantined {
			t.Errorf("%s: %d records", name, len(records))
			continue
		}
		if why := text(&records[1], audit.AttrParseError); !strings.HasPrefix(why, ErrEnvelope.Error()) || !strings.HasSuffix(why, tt.reason) {
			t.Errorf("%s: %s", name, why)
		}
	}
	// What is packed in what is packed stays so, however often.
	nested := lambda(packed(t, lambda(good)))
	r := one(t, nested)
	check(t, r, audit.AttrParseError, ErrEnvelope.Error()+": "+errNested.Error())
	if string(r.Body) != lambda(good) {
		t.Errorf("body %.80q", r.Body)
	}
}

// TestPackedTogether: many small bombs are opened until together they are too large.
func TestPackedTogether(t *testing.T) {
	const each, n = 1 << 20, 40
	data := []byte(strings.Repeat(lambda(packed(t, container(strings.Repeat(" ", each), eventA)))+"\n", n))
	counts, err := Parse(data, func(*audit.Record) error { return nil })
	most := max(maxInflated, inflatedEach*len(data)) / each
	if err != nil || counts.Events-counts.Quarantined > most || counts.Quarantined < n-most || counts.Quarantined == 0 {
		t.Errorf("%+v of %d bytes, want at most %d opened: %v", counts, len(data), most, err)
	}
}

func decoded(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestEventWithData: an event of its own that has such a member stays itself.
func TestEventWithData(t *testing.T) {
	check(t, one(t, event(`"eventName":"X","data":"x","awslogs":{"data":"y"}`)), audit.AttrOperation, "X", audit.AttrQuarantined, "")
}
