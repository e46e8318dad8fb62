package s3store

import (
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/store"
)

// TestUnmixed merges pages written as: name, "m" for a marker, second.
func TestUnmixed(t *testing.T) {
	for _, c := range []struct{ page, want string }{
		{"", ""},
		{"a1", "a1"},
		{"a9 am1 a5", "a9 am1 a5"},               // mixed: right as it is
		{"am7 am3 a9 a5", "a9 am7 a5 am3"},       // apart: by time
		{"am3 cm3 a4 b1 c2", "a4 am3 b1 cm3 c2"}, // by name first
		{"a9 a5 am7", "a9 am7 a5"},
		{"am5 a5", "am5 a5"},
	} {
		var page []store.Info
		for _, w := range strings.Fields(c.page) {
			page = append(page, store.Info{
				Name: w[:1], DeleteMarker: w[1] == 'm', Modified: time.Unix(int64(w[len(w)-1]-'0'), 0), Version: w,
			})
		}
		var got []string
		for _, info := range unmixed(page) {
			got = append(got, info.Version)
		}
		if g := strings.Join(got, " "); g != c.want {
			t.Errorf("%q becomes %q, want %q", c.page, g, c.want)
		}
	}
}

func TestVersionOrderInAnswer(t *testing.T) {
	order := versionOrder([]byte(`<?xml version="1.0"?><ListVersionsResult><Name>b</Name><Version><Key>a</Key></Version>` +
		`<DeleteMarker><Key>a</Key></DeleteMarker><Version><Key>Version</Key><Version/></Version></ListVersionsResult>`))
	if len(order) != 3 || order[0] || !order[1] || order[2] {
		t.Errorf("order %v, want version, marker, version", order)
	}
}
