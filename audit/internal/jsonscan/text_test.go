package jsonscan

import "testing"

func TestUnquote(t *testing.T) {
	for text, want := range map[string]string{
		`"a"`: "a", `"say \"hi\"é"`: `say "hi"é`, `""`: "",
		`plain`: "plain", ``: "", `"cut`: `"cut`, `"a" b`: `"a" b`, `"a\x"`: `"a\x"`, `["a"]`: `["a"]`, ` "a"`: ` "a"`,
	} {
		if got := Unquote(text); got != want {
			t.Errorf("Unquote(%s) = %s, want %s", text, got, want)
		}
	}
}
