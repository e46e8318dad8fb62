package e2e

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What a receiver did not read again, and what it could not read, is in the closed
// records, and `custody inspect` shows it.
func TestDuplicatesAndLossAreCounted(t *testing.T) {
	t.Parallel()
	h := newHome(t, "")
	put := func(name string, b []byte) {
		t.Helper()
		beside := filepath.Join(h.in, name+".part")
		if err := os.WriteFile(beside, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(beside, filepath.Join(h.in, name)); err != nil {
			t.Fatal(err)
		}
	}
	file := []byte(`{"Records":[{"eventID":"1"},{"eventID":"2"},{"eventID":"3"}]}`)
	put("a.json", file)
	c := start(t, h, "receivers: {aws_cloudtrail: {directory: {incomplete_after: 200ms}}}")
	awaitEvents(t, h, 3)
	put("copy.json", file)
	put("empty.json.gz", nil)
	awaitEvents(t, h, 4) // The gap record.
	c.stop(t)
	verify(t, 0, h.store(), h.pub())

	r := custody(t, "inspect", "--json", h.store()).want(t, 0)
	var doc struct {
		Logs []struct{ Receivers map[string]map[string]int }
	}
	if err := json.Unmarshal([]byte(r.stdout), &doc); err != nil || len(doc.Logs) != 1 {
		t.Fatalf("%v\n%s", err, r.stdout)
	}
	want := map[string]int{"received": 7, "sealed": 4, "quarantined": 1, "refused": 0, "duplicate": 3, "lost": 1}
	if got := doc.Logs[0].Receivers["aws_cloudtrail"]; !maps.Equal(got, want) {
		t.Errorf("counts are %v, want %v\n%s", got, want, c.log)
	}
	text := custody(t, "inspect", h.store()).want(t, 0).stdout
	for _, name := range []string{"received", "sealed", "duplicate", "quarantined", "refused", "lost"} {
		if !strings.Contains(text, name) {
			t.Errorf("inspect does not show %q:\n%s", name, text)
		}
	}
}
