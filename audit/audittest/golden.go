package audittest

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

// Golden reads each .json and .jsonl file in testdata, and compares all that comes out
// with the .golden file beside it.
func (parse Parse) Golden(t *testing.T) {
	t.Helper()
	for _, file := range fixtures(t) {
		parse.GoldenFile(t, file)
	}
}

// GoldenFile is the same for one file.
func (parse Parse) GoldenFile(t *testing.T, file string) {
	t.Helper()
	t.Run(filepath.Base(file), func(t *testing.T) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got := render(parse.Records(t, data))
		golden := strings.TrimSuffix(file, filepath.Ext(file)) + ".golden"
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
			t.Errorf("%s differs; run with -args -update and read the difference\n%s", golden, got)
		}
	})
}

func fixtures(t testing.TB) (files []string) {
	t.Helper()
	for _, pattern := range []string{"testdata/*.json", "testdata/*.jsonl"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		t.Fatal("no fixtures in testdata")
	}
	return files
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
			lines = append(lines, fmt.Sprintf("%s = %q\n", a.Key, Text(r, a.Key)))
		}
		sort.Strings(lines)
		b.WriteString(strings.Join(lines, "") + "\n")
	}
	return b.Bytes()
}
