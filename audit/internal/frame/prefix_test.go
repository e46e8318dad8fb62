package frame

import (
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/audit"
)

// TestPrefixes: text before an object on its line is no part of it, brackets and braces
// in it included; a line without an event is one record.
func TestPrefixes(t *testing.T) {
	f := format
	f.Prefixed = true
	const event = `{"id":1}`
	for _, tt := range []struct{ data, want string }{
		{"[x] " + event + "\n[7] " + event + "\n[] " + event, event + "|" + event + "|" + event},
		{"x {} {a} " + event + "\n" + "{'a': 1} x\n" + event, event + "|!{'a': 1} x\n|" + event},
		{"x {\"a\":1} y {}\n" + event + "\n", "!x {\"a\":1} y {}\n|" + event},
		{"x {\"a\":tru} y\n" + event + "\n", "!x {\"a\":tru} y\n|" + event},
		{"x {\n  \"id\": 1\n}\n" + event, "{\n  \"id\": 1\n}|" + event},
		{"[" + event + "," + event + "]", event + "|" + event},
		{"[7," + event + "]", "!7|" + event},
		{"[ \n" + event + "]", event},
		{"[7]", "!7"},
	} {
		var got []string
		_, err := Tabled(&f, table, mapID, []byte(tt.data), func(r *audit.Record) error {
			got = append(got, map[bool]string{true: "!"}[r.Quarantined]+string(r.Body))
			return nil
		})
		if text := strings.Join(got, "|"); err != nil || text != tt.want {
			t.Errorf("%q gives %q, want %q (%v)", tt.data, text, tt.want, err)
		}
	}
	for _, shape := range []string{"[]", "[1]", "x[", "[ {a}", "7 ", "{} "} {
		begin := time.Now()
		data := []byte(strings.Repeat(shape, 1<<20/len(shape)))
		if _, err := Tabled(&f, table, mapID, data, func(*audit.Record) error { return nil }); err != nil || time.Since(begin) > 4*time.Second {
			t.Errorf("%q many times: %v, %v", shape, time.Since(begin), err)
		}
	}
}
