package audittest

import (
	"bytes"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/audit"
)

// Hostile holds a parser against events that somebody made to mislead it. event is an
// object with an outcome; key is one of its keys that decides what an event is.
func (parse Parse) Hostile(t *testing.T, event, key string) {
	t.Helper()
	with := func(members string) string { return strings.TrimSuffix(event, "}") + members + "}" }
	parse.hostileKeys(t, event, key, with)
	parse.hostileValues(t, event, with)
	parse.hostileNeighbours(t, event, with)
}

// hostileKeys: of two equal keys the first one counts, and the record says so; a key in
// another case is another key.
func (parse Parse) hostileKeys(t *testing.T, event, key string, with func(string) string) {
	t.Helper()
	const twice = "a key occurs twice: the first one counts"
	want := parse.One(t, event)
	for _, member := range [...]string{`,"` + key + `":"x"`, `,"\u00` + hexOf(key[0]) + key[1:] + `":"x"`} {
		r := parse.One(t, with(member))
		Check(t, r, audit.AttrParseWarning, twice)
		sameMeaning(t, r, want)
	}
	swapped := strings.ToUpper(key)
	if swapped == key {
		swapped = strings.ToLower(key)
	}
	r := parse.One(t, with(`,"`+swapped+`":"x"`))
	Check(t, r, audit.AttrParseWarning, Text(&want, audit.AttrParseWarning))
	sameMeaning(t, r, want)
}

// hexOf are the two hex digits of a byte.
func hexOf(c byte) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[c>>4], digits[c&15]})
}

// sameMeaning compares what an event says, apart from what binds its bytes.
func sameMeaning(t *testing.T, got, want audit.Record) {
	t.Helper()
	for _, key := range [...]string{audit.AttrOperation, audit.AttrAction, audit.AttrOutcome, audit.AttrActorID, audit.AttrTargetID, audit.AttrOriginalID, audit.AttrOCSFType} {
		Check(t, got, key, Text(&want, key))
	}
	if !got.Time.Equal(want.Time) || got.EventName != want.EventName || got.Quarantined != want.Quarantined {
		t.Errorf("%s at %v, want %s at %v", got.EventName, got.Time, want.EventName, want.Time)
	}
}

// hostileValues: bytes that are not UTF-8, and numbers that a double cannot hold, stay.
// Another body is another record, however equal the ids.
func (parse Parse) hostileValues(t *testing.T, event string, with func(string) string) {
	t.Helper()
	want := parse.One(t, event)
	for _, member := range [...]string{",\"x\":\"\xff\xfe\"", `,"x":9007199254740993`, `,"x":1e400`, `,"x":"\ud800"`} {
		raw := with(member)
		r := parse.One(t, raw)
		sameMeaning(t, r, want)
		if string(r.Body) != raw {
			t.Errorf("body %q, want %q", r.Body, raw)
		}
		if Text(&r, audit.AttrRecordID) == Text(&want, audit.AttrRecordID) {
			t.Errorf("%s: another body has the same record id", member)
		}
	}
	if again := parse.One(t, event); Text(&again, audit.AttrRecordID) != Text(&want, audit.AttrRecordID) {
		t.Error("the same event has two record ids")
	}
}

// hostileNeighbours: a bad event costs only itself, in a list and on a line.
func (parse Parse) hostileNeighbours(t *testing.T, event string, with func(string) string) {
	t.Helper()
	deep := with(`,"x":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000))
	for _, bad := range [...]string{deep, with(`,"x":tru`), with(",\"x\":\"a\nb\""), `{"x":1}`, `7`} {
		parse.between(t, event, bad, "["+event+","+bad+","+event+"]")
		if bad != `7` { // a line that is no object belongs to what precedes it
			parse.between(t, event, bad, event+"\n"+bad+"\n"+event+"\n")
		}
	}
}

func (parse Parse) between(t *testing.T, event, bad, data string) {
	t.Helper()
	records := parse.Records(t, []byte(data))
	if len(records) != 3 || records[0].Quarantined || !records[1].Quarantined || records[2].Quarantined {
		t.Fatalf("%d records of three elements, the second of which is %.80q", len(records), bad)
	}
	for i, want := range [...]string{event, bad, event} {
		if string(bytes.TrimSpace(records[i].Body)) != want {
			t.Errorf("body %d is %.80q, want %.80q", i, records[i].Body, want)
		}
	}
}
