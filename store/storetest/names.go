package storetest

import (
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/store"
)

func testNames(t *testing.T, s store.Store, _ Caps) {
	for _, name := range []string{
		"a", "log/segments/00000000000000000000-0123456789abcdef0123456789abcdef.jsonl.zst", "log/tiles/1/x001/002",
		"with space/and+plus/per%2Fcent", "ümlaut/日本", "a..b/c...", "-dash/~tilde", "q?/a&b=c#d", "q:*|\"<>'",
		strings.Repeat("s", store.MaxSegment), strings.Repeat("d/", store.MaxName/2-1) + "e",
	} {
		put(t, s, name, []byte(name))
		holds(t, s, name, []byte(name))
	}
}

func testHostileNames(t *testing.T, s store.Store, _ Caps) {
	for _, name := range []string{
		"", "/", "/etc/passwd", "..", "../x", "a/../b", "a/..", ".", "./a", "a/./b", "a//b", "a/", "//a", ".tmp/x", "a/.hidden",
		"a\x00b", "a\nb", "a\x7fb", `a\b`, `..\x`, "\xff", "a/\xc3(", strings.Repeat("x", store.MaxName+1),
		strings.Repeat("x", store.MaxSegment+1), strings.Repeat("../", 40) + "etc/passwd",
	} {
		_, err := s.PutOnce(t.Context(), name, []byte("x"), store.PutOptions{})
		refused(t, "PutOnce "+name, err, store.ErrName)
		_, _, err = s.Get(t.Context(), name)
		refused(t, "Get "+name, err, store.ErrName)
		_, err = s.GetRange(t.Context(), name, 0, 1)
		refused(t, "GetRange "+name, err, store.ErrName)
		_, err = s.Stat(t.Context(), name)
		refused(t, "Stat "+name, err, store.ErrName)
		_, err = s.Versions(t.Context(), name)
		refused(t, "Versions "+name, err, store.ErrName)
	}
	// As prefix and position they are harmless and find nothing outside.
	for _, odd := range []string{"../", "/", "..", "\x00", "\xff"} {
		if got, err := names(s.List(t.Context(), odd, "")); err != nil || len(got) != 0 {
			t.Errorf("List(prefix %q): %q, %v; want nothing", odd, got, err)
		}
		if got, err := names(s.List(t.Context(), "", odd)); err != nil || len(got) != 0 {
			t.Errorf("List(after %q): %q, %v; want nothing", odd, got, err)
		}
	}
}
