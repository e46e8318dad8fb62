package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// The vectors of the record line (spec §3) are written by hand: the generator
// shares no code with the encoder that they test.

// A recordVector is one case. For the verdict "ok" the record, in one of the
// forms of its source, has exactly this line and the line is canonical. For
// "reject" the line is not canonical, for the reason in Why. A line that the
// log itself writes has no source.
type recordVector struct {
	Rule   string `json:"rule"`
	Expect string `json:"expect"`
	Why    string `json:"why,omitempty"`

	// The record, alone in a LogsData message.
	OTLP       json.RawMessage `json:"otlp,omitempty"`        // OTLP/JSON
	OTLPBase64 []byte          `json:"otlp_base64,omitempty"` // protobuf, where JSON cannot carry it
	BodyRepeat *repeat         `json:"body_repeat,omitempty"` // the body is this string, and all else is unset
	BodyNest   int             `json:"body_nest,omitempty"`   // the body is so many arrays, each alone in the next, and all else is unset

	// The line: itself, or where it is long, its repetition or its digest.
	LineBase64 []byte      `json:"line_base64,omitempty"`
	Line       string      `json:"line,omitempty"`
	LineRepeat *lineRepeat `json:"line_repeat,omitempty"`
	LineSHA256 string      `json:"line_sha256,omitempty"`
	LineSize   int         `json:"line_size,omitempty"`
}

type repeat struct {
	Unit  string `json:"unit"`
	Times int    `json:"times"`
}

type lineRepeat struct {
	Before string `json:"before"`
	Unit   string `json:"unit"`
	Times  int    `json:"times"`
	After  string `json:"after"`
}

// recordSet collects vectors by file name, in the order in which they come.
type recordSet struct {
	names []string
	files map[string]recordVector
}

func (s *recordSet) put(name string, v recordVector) {
	if _, ok := s.files[name]; ok {
		panic("two vectors are called " + name)
	}
	s.names = append(s.names, name)
	s.files[name] = v
}

// ok adds a record in OTLP/JSON and its line.
func (s *recordSet) ok(name, rule, record, line string) {
	s.put(name, withLine(recordVector{Rule: rule, Expect: "ok", OTLP: logsJSON(record)}, line))
}

// proto adds a record in protobuf and its line.
func (s *recordSet) proto(name, rule, record, line string) {
	s.put(name, withLine(recordVector{Rule: rule, Expect: "ok", OTLPBase64: []byte(logsProto(record))}, line))
}

// own adds a line of the log itself.
func (s *recordSet) own(name, rule, line string) {
	s.put(name, withLine(recordVector{Rule: rule, Expect: "ok"}, line))
}

// reject adds a line that is not canonical.
func (s *recordSet) reject(name, rule, why, line string) {
	s.put("reject-"+name, withLine(recordVector{Rule: rule, Expect: "reject", Why: why}, line))
}

// long gives v a line by its digest.
func long(v recordVector, line string) recordVector {
	sum := sha256.Sum256([]byte(line))
	v.LineSHA256, v.LineSize = hex.EncodeToString(sum[:]), len(line)
	return v
}

func withLine(v recordVector, line string) recordVector {
	v.LineBase64 = []byte(line)
	const readable = 8192
	if utf8.ValidString(line) && len(line) <= readable {
		v.Line = line
	}
	return v
}

// logsJSON puts a record alone into LogsData.
func logsJSON(record string) json.RawMessage {
	return json.RawMessage(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[` + record + `]}]}]}`)
}

// body and attribute are records in OTLP/JSON that have just these.
func body(value string) string { return `{"body":` + value + `}` }

func attributes(kvs ...string) string { return `{"attributes":[` + strings.Join(kvs, ",") + `]}` }

func attribute(key, value string) string {
	return fmt.Sprintf(`{"key":%s,"value":%s}`, quote(key), value)
}

func text(s string) string { return `{"stringValue":` + quote(s) + `}` }

func integer(s string) string { return `{"intValue":"` + s + `"}` }

func list(values ...string) string {
	return `{"arrayValue":{"values":[` + strings.Join(values, ",") + `]}}`
}

func kvlist(kvs ...string) string {
	return `{"kvlistValue":{"values":[` + strings.Join(kvs, ",") + `]}}`
}

// quote writes s in JSON with nothing but ASCII in it.
func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// writeRecords writes the vectors of the record line into dir, a file each, and
// removes others from it.
func writeRecords(dir string) error {
	s := &recordSet{files: map[string]recordVector{}}
	addMembers(s)
	addText(s)
	addValues(s)
	addDoubles(s)
	addMaps(s)
	addDeep(s)
	addOversize(s)
	addReserved(s)
	addRejects(s)
	old, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return fmt.Errorf("list %s: %w", dir, err)
	}
	for _, path := range old {
		if _, ok := s.files[strings.TrimSuffix(filepath.Base(path), ".json")]; !ok {
			if err := os.Remove(path); err != nil {
				return fmt.Errorf("remove an old vector: %w", err)
			}
		}
	}
	for _, name := range s.names {
		if err := writeRecord(filepath.Join(dir, name+".json"), s.files[name]); err != nil {
			return err
		}
	}
	return nil
}

func writeRecord(path string, v recordVector) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("encode %s: %w", path, err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write a vector: %w", err)
	}
	return nil
}
