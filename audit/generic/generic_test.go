package generic

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-custody/custody/audit"
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

// of makes a parser of a mapping in testdata, changed by pairs of old and new text.
func of(t testing.TB, name string, changes ...string) audittest.Parse {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return ofText(t, strings.NewReplacer(changes...).Replace(string(text)))
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

func TestGolden(t *testing.T) {
	of(t, "minio").GoldenFile(t, "testdata/minio.jsonl")
	of(t, "actiontrail").GoldenFile(t, "testdata/actiontrail.json")
	of(t, "nested").GoldenFile(t, "testdata/nested.json")
}

func FuzzParse(f *testing.F) { of(f, "nested").Fuzz(f) }

func TestHostile(t *testing.T) {
	of(t, "minio").Hostile(t, `{"deploymentid":"d","time":"2026-11-20T09:00:00Z","api":{"name":"PutObject","bucket":"b","statusCode":403},"accessKey":"ada","requestID":"r"}`, "deploymentid")
	of(t, "actiontrail").Hostile(t, `{"eventVersion":"1","eventName":"CreateUser","eventTime":"2026-11-20T09:00:00Z","eventId":"e","errorCode":"No"}`, "eventName")
}

func BenchmarkParse(b *testing.B) {
	for name, file := range map[string]string{"minio": "minio.jsonl", "actiontrail": "actiontrail.json"} {
		b.Run(name, func(b *testing.B) {
			parse := of(b, name)
			one, err := os.ReadFile(filepath.Join("testdata", file))
			if err != nil {
				b.Fatal(err)
			}
			data := bytes.Repeat(one, 100)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				counts, err := parse(data, func(*audit.Record) error { return nil })
				if err != nil || counts.Events < 400 {
					b.Fatal(counts, err)
				}
			}
		})
	}
}
