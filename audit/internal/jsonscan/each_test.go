package jsonscan

import (
	"strings"
	"testing"
)

// TestEach: every element is read, as the first ones of a path are.
func TestEach(t *testing.T) {
	outer := NewTable([]string{"a", "a[].n"})
	element := NewTable([]string{"n"})
	for data, want := range map[string]string{
		`{"a":[{"n":1},{"n":"x\u0041"},[{"n":2}],7,{},{"n":null},{"n":true}]}`: "1 xA     true",
		`{"a":[` + strings.Repeat(`{"n":0},`, 100) + ` {"n":9} ]}`:             strings.Repeat("0 ", 100) + "9",
		`{"a":[]}`: "", `{"a":{"n":1}}`: "", `{"a":null}`: "", `{}`: "",
	} {
		for _, kept := range []bool{false, true} {
			f, s := &Fields{}, &Scanner{Data: []byte("  " + data), Pos: 2}
			if _, err := f.Read(s, outer); err != nil {
				t.Fatal(err)
			}
			if kept {
				f.Keep(data, 2)
			}
			for range 2 { // it may be asked for again
				var got []string
				f.Each(0, element, func(e *Fields) { got = append(got, e.Str(0)) })
				if text := strings.Join(got, " "); text != want {
					t.Errorf("%s: %q, want %q", data, text, want)
				}
			}
		}
	}
}
