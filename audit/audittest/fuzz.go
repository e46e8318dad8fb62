package audittest

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/otelcol-custody/custody/audit"
)

// Fuzz holds a parser against anything: nothing panics, bodies lie in the input in
// order and do not overlap, and of a valid list every element comes out with its
// bytes, as encoding/json cuts it.
func (parse Parse) Fuzz(f *testing.F) {
	f.Helper()
	for _, file := range fixtures(f) {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(data[:len(data)*2/3])
		f.Add(append([]byte{'['}, append(bytes.TrimSpace(data), `,7,{"a":"\ud800"`...)...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		records := parse.Records(t, data)
		var list []json.RawMessage
		if !bytes.HasPrefix(data, []byte("[")) || json.Unmarshal(data, &list) != nil {
			return
		}
		if len(records) != len(list) {
			t.Fatalf("%d records of %d elements", len(records), len(list))
		}
		for i := range list {
			if !bytes.Equal(records[i].Body, list[i]) && !isWrapped(list[i], &records[i]) {
				t.Errorf("body %d is %q, want %q", i, records[i].Body, list[i])
			}
			if v, ok := records[i].Get(audit.AttrRecordID); !ok || len(v.Str) != 32 {
				t.Errorf("record %d has id %q", i, v.Str)
			}
		}
	})
}
