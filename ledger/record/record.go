// Package record holds a log record and its one canonical line (spec §3).
//
// [AppendLine] and [ParseLine] are inverse to each other: every record has
// exactly one line, and no two different records share one. [CheckLine] gives
// the verdict of ParseLine without building the record.
package record

import "math"

// Kind tells which alternative of an OTLP AnyValue a [Value] is.
type Kind uint8

// The kinds of AnyValue. Empty is an AnyValue without a value.
const (
	Empty Kind = iota
	String
	Bool
	Int
	Double
	Bytes
	List
	Map
)

// A Value is an OTLP AnyValue. Only the fields of its Kind count.
type Value struct {
	Kind Kind
	Num  uint64     // Bool: 0 or 1; Int: two's complement; Double: IEEE 754 bits
	Str  string     // String: text, not necessarily UTF-8; Bytes: the raw bytes
	List []Value    // List
	Map  []KeyValue // Map: in order of arrival; keys may repeat
}

// A KeyValue is one attribute, or one entry of a key-value list.
type KeyValue struct {
	Key   string
	Value Value
}

// An EntityRef names an entity that the resource's attributes describe.
type EntityRef struct {
	SchemaURL, Type         string
	IDKeys, DescriptionKeys []string
}

// A Resource is the source of a record. SchemaURL is that of ResourceLogs.
type Resource struct {
	Attributes []KeyValue
	Dropped    uint32 // dropped_attributes_count
	EntityRefs []EntityRef
	SchemaURL  string
}

// A Scope is the instrumentation scope of a record. SchemaURL is that of ScopeLogs.
type Scope struct {
	Attributes               []KeyValue
	Dropped                  uint32 // dropped_attributes_count
	Name, Version, SchemaURL string
}

// A Record is one OpenTelemetry log record with its resource and scope, or a
// record of the log's own (spec §3.1).
type Record struct {
	Attributes []KeyValue
	Body       Value
	// Custody is the log's own statement; no record that arrived has one.
	Custody            []KeyValue
	Dropped            uint32 // dropped_attributes_count
	EventName          string
	Flags              uint32
	ObservedTime, Time uint64 // nanoseconds since 1970-01-01T00:00:00Z
	Resource           Resource
	Scope              Scope
	SeverityNumber     int32
	SeverityText       string
	SpanID             [8]byte
	TraceID            [16]byte
}

// Text is the record's attribute with this key if it is a string, else empty.
func (r *Record) Text(key string) string {
	for _, kv := range r.Attributes {
		if kv.Key == key && kv.Value.Kind == String {
			return kv.Value.Str
		}
	}
	return ""
}

// StringValue returns the string s. It need not be valid UTF-8.
func StringValue(s string) Value { return Value{Kind: String, Str: s} }

// BoolValue returns the bool b.
func BoolValue(b bool) Value {
	v := Value{Kind: Bool}
	if b {
		v.Num = 1
	}
	return v
}

// IntValue returns the int i.
func IntValue(i int64) Value { return Value{Kind: Int, Num: uint64(i)} }

// DoubleValue returns the double f, with the very bits of f when it is NaN.
func DoubleValue(f float64) Value { return Value{Kind: Double, Num: math.Float64bits(f)} }

// BytesValue returns a copy of b.
func BytesValue(b []byte) Value { return Value{Kind: Bytes, Str: string(b)} }

// ListValue returns the array of vs, which it keeps.
func ListValue(vs ...Value) Value { return Value{Kind: List, List: vs} }

// MapValue returns the key-value list of kvs, which it keeps.
func MapValue(kvs ...KeyValue) Value { return Value{Kind: Map, Map: kvs} }
