package cloudtrail

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/otelcol-custody/custody/audit"
)

// FuzzParse: whatever the input, nothing panics, bodies lie in it in order
// and do not overlap, and for a valid container every element comes out with
// its bytes, as encoding/json cuts it.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(data[:len(data)*2/3])
	}
	f.Add([]byte(`[{"eventVersion":"1.11"},7,{"eventVersion":"1.11","x":"\ud800"`))
	f.Fuzz(func(t *testing.T, data []byte) {
		records := parse(t, data)
		var list []json.RawMessage
		if !bytes.HasPrefix(data, []byte("[")) || json.Unmarshal(data, &list) != nil {
			return
		}
		if len(records) != len(list) {
			t.Fatalf("%d records of %d elements", len(records), len(list))
		}
		for i := range list {
			if !bytes.Equal(records[i].Body, list[i]) {
				t.Errorf("body %d is %q, want %q", i, records[i].Body, list[i])
			}
			if v, ok := records[i].Get(audit.AttrRecordID); !ok || len(v.Str) != 32 {
				t.Errorf("record %d has id %q", i, v.Str)
			}
		}
	})
}
