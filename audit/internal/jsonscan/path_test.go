package jsonscan

import "testing"

// TestCleanPath: ways of writing one path become one, and lead to the same place.
func TestCleanPath(t *testing.T) {
	for path, want := range map[string]string{
		`a`: `"a"`, `"a"`: `"a"`, `a.b`: `"a"."b"`, `"a".b`: `"a"."b"`, `"a.b"`: `"a.b"`, `a[].b`: `"a"[]."b"`, `"a[]"`: `"a[]"`, `a[][]`: `"a"[][]`, `""`: `""`,
	} {
		clean, inList := CleanPath(path)
		if isList := path == `a[].b` || path == `a[][]`; clean != want || inList != isList {
			t.Errorf("%s: %s, %v", path, clean, inList)
		}
		if again, _ := CleanPath(clean); again != clean || CheckPath(clean) != nil {
			t.Errorf("%s: %s is not clean", path, clean)
		}
	}
	f, err := Of(`{"a":{"b":1},"a.b":2,"a[]":3}`, NewTable([]string{`"a"."b"`, `"a.b"`, `"a[]"`}))
	if err != nil || f.Str(0)+f.Str(1)+f.Str(2) != "123" {
		t.Errorf("%v", err)
	}
}
