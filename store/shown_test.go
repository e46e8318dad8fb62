package store

import (
	"strings"
	"testing"
)

func TestShown(t *testing.T) {
	for name, want := range map[string]string{
		"log/seals/x": "log/seals/x", "a//b": "a//b", "/a": "/a", "a/": "a/", strings.Repeat("x", 900): strings.Repeat("x", 900),
		`a\b`: `a\\b`, "a\nb": `a\x0ab`, `a\x0ab`: `a\\x0ab`, "a\xffb": `a\xffb`, "a\x7f": `a\x7f`,
		"": "", ".hidden": "", "log/.git/x": "", "a/\n/.b": "",
	} {
		if got, ok := Shown(name, 1); got != want || ok != (want != "") {
			t.Errorf("%q is shown as %q, %v, want %q", name, got, ok, want)
		}
	}
	if got, ok := Shown("log/", 0); ok {
		t.Errorf("an object that stands for a folder is shown as %q", got)
	}
}

func FuzzShown(f *testing.F) {
	for _, name := range []string{"a/../b", `a\`, `\x`, `\x0`, "a\x00\xff//b", "log/segments/x.jsonl.zst"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		Stored(name) // Whatever it is.
		got, ok := Shown(name, 1)
		switch {
		case !ok:
		case Stored(got) != name:
			t.Errorf("%q is shown as %q, which stands for %q", name, got, Stored(got))
		case (CheckName(got) == nil) != (got == name && CheckName(name) == nil):
			t.Errorf("%q is shown as %q", name, got)
		case strings.ContainsAny(got, "\x00\n\x1b\x7f"):
			t.Errorf("%q disturbs a terminal", got)
		}
	})
}
