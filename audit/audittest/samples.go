package audittest

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/otelcol-custody/custody/audit"
)

// Samples reads the files below a folder of real events, which are no part of the
// project: CUSTODY_SAMPLES says where they are. Without it there are none.
func Samples(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	root := os.Getenv("CUSTODY_SAMPLES")
	if root == "" {
		t.Logf("set CUSTODY_SAMPLES to a folder with %s/ in it to read real events", folder)
		return nil
	}
	files := map[string][]byte{}
	err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		files[path] = data
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files in %s: %v", len(files), folder, err)
	}
	return files
}

// LogShares logs how many records have an answer to who, what, on what, from where and
// with what outcome, and which of them have not.
func LogShares(t *testing.T, records []audit.Record) {
	t.Helper()
	quarantined := 0
	for i := range records {
		if records[i].Quarantined {
			quarantined++
			t.Logf("quarantined: %s: %.120s", Text(&records[i], audit.AttrParseError), records[i].Body)
		}
	}
	t.Logf("%d records, %d quarantined", len(records), quarantined)
	for _, key := range []string{audit.AttrActorID, audit.AttrAction, audit.AttrTargetID, audit.AttrSourceType, audit.AttrClientAddress, audit.AttrOutcome} {
		have := 0
		for i := range records {
			if Text(&records[i], key) != "" {
				have++
			} else if !records[i].Quarantined {
				t.Logf("no %s: %s %s %.120s", key, Text(&records[i], audit.AttrService), Text(&records[i], audit.AttrOperation), records[i].Body)
			}
		}
		t.Logf("%-16s %5.1f %%", key, 100*float64(have)/float64(max(1, len(records))))
	}
}
