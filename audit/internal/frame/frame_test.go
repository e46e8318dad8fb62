package frame

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

var (
	errNotFile  = errors.New("no file")
	errNotEvent = errors.New("no event")
)

var format = Format{Provider: "test", Lists: []string{"records"}, Own: []string{"id"}, First: []string{"id"}, NotFile: errNotFile, NotEvent: errNotEvent}

var table = jsonscan.NewTable([]string{"id"})

func mapID(f *jsonscan.Fields, d *draft.Draft) error {
	if f.Str(0) == "" {
		return errNotEvent
	}
	d.Rec.EventName = audit.EventSystem
	d.Put("id", f.Str(0))
	return nil
}

// outline says what came out: the id of each event, or what was quarantined and why.
func outline(t *testing.T, data string) string {
	t.Helper()
	return outlineOf(t, &format, data)
}

func outlineOf(t *testing.T, f *Format, data string) string {
	t.Helper()
	var all []string
	counts, err := Tabled(f, table, mapID, []byte(data), func(r *audit.Record) error {
		if id, ok := r.Get("id"); ok {
			all = append(all, id.Str)
			return nil
		}
		reason, _ := r.Get(audit.AttrParseError)
		why := "bad"
		for _, known := range []error{errNotFile, errNotEvent, ErrCutOff, ErrMalformed} {
			if strings.HasPrefix(reason.Str, known.Error()) {
				why = strings.Fields(known.Error())[0] + " " + strings.Fields(known.Error())[1]
			}
		}
		all = append(all, fmt.Sprintf("%s(%s)", why, strings.TrimSpace(string(r.Body))))
		return nil
	})
	if err != nil || counts.Events != len(all) {
		t.Fatalf("%d events, %+v, %v", len(all), counts, err)
	}
	return strings.Join(all, " ")
}

func TestWhatHoldsEvents(t *testing.T) {
	for data, want := range map[string]string{
		`[{"id":1},{"id":2}]`:                                         "1 2",
		`{"records":[{"id":1},{"id":2}]}`:                             "1 2",
		`{"a":{"b":[1]},"records":[{"id":1}],"c":null}`:               "1",
		`{"id":1,"records":[{"id":2}]}`:                               "1",
		`{"id":1}` + "\n" + `{"id":2}` + "\n":                         "1 2",
		`{"records":[{"id":1}]}` + "\n" + `[{"id":2}]`:                "1 2",
		"\xef\xbb\xbf" + `{"id":1}`:                                   "1",
		`[{"id":1},{"x":2},{"id":3}]`:                                 `1 no event({"x":2}) 3`,
		`[{"id":1},7,{"id":3}]`:                                       "1 no event(7) 3",
		`[{"id":1},,{"id":2}{"id":3}]`:                                "1 2 3",
		`{"x":1}`:                                                     `no file({"x":1})`,
		`{"id":1}` + "\n" + `{"x":1}` + "\n" + `{"id":2}`:             `1 no event({"x":1}) 2`,
		`{"id":1}` + "\nrubbish\n" + `{"id":2}`:                       "1 no file(rubbish) 2",
		`rubbish`:                                                     "no file(rubbish)",
		`{"id":1}` + "\n" + `{"id":2,"x":` + "\n" + `{"id":3}`:        `1 malformed event({"id":2,"x":) 3`,
		`{"id":1,"x":"never closed` + "\n" + `{"id":2}` + "\n":        `malformed event({"id":1,"x":"never closed) 2`,
		`{"records":[{"id":1},{"id":2,"x":tru},{"id":3}]}`:            `1 malformed event({"id":2,"x":tru}) 3`,
		`{"records":[{"id":1},{"id":2,"x":"open},{"id":3},{"id":4}]}`: `1 malformed event({"id":2,"x":"open}) 3 4`,
		`{"records":[{"id":1},{"id":2`:                                `1 the file(,{"id":2)`,
	} {
		if got := outline(t, data); got != want {
			t.Errorf("%s\n\tgot  %s\n\twant %s", data, got, want)
		}
	}
}

// Text before an event on its line is no part of it. What cannot be read keeps it.
func TestPrefix(t *testing.T) {
	defer func() { format.Prefixed = false }()
	format.Prefixed = true
	for data, want := range map[string]string{
		"@cee: " + `{"id":1}` + "\n@cee: " + `{"id":2}` + "\n":                                                "1 2",
		"Nov 23 host x[7]: " + `{"id":1}` + "\r\nNov 24 host x[7]: " + `{"id":2}`:                             "1 2",
		"@cee: " + `{"id":1}` + "\n" + `{"id":2}` + "\n@cee: " + `{"id":3}`:                                   "1 2 3",
		"@cee: " + `{"id":1}` + "\n@cee: " + `{"id":2,"x":` + "\n@cee: " + `{"id":3}`:                         `1 malformed event(@cee: {"id":2,"x":) 3`,
		"@cee: " + `{"id":1}` + "\n@cee: " + `{"x":2}` + "\n@cee: " + `{"id":3}`:                              `1 no event(@cee: {"x":2}) 3`,
		"@cee: " + `{"id":1,"x":"never closed` + "\n@cee: " + `{"id":2}`:                                      `malformed event(@cee: {"id":1,"x":"never closed) 2`,
		"rubbish\n@cee: " + `{"id":1}`:                                                                        "no file(rubbish) 1",
		"@cee: " + `{"id":1}` + "\nrubbish\n@cee: " + `{"id":2}` + " trailing\n@cee: " + `{"id":3}` + "\nend": "1 no file(rubbish) 2 no file(trailing) 3 no file(end)",
	} {
		if got := outline(t, data); got != want {
			t.Errorf("%s\n\tgot  %s\n\twant %s", data, got, want)
		}
	}
}

// A file full of broken events takes linear time: what may be read again has a budget.
func TestLinear(t *testing.T) {
	const n = 5000
	for name, data := range map[string]string{
		"never closed": `{"records":[` + strings.Repeat(`{"id":1,"x":{"y":1,`, n) + `]}`,
		"lines":        strings.Repeat(`{"a":`+"\n", n),
		"half lines":   strings.Repeat(`{"id":[[[`+"\n", n),
	} {
		t.Run(name, func(t *testing.T) {
			scan := &counting{tabled: tabled{scan: jsonscan.Scanner{Data: []byte(data)}, table: table, mapper: mapID}}
			if _, err := Parse(&format, &scan.scan, scan, func(*audit.Record) error { return nil }); err != nil {
				t.Fatal(err)
			}
			if most := (recoveryBudget + 2) * len(data); scan.read > most {
				t.Errorf("%d bytes of %d were read", scan.read, len(data))
			}
		})
	}
}

// counting counts the bytes that were read of values.
type counting struct {
	tabled
	read int
}

func (c *counting) Read() (jsonscan.Kind, error) {
	from := c.scan.Pos
	k, err := c.tabled.Read()
	c.read += c.scan.Pos - from
	return k, err
}

// TestListsInObjects: a list may be in an object, and other members may be around both.
func TestListsInObjects(t *testing.T) {
	deep := Format{Lists: []string{"data.items", "more"}, Own: []string{"id"}, First: []string{"id"}, NotFile: errNotFile, NotEvent: errNotEvent}
	for data, want := range map[string]string{
		`{"data":{"n":1,"items":[{"id":1}]},"more":[{"id":2}]}`:     "1 2",
		`{"data":{"items":[]},"x":{"more":[{"id":1}]}}`:             "",
		`{"data":{"id":7,"items":[{"id":1}]}}`:                      "1",
		`{"data":[{"items":[{"id":1}]}]}`:                           "no file({\"data\":[{\"items\":[{\"id\":1}]}]})",
		`{"data":{"items":[{"id":1}],"x":tru}}{"id":2}`:             `the file(],"x":tru}}{"id":2})`,
		"{\"data\":{\"items\":[{\"id\":1}],\"x\":tru}}\n{\"id\":2}": `1 malformed event(],"x":tru}}) 2`,
	} {
		got := outlineOf(t, &deep, data)
		if !strings.HasSuffix(got, want) || want == "" && got != "" {
			t.Errorf("%s gives %s, want %s", data, got, want)
		}
	}
}

// TestControl: a sign of life holds no events, and what is not quite one does.
func TestControl(t *testing.T) {
	control := Format{Lists: []string{"records"}, NotFile: errNotFile, NotEvent: errNotEvent}
	control.Control.Key, control.Control.Value = "kind", "PING"
	for data, want := range map[string]string{
		`{"kind":"PING","records":[{"id":1}]}`:          "",
		`{"kind":"PING","records":[{"id":1}]}{"id":2}`:  "2",
		`{"kind":"ping","records":[{"id":1}]}`:          "1",
		`{"Kind":"PING","records":[{"id":1}]}`:          "1",
		`{"kind":["PING"],"records":[{"id":1}]}`:        "1",
		`{"records":[{"id":1}],"kind":"PING"}`:          "1",
		`{"kind":"PING","x":{"records":[]}}`:            `no file({"kind":"PING","x":{"records":[]}})`,
		`{"records":[{"kind":"PING","id":1},{"id":2}]}`: "1 2",
	} {
		if got := outlineOf(t, &control, data); got != want {
			t.Errorf("%s gives %s, want %s", data, got, want)
		}
	}
}
