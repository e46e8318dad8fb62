package generic

import (
	"fmt"
	"os"
	"sort"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/audit/audittest"
)

// TestPage: what the page for users shows is what comes out, and its examples are all
// that there are.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/mappings.md")
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string) string {
		_, rest, _ := strings.Cut(string(page), "```"+kind+"\n")
		text, _, ok := strings.Cut(rest, "```")
		if !ok {
			t.Fatalf("the page has no %s", kind)
		}
		return text
	}
	r := ofText(t, block("yaml")).One(t, block("json"))
	var lines []string
	for _, a := range r.Attributes {
		if a.Key != "audit.record.id" && !strings.HasPrefix(a.Key, "audit.raw.") {
			lines = append(lines, fmt.Sprintf("%s = %s\n", a.Key, audittest.Text(&r, a.Key)))
		}
	}
	sort.Strings(lines)
	if got, want := strings.Join(lines, ""), block("text"); got != want {
		t.Errorf("the page says\n%s\nand the record\n%s", want, got)
	}
	for name := range fixtures {
		if own := name == "nested"; own == strings.Contains(string(page), "(../examples/mappings/"+name+".yaml)") {
			t.Errorf("%s is not on the page, or should not be", name)
		}
	}
}
