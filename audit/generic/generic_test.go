package generic

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-custody/custody/audit/audittest"
)

// decode reads a mapping as a collector does.
func decode(text []byte) (m Mapping, err error) {
	retrieved, err := confmap.NewRetrievedFromYAML(text)
	if err != nil {
		return m, err
	}
	conf, err := retrieved.AsConf()
	if err != nil {
		return m, err
	}
	return m, conf.Unmarshal(&m)
}

// of makes a parser of a mapping: one of the examples for users, or the tests' own.
func of(t testing.TB, name string) audittest.Parse {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../examples/mappings", name+".yaml"))
	if errors.Is(err, fs.ErrNotExist) {
		text, err = os.ReadFile(filepath.Join("testdata", name+".yaml"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return ofText(t, string(text))
}

func ofText(t testing.TB, text string) audittest.Parse {
	t.Helper()
	m, err := decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(m)
	if err != nil {
		t.Fatal(err)
	}
	return p.Parse
}

// fixtures are the events of each mapping.
var fixtures = map[string]string{
	"minio": "testdata/minio.jsonl", "actiontrail": "testdata/actiontrail.json", "oci": "testdata/oci.json", "cts": "testdata/cts.json", "nested": "testdata/nested.json",
}

func TestGolden(t *testing.T) {
	for name, file := range fixtures {
		of(t, name).GoldenFile(t, file)
	}
}

// TestExamples: no example is without events.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob("../../examples/mappings/*.yaml")
	if err != nil || len(files) != len(fixtures)-1 {
		t.Fatalf("%d examples, %d with events (%v)", len(files), len(fixtures)-1, err)
	}
}

func FuzzParse(f *testing.F) { of(f, "nested").Fuzz(f) }

func TestHostile(t *testing.T) {
	of(t, "minio").Hostile(t, `{"deploymentid":"d","time":"2026-11-20T09:00:00Z","api":{"name":"PutObject","bucket":"b","statusCode":403},"accessKey":"ada","requestID":"r"}`, "deploymentid")
	of(t, "actiontrail").Hostile(t, `{"eventVersion":"1","eventName":"CreateUser","eventTime":"2026-11-20T09:00:00Z","eventId":"e","errorCode":"No"}`, "eventName")
}

func BenchmarkParse(b *testing.B) {
	for name, file := range fixtures {
		of(b, name).BenchFile(b, file)
	}
}
