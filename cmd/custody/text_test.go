package main

import (
	"testing"
	"time"
)

func TestText(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{number(0), "0"},
		{number(999), "999"},
		{number(1000), "1,000"},
		{number(uint64(1234567)), "1,234,567"},
		{several(1, "record"), "1 record"},
		{several(0, "record"), "0 records"},
		{size(1023), "1023 B"},
		{size(1536), "1.5 KiB"},
		{size(int64(3) << 40), "3.0 TiB"},
		{span(1500 * time.Microsecond), "2ms"},
		{span(90 * time.Second), "2m"},
		{span(49 * time.Hour), "2 days"},
		{span(47*time.Hour + time.Minute), "47h1m"},
		{printable("tab\there\nnext é 日本"), `tab\u0009here` + "\nnext é 日本"},
		{printable("\x1b[2J\u202e\u200b\u0085\U000e0001"), `\u001b[2J\u202e\u200b\u0085\U000e0001`},
		{printable("\x9b2J"), "\uFFFD2J"},
		{joinSome([]int{1, 2, 3}), "1, 2, 3"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
