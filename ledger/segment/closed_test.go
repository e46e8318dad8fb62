package segment_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/record"
	"github.com/otelcol-custody/custody/ledger/segment"
)

var at = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

func closedRecord() segment.Closed {
	return segment.Closed{
		At: at, First: 3, Count: 2, Key: origin + "+01234567", NextBy: at.Add(time.Minute), Reason: segment.Heartbeat,
		RetainUntil: time.Date(2554, 1, 1, 0, 0, 0, 0, time.UTC), Software: "custody test", Unfenced: true,
		Counts: map[string]segment.Counts{"a": {"received": 5, "sealed": 4, "lost": 0}, "": {}, "\x1f\xff": {"$x": -1}},
	}
}

func TestClosedRoundTrip(t *testing.T) {
	full := closedRecord()
	bare := full
	bare.NextBy, bare.RetainUntil, bare.Unfenced, bare.Counts = time.Time{}, time.Time{}, false, map[string]segment.Counts{}
	late := bare
	late.At = time.Date(2400, 1, 1, 0, 0, 0, 1, time.UTC) // past what package time's nanoseconds hold
	last := bare
	last.At = time.Unix(18446744073, 709551615).UTC()
	for _, c := range []segment.Closed{full, bare, late, last} {
		line, err := c.Line()
		if err != nil {
			t.Fatal(err)
		}
		if !segment.IsClosed(line) || record.CheckLine(line) != nil {
			t.Errorf("%s is not a closed record", line)
		}
		got, err := segment.ParseClosed(line)
		if err != nil || !reflect.DeepEqual(*got, c) {
			t.Errorf("got %+v, %v\nwant %+v", got, err, c)
		}
		if again, _ := got.Line(); !bytes.Equal(again, line) {
			t.Errorf("written again: %s", again)
		}
	}
}

// TestClosedByHand pins the line's bytes.
func TestClosedByHand(t *testing.T) {
	c := closedRecord()
	c.Counts = map[string]segment.Counts{"web": {"sealed": 1, "received": 1}}
	line, err := c.Line()
	const stamp = "2026-03-01T12:00:00.123456789Z"
	want := `{"custody":{"closed":{"at":"` + stamp + `","count":2,"counts":{"web":{"received":1,"sealed":1}},"first":3,"key":"custody.example/web-1+01234567",` +
		`"next_by":"2026-03-01T12:01:00.123456789Z","reason":"heartbeat","retain_until":"2554-01-01T00:00:00.000000000Z","software":"custody test","unfenced":true}},` +
		`"observed_time":"` + stamp + `","time":"` + stamp + `"}`
	if err != nil || string(line) != want {
		t.Errorf("got  %s, %v\nwant %s", line, err, want)
	}
}

func TestParseClosedIsStrict(t *testing.T) {
	c := closedRecord()
	c.Counts = map[string]segment.Counts{"web": {"sealed": 1}}
	b, err := c.Line()
	if err != nil {
		t.Fatal(err)
	}
	good := string(b)
	replace := func(old, with string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%q is not in the line", old)
		}
		return strings.Replace(good, old, with, 1)
	}
	const stamp = "2026-03-01T12:00:00.123456789Z"
	for _, ok := range []string{
		replace(`"count":2`, `"count":2,"count_of_more":9`), replace(`"reason":"heartbeat"`, `"reason":"of a later version"`),
		replace(`,"unfenced":true`, ``), replace(`"at":`, `"$$new":[{"x":null}],"at":`),
	} {
		if _, err := segment.ParseClosed([]byte(ok)); err != nil {
			t.Errorf("%s: %v", ok, err)
		}
	}
	for _, bad := range []string{
		"", "{}", good + "\n", good + " ", " " + good, good[:len(good)-1],
		`{"custody":{"closed":{}}}`, `{"custody":{"closed":1}}`, `{"body":1,` + good[1:],
		replace(`"at":"`+stamp+`",`, ``), replace(`"count":2,`, ``), replace(`"first":3,`, ``), replace(`"counts":{"web":{"sealed":1}},`, ``),
		replace(`"count":2`, `"count":"2"`), replace(`"count":2`, `"count":2.0`), replace(`"first":3`, `"first":null`), replace(`"key":"`+c.Key+`",`, ``),
		replace(`"software":"custody test"`, `"software":1`),
		replace(`"retain_until":"2554`, `"retain_until":"9999`), replace(`"retain_until":"2554-01-01T00:00:00.000000000Z"`, `"retain_until":"2554-01-01T00:00:00Z"`),
		replace(`"retain_until":"2554-01-01T00:00:00.000000000Z"`, `"retain_until":"1970-01-01T00:00:00.000000000Z"`),
		replace(`"retain_until":"2554-01-01T00:00:00.000000000Z"`, `"retain_until":"0001-01-01T00:00:00.000000000Z"`),
		replace(`"retain_until":"2554-01-01`, `"retain_until":"2554-02-30`), replace(`"next_by":"2026`, `"next_by":"1926`), replace(`"next_by":"2026-03-01T12:01:00.123456789Z"`, `"next_by":null`),
		replace(`"at":"`+stamp, `"at":"2026-03-01T12:00:00.123456788Z`),
		replace(`"observed_time":"`+stamp, `"observed_time":"2026-03-01T12:00:00.123456788Z`),
		replace(`,"time":"`+stamp+`"`, ``), replace(`"observed_time":"`+stamp+`",`, ``),
		replace(`,"observed_time"`, `,"event_name":"x","observed_time"`), replace(`,"observed_time"`, `,"flags":1,"observed_time"`),
		replace(`}},"observed_time"`, `},"extra":1},"observed_time"`),
		replace(`"count":2,`, `"count":2,"count":2,`),
	} {
		if c, err := segment.ParseClosed([]byte(bad)); err == nil {
			t.Errorf("%s: accepted as %+v", bad, c)
		}
	}
}

func TestClosedTooLong(t *testing.T) {
	c := closedRecord()
	c.Software = strings.Repeat("x", ledger.MaxClosed)
	if line, err := c.Line(); err == nil {
		t.Errorf("a closed record of %d bytes", len(line))
	}
	r := &record.Record{Custody: []record.KeyValue{{Key: "closed", Value: record.MapValue(record.KeyValue{Key: "a", Value: record.StringValue(c.Software)})}}}
	line, err := record.AppendLine(nil, r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := segment.ParseClosed(line); err == nil {
		t.Error("a long closed record is read")
	}
}

func FuzzParseClosed(f *testing.F) {
	c := closedRecord()
	line, err := c.Line()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(line)
	f.Add([]byte(`{"custody":{"closed":{"at":""}}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		c, err := segment.ParseClosed(line)
		if err != nil {
			return
		}
		again, err := c.Line()
		if err != nil {
			t.Fatalf("%s: cannot be written: %v", line, err)
		}
		if d, err := segment.ParseClosed(again); err != nil || !reflect.DeepEqual(c, d) {
			t.Fatalf("%s: read as %+v, written and read as %+v, %v", line, c, d, err)
		}
	})
}
