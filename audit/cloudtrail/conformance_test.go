package cloudtrail

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/audit"
)

// TestSamples reads real log files where there are some: every event's bytes
// must come out as encoding/json cuts them, in order. It logs how often the
// normalised fields are filled.
func TestSamples(t *testing.T) {
	root := os.Getenv("CUSTODY_SAMPLES")
	if root == "" {
		t.Log("set CUSTODY_SAMPLES to a folder with aws_cloudtrail/ in it to read real files")
		return
	}
	fill, without := map[string]int{}, withoutTarget{}
	total := 0
	err := filepath.WalkDir(filepath.Join(root, "aws_cloudtrail"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".json") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		records := parse(t, data)
		compareBodies(t, path, records, rawEvents(t, data))
		compareWrapped(t, path, records)
		total += len(records)
		countFilled(fill, records)
		for i := range records {
			without.add(t, &records[i])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if total == 0 {
		t.Fatalf("no events below %s", root)
	}
	for _, key := range filledKeys {
		t.Logf("%-22s %5.1f %% of %d events", key, 100*float64(fill[key])/float64(total), total)
	}
	without.log(t)
}

var filledKeys = []string{
	audit.AttrActorID, audit.AttrActorType, audit.AttrAction, audit.AttrTargetID, audit.AttrTargetType,
	audit.AttrSourceID, audit.AttrSourceType, audit.AttrClientAddress, audit.AttrOutcome,
	audit.AttrParseError, audit.AttrParseWarning, audit.AttrQuarantined,
}

func countFilled(fill map[string]int, records []audit.Record) {
	for i := range records {
		for _, key := range filledKeys {
			if _, ok := records[i].Get(key); ok {
				fill[key]++
			}
		}
	}
}

func rawEvents(t *testing.T, data []byte) []json.RawMessage {
	t.Helper()
	var list []json.RawMessage
	if json.Unmarshal(data, &list) == nil {
		return list
	}
	var file struct{ Records []json.RawMessage }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	return file.Records
}

func compareBodies(t *testing.T, path string, records []audit.Record, want []json.RawMessage) {
	t.Helper()
	if len(records) != len(want) {
		t.Errorf("%s: %d records, want %d", path, len(records), len(want))
		return
	}
	for i := range want {
		if !bytes.Equal(records[i].Body, want[i]) {
			t.Errorf("%s: body of event %d differs", path, i)
		}
		if records[i].Quarantined {
			t.Errorf("%s: event %d quarantined: %s", path, i, text(&records[i], audit.AttrParseError))
		}
	}
}

// compareWrapped wraps the events as CloudWatch Logs does: the same records come out.
func compareWrapped(t *testing.T, path string, want []audit.Record) {
	t.Helper()
	var messages []string
	for i := range want {
		messages = append(messages, string(want[i].Body))
	}
	at := 0
	_, err := Parse([]byte(logEvents("DATA_MESSAGE", messages...)), func(r *audit.Record) error {
		if at >= len(want) || !bytes.Equal(r.Body, want[at].Body) || text(r, audit.AttrRecordID) != text(&want[at], audit.AttrRecordID) {
			t.Errorf("%s: event %d differs out of its envelope", path, at)
		}
		at++
		return nil
	})
	if err != nil || at != len(want) {
		t.Errorf("%s: %d records out of the envelope, want %d: %v", path, at, len(want), err)
	}
}
