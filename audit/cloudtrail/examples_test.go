package cloudtrail

import (
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/audit"
)

// TestExamples reads the example files that the project ships: all are whole,
// and each event lies in the folder of its account, region and stream.
func TestExamples(t *testing.T) {
	root := filepath.Join("..", "..", "examples", "cloudtrail", "AWSLogs")
	files, events, truncated := 0, 0, 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data := readLog(t, path)
		records := parse(t, data)
		compareBodies(t, path, records, rawEvents(t, data))
		files++
		events += len(records)
		for i := range records {
			r := &records[i]
			place := "/" + r.Resource.AccountID + "/" + r.Resource.Stream + "/" + r.Resource.Region + "/"
			if !strings.Contains(filepath.ToSlash(path), place) {
				t.Errorf("%s: event %d belongs to %s", path, i, place)
			}
			if text(r, audit.AttrParseError)+text(r, audit.AttrParseWarning) != "" {
				t.Errorf("%s: event %d: %q %q", path, i, text(r, audit.AttrParseError), text(r, audit.AttrParseWarning))
			}
			if _, ok := r.Get(audit.AttrTruncated); ok {
				truncated++
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 3 || events < 60 || truncated == 0 {
		t.Errorf("%d files, %d events, %d truncated", files, events, truncated)
	}
}

func readLog(t *testing.T, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
