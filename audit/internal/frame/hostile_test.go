package frame

import (
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/audit"
)

// hostileShapes are what a file may be filled with to keep a reader busy.
var hostileShapes = map[string]string{
	"bad literals":         `tru,`,
	"bad literals, braces": `{"id":tru},`,
	"never closed":         `{"id":1,"x":{"y":1,`,
	"other first key":      `{"id":1,"x":tru,`,
	"open strings":         `{"id":1,"x":"open},`,
	"quotes":               `",`,
	"backslashes":          `"\`,
	"openers":              `[`,
	"objects":              `{"a":`,
	"closers":              `}`,
	"both":                 `}{`,
	"spaces":               " \n",
	"zero bytes":           "\x00",
	"commas":               `,`,
	"numbers":              `1`,
	"marks":                "\xef\xbb\xbf",
	"half lines":           `{"id":[` + "\n",
	"lists, half lines":    `{"records":[],"x":{` + "\n",
	"prefixed":             `x{"id":1}`,
	"prefixes":             `x{`,
	"bracket prefixes":     `[x] {"id":1} `,
	"open prefixes":        `[x {`,
	"prefixes, lines":      "[x] a {\"id\n",
	"same key":             `{"id":1,"id":2,"x":{"id":[{}]}},`,
	"spaced keys":          `{` + strings.Repeat(" ", 50) + `"id" x`,
}

// TestHostileShapesTakeLinearTime: half a megabyte of anything, in whatever it stands,
// takes some milliseconds; were a shape quadratic, it would take many seconds.
func TestHostileShapesTakeLinearTime(t *testing.T) {
	const size, most = 512 << 10, 2 * time.Second
	prefixed, several := format, format
	prefixed.Prefixed = true
	several.First = []string{"absent", "id", "absent too"}
	for name, shape := range hostileShapes {
		for _, in := range []struct {
			around string
			*Format
		}{{"", &format}, {"", &prefixed}, {"[", &format}, {"[", &several}, {`{"records":[`, &format}, {"[{\"id\":1,\"x\":\n", &format}} {
			data := []byte(in.around + strings.Repeat(shape, size/len(shape)))
			begin := time.Now()
			if _, err := Tabled(in.Format, table, mapID, data, func(*audit.Record) error { return nil }); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(begin); took > most {
				t.Errorf("%s behind %q: %v", name, in.around, took)
			}
		}
	}
}

// TestNothingIsLostOrMerged: whatever stands between two events, both come out, and
// every byte that is no separator is in a body.
func TestNothingIsLostOrMerged(t *testing.T) {
	for data, want := range map[string]string{
		`[{"id":1}},{"id":2}]`:                                             `1 malformed event(}) 2`,
		`[{"id":1}",{"id":2},{"id":3}]`:                                    `1 malformed event(") 2 3`,
		`[{"id":1,"x":[1,2},{"id":2}]`:                                     `malformed event({"id":1,"x":[1,2}) 2`,
		"[{\"id\":1,\"x\":[1,2},{\"id\":2}]\n{\"id\":3}":                   `malformed event({"id":1,"x":[1,2}) 2 3`,
		`{"id":1}` + "\n\xef\xbb\xbf" + `{"id":2}`:                         "1 2",
		`{"i\u0064":1,"records":[{"id":2}]}`:                               "1",
		`{"\u0072ecords":[{"id":1},{"id":2}]}`:                             "1 2",
		`{"records":[],"x":{` + "\n" + `{"records":[{"id":2}]}`:            `malformed event({"records":[],"x":{) 2`,
		`{"id":1,"x":[` + "\n" + `{"id":2}` + "\n" + `],"y":` + deep + `}`: "malformed event(" + `{"id":1,"x":[` + "\n" + `{"id":2}` + "\n" + `],"y":` + deep + `})`,
	} {
		if got := outline(t, data); got != want {
			t.Errorf("%.200s\n\tgot  %.300s\n\twant %.300s", data, got, want)
		}
	}
}

var deep = strings.Repeat("[", 600) + strings.Repeat("]", 600)

// FuzzEveryByte: without containers, which have members of their own, every byte is in a
// body, or between two of them as space, comma, bracket of a list or byte order mark. No
// byte is in two.
func FuzzEveryByte(f *testing.F) {
	for shape := range hostileShapes {
		f.Add([]byte("["+hostileShapes[shape]+`{"id":1},`+hostileShapes[shape]), false)
	}
	f.Add([]byte("x {\"id\":1}\ny {\"id\":2\n{\"id\":3}]}\n[{\"id\":4}},\"\n{\"id\":5}"), true)
	f.Fuzz(func(t *testing.T, data []byte, prefixed bool) {
		lines := format
		lines.Lists, lines.Prefixed = nil, prefixed
		at, texts := 0, ""
		_, err := Tabled(&lines, table, mapID, data, func(r *audit.Record) error {
			start := bytesAt(data, r.Body, at)
			if start < 0 {
				t.Fatalf("body %q is not behind byte %d", r.Body, at)
			}
			texts += string(data[at:start])
			at = start + len(r.Body)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		texts += string(data[at:])
		if left := strings.Trim(strings.ReplaceAll(texts, "\xef\xbb\xbf", ""), " \t\r\n,[]"); left != "" && !prefixed {
			t.Errorf("%q: these bytes are in no body: %q", data, left)
		}
	})
}

// bytesAt is where body lies in data, as a part of it, from byte at on; -1 if nowhere.
func bytesAt(data, body []byte, at int) int {
	for ; at <= len(data)-len(body); at++ {
		if len(body) == 0 || &data[at] == &body[0] {
			return at
		}
	}
	return -1
}
