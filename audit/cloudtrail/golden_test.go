package cloudtrail

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/audit"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden reads each file in testdata and compares all that comes out.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no fixtures", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := render(parse(t, data))
			golden := strings.TrimSuffix(file, ".json") + ".golden"
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s differs; run with -update and read the difference\n%s", golden, got)
			}
		})
	}
}

func render(records []audit.Record) []byte {
	var b bytes.Buffer
	for i := range records {
		r := &records[i]
		fmt.Fprintf(&b, "# %d %s", i, r.EventName)
		if r.Quarantined {
			b.WriteString(" quarantined")
		}
		if !r.Time.IsZero() {
			fmt.Fprintf(&b, " %s", r.Time.Format(time.RFC3339Nano))
		}
		fmt.Fprintf(&b, "\nresource = %s %s %s %s\n", r.Resource.Provider, r.Resource.AccountID, r.Resource.Region, r.Resource.Stream)
		var lines []string
		for _, a := range r.Attributes {
			lines = append(lines, fmt.Sprintf("%s = %q\n", a.Key, text(r, a.Key)))
		}
		sort.Strings(lines)
		b.WriteString(strings.Join(lines, "") + "\n")
	}
	return b.Bytes()
}
