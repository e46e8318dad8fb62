package logrecord

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-custody/custody/ledger/record"
)

const vectors = "../../docs/spec/vectors/records"

type vector struct {
	Rule, Expect, Why string
	OTLP              json.RawMessage
	OTLPBase64        []byte `json:"otlp_base64"`
	BodyRepeat        *struct {
		Unit  string
		Times int
	} `json:"body_repeat"`
	BodyNest   int    `json:"body_nest"`
	LineBase64 []byte `json:"line_base64"`
	Line       string
	LineRepeat *struct {
		Before, Unit, After string
		Times               int
	} `json:"line_repeat"`
	LineSHA256 string `json:"line_sha256"`
	LineSize   int    `json:"line_size"`
}

// logs returns the record of a vector, or nil if only its line is given.
func (v *vector) logs() (*plog.Logs, error) {
	var ld plog.Logs
	var err error
	switch {
	case v.OTLP != nil:
		var u plog.JSONUnmarshaler
		ld, err = u.UnmarshalLogs(v.OTLP)
	case v.OTLPBase64 != nil:
		var u plog.ProtoUnmarshaler
		ld, err = u.UnmarshalLogs(v.OTLPBase64)
	case v.BodyRepeat != nil:
		var lr plog.LogRecord
		ld, lr = single()
		lr.Body().SetStr(strings.Repeat(v.BodyRepeat.Unit, v.BodyRepeat.Times))
	case v.BodyNest > 0:
		var lr plog.LogRecord
		ld, lr = single()
		value := lr.Body()
		for range v.BodyNest - 1 {
			value = value.SetEmptySlice().AppendEmpty()
		}
		value.SetEmptySlice()
	default:
		return nil, nil
	}
	return &ld, err
}

// line returns the line of a vector, or nil if only its digest is given.
func (v *vector) line() []byte {
	if r := v.LineRepeat; r != nil {
		return []byte(r.Before + strings.Repeat(r.Unit, r.Times) + r.After)
	}
	if v.LineBase64 == nil && v.LineSHA256 == "" {
		return []byte{}
	}
	return v.LineBase64
}

func TestVectors(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(vectors, "*.json"))
	if err != nil || len(paths) < 80 {
		t.Fatalf("%v: %d vectors", err, len(paths))
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var v vector
			dec := json.NewDecoder(bytes.NewReader(b))
			dec.DisallowUnknownFields()
			if err := dec.Decode(&v); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(v.Rule, "§") || v.Line != "" && v.Line != string(v.LineBase64) {
				t.Fatal("the vector contradicts itself")
			}
			if reject := strings.HasPrefix(name, "reject-"); reject != (v.Expect == "reject") || reject != (v.Why != "") {
				t.Fatalf("expects %q", v.Expect)
			}
			v.check(t)
		})
	}
}

func (v *vector) check(t *testing.T) {
	line := v.line()
	if v.Expect == "reject" {
		if r, err := record.ParseLine(line); !errors.Is(err, record.ErrNotCanonical) {
			t.Errorf("ParseLine: %v, %+v", err, r)
		}
		if err := record.CheckLine(line); !errors.Is(err, record.ErrNotCanonical) {
			t.Errorf("CheckLine: %v", err)
		}
		return
	}
	ld, err := v.logs()
	if err != nil {
		t.Fatal(err)
	}
	if ld != nil {
		got, _ := lineOf(t, *ld)
		v.compare(t, []byte(got))
		line = []byte(got)
	}
	r, err := record.ParseLine(line)
	if err != nil {
		t.Fatal(err)
	}
	again, err := record.AppendLine(nil, r)
	if err != nil {
		t.Fatal(err)
	}
	v.compare(t, again)
	if ld != nil && r.Custody == nil {
		res := ld.ResourceLogs().At(0)
		sc := res.ScopeLogs().At(0)
		checkRoundTrip(t, line, describe(res, sc, sc.LogRecords().At(0), renamed))
	}
}

// compare demands that the vector's line is got.
func (v *vector) compare(t *testing.T, got []byte) {
	t.Helper()
	if v.LineSHA256 != "" {
		if sum := sha256.Sum256(got); hex.EncodeToString(sum[:]) != v.LineSHA256 || len(got) != v.LineSize {
			t.Errorf("line of %d bytes with digest %x, want %d and %s", len(got), sum, v.LineSize, v.LineSHA256)
		}
		return
	}
	if !utf8.Valid(got) || !bytes.Equal(got, v.LineBase64) {
		t.Errorf("\ngot  %.400s\nwant %.400s", got, v.LineBase64)
	}
}
