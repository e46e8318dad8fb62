package store

import (
	"errors"
	"strings"
	"testing"
)

func TestCheckNameSaysWhy(t *testing.T) {
	for name, why := range map[string]string{
		"": "empty", "/a": "relative", "a//b": "empty segment", "a/": "empty segment", "../a": "begins with a dot", "a/.x": "begins with a dot",
		`a\b`: "backslash", "a\x00": "U+0000", "a\x1b[2J": "U+001B", "\xff": "UTF-8",
		strings.Repeat("a", MaxName+1): "at most 512", strings.Repeat("a", MaxSegment+1): "at most 255",
	} {
		err := CheckName(name)
		if !errors.Is(err, ErrName) || !strings.Contains(err.Error(), why) {
			t.Errorf("CheckName(%q): %v, want it to say %q", name, err, why)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\x00\x1b") || err != nil && len(err.Error()) > 300 {
			t.Errorf("CheckName(%q): the message would disturb a terminal: %q", name, err)
		}
	}
	for _, name := range []string{"a", "log/seals/00000000000000000000.seal", strings.Repeat("a", MaxSegment), "a..b", "-"} {
		if err := CheckName(name); err != nil {
			t.Error(err)
		}
	}
}

func FuzzCheckName(f *testing.F) {
	f.Add("a/../b")
	f.Add("log/segments/x.jsonl.zst")
	f.Fuzz(func(t *testing.T, name string) {
		if CheckName(name) != nil {
			return
		}
		for _, bad := range []string{"//", "/.", "\\", "\x00", "\n"} {
			if strings.Contains("/"+name+"/", bad) {
				t.Errorf("%q is accepted although it contains %q", name, bad)
			}
		}
	})
}
